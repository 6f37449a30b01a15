"""Commands about films."""
