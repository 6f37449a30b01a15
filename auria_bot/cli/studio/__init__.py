"""Commands for making and reviewing artworks."""
