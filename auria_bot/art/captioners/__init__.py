"""Who may describe: one file, one backend."""
