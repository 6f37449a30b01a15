"""`auria footage`: videos and stills become frames that film models learn from."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.app import Json, app_context, command_group, existing
from auria_bot.cli.films.kinds import Name, kinds, label
from auria_bot.cli.terminal.console import counted, echo, note, out, print_json, print_result, print_rows, table
from auria_bot.cli.terminal.progress import reading_files
from auria_bot.errors import InputError, UsageError
from auria_bot.services.footage.contact_sheet import write_sheet
from auria_bot.services.footage.footage_import import FootageOptions, add_footage
from auria_bot.services.footage.library import REASONS

if TYPE_CHECKING:
    from auria_bot.services.footage.footage_import import Added
    from auria_bot.services.footage.library import Footage

__all__ = ["footage"]

footage = command_group(no_args_is_help=True)

_SECONDS = re.compile(r"\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}|\d{1,9}/(?!0+\Z)\d{1,9}")


@footage.command("add")
def add(
    files: Annotated[
        list[Path], typer.Argument(metavar="VIDEO", callback=existing, help="Videos, stills, and folders of them.")
    ],
    name: Annotated[str, typer.Option("--name", help="The set to add to; it is made where it is missing.")] = "footage",
    size: Annotated[
        int | None, typer.Option("--size", min=64, max=1080, help="Height of the frames in pixels. Default: 256.")
    ] = None,
    shape: Annotated[
        str | None, typer.Option("--shape", help="square or 16:9, cut from the middle. Default: square.")
    ] = None,
    every: Annotated[str, typer.Option("--every", metavar="SECONDS", help="From one frame to the next.")] = "0.5",
    distinct: Annotated[
        int,
        typer.Option("--distinct", min=0, max=32, help="Bits of 64 in which hashes must differ; 0 keeps duplicates."),
    ] = 5,
    even: Annotated[
        bool, typer.Option("--even", help="At the end, leave out frames whose colours are more common than others.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be kept, and write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Add videos and stills to a set.

    Frames that are black, blank, blurred, damaged, at a cut or near-duplicates are left out. An interrupted call
    goes on where it stopped; files that are known already are passed over. Videos need auria-bot[films].
    """
    options = FootageOptions(
        size=size, shape=shape, every=_seconds(every), distinct=distinct, even=even, dry_run=dry_run
    )
    with app_context() as app, reading_files() as progress:
        done = add_footage(app.footage, name, files, options, progress)
        folder = app.footage.folder(name)
    if as_json:
        print_json(_added(done, folder, dry_run=dry_run))
    else:
        _print_added(done, folder, dry_run=dry_run, even=even)
    if done.refused:
        for sentence in done.refused if as_json else ():
            note(f"refused: {sentence}")
        raise typer.Exit(InputError.exit_code)


@footage.command("list")
def list_sets(as_json: Json = False) -> None:
    """List the sets of footage."""
    with app_context() as app:
        found = app.footage.all()
    columns, values = ("name", "frames", "pixels", "sources", "left out"), [_summary(one) for one in found]
    rows = (
        (one.name, str(len(one.frames)), f"{one.width} x {one.height}", str(len(one.sources)), _reasons(one))
        for one in found
    )
    print_rows(columns, rows, values, as_json=as_json, empty="no footage yet; make some: auria footage add VIDEO")


@footage.command("show")
def show(
    name: Name,
    left_out: Annotated[bool, typer.Option("--left-out", help="List each frame that was left out.")] = False,
    as_json: Json = False,
) -> None:
    """Show a set: its sources, and how many frames were left out, and why."""
    with app_context() as app:
        found = app.footage.get(name)
        folder = app.footage.folder(name)
    if as_json:
        print_json({"folder": str(folder), "summary": _summary(found), **found.to_json()})
        return
    if left_out:
        listed = ((found.sources[one.source].name, f"{one.time:.2f}", one.reason, one.of) for one in found.left_out)
        out().print(table("", ("source", "seconds", "reason", "repeats"), listed))
        return
    echo(f"{folder}: {_size(found)}")
    for reason, count in found.counts().items():
        echo(f"  {count:>6,} left out as {reason}: {REASONS[reason]}")
    out().print(table("", ("source", "seconds", "every", "pixels", "frames", "left out", "note"), _sources(found)))


