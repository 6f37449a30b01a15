"""Who may restyle: one file, one backend."""
