"""Commands for engagement and moods."""
