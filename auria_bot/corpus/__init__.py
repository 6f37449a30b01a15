"""Where verses come from: reading, cleaning, syllables, words that may not be said."""
