"""Commands for channels and posts."""
