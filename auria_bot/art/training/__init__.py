"""Training: one loop, and a recipe for each model."""
