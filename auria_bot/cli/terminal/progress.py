"""Progress on stderr: a progress bar on a terminal, else a line for each completed step.

Nothing goes to stdout, which carries the result alone.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from auria_bot.domain.pipeline import STEPS, steps_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auria_bot.services.studio.events import RunEvent

__all__ = ["Watching", "counting", "following", "reading"]

_LABELS = {step.name: step.label for step in STEPS}


class _Tally:
    """Which steps of which artworks are over."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._over: dict[int, set[str]] = {number: set() for number in range(1, count + 1)}

    @property
    def total(self) -> int:
        return self.count * len(STEPS)

    @property
    def over(self) -> int:
        return sum(len(steps) for steps in self._over.values())

    def add(self, event: RunEvent) -> None:
        """Count an event; a rejected picture takes its artwork back to the painting."""
        steps = self._over.setdefault(event.artwork, set())
        if event.state in {"done", "reused"}:
            steps.add(event.step)
        elif event.state == "rejected":
            steps -= {step.name for step in steps_from("painting")}
        elif event.state == "failed":
            steps.update(_LABELS)

    def describe(self, event: RunEvent) -> str:
        """What is being done, and to which artwork."""
        label = _LABELS.get(event.step, event.step)
        return f"{label}, {event.artwork} of {self.count}" if self.count > 1 else label


@contextlib.contextmanager
def following(count: int) -> Iterator[Callable[[RunEvent], None]]:
    """Show the progress of a run of so many artworks; yields the function to call for each event."""
    if sys.stderr.isatty():
        with _bar(_Tally(count)) as show:
            yield show
    else:
        yield _lines(_Tally(count))


@contextlib.contextmanager
def _bar(tally: _Tally) -> Iterator[Callable[[RunEvent], None]]:
    from rich import progress as bars
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

    from auria_bot.cli.terminal.console import out

    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=28),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with bars.Progress(*columns, console=out(error=True), transient=True) as bar:
        task = bar.add_task("starting", total=tally.total)

        def show(event: RunEvent) -> None:
            tally.add(event)
            bar.update(task, completed=tally.over, total=tally.total, description=tally.describe(event))
            if event.state in {"rejected", "failed"}:
                bar.console.print(f"{event.state}: {tally.describe(event)}: {_first_line(event.message)}")

        yield show


def _lines(tally: _Tally) -> Callable[[RunEvent], None]:
    def show(event: RunEvent) -> None:
        tally.add(event)
        if event.state == "started":
            return
        share = f"[{tally.over}/{tally.total}]"
        detail = f" in {event.seconds:.1f} s" if event.state == "done" else ""
        reason = f": {_first_line(event.message)}" if event.message else ""
        print(f"{share} {tally.describe(event)}: {event.state}{detail}{reason}", file=sys.stderr)

    return show


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return "".join(char for char in lines[0] if char.isprintable())[:300] if lines else ""


@contextlib.contextmanager
def counting(doing: str) -> Iterator[Callable[[int, int, str], None]]:
    """Follow something that is counted; gives what is to be called with (done, total, name)."""
    if not sys.stderr.isatty():
        yield lambda done, total, name: print(f"[{done}/{total}] {doing} {_first_line(name)}", file=sys.stderr)
        return
    from rich.progress import Progress

    from auria_bot.cli.terminal.console import out

    with Progress(console=out(error=True), transient=True) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total, name: bar.update(
            task, completed=done, total=total, description=f"{doing} {_first_line(name)}"
        )


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Callable[[int, str], None]]:
    """Follow the reading of a file or folder; gives what is to be called with (bytes read so far, words)."""
    if not sys.stderr.isatty():
        yield lambda _done, _words: None  # the report says it all, once
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from auria_bot.cli.terminal.console import out

    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    columns = (
        TextColumn("{task.fields[name]}"),
        BarColumn(bar_width=28),
        DownloadColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=out(error=True), transient=True) as bar:
        task = bar.add_task("", total=sum(one.stat().st_size for one in files), name=_first_line(path.name))
        yield lambda done, words: bar.update(task, completed=done, description=words)


class Watching:
    """Follows something that has no known end: a line that changes on a terminal, else a line for each wait.

    Args:
        words: what is shown for what was told.
    """

    def __init__(self, words: Callable[[str], str]) -> None:
        self._words = words
        self._status: Any = None

    def __enter__(self) -> Callable[[str], None]:
        if not sys.stderr.isatty():
            return lambda _words: None  # the report says it all, once
        from auria_bot.cli.terminal.console import out

        self._status = out(error=True).status(self._words("asking"))
        self._status.start()
        return lambda words: self._status.update(_first_line(self._words(words)))

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def pause(self, words: str) -> None:
        """Say that something is waited for."""
        if self._status is not None:
            self._status.update(_first_line(self._words(words)))
        else:
            print(_first_line(words), file=sys.stderr)
