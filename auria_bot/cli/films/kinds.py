"""`auria footage label` and `auria footage kinds`: frames by kind, learnt from a few labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.app import Json, app_context
from auria_bot.cli.terminal.console import counted, echo, note, out, print_json, table
from auria_bot.cli.terminal.progress import counting
from auria_bot.errors import UsageError

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.services.footage.kinds import FrameKinds

__all__ = ["Name", "kinds", "label"]

_DOUBTFUL = 12  # frames that are named as worth a label

Name = Annotated[str, typer.Argument(help="The name of the footage; auria footage list shows them.")]


def label(
    name: Name,
    kind: Annotated[str, typer.Argument(help="The kind, such as calm, storm or dusk.")],
    frames: Annotated[
        list[str] | None, typer.Argument(metavar="FRAME", help="Numbers and ranges of frames, as in 12-40.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the labels of these frames away.")] = False,
    as_json: Json = False,
) -> None:
    """Give frames a kind, from which auria footage kinds learns the kinds of the others.

    The numbers are those of the files; auria footage sheet and auria footage kinds --sheet show frames.
    """
    if not frames:
        raise UsageError(f"name the frames: auria footage label {name} {kind} 12-40 55")
    with app_context() as app:
        count = app.footage_kinds.label(name, None if remove else kind, frames)
        given = app.footage_kinds.labels(name)
    if as_json:
        print_json({"labels": given})
        return
    echo(f"{counted(count, 'frame')} {'without a label now' if remove else f'labelled {kind}'}; {_counts(given)}")
    if len(set(given.values())) > 1:
        note(f"learn the others: auria footage kinds {name}")


def kinds(
    name: Name,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Write a contact sheet of the frames of each kind as JPEG.")
    ] = None,
    copy: Annotated[
        Path | None, typer.Option("--copy", metavar="DIR", help="Copy the frames, sorted into a folder for each kind.")
    ] = None,
    most: Annotated[
        int | None, typer.Option("--most", min=1, help="With --copy: so many of each kind, to balance them.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Learn the kinds of all frames from the labels, and say how many there are of each.

    Beside the accuracy on labels that were held out stand the frames that are hardest to tell: labels of these teach
    most.
    """
    if most is not None and copy is None:
        raise UsageError("--most belongs to --copy")
    with app_context() as app:
        with counting("looking") as progress:
            found = app.footage_kinds.learn(name, progress=lambda done, total: progress(done, total, name))
        if sheet is not None:
            _write_sheet(app, found, sheet)
        copied = app.footage_kinds.copy(found, copy, most=most) if copy is not None else {}
    if as_json:
        print_json(_json(found))
        return
    rows = []
    for kind in found.names:
        own, given = found.of(kind), sum(one == kind for one in found.labels.values())
        rows.append((kind, str(given), str(len(own)), f"{len(own) / len(found.shares):.0%}", str(copied.get(kind, ""))))
    out().print(table("", ("kind", "labels", "frames", "share", "copied"), rows))
    if found.accuracy is None:
        note("give each kind two labels or more, and the accuracy will be measured")
    else:
        echo(f"held-out labels named rightly: {found.accuracy:.0%}; by chance: {1 / len(found.names):.0%}")
    if doubtful := found.doubtful(_DOUBTFUL):
        numbers = " ".join(str(int(found.footage.frames[at].file.partition(".")[0])) for at in doubtful)
        note(f"hardest to tell, worth a label: {numbers}")
    for path in filter(None, (sheet, copy)):
        echo(str(path.absolute()))


def _counts(given: dict[str, str]) -> str:
    counts = {kind: sum(one == kind for one in given.values()) for kind in sorted(set(given.values()))}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "none has one"


def _json(found: FrameKinds) -> dict[str, object]:
    return {
        "accuracy": found.accuracy,
        "kinds": {kind: len(found.of(kind)) for kind in found.names},
        "frames": [
            {
                "file": frame.file,
                "kind": found.kind(place),
                "is_labelled": frame.file in found.labels,
                "shares": {kind: round(float(share), 4) for kind, share in zip(found.names, shares, strict=True)},
            }
            for place, (frame, shares) in enumerate(zip(found.footage.frames, found.shares, strict=True))
        ],
    }


def _write_sheet(app: Application, found: FrameKinds, target: Path) -> None:
    from auria_bot.art.exporters.contact_sheet import write_contact_sheet

    folder, rows = app.footage.folder(found.footage.name) / "frames", []
    each = max(1, 60 // len(found.names))
    for column, kind in enumerate(found.names):
        for place in found.of(kind)[:each]:
            frame = found.footage.frames[place]
            sure = "label" if frame.file in found.labels else f"{found.shares[place, column]:.0%}"
            rows.append((folder / frame.file, f"{int(frame.file.partition('.')[0])} {kind} {sure}"))
    write_contact_sheet(f"{found.footage.name}: {', '.join(found.names)}", rows, target)
