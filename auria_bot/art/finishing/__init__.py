"""Finishing: the files of an artwork that are looked at, kept and posted, with their provenance inside."""

from __future__ import annotations

from auria_bot.art.finishing.finisher import PrintFinisher, PrintFinisherConfig

__all__ = ["PrintFinisher", "PrintFinisherConfig"]
