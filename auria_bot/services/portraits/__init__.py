"""The portraits: candidates to choose from, and the one in use."""
