"""Commands of the caption service."""
