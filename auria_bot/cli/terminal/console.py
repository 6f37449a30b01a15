"""What the commands print: tables and sentences for people, JSON for programs, sparklines and bars.

Results go to stdout, everything else to stderr; JSON is one document in UTF-8 with stable keys. All text goes through
`printable` or its equivalent for JSON, so that a name or text from elsewhere cannot redraw the terminal or reverse
the reading direction.
"""

from __future__ import annotations

import itertools
import os
import re
import sys
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.table import Table
    from rich.text import Text

__all__ = [
    "INK",
    "bar",
    "counted",
    "echo",
    "fact_sheet",
    "is_terminal",
    "newest",
    "note",
    "number",
    "out",
    "prepare_streams",
    "print_json",
    "print_result",
    "print_rows",
    "printable",
    "resampled",
    "single_line",
    "sparkline",
    "state_text",
    "table",
    "when",
]

INK = {
    "made": "yellow",
    "approved": "green",
    "rejected": "dim",
    "scheduled": "cyan",
    "published": "green",
    "waiting": "yellow",
    "sending": "cyan",
    "sent": "green",
    "unknown": "magenta",
    "failed": "red",
    "needs_attention": "bold red",
    "cancelled": "dim",
    "withdrawing": "magenta",
    "withdrawn": "dim",
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
"""The colour of a state's name; the name itself is always written, so nothing depends on the colour."""

_Item = TypeVar("_Item")
_PIPED = 4000  # columns of output to a file or a pipe: no table is ever that wide, so nothing is cut

_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL, C1 (U+009B begins a sequence as ESC [ does)
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # signs that change the direction of text
    "\u2028\u2029\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # line separators, invisible marks and tags
    "\ud800-\udfff]"  # parts of names that are not UTF-8
)


_TRAILING = re.compile("(?<! ) +$", re.MULTILINE)  # tried once for each run of spaces


def prepare_streams() -> None:
    """Make stdout and stderr safe to print to: closed ones lead nowhere, and what their encoding lacks is replaced."""
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the shell; the descriptor is taken, so that no file of ours gets it
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - it stays open
        elif name != "stdin" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def is_terminal() -> bool:
    """Whether stdout is a terminal."""
    return sys.stdout.isatty()


def printable(text: str) -> str:
    """The text with control characters and direction marks replaced by U+FFFD; tabs and line feeds stay."""
    return _HARMFUL.sub("\ufffd", text)


def single_line(text: str, limit: int = 60) -> str:
    """A text on one line, shortened on a terminal only, without characters that could redraw it."""
    flat = " ".join(printable(text).split())
    return flat if len(flat) <= limit or not is_terminal() else f"{flat[: limit - 1]}…"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 post", "2 posts"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def out(*, error: bool = False) -> Console:
    """A console on stdout, or on stderr, that writes text as it is: neither markup nor emoji codes."""
    from rich.console import Console
    from rich.segment import Segment

    stream = sys.stderr if error else sys.stdout

    class SafeConsole(Console):
        """Replaces harmful characters of whatever is rendered; piped lines do not end in the padding of their cells."""

        def print(self, *objects: Any, **options: Any) -> None:
            if stream.isatty():
                super().print(*objects, **options)
                return
            with self.capture() as captured:
                super().print(*objects, **options)
            stream.write(_TRAILING.sub("", captured.get()))

        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else Segment(printable(segment.text), segment.style)

    width = None if stream.isatty() or is_terminal() else _PIPED
    return SafeConsole(file=stream, width=width, markup=False, emoji=False, highlight=False, soft_wrap=False)


def echo(text: str) -> None:
    """Print a line of the result to stdout."""
    print(printable(text))


def note(text: str) -> None:
    """Print a message that is not part of the result to stderr; a failure to write it undoes nothing."""
    try:
        print(printable(text), file=sys.stderr)
    except OSError:
        # What is left in its buffer would be tried again at the program's end, and fail the program.
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - it stays open


def newest(found: Sequence[_Item], limit: int) -> Sequence[_Item]:
    """At most the first `limit`; a message says if there are more."""
    if len(found) > limit:
        note(f"only the newest {limit} are listed; more: --limit {2 * limit}")
    return found[:limit]


def print_json(value: Any) -> None:
    r"""Print one JSON document; harmful characters are written as \\u escapes."""
    import json

    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    print(_HARMFUL.sub(lambda found: _escaped(found[0]), text))


def _escaped(char: str) -> str:
    import json

    return json.dumps(char)[1:-1]


def print_result(value: Any, *lines: str, as_json: bool) -> None:
    """Print a result: as JSON, or as lines for people."""
    if as_json:
        print_json(value)
    else:
        for line in lines:
            echo(line)


def print_rows(
    columns: Sequence[str], rows: Iterable[Sequence[str | Text]], values: Sequence[Any], *, as_json: bool, empty: str
) -> None:
    """Print a list: its values as JSON, or its rows as a table; for people a message where it is empty."""
    if as_json:
        print_json(values)
    elif values:
        out().print(table("", columns, rows))
    else:
        note(empty)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> Table:
    """A plain table: a rule under its head, no box; the last column takes what room is left."""
    from rich import box
    from rich.table import Table

    grid = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False, expand=False)
    grid.show_edge = is_terminal()  # piped, no empty line stands above and below
    for number, name in enumerate(columns):
        last = number == len(columns) - 1
        grid.add_column(name, overflow="fold" if last else "ellipsis", no_wrap=not last, min_width=len(name) or None)
    for row in rows:
        grid.add_row(*row)
    return grid


