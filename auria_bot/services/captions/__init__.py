"""Captions for pictures that others bring: asking the model server, and ratings of what it said."""
