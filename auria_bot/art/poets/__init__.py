"""Who may write: one file, one backend."""
