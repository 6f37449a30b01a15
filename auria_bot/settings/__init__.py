"""Settings: their schema, loading, editing and error messages."""
