"""English for verse: words, syllables, form, seasons, and words that may not be published."""
