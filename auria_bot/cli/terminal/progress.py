"""Progress on stderr: a bar on a terminal, otherwise a line for each finished step.

Nothing goes to stdout, which carries the result alone.
"""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Any

from auria_bot.cli.terminal.console import note, out, printable
from auria_bot.domain.pipeline import STEPS, steps_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auria_bot.services.studio.run_store import RunEvent

__all__ = ["Watching", "counting", "following", "making_frames", "reading", "reading_files"]

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
        if event.state in {"started", "progress"}:
            return
        share = f"[{tally.over}/{tally.total}]"
        detail = f" in {event.seconds:.1f} s" if event.state == "done" else ""
        reason = f": {_first_line(event.message)}" if event.message else ""
        note(f"{share} {tally.describe(event)}: {event.state}{detail}{reason}")

    return show


def _first_line(text: str) -> str:
    lines = printable(text).strip().splitlines()
    return lines[0][:300] if lines else ""


@contextlib.contextmanager
def counting(doing: str, *, shown: bool = True) -> Iterator[Callable[[int, int, str], None]]:
    """Show the progress of counted work; yields the function to call with (done, total, name).

    Without a terminal it is a line for each piece. Nothing is shown unless `shown`.
    """
    if not shown:
        yield lambda _done, _total, _name: None
        return
    if not sys.stderr.isatty():
        yield lambda done, total, name: note(f"[{done}/{total}] {doing} {_first_line(name)}")
        return
    from rich.progress import Progress

    with Progress(console=out(error=True), transient=True) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total, name: bar.update(
            task, completed=done, total=total, description=f"{doing} {_first_line(name)}"
        )


@contextlib.contextmanager
def reading_files() -> Iterator[Callable[[int, int, float, str], None]]:
    """Show the progress of reading long files; yields a function of (done, total, share of the next, name)."""
    began, shown = time.monotonic(), -1

    def line(done: int, total: int, share: float, name: str) -> None:
        nonlocal shown
        step = 4 * done + int(4 * share)
        if name and step > shown:
            shown = step
            note(
                f"[{done + 1}/{total}] {_first_line(name)}{f' {share:.0%}' if share else ''}"
                f"{_left(began, done + share, total)}"
            )

    if not sys.stderr.isatty():
        yield line
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (BarColumn(bar_width=28), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=out(error=True), transient=True) as bar:
        task = bar.add_task("")
        yield lambda done, total, share, name: bar.update(
            task, completed=done + share, total=total, description=f"{done + 1} of {total}: {_first_line(name)}"
        )


@contextlib.contextmanager
def making_frames() -> Iterator[Callable[[int, int], None]]:
    """Show the progress of making a video; yields a function of (frames that are done, frames in all).

    The time left is judged by the frames since the first call, for those before were there already.
    """
    began, first, shown = time.monotonic(), -1, -1

    def line(done: int, total: int) -> None:
        nonlocal began, first, shown
        if first < 0:
            began, first = time.monotonic(), done
        step = 20 * done // max(total, 1)
        if step > shown:
            shown = step
            note(f"{done:,} of {total:,} frames{_left(began, done - first, total - first)}")

    if not sys.stderr.isatty():
        yield line
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(bar_width=28), MofNCompleteColumn(), TextColumn("frames"), TimeRemainingColumn())
    with Progress(*columns, console=out(error=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _left(began: float, done: float, total: float) -> str:
    """How long what is left takes, if it goes on as it did since a moment of the monotonic clock."""
    if not done:
        return ""
    seconds = (time.monotonic() - began) * (total - done) / done
    return f", about {seconds / 60:.0f} min left" if seconds > 90 else f", about {seconds:.0f} s left"


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Callable[[int, str], None]]:
    """Show the progress of reading a file or folder; yields the function to call with (bytes read, message)."""
    if not sys.stderr.isatty():
        yield lambda _done, _message: None  # the report has it all
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

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
        yield lambda done, message: bar.update(task, completed=done, description=message)


class Watching:
    """Shows the progress of work with no known end: a line that changes on a terminal, otherwise a line for each wait.

    Args:
        describe: turns a message into the line that is shown.
    """

    def __init__(self, describe: Callable[[str], str]) -> None:
        self._describe = describe
        self._status: Any = None

    def __enter__(self) -> Callable[[str], None]:
        if not sys.stderr.isatty():
            return lambda _message: None  # the report has it all
        self._status = out(error=True).status(self._describe("connecting"))
        self._status.start()
        return lambda message: self._status.update(_first_line(self._describe(message)))

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def pause(self, message: str) -> None:
        """Say what is being waited for."""
        if self._status is not None:
            self._status.update(_first_line(self._describe(message)))
        else:
            note(_first_line(message))
