"""Runs units of work in other processes, and supervises processes."""
