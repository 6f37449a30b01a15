"""Auria's portrait: an emblem that her own networks paint."""
