"""Commands for the daemon, diagnostics and maintenance."""
