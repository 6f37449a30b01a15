"""What is kept: tables, the unit of work, files on disk."""
