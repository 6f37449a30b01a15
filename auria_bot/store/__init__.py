"""What Auria keeps: drafts, posts and the journal in a database, pictures on disk."""
