"""How a run of the studio is followed: a progress bar on a terminal, else a line for each finished step.

Both go to stderr, so that stdout carries the result alone.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auria_bot.services.studio.step_runner import Progress

__all__ = ["DOING", "Watching", "counting", "following", "reading"]

DOING = {
    "poem": "writing the poem",
    "mood": "feeling its mood",
    "painting": "painting",
    "enlarge": "enlarging",
    "style": "restyling",
    "caption": "looking at the picture",
    "words": "finding the words",
    "finish": "finishing",
}
"""What each step of the studio is called while it is done, in order."""


class _Tally:
    """Which steps of which sketches are behind us."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._order = tuple(DOING)
        self._done: dict[int, set[str]] = {number: set() for number in range(1, count + 1)}

    @property
    def total(self) -> int:
        return self.count * len(self._order)

    @property
    def done(self) -> int:
        return sum(len(steps) for steps in self._done.values())

    def hear(self, event: Progress) -> None:
        """Count what happened; a dropped picture takes its sketch back to the painting."""
        steps = self._done.setdefault(event.sketch, set())
        if event.state in {"done", "reused"}:
            steps.add(event.step)
        elif event.state == "dropped":
            steps -= set(self._order[self._order.index("painting") :])
        elif event.state == "failed":
            steps |= set(self._order)

    def words(self, event: Progress) -> str:
        """What is being done, and to which artwork."""
        doing = DOING.get(event.step, event.step)
        return f"{doing}, {event.sketch} of {self.count}" if self.count > 1 else doing


@contextlib.contextmanager
def following(count: int) -> Iterator[Callable[[Progress], None]]:
    """Follow a run of so many artworks; gives what the studio is to call for everything that happens."""
    if sys.stderr.isatty():
        with _bar(_Tally(count)) as tell:
            yield tell
    else:
        yield _lines(_Tally(count))


@contextlib.contextmanager
def _bar(tally: _Tally) -> Iterator[Callable[[Progress], None]]:
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
        task = bar.add_task("waking up", total=tally.total)

        def tell(event: Progress) -> None:
            tally.hear(event)
            bar.update(task, completed=tally.done, total=tally.total, description=tally.words(event))
            if event.state in {"dropped", "failed"}:
                bar.console.print(f"{event.state}: {tally.words(event)}: {_first_line(event.words)}")

        yield tell


def _lines(tally: _Tally) -> Callable[[Progress], None]:
    def tell(event: Progress) -> None:
        tally.hear(event)
        if event.state == "started":
            return
        share = f"[{tally.done}/{tally.total}]"
        detail = f" in {event.seconds:.1f} s" if event.state == "done" else ""
        reason = f": {_first_line(event.words)}" if event.words else ""
        print(f"{share} {tally.words(event)}: {event.state}{detail}{reason}", file=sys.stderr)

    return tell


def _first_line(words: str) -> str:
    lines = words.strip().splitlines()
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
