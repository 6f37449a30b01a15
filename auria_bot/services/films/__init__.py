"""Films: walks through a film model, and videos that are restyled."""
