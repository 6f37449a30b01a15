"""The benchmark style-video: how steady restyled clips are beside restyling each frame, how fast, and whether sound is kept.

Clips are those of the training data, where they are at hand; else drawn ones.
"""

from __future__ import annotations

import os
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

from auria_bot.bootstrap.application import build
from auria_bot.services.films.restyle_video import VideoRequest, restyle_video
from auria_bot.settings.loading import load
from tests.bench import Result
from tests.scenarios.film_measures import decoded, warping_error
from tests.scenarios.footage import Clip, make_clips

__all__ = ["run"]

HALF, SPEED = 0.5, 8.0
CLIPS = ("30_people.mp4", "32_people.mp4", "01.mp4", "21_nature.mp4")
SIZE = (640, 360)


def run(frames: int = 12, style: str = "The Starry Night", mode: str = "painterly") -> Result:
    """Restyle the beginnings of the clips steadily and frame by frame."""
    ratios, seconds, count = [], 0.0, 0
    with tempfile.TemporaryDirectory(prefix="auria-style-video-") as scratch:
        root = Path(scratch)
        app = build(load({"AURIA_HOME": scratch}))
        stylist = app.video_stylist
        for path in _clips(root):
            source = _beginning(path, root / f"cut-{path.stem}.mp4", frames)
            shown = decoded(source, SIZE)
            errors = []
            for steady in (True, False):
                target = root / f"{path.stem}-{steady}.mp4"
                request = VideoRequest(style=style, mode=mode, steady=steady, height=SIZE[1])
                began = time.process_time()
                restyle_video(stylist, source, target, request, work=root / "work", progress=_ignore)
                if steady:
                    seconds, count = seconds + time.process_time() - began, count + len(shown)
                errors.append(warping_error(shown, decoded(target, SIZE)))
            ratios.append(errors[0] / errors[1])
        app.close()
    speed = 2 * count / seconds
    figures = (
        f"{len(ratios)} clips after {style}, {mode}: warping error {', '.join(f'{one:.2f}' for one in ratios)} of frame by"
        f" frame's; {speed:.1f} frames a second of two cores' time at {SIZE[0]} x {SIZE[1]}"
    )
    bar = f"at most {HALF:g} of frame by frame's in each; {SPEED:g} frames a second"
    return Result(name="style-video", figures=figures, bar=bar, passed=max(ratios) <= HALF and speed >= SPEED)


def _ignore(_done: int, _all: int) -> None:
    """Nobody looks at the progress."""


def _clips(root: Path) -> list[Path]:
    folder = Path(os.environ.get("AURIA_DATA", "../shared/data")) / "waves"
    found = [folder / name for name in CLIPS if (folder / name).is_file()]
    if found:
        return found
    return make_clips(root, [Clip(name=f"drawn-{number}.mp4", size=SIZE, seconds=1.0) for number in range(2)])


def _beginning(path: Path, target: Path, frames: int) -> Path:
    """The first frames of a clip as a video of its own."""
    import itertools

    import numpy as np

    from auria_bot.art.films.video import Video
    from auria_bot.art.films.video_writer import FORMATS, VideoWriter, join

    part = target.with_suffix(".part")
    with Video.open(path) as video:
        opened: Any = VideoWriter.create(part, FORMATS[".mp4"], size=SIZE, rate=video.rate)
        with opened as writer:
            for frame in itertools.islice(video.frames(), frames):
                writer.write(np.asarray(frame.picture(SIZE)))
    join([(part, Fraction(0))], target, FORMATS[".mp4"], metadata={})
    return target
