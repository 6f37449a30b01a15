"""Trained models and styles: listing, training, evaluation and replacing the poet."""
