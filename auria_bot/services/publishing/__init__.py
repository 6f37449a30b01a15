"""Publishing: posts from approved drafts, each sent exactly once."""
