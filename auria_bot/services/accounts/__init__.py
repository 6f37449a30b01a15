"""The operators who may sign in to the web interface."""
