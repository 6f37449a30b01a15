"""Evaluation of the models."""