@footage.command("sheet")
def sheet(
    name: Name,
    target: Annotated[Path | None, typer.Argument(help="The JPEG file to write. Default: NAME-sheet.jpg.")] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=400, help="Most frames.")] = 60,
    as_json: Json = False,
) -> None:
    """Write a contact sheet: frames spread evenly over the set, with their source and time."""
    path = target or Path(f"{name}-sheet.jpg")
    with app_context() as app:
        shown = write_sheet(app.footage, name, path, count=count)
    value = {"file": str(path.absolute()), "frames": shown}
    print_result(value, f"{path.absolute()}: {counted(shown, 'frame')}", as_json=as_json)


@footage.command("remove")
def remove(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Sets of footage.")], as_json: Json = False
) -> None:
    """Remove sets with their frames; the videos themselves stay where they are."""
    with app_context() as app:
        removed = {name: app.footage.remove(name) for name in dict.fromkeys(names)}
    lines = (f"removed {name}: {counted(count, 'frame')}" for name, count in removed.items())
    print_result({"removed": removed}, *lines, as_json=as_json)


footage.command("label")(label)
footage.command("kinds")(kinds)


def _seconds(text: str) -> Fraction:
    """A number of seconds, above 0 and up to an hour; no exponent is read, for a large one would fill the memory.

    Raises:
        InputError: it is none.
    """
    seconds = Fraction(text) if _SECONDS.fullmatch(text) else Fraction(0)
    if not Fraction(1, 1000) <= seconds <= 3600:
        raise UsageError(f"--every {text[:20]!r} is no number of seconds from 0.001 to 3600; write it as 0.5")
    return seconds.limit_denominator(100_000)


def _size(found: Footage) -> str:
    return f"{counted(len(found.frames), 'frame')} of {found.width} x {found.height} pixels"


def _reasons(found: Footage, source: int | None = None) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in found.counts(source).items())


def _sources(found: Footage) -> list[tuple[str, ...]]:
    kept = [0] * len(found.sources)
    for frame in found.frames:
        kept[frame.source] += 1
    return [
        (
            one.name,
            f"{one.seconds:.1f}" if one.every else "still",
            f"{one.every:g}" if one.every else "",
            f"{one.size[0]} x {one.size[1]}",
            str(kept[number]),
            _reasons(found, number),
            one.note,
        )
        for number, one in enumerate(found.sources)
    ]


def _summary(found: Footage) -> dict[str, Any]:
    return {
        "name": found.name,
        "frames": len(found.frames),
        "width": found.width,
        "height": found.height,
        "shape": found.shape,
        "sources": len(found.sources),
        "left_out": found.counts(),
    }


def _added(done: Added, folder: Path, *, dry_run: bool) -> dict[str, Any]:
    before, after = done.evenness
    return {
        "folder": str(folder),
        "dry_run": dry_run,
        **_summary(done.footage),
        "added": [done.footage.sources[place].name for place in done.added],
        "known": done.known,
        "refused": done.refused,
        "evenness": {"before": round(before, 3), "after": round(after, 3)},
    }


def _print_added(done: Added, folder: Path, *, dry_run: bool, even: bool) -> None:
    if done.added:
        rows = _sources(done.footage)
        columns = ("source", "seconds", "every", "pixels", "frames", "left out", "note")
        out().print(table("", columns, (rows[place] for place in done.added)))
    for name in done.known:
        note(f"known already: {name}")
    for sentence in done.refused:
        note(f"refused: {sentence}")
    if even:
        echo(f"evenness of colours: {done.evenness[0]:.2f} before, {done.evenness[1]:.2f} after")
    echo(f"{'it would hold' if dry_run else str(folder) + ':'} {_size(done.footage)}")
