"""The web interface: the public gallery and the operator's desk, rendered on the server."""
