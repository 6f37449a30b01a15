"""Readers of verse from outside: Reddit, its dumps, and files of any kind."""
