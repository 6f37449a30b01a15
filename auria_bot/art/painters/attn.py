"""Auria's own painter: a colour sketch by flow matching, then an AttnGAN-like net, then the best of several by the matching score.

Knows how to turn a poem into a prompt and a prompt into pictures of 64 x 64 pixels; serves from two ONNX graphs, without torch.
The same poem and seed give the same bytes on the same machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image

from auria_bot.art.checkpoint import read_json, verify
from auria_bot.art.colour import from_lab, to_lab
from auria_bot.art.minilm import SHA256 as MINILM_SHA256
from auria_bot.art.minilm import MiniLM
from auria_bot.art.painters import moon_repair
from auria_bot.art.painters.aesthetic_score import aesthetic_score
from auria_bot.art.painters.day_to_night import nightfall
from auria_bot.art.painters.denoise import denoised
from auria_bot.art.painters.prompt import SENTENCES, Prompt, compose
from auria_bot.art.painters.prompt_vocabulary import FLOWERS, spoken
from auria_bot.art.pictures import save_picture
from auria_bot.art.runtime import load
from auria_bot.domain.interfaces import Painting
from auria_bot.errors import InputError, ModelCorrupt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.domain.haiku import Haiku
    from auria_bot.domain.mood import Mood

__all__ = ["AttnPainter", "Canvas"]

_MOST = 64  # candidates of one call
_MOONLESS = 0.15  # of the score: what a moonlit night loses without a moon
_SNOWY, _WHITE = 0.3, 75.0  # what a winter gains for being all white, and the L from which it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """A painted candidate as numbers."""

    pixels: NDArray[np.uint8]  # (64, 64, 3) RGB
    score: float  # how well it matches the text, about -1 to 1
    vector: NDArray[np.float32]  # in the matcher's space, unit length
    number: int  # which of the seed's candidates it is, from 0


class AttnPainter:
    """Paints poems with the packaged model.

    Args:
        config: see `Config`.
        models: the folder with the trained models; `painter` in it is used.

    Raises:
        ModelMissing: the model is not there.
        ModelCorrupt: its files do not match their checksums.
    """

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """What the operator may set."""

        candidates: int = 12  # painted for each poem; the best are kept
        runtime: str = "auto"  # "auto", "openvino" or "onnxruntime"
        precision: str = "f32"  # or "bf16", where OpenVINO runs on a processor that has it
        threads: int = 0  # 0: every core the process may use

    name: ClassVar[str] = "attn"

    def __init__(self, config: Config | None = None, *, models: Path) -> None:
        self.config = config if config is not None else self.Config()
        folder = models / "painter"
        self._sha256 = verify(folder)
        self._shape: dict[str, Any] = read_json(folder / "config.json")["serving"]
        self._meanings = _meanings(folder / "meanings.safetensors")
        threads = self.config.threads or None
        self._hand, self._easel = (
            load(folder / name, runtime=self.config.runtime, precision=self.config.precision, threads=threads)
            for name in ("sketcher.onnx", "model.onnx")
        )
        self._minilm = MiniLM(threads=threads or 2)

    def models(self) -> Mapping[str, str]:
        """The painter's own model and MiniLM."""
        return {"painter": self._sha256, "minilm": MINILM_SHA256}

    def prompt(self, haiku: Haiku, *, seed: int, mood: Mood | None = None, theme: str | None = None) -> Prompt:
        """What would be painted for a poem."""
        said = ", ".join([*haiku.lines, *([theme[:200]] if theme else [])])
        vector = self._minilm.encode([said])[0]
        return compose(haiku.lines, vector, self._meanings, seed=seed, mood=mood, theme=theme)

    def imagine(self, text: str, *, seed: int, count: int) -> tuple[Canvas, ...]:
        """Paint a text as it stands, `count` candidates, the best match first.

        Args:
            text: any text; its first 24 word pieces are looked at one by one, all of it as a whole.
            seed: 0 or more; candidate k of a seed is the same whatever `count` is, up to rounding in the last bit.
            count: 1 to 64.

        Raises:
            InputError: the count or the seed is out of range.
        """
        if not 1 <= count <= _MOST or seed < 0:
            raise InputError(f"count must be 1 to {_MOST} and the seed 0 or more, not {count} and {seed}")
        sentence, words, mask = self._minilm.both([text], limit=self._shape["words"])
        shapes = {
            "components": (self._shape["components"],),
            "style_noise": (self._shape["noise"],),
            "grain": (self._shape["grain"], 32, 32),
        }
        draws = [np.random.default_rng((seed, number)) for number in range(count)]
        noise = {
            name: np.stack([rng.standard_normal(shape, np.float32) for rng in draws]) for name, shape in shapes.items()
        }
        noise["components"] = self._sketch(noise["components"], sentence)
        made = self._easel.run({**noise, "sentence": sentence, "words": words, "mask": mask})
        pixels = np.round(np.clip(made["pictures"], 0.0, 1.0) * 255).astype(np.uint8).transpose(0, 2, 3, 1)
        order = np.argsort(-made["scores"], kind="stable")
        return tuple(
            Canvas(
                pixels=np.ascontiguousarray(pixels[row]),
                score=float(made["scores"][row]),
                vector=made["vectors"][row],
                number=int(row),
            )
            for row in order
        )

    def _sketch(self, noise: NDArray[np.float32], sentence: NDArray[np.float32]) -> NDArray[np.float32]:
        """Noise (n, c) to the components of sketches (n, c), by the midpoint rule."""
        steps = int(self._shape["midpoint_steps"])
        x, width = noise, 1.0 / steps

        def velocity(at: NDArray[np.float32], time: float) -> NDArray[np.float32]:
            return self._hand.run({"components": at, "time": np.array([time], np.float32), "sentence": sentence})[
                "velocity"
            ]

        for number in range(steps):
            halfway = x + velocity(x, number * width) * (width / 2)
            x = x + velocity(halfway, (number + 0.5) * width) * width
        return x

    def paint(
        self, haiku: Haiku, *, seed: int, count: int, folder: Path, mood: Mood | None = None, theme: str | None = None
    ) -> tuple[Painting, ...]:
        """Paint `count` candidates as PNG files of 64 x 64 pixels in `folder`, the best first.

        More are painted than are kept (Config.candidates); the matching score and taste decide, and the score that is told
        is of both.

        Raises:
            InputError: the count or the seed is out of range.
            DiskError: a picture cannot be written.
        """
        prompt = self.prompt(haiku, seed=seed, mood=mood, theme=theme)
        canvases = self.imagine(prompt.text, seed=seed, count=min(_MOST, max(count, self.config.candidates)))
        judged = [(canvas.score + liking, lab) for canvas in canvases for liking, lab in [_seen(canvas, prompt)]]
        judged.sort(key=lambda each: -each[0])
        subject = spoken(prompt.scene, prompt.light, (*haiku.lines, theme or ""))
        paintings = []
        for rank, (score, lab) in enumerate(judged[:count]):
            path = folder / f"painting-{rank}.png"
            _write(_varnished(lab, prompt), path)
            paintings.append(Painting(path=path, score=score, subject=subject))
        return tuple(paintings)


