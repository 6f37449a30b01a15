"""A folder on this machine, with pages that list its posts."""
