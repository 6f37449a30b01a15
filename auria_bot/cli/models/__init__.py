"""Commands for models, styles, training and evaluation."""
