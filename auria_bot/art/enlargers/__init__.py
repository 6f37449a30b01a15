"""Enlargers: small pictures in, large pictures out."""
