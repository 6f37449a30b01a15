"""Training of a feed-forward network for one painting."""
