"""The REST interface, version 1: a router for each resource."""
