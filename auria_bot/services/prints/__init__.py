"""Prints and catalogues: pictures painted anew at any size, and PDF pages with poems."""
