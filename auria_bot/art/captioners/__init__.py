"""The captioners, one module for each backend."""
