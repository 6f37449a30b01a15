"""The public gallery: published artworks, their filters and search, and their pictures in several sizes."""
