"""Commands for the corpus."""
