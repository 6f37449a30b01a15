"""The corpus: importing, refreshing from Reddit, checking for deletions, and versions."""
