"""The stylists, one module for each backend."""
