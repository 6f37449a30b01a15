"""Hosting pictures at a public address for platforms that fetch them."""
