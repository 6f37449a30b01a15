"""Footage: the frames of videos and stills that film models learn from."""
