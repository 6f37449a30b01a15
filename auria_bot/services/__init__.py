"""What Auria does: make, review, publish."""
