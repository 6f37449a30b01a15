"""Where posts go: one file, one platform."""
