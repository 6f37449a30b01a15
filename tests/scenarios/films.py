"""A film model that is none: its frames are skies and seas drawn by arithmetic, which follow the style vectors smoothly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from auria_bot.art.films.film_frames import FilmFrames, Timing
from auria_bot.art.films.generator import FilmGenerator, FilmShape
from auria_bot.art.films.walk import Walk
from tests.scenarios.voices import HummingVoice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

    from auria_bot.services.films.film_plan import FilmPlanner
    from auria_bot.services.films.poem_film import PoemGuide

__all__ = ["DrawnMaker", "LightMatcher", "drawn_frames", "film_file", "planner", "poem_guide"]


class DrawnMaker(FilmGenerator):
    """Draws frames of 36 x 64 pixels; a style vector has the colours of sky and sea, the horizon and the swell."""

    sha256 = "0" * 64

    def __init__(self) -> None:
        self.shape = FilmShape(height=36, width=64, z=8, w=8, styles=2, noise=((9, 16), (36, 64)))

    def map(self, z: NDArray[np.float32], truncation: float = 1.0) -> NDArray[np.float32]:
        """(n, 8): the latent vectors, truncated."""
        return np.asarray(z * truncation, np.float32)

    def frames(self, w: NDArray[np.float32], noise: int | Sequence[NDArray[np.float32]] = 0) -> NDArray[np.uint8]:
        """(n, 36, 64, 3)."""
        coarse, fine = self.noise(noise) if isinstance(noise, int) else noise
        y, x = np.linspace(0, 1, 36)[:, None], np.linspace(0, 1, 64)[None]
        made = []
        for number, style in enumerate(w.astype(np.float64)):
            horizon = 0.5 + 0.15 * np.tanh(style[0])
            sea = 1 / (1 + np.exp(-(y - horizon) * 25)) + 0 * x
            swell = np.sin(9 * y * (1.5 + np.tanh(style[1])) + 5 * x + 3 * style[2])
            colour = [
                (1 - sea) * (150 + 60 * np.tanh(style[3 + channel]))
                + sea * (90 + 50 * np.tanh(style[5 + channel]) + 25 * swell)
                for channel in range(3)
            ]
            grain = fine[number % len(fine), 0] + np.kron(coarse[number % len(coarse), 0], np.ones((4, 4)))
            made.append(np.clip(np.stack(colour, -1) + 2.0 * grain[..., None], 0, 255).astype(np.uint8))
        return np.stack(made)


def drawn_frames(
    count: int, rate: Fraction, size: tuple[int, int] = (64, 36), *, loop: bool, moving: bool = True
) -> FilmFrames:
    """The frames of a film of the drawn model through four key frames."""
    maker = DrawnMaker()
    keys, still = maker.map(maker.latents(3, 4), 0.8), maker.noise(3)
    walk = Walk.through(keys, lambda w: maker.frames(w, still), closed=loop)
    return FilmFrames(maker, walk, Timing(frames=count, rate=rate, size=size), noise=3, moving=moving)


def film_file(
    path: Path,
    *,
    seconds: float = 3.2,
    rate: int = 25,
    size: tuple[int, int] = (96, 54),
    colour: int = 120,
    sound: bool = False,
    noise: bool = False,
) -> Path:
    """Write a film: a light that wanders over a colour, or noise, which no encoder makes small; with a tone if wanted."""
    import av

    from auria_bot.art.films.video_writer import format_of

    form = format_of(path)
    rng = np.random.default_rng(colour)
    with av.open(str(path), "w", format=form.container, container_options=dict(form.muxer)) as container:
        video: Any = container.add_stream(form.codec, rate=rate, options={**form.options, "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        heard: Any = container.add_stream(form.sound, rate=48_000, layout="stereo") if sound else None
        still = np.full((size[1], size[0], 3), colour, np.uint8)
        for number in range(round(seconds * rate)):
            frame = rng.integers(0, 256, still.shape, np.uint8) if noise else still.copy()
            if not noise:
                frame[:, number % size[0] :][:, :8] = 255
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(video.encode(None))
        if heard is not None:
            _tone(container, heard, seconds)
    return path


def _tone(container: Any, heard: Any, seconds: float) -> None:
    """Write a tone of 440 Hz."""
    import av

    for start in range(0, round(seconds * 48_000), 960):
        wave = 0.3 * np.sin(np.arange(start, start + 960) * 2 * np.pi * 440 / 48_000)
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]).astype(np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts = 48_000, start
        for packet in heard.encode(frame):
            container.mux(packet)
    container.mux(heard.encode(None))


def planner(folder: Path) -> FilmPlanner:
    """A planner whose one model, "drawn", is the drawn one, and which enlarges by interpolation."""
    from auria_bot.art.stylists.style_bank import StyleBank
    from auria_bot.services.films.film_plan import FilmPlanner
    from auria_bot.settings.locations import shipped

    class Interpolation:
        def enlarged(self, picture: Image.Image, size: int) -> Image.Image:
            factor = size / min(picture.size)
            return picture.resize((round(picture.width * factor), round(picture.height * factor)))

    (folder / "film-drawn").mkdir(parents=True, exist_ok=True)
    (folder / "film-drawn" / "config.json").write_text("{}")
    return FilmPlanner(
        folder,
        load=lambda _folder: DrawnMaker(),
        enlarger=lambda: (Interpolation(), "1" * 64),
        bank=lambda: StyleBank.load(shipped("models") / "styles"),
        poems=poem_guide(),
    )


class LightMatcher:
    """Finds that a text fits a frame the better, the nearer the frame's light is to the text's length."""

    sha256 = "2" * 64

    def scores(self, pictures: NDArray[np.uint8], texts: Sequence[str]) -> NDArray[np.float32]:
        """(pictures, texts)."""
        light = pictures.mean(axis=(1, 2, 3), dtype=np.float64)
        return np.asarray(-np.abs(light[:, None] - 80 - np.array([len(text) for text in texts])), np.float32)


def poem_guide() -> PoemGuide:
    """A guide that matches by light and hums."""
    from auria_bot.services.films.poem_film import PoemGuide

    matcher: Any = LightMatcher
    voice: Any = HummingVoice
    return PoemGuide(matcher=matcher, voice=voice)
