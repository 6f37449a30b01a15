"""Commands of the web interface."""
