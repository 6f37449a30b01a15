"""Twenty clips that this module makes itself, and what becomes of each when it is added to footage.

Odd rates, rotation and mirroring, ten bits, variable frame rate, odd sizes, pixels that are not square, cut files, no video stream, 4K, no
bytes, a playlist. A clip shows a gradient whose colour tells the time and whose bright corner tells which way is up, so that every stored frame can be
judged by itself. One set is added undisturbed; others are killed with SIGKILL at random moments and begun again, and must hold the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "CLIPS",
    "Clip",
    "Outcome",
    "add",
    "contents",
    "faults",
    "killed_and_begun_again",
    "make_clips",
    "picture_at",
]

SEED = 20261128
SIDE = 128  # pixels of a stored frame
SWEEP = 4.0  # seconds in which the colour goes through its range


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A clip, and what should become of it."""

    name: str
    size: tuple[int, int] = (320, 180)
    seconds: float = 3.0
    rate: Fraction = Fraction(25)
    codec: str = "libx264"
    pixels: str = "yuv420p"
    turn: int = 0  # degrees that the picture is stored turned by, which its display matrix undoes
    mirrored: bool = False
    aspect: Fraction = Fraction(1)  # width of a pixel
    uneven: bool = False  # a variable frame rate
    content: str = "sweep"  # "sweep", "shots", "sound", "playlist" or "empty"
    keep: float = 1.0  # share of the file's bytes that is left
    frames: tuple[int, int] = (5, 7)  # fewest and most that should be kept; (0, 0): it is refused
    like: str = ""  # the clip whose content it has too
    left_out: str = ""  # a reason for which some frames are left out
    says: str = ""  # part of the sentence with which it is refused, or of the note


CLIPS = (
    Clip(name="plain.mp4"),
    Clip(name="again.mkv", codec="mpeg4", like="plain.mp4", left_out="duplicate", frames=(0, 1)),
    Clip(name="slow.mkv", rate=Fraction(1), seconds=4.0, frames=(3, 4)),
    Clip(name="odd-rate.mkv", rate=Fraction(30000, 1001)),
    Clip(name="fast.mp4", rate=Fraction(240), seconds=2.0, frames=(3, 5)),
    Clip(name="turned-90.mp4", turn=90),
    Clip(name="turned-180.mp4", turn=180),
    Clip(name="turned-270.mp4", turn=270),
    Clip(name="mirrored.mp4", mirrored=True),
    Clip(name="ten-bits.mkv", codec="libx265", pixels="yuv420p10le"),
    Clip(name="uneven.mkv", uneven=True, frames=(4, 7)),
    Clip(name="odd-size.webm", size=(333, 187), codec="libvpx-vp9", pixels="yuv444p"),
    Clip(name="wide-pixels.mp4", size=(200, 200), aspect=Fraction(2), frames=(3, 7)),
    Clip(name="four-k.mp4", size=(3840, 2160), seconds=1.0, rate=Fraction(10), frames=(2, 2)),
    Clip(name="cut-at-the-end.mkv", keep=0.55, frames=(2, 5), says="cut short"),
    Clip(name="cut-index.mp4", keep=0.6, frames=(0, 0), says="cut short"),
    Clip(name="sound-only.mka", content="sound", frames=(0, 0), says="no moving picture"),
    Clip(name="no-bytes.mp4", content="empty", frames=(0, 0), says="no bytes"),
    Clip(name="playlist.m3u8", content="playlist", frames=(0, 0), says="no video that can be read"),
    Clip(name="dark-and-cut.mp4", content="shots", seconds=4.0, frames=(2, 6), left_out="cut"),
)
"""The clips of the bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a call of `auria footage add` left."""

    code: int
    report: dict[str, Any]
    memory: float  # MB, the largest resident size of the process
    files: dict[str, bytes]  # of the set, by name