def fact_sheet(facts: Iterable[tuple[str, Text]]) -> Table:
    """Names on the left, their values on the right; empty values are left out."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", justify="right", no_wrap=True)
    grid.add_column(overflow="fold", max_width=100 if is_terminal() else None)
    for name, value in facts:
        if value.plain.strip():
            grid.add_row(name, value)
    return grid


def state_text(state: str) -> Text:
    """A state's name in its colour."""
    from rich.text import Text

    return Text(state.replace("_", " "), style=INK.get(state, ""))


def when(moment: datetime | None, zone: str, *, seconds: bool = False) -> str:
    """A moment in the operator's time zone, to the minute or the second; "" for None."""
    if moment is None:
        return ""
    from zoneinfo import ZoneInfo

    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


_TICKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], *, zero: bool = False) -> str:
    """One character per value, its height relative to the others; a blank for None.

    Args:
        zero: start at zero, not at the smallest value.
    """
    known = [value for value in values if value is not None]
    if not known:
        return " " * len(values)
    low, high = (min(0.0, *known) if zero else min(known)), max(known)
    span = high - low
    # A flat line is drawn in the middle, or at the bottom when it is zero.
    level = 0 if zero and high == 0 else 3
    return "".join(
        " " if value is None else _TICKS[level if span == 0 else min(int((value - low) / span * 8), 7)]
        for value in values
    )


def resampled(values: Sequence[float], width: int) -> list[float]:
    """At most `width` values: the means of equal parts of the series."""
    if len(values) <= width:
        return list(values)
    edges = [round(step * len(values) / width) for step in range(width + 1)]
    return [sum(values[left:right]) / (right - left) for left, right in itertools.pairwise(edges)]


def bar(value: float | None, most: float, width: int) -> str:
    """A bar of up to `width` characters, in steps of half a character."""
    if value is None or most <= 0 or value <= 0:
        return ""
    halves = max(round(min(value / most, 1.0) * width * 2), 1)
    return "━" * (halves // 2) + "╸" * (halves % 2)


def number(value: float | None) -> str:
    """A number for people: 1,234 or 98.7k or 1.2M; with one decimal when it is not whole; a dash for None."""
    if value is None:
        return "-"
    if abs(value) >= 999_950:
        return f"{value / 1e6:,.1f}M"
    if abs(value) >= 10_000:
        return f"{value / 1e3:.1f}k"
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 100 else f"{value:.1f}"
