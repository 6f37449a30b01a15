"""Joins the concrete classes into an application."""
