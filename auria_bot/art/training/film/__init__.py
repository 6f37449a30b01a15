"""Training of the film model."""
