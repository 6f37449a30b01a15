"""The terminal: output, keys, pictures and progress."""
