"""`auria restyle-video`: a video in the style of a painting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.app import Json, app_context, existing
from auria_bot.cli.terminal.console import counted, echo, note, print_json
from auria_bot.cli.terminal.progress import making_frames
from auria_bot.domain.pipeline import SEEDS
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from auria_bot.services.films.restyle_video import Restyled

__all__ = ["restyle_video"]


def restyle_video(
    source: Annotated[Path, typer.Argument(metavar="IN", callback=existing, help="The video.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write: .mp4 or .webm.")],
    style: Annotated[str, typer.Option("--style", help="A style's key, an artist, or a part of a painting's title.")],
    mode: Annotated[
        str, typer.Option("--mode", help="painterly, photorealistic (colours only), oil, watercolour or ink.")
    ] = "painterly",
    strength: Annotated[float | None, typer.Option("--strength", help="0 to 1. Default: the mood's.")] = None,
    mood: Annotated[
        str, typer.Option("--mood", "-m", help="Decides among an artist's paintings, and the strength.")
    ] = "serene",
    seed: Annotated[int, typer.Option("--seed", "-s", min=0, max=SEEDS - 1, help="Of the strokes.")] = 1,
    every: Annotated[
        int, typer.Option("--every", min=1, max=12, help="Restyle each so many frames; motion carries it on.")
    ] = 3,
    height: Annotated[int | None, typer.Option("--height", help="Make the video smaller; in pixels.")] = None,
    steady: Annotated[
        bool, typer.Option("--steady/--frame-by-frame", help="Let the style move with the picture.")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT where it is there.")] = False,
    as_json: Json = False,
) -> None:
    """Restyle a video in the manner of a painting, steady in time.

    Every frame keeps its time, the picture is turned upright, and the sound is copied bit for bit where the file's
    format takes it, else encoded anew; silence stands for what is damaged. An interrupted call goes on where it
    stopped. Needs auria-bot[films].
    """
    from auria_bot.services.films.restyle_video import VideoRequest, restyle_video

    if target.exists() and not force:
        raise InputError(f"{target.name[:60]!r} is there already; name another file, or replace it with --force")
    request = VideoRequest(
        style=style, mode=mode, mood=mood, strength=strength, seed=seed, every=every, height=height, steady=steady
    )
    with app_context() as app, making_frames() as progress:
        made = restyle_video(app.video_stylist, source, target, request, work=app.video_work, progress=progress)
    if as_json:
        print_json(
            {
                "file": str(target.absolute()),
                "style": made.style.key,
                "mode": made.style.mode,
                "frames": made.frames,
                "seconds": round(made.seconds, 3),
                "size": list(made.size),
                "sound": made.sound,
                "damaged": made.damaged,
                "damaged_sound": made.damaged_sound,
            }
        )
        return
    _tell_of_damage(made)
    echo(
        f"{target.absolute()}: {counted(made.frames, 'frame')} of {made.size[0]} x {made.size[1]} pixels"
        f" {made.style.credit}; sound: {made.sound}"
    )


def _tell_of_damage(made: Restyled) -> None:
    if made.damaged:
        left_out = f"{'is' if made.damaged == 1 else 'are'} left out"
        note(f"{counted(made.damaged, 'part')} of the video could not be decoded and {left_out}")
    if made.damaged_sound and made.sound == "none":
        note("the sound could not be decoded, so the video has none")
    elif made.damaged_sound:
        silent = f"{'is' if made.damaged_sound == 1 else 'are'} silent"
        note(f"{counted(made.damaged_sound, 'part')} of the sound could not be decoded and {silent}")
