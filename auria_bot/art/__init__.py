"""The crafts: poets, painters, stylists, captioners, and the nets behind them."""
