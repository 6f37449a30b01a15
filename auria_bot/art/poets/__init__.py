"""The poets, one module for each backend."""
