"""Artworks that visitors of the web site ask for: limits, a queue, their making, and keeping them for a while."""
