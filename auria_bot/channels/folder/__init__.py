"""A folder on this machine, with a gallery."""
