"""The studio: making artworks and reviewing drafts."""
