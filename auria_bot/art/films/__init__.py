"""Films: frames of footage, and what is measured of them."""
