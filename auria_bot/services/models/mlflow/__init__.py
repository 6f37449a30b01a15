"""The registry of models on an MLflow server."""
