"""Training the painter."""
