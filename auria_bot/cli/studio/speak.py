"""`auria speak`: a draft's poem, read aloud."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from auria_bot.cli.app import DraftId, Json, app_context
from auria_bot.cli.terminal.console import note, print_result
from auria_bot.errors import UsageError

__all__ = ["speak"]


def speak(
    draft_id: DraftId,
    target: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Write .m4a, .ogg, .opus or .wav. Default: keep it in the home, for the web page."
        ),
    ] = None,
    pace: Annotated[
        float | None,
        typer.Option("--pace", help="0.6 to 1.5; 1 as in conversation. Default: a little slower than that."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the reading from the home.")] = False,
    as_json: Json = False,
) -> None:
    """Read a draft's poem aloud, for its web page or into a file.

    The voice is synthetic and speaks American English; the same poem and pace sound the same. Needs
    auria-bot[voice]; without auria-bot[films], only WAV can be written.
    """
    from auria_bot.art.voice import PACE, require_pace

    if remove and target is not None:
        raise UsageError("--remove takes a reading from the home; a file of --out is yours to delete")
    speed = PACE if pace is None else pace
    require_pace(speed)
    with app_context() as app:
        poem = app.review.draft(draft_id).artwork.haiku
        if remove:
            app.readings.remove(poem)
            print_result({"removed": draft_id}, f"removed the reading of draft {draft_id}", as_json=as_json)
            return
        made = app.readings.keep(poem, pace=speed) if target is None else app.readings.write(poem, target, pace=speed)
    facts = {"seconds": round(made.seconds, 2), "lufs": round(made.loudness, 1), "lines": list(poem.lines)}
    line = f"{made.path.absolute()}: {made.seconds:.1f} s, {made.loudness:.0f} LUFS"
    print_result({"file": str(made.path.absolute()), **facts}, line, as_json=as_json)
    if target is None and not as_json:
        note("its page on the web site offers it to be heard")
