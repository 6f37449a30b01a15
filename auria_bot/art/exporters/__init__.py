"""Finishing: the files of an artwork that are looked at, kept and posted, with their provenance inside."""

from __future__ import annotations

from auria_bot.art.exporters.exporter import PrintExporter, PrintExporterConfig

__all__ = ["PrintExporter", "PrintExporterConfig"]
