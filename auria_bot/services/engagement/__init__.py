"""Engagement: measuring posts, reports, and what Auria learns from them."""
