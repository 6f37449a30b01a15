"""The painters, one module for each backend."""
