"""Exporters: the files of an artwork that are shown, kept and published, with their provenance inside."""
