"""What the commands print: tables and sentences for people, JSON for programs.

Results go to stdout, everything else to stderr; JSON is one document, in UTF-8, its keys stable.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = ["INK", "fact_sheet", "note", "out", "print_json", "state_text", "table", "when"]

INK = {
    "made": "yellow",
    "approved": "green",
    "rejected": "dim",
    "scheduled": "cyan",
    "waiting": "yellow",
    "sending": "cyan",
    "sent": "green",
    "unknown": "magenta",
    "failed": "red",
    "needs_attention": "bold red",
    "ready": "green",
    "running": "cyan",
    "retry": "yellow",
    "asked": "bold yellow",
    "done": "green",
    "skipped": "dim",
    "paused": "yellow",
    "broken": "bold red",
    "ok": "green",
    "warn": "yellow",
    "bad": "bold red",
}
"""The colour of a state's name; the name itself is always written, so nothing hangs on the colour."""

_WIDE = 160  # columns of output that goes to a file or a pipe


def out(*, error: bool = False) -> Console:
    """A console on stdout, or on stderr, that writes text as it is: neither markup nor emoji codes."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else _WIDE
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False, soft_wrap=False)


def note(text: str) -> None:
    """Say something to the operator that is no result; that it cannot be written undoes nothing that was done."""
    try:
        print(text, file=sys.stderr)
    except OSError:
        # What is left in its buffer would be tried again at the program's end, and fail the program.
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - it stays open


def print_json(value: Any) -> None:
    """Print one JSON document."""
    import json

    # Control characters are escaped by JSON itself, so that a text cannot redraw the terminal.
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> Table:
    """A plain table: a rule under its head, no box; the last column takes what room is left."""
    from rich import box
    from rich.table import Table

    grid = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False, expand=False)
    for number, name in enumerate(columns):
        last = number == len(columns) - 1
        grid.add_column(name, overflow="fold" if last else "ellipsis", no_wrap=not last)
    for row in rows:
        grid.add_row(*row)
    return grid


def fact_sheet(facts: Iterable[tuple[str, Text]]) -> Table:
    """Names on the left, what there is to say of each on the right; what says nothing is left out."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", justify="right", no_wrap=True)
    grid.add_column(overflow="fold", max_width=100)
    for name, words in facts:
        if words.plain.strip():
            grid.add_row(name, words)
    return grid


def state_text(state: str) -> Text:
    """A state's name in its colour."""
    from rich.text import Text

    return Text(state.replace("_", " "), style=INK.get(state, ""))


def when(moment: datetime | None, zone: str) -> str:
    """A moment in the operator's time zone, to the minute."""
    if moment is None:
        return ""
    from zoneinfo import ZoneInfo

    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