def make_clips(folder: Path, clips: Sequence[Clip] = CLIPS) -> list[Path]:
    """Write the clips into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_made(folder / clip.name, clip) for clip in clips]


def picture_at(seconds: float, size: tuple[int, int], seed: int = 0) -> NDArray[np.uint8]:
    """(height, width, 3) what a clip shows: green tells the time, the upper left corner is bright, the upper right is red."""
    scale = max(1, size[1] // 180)  # large pictures are enlarged from small ones
    small = (size[0] // scale, size[1] // scale)
    across, down, grain = _canvas(small)
    rng = np.random.default_rng(seed)
    waves = grain
    for _ in range(5):  # a field of waves of its own for each clip, which moves on with the time
        x, y, phase, speed = rng.uniform((-12, -12, 0, 3), (12, 12, 6, 6))
        waves = waves + 14 * np.sin(x * across + y * down + phase + speed * seconds)
    picture = np.stack([95 + waves, 30 + 180 * min(seconds / SWEEP, 1.0) + grain, 115 - waves], -1)
    left, top, side = _square(small)
    corner = max(side // 7, 1)
    picture[top : top + corner, left : left + corner] = 245
    picture[top : top + corner, left + side - corner : left + side] = (225, 20, 20)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    return picture if small == size else np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.NEAREST))


@cache
def _canvas(size: tuple[int, int]) -> tuple[NDArray[np.float32], ...]:
    """Places from left to right and from top to bottom, 0 to 1, and a fixed grain; each (height, width)."""
    across, down = np.meshgrid(*(np.linspace(0, 1, length, dtype=np.float32) for length in size))
    return across, down, np.random.default_rng(5).normal(0, 14, across.shape).astype(np.float32)


def _square(size: tuple[int, int]) -> tuple[int, int, int]:
    """(left, top, side) of the middle square."""
    side = min(size)
    return (size[0] - side) // 2, (size[1] - side) // 2, side


def _shown(clip: Clip, seconds: float) -> NDArray[np.uint8]:
    if clip.content == "shots":
        if seconds < 1.0:
            return np.zeros((clip.size[1], clip.size[0], 3), np.uint8)
        picture = picture_at(seconds, clip.size, _seed(clip))
        return picture if seconds < 2.52 else 255 - picture
    shown = (round(clip.size[0] * clip.aspect), clip.size[1])
    picture = picture_at(seconds, shown, _seed(clip))
    if clip.aspect != 1:
        picture = np.asarray(Image.fromarray(picture).resize(clip.size, Image.Resampling.BOX))
    if clip.mirrored:
        picture = picture[:, ::-1]
    return np.ascontiguousarray(np.rot90(picture, -clip.turn // 90))


def _seed(clip: Clip) -> int:
    return zlib.crc32((clip.like or clip.name).encode())


def _made(path: Path, clip: Clip) -> Path:
    if clip.content == "empty":
        path.write_bytes(b"")
    elif clip.content == "playlist":
        path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nplain.mp4\n#EXT-X-ENDLIST\n", encoding="utf-8")
    elif clip.content == "sound":
        _write_sound(path)
    else:
        _write_video(path, clip)
        content = path.read_bytes()
        path.write_bytes(content[: round(len(content) * clip.keep)])
    return path


def _write_video(path: Path, clip: Clip) -> None:
    import av

    first = _shown(clip, 0.0)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(clip.codec, rate=clip.rate)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = clip.pixels
        stream.codec_context.options = {"preset": "ultrafast", "crf": "12", "deadline": "realtime", "cpu-used": "8"}
        if clip.codec == "libx265":
            stream.codec_context.options |= {"x265-params": "log-level=none"}
        if clip.aspect != 1:
            stream.codec_context.sample_aspect_ratio = clip.aspect
        if clip.uneven:
            stream.codec_context.time_base = Fraction(1, 1000)
        if clip.turn or clip.mirrored:
            stream.set_display_rotation(clip.turn, hflip=clip.mirrored)
        rng = random.Random(SEED)
        count = round(clip.seconds * float(clip.rate))
        at = Fraction(0)
        for _ in range(count):
            if float(at) >= clip.seconds:
                break
            frame = av.VideoFrame.from_ndarray(_shown(clip, float(at)), "rgb24")
            frame.time_base = Fraction(1, 1000) if clip.uneven else 1 / clip.rate
            frame.pts = round(at / frame.time_base)
            container.mux(stream.encode(frame))
            at += Fraction(rng.choice((10, 20, 40, 80, 160)), 1000) if clip.uneven else 1 / clip.rate
        container.mux(stream.encode())


def _write_sound(path: Path) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def add(home: Path, files: Sequence[Path], *options: str, kill_after: float | None = None) -> Outcome | None:
    """Run `auria footage add`; None where it was killed so many seconds after its start."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _PROGRAM,
            "footage",
            "add",
            *map(str, files),
            *options,
            "--size",
            str(SIDE),
            "--distinct",
            "3",
            "--json",
        ],
        env={name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
        | {"AURIA_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
        process.communicate()
        return None
    shown, errors = process.communicate()
    if process.returncode not in {0, 4} or not shown:
        raise RuntimeError(f"auria footage add ended with {process.returncode}: {errors[-600:]}")
    peak = float(errors.rsplit("peak ", 1)[1]) / 1024
    return Outcome(code=process.returncode, report=json.loads(shown), memory=peak, files=contents(home))


# VmHWM, for the resource usage of a new process begins with that of its parent.
_PROGRAM = """import sys
from pathlib import Path
from auria_bot.cli import main
try:
    main()
finally:
    lines = Path("/proc/self/status").read_text().splitlines()
    print("peak", next(line.split()[1] for line in lines if line.startswith("VmHWM")), file=sys.stderr)
"""


def contents(home: Path) -> dict[str, bytes]:
    """Every file of the set."""
    folder = home / "footage" / "footage"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def faults(outcome: Outcome, clips: Sequence[Clip] = CLIPS) -> list[str]:
    """What is wrong with the frames of the clips."""
    index = json.loads(outcome.files["index.json"])
    names = [source["name"] for source in index["sources"]]
    wrong = []
    for clip in clips:
        if not any(clip.frames):
            said = next((one for one in outcome.report["refused"] if one.startswith(clip.name)), "")
            if not said or clip.says not in said:
                wrong.append(f"{clip.name}: refused with {said!r}")
            continue
        if clip.name not in names:
            wrong.append(f"{clip.name}: is not there: {[one for one in outcome.report['refused'] if clip.name in one]}")
            continue
        place = names.index(clip.name)
        frames = [frame for frame in index["frames"] if frame["source"] == place]
        least, most = clip.frames
        if not least <= len(frames) <= most:
            wrong.append(f"{clip.name}: {len(frames)} frames instead of {least} to {most}")
        reasons = {one["reason"] for one in index["left_out"] if one["source"] == place}
        if clip.left_out and clip.left_out not in reasons:
            wrong.append(f"{clip.name}: nothing was left out as {clip.left_out}, but as {reasons or 'nothing'}")
        if clip.says not in index["sources"][place]["note"]:
            wrong.append(f"{clip.name}: the note is {index['sources'][place]['note']!r}")
        wrong += [f"{clip.name}: {one}" for frame in frames for one in _wrong_frame(clip, frame, outcome)]
    return wrong


def _wrong_frame(clip: Clip, frame: dict[str, Any], outcome: Outcome) -> list[str]:
    picture = np.asarray(Image.open(io.BytesIO(outcome.files[f"frames/{frame['file']}"])), np.float32)
    if picture.shape != (SIDE, SIDE, 3):
        return [f"{frame['file']} has the shape {picture.shape}"]
    if clip.content != "sweep":
        return []
    seconds, middle = frame["time"], picture[40:-40, 40:-40]
    wanted = 30 + 180 * min(seconds / SWEEP, 1.0)
    wrong = []
    if abs(float(middle[..., 1].mean()) - wanted) > 9:
        wrong.append(f"at {seconds:.2f} s green is {middle[..., 1].mean():.0f} instead of {wanted:.0f}")
    corner = SIDE // 7 - 5
    if picture[4:corner, 4:corner].mean() < 215:
        wrong.append(f"at {seconds:.2f} s the upper left corner is {picture[4:corner, 4:corner].mean():.0f}")
    red = picture[4:corner, -corner:-4].mean((0, 1))
    if red[0] < 180 or red[1:].max() > 70:
        wrong.append(f"at {seconds:.2f} s the upper right corner is {red.round().tolist()}")
    return wrong


def killed_and_begun_again(home: Path, files: Sequence[Path], *, moments: Sequence[float]) -> Outcome:
    """Add the files to an empty home, killed after each of some seconds, and then undisturbed."""
    for moment in moments:
        add(home, files, kill_after=moment)
    outcome = add(home, files)
    if outcome is None:
        raise RuntimeError("a call that is not killed has an outcome")
    return outcome
