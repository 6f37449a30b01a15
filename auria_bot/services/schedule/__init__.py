"""The schedule: which job is due, and running it."""
