"""What Auria deals in: values, states and roles; the standard library only."""
