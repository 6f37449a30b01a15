"""Fine-tuning a language model on haiku: its corpus, its recipe, and what it teaches."""
