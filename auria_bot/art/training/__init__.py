"""One training loop, one recipe a model."""
