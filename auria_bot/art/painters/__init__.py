"""Who may paint: one file, one backend."""
