"""Runs steps of the studio in other processes."""
