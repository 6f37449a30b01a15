"""The model server: a process of its own that holds the captioner in service and answers over HTTP."""
