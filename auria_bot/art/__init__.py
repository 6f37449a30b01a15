"""Poets, painters, stylists, captioners and exporters, and the networks behind them."""
