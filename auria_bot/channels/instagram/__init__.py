"""Instagram, by the official Graph API or the private API."""
