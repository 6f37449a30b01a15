"""Training the poet and its poem scorer."""
