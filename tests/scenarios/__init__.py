"""Whole courses of events that tests try in small and benchmarks in full: crashes, attacks, outages, crowds."""