def _seen(canvas: Canvas, prompt: Prompt) -> tuple[float, NDArray[np.float32]]:
    """How a candidate pleases, and its CIELAB pixels in the light that was asked for."""
    lab = to_lab(canvas.pixels)
    if prompt.by_day:
        lab = nightfall(lab)
    liking = aesthetic_score(lab, portrait=prompt.scene in FLOWERS)
    if prompt.light == "moon" and not prompt.by_day and moon_repair.find(lab) is None:
        liking -= _MOONLESS
    if prompt.light == "snow":
        liking += _SNOWY * float((lab[..., 0] > _WHITE).mean())
    return liking, lab


def _varnished(lab: NDArray[np.float32], prompt: Prompt) -> NDArray[np.uint8]:
    """A chosen candidate as it leaves the easel: its speckle calmed, its moon round."""
    lab = denoised(lab)
    found = moon_repair.find(lab) if prompt.light in {"moon", "night"} and not prompt.by_day else None
    if found is not None:
        lab = moon_repair.paint(lab, found)
    return (from_lab(lab) * 255 + 0.5).astype(np.uint8)


def _meanings(path: Path) -> dict[str, NDArray[np.float32]]:
    """The vectors of prompt.SENTENCES, stored with the model."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        stored = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelCorrupt(f"{path} cannot be read: {error}") from None
    missing = sorted(set(SENTENCES) - set(stored))
    if missing:
        raise ModelCorrupt(f"{path} lacks {', '.join(missing)}; run `auria train painter` to export it again")
    return {name: vectors.astype(np.float32) for name, vectors in stored.items()}


def _write(pixels: NDArray[np.uint8], path: Path) -> None:
    save_picture(Image.fromarray(pixels), path)
