"""Auria's own painter: a colour sketch by flow matching, an AttnGAN-like network, and a choice by matching score.

Turns a poem into a prompt and a prompt into small square pictures. Served from two ONNX graphs without torch. The
same poem and seed give the same bytes on the same machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image
from safetensors import SafetensorError
from safetensors.numpy import load_file

from auria_bot.art.checkpoint import read_json, verify
from auria_bot.art.colour import LUMA, from_lab, to_lab
from auria_bot.art.minilm import MiniLM
from auria_bot.art.packaged_weights import MINILM
from auria_bot.art.painters.prompt import SENTENCES, Prompt, compose
from auria_bot.art.painters.prompt_vocabulary import CLOSE_UPS, describe
from auria_bot.art.painters.ranker import Ranker
from auria_bot.art.painters.retouching import blurred, denoise, find_moon, paint_moon, to_night
from auria_bot.art.pictures import save_picture
from auria_bot.art.runtime import Precision, RuntimeChoice, load
from auria_bot.domain.interfaces import Painting
from auria_bot.errors import InputError, ModelCorrupt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.domain.artwork import Haiku
    from auria_bot.domain.mood import Mood

__all__ = ["SHOWN", "AttnPainter", "Canvas", "aesthetic_score", "shown_scene"]

SHOWN = "shown:"
"""Begins the names of the scenes' vectors in the matcher's space, beside those of prompt.SENTENCES."""

_MOST = 64  # most candidates of one call
_MOONLESS = 0.15  # score lost by a moonlit night without a moon
_SNOWY, _WHITE = 0.3, 75.0  # score gained by an all-white winter, and the L that counts as white
_LIKELIEST = 3  # scenes among which the one asked for must be, so that the painting is described as such
_EVIDENT = 0.2  # most that a candidate gains by looking more like the scene asked for than like any other
_LIKING, _APART = 0.05, 1.0  # most that the ranker adds, and the difference in its logits that counts as large
_CELLS = 8  # cells a side at which composition is measured
_COLOURFUL = 35.0  # mean chroma for full marks
_FORMED, _VARIED = 18.0, 18.0  # standard deviation of the cells' L, and of a and b, for full marks
_SPECKLED = (0.04, 0.08)  # grain as a share of contrast: usual, and excess for the full penalty
_OUTSTANDING = 32.0  # CIELAB distance of a portrait's middle from its rim for full marks
_DIM, _PALE = 24.0, 82.0  # mean L below or above which a picture is too dark or too pale


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """A painted candidate as arrays."""

    pixels: NDArray[np.uint8]  # (size, size, 3) RGB
    score: float  # matching score with the text, about -1 to 1
    vector: NDArray[np.float32]  # in the matcher's space, unit length
    number: int  # the candidate's number for its seed, from 0
    evidence: float = 0.0  # what is added for showing the scene asked for, below 0 for showing another
    liking: float = 0.0  # what the ranker adds
    traits: tuple[float, ...] = ()  # that the ranker measured

    @property
    def total(self) -> float:
        """By which candidates are ordered."""
        return self.score + self.evidence + self.liking


class AttnPainter:
    """Paints poems with the model that ships.

    Args:
        config: see `Config`.
        models: the folder with the trained models.
        folder: the painter's own in it.

    Raises:
        ModelMissing: the model is missing.
        ModelCorrupt: its files do not match their checksums.
    """

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        candidates: int = 12  # painted for each poem; the best are returned
        runtime: RuntimeChoice = "auto"  # "auto", "openvino" or "onnxruntime"
        precision: Precision = "f32"  # or "bf16", where OpenVINO runs on a processor that has it
        threads: int = 0  # 0: every core
        ranker: bool = True  # let the ranker, trained on real pictures, count where models/ranker is there
        approval: dict[str, float] = field(default_factory=dict)  # weights of traits by number, learned from decisions

    name: ClassVar[str] = "attn"

    def __init__(self, config: Config | None = None, *, models: Path, folder: str = "painter") -> None:
        self.config = config if config is not None else self.Config()
        place = models / folder
        self._sha256 = verify(place)
        facts = read_json(place / "config.json")
        self._shape: dict[str, Any] = facts["serving"]
        self._size: int = facts["size"]  # pixels a side
        self.scenes: tuple[str, ...] = tuple(facts["scenes"])  # that the model can paint
        stored = _meanings(place / "meanings.safetensors", self.scenes)
        self._meanings = {name: each for name, each in stored.items() if not name.startswith(SHOWN)}
        self._shown = {name.removeprefix(SHOWN): each[0] for name, each in stored.items() if name.startswith(SHOWN)}
        self._sketcher, self._painter_net = (
            load(
                place / name, runtime=self.config.runtime, precision=self.config.precision, threads=self.config.threads
            )
            for name in ("sketcher.onnx", "model.onnx")
        )
        self._minilm = MiniLM(threads=self.config.threads or 2)
        self._ranker = (
            Ranker(models, runtime_name=self.config.runtime, threads=self.config.threads)
            if self.config.ranker and (models / "ranker").is_dir()
            else None
        )

    def models(self) -> Mapping[str, str]:
        """SHA-256 of the painter's model, of MiniLM and of the ranker."""
        ranker = {"ranker": self._ranker.sha256} if self._ranker is not None else {}
        return {"painter": self._sha256, "minilm": MINILM.sha256, **ranker}

    def prompt(self, haiku: Haiku, *, seed: int, mood: Mood | None = None, theme: str | None = None) -> Prompt:
        """The prompt for a poem."""
        said = ", ".join([*haiku.lines, *([theme[:200]] if theme else [])])
        vector = self._minilm.encode([said])[0]
        return compose(haiku.lines, vector, self._meanings, seed=seed, mood=mood, theme=theme, known=self.scenes)

    def imagine(self, text: str, *, seed: int, count: int, scene: str | None = None) -> tuple[Canvas, ...]:
        """Paint a text as it stands, `count` candidates, the best by match, evidence and ranker first.

        Args:
            text: any text; its first 24 word pieces are attended to one by one, all of it as a sentence vector.
            seed: 0 or more; candidate k of a seed is the same for any `count`, up to rounding in the last bit.
            count: 1 to 64.
            scene: the one that should be seen; None where nothing is known of it, and for evidence to count nothing.

        Raises:
            InputError: the count or the seed is out of range.
        """
        if not 1 <= count <= _MOST or seed < 0:
            raise InputError(f"count must be 1 to {_MOST} and the seed 0 or more, not {count} and {seed}")
        sentence, words, mask = self._minilm.both([text], limit=self._shape["words"])
        shapes = {
            "components": (self._shape["components"],),
            "style_noise": (self._shape["noise"],),
            "grain": (self._shape["grain"], self._size // 2, self._size // 2),
        }
        generators = [np.random.default_rng((seed, number)) for number in range(count)]
        noise = {
            name: np.stack([rng.standard_normal(shape, np.float32) for rng in generators])
            for name, shape in shapes.items()
        }
        noise["components"] = self._sketch(noise["components"], sentence)
        outputs = self._painter_net.run({**noise, "sentence": sentence, "words": words, "mask": mask})
        pictures = _stretched(outputs["pictures"], float(self._shape.get("contrast", 1.0)))
        pixels = np.round(np.clip(pictures, 0.0, 1.0) * 255).astype(np.uint8).transpose(0, 2, 3, 1)
        evidence = _evidence(scene, outputs["vectors"], self._shown)
        traits, liking = self._judged(pixels)
        canvases = [
            Canvas(
                pixels=np.ascontiguousarray(pixels[row]),
                score=float(outputs["scores"][row]),
                vector=outputs["vectors"][row],
                number=row,
                evidence=float(evidence[row]),
                liking=float(liking[row]),
                traits=traits[row],
            )
            for row in range(count)
        ]
        return tuple(sorted(canvases, key=lambda canvas: -canvas.total))

    def _sketch(self, noise: NDArray[np.float32], sentence: NDArray[np.float32]) -> NDArray[np.float32]:
        """Noise (n, c) to components of sketches (n, c), by the midpoint rule."""
        steps = int(self._shape["midpoint_steps"])
        x, width = noise, 1.0 / steps

        def velocity(at: NDArray[np.float32], time: float) -> NDArray[np.float32]:
            return self._sketcher.run({"components": at, "time": np.array([time], np.float32), "sentence": sentence})[
                "velocity"
            ]

        for number in range(steps):
            halfway = x + velocity(x, number * width) * (width / 2)
            x = x + velocity(halfway, (number + 0.5) * width) * width
        return x

    def paint(
        self, haiku: Haiku, *, seed: int, count: int, folder: Path, mood: Mood | None = None, theme: str | None = None
    ) -> tuple[Painting, ...]:
        """Paint `count` candidates as PNG files in `folder`, the best first.

        At least Config.candidates are painted; they are ranked by matching score, by how evident the prompt's scene is,
        by `aesthetic_score` and by the ranker, and that sum is returned.

        Raises:
            InputError: the count or the seed is out of range.
            DiskError: a picture cannot be written.
        """
        prompt = self.prompt(haiku, seed=seed, mood=mood, theme=theme)
        painted = min(_MOST, max(count, self.config.candidates))
        canvases = self.imagine(prompt.text, seed=seed, count=painted, scene=prompt.scene)
        ranked = [
            (canvas.total + appeal, place, lab)
            for place, canvas in enumerate(canvases)
            for appeal, lab in [_appraise(canvas, prompt)]
        ]
        ranked.sort(key=lambda each: -each[0])
        paintings = []
        for rank, (score, place, lab) in enumerate(ranked[:count]):
            path = folder / f"painting-{rank}.png"
            save_picture(Image.fromarray(_finished(lab, prompt)), path)
            scene = shown_scene(prompt.scene, canvases[place].vector, self._shown)
            subject = describe(scene, prompt.light, (*haiku.lines, theme or ""))
            paintings.append(Painting(path=path, score=score, subject=subject, traits=canvases[place].traits))
        return tuple(paintings)

    def _judged(self, pixels: NDArray[np.uint8]) -> tuple[list[tuple[float, ...]], NDArray[np.float32]]:
        """The traits of candidates (n, size, size, 3), and what the ranker adds to their scores (n,)."""
        if self._ranker is None:
            return [()] * len(pixels), np.zeros(len(pixels), np.float32)
        traits = self._ranker.traits(pixels)
        learned = [self.config.approval.get(str(number), 0.0) for number in range(traits.shape[1])]
        logits = self._ranker.weights.logits(traits, learned)
        liking: NDArray[np.float32] = _LIKING * np.tanh((logits - logits.mean()) / _APART)
        return [tuple(map(float, each)) for each in traits], liking


def _stretched(pictures: NDArray[np.float32], contrast: float) -> NDArray[np.float32]:
    """Pictures (n, 3, height, width), each with its light stretched around the mean; colours stay as they are."""
    light = np.tensordot(LUMA, pictures, axes=(0, 1))[:, None]
    stretched: NDArray[np.float32] = pictures + np.float32(contrast - 1.0) * (
        light - light.mean(axis=(2, 3), keepdims=True)
    )
    return stretched


def _evidence(
    asked: str | None, vectors: NDArray[np.float32], shown: Mapping[str, NDArray[np.float32]]
) -> NDArray[np.float32]:
    """By how much candidates (n, d) are nearer to the scene asked for than to any other, (n,), at most _EVIDENT."""
    others = [vector for scene, vector in shown.items() if scene != asked]
    if asked is None or asked not in shown or not others:
        return np.zeros(len(vectors), np.float32)
    nearer: NDArray[np.float32] = vectors @ shown[asked] - (vectors @ np.stack(others).T).max(axis=1)
    return np.minimum(nearer, np.float32(_EVIDENT))


def shown_scene(asked: str, vector: NDArray[np.float32], shown: Mapping[str, NDArray[np.float32]]) -> str:
    """The scene that a painting may be said to show: the one asked for if among the likeliest, else the likeliest.

    Args:
        asked: the scene of the prompt.
        vector: of the painting, in the matcher's space.
        shown: vectors of the scenes in that space; empty for a model that has none.
    """
    near = sorted(shown, key=lambda scene: -float(shown[scene] @ vector))
    return asked if asked in near[:_LIKELIEST] or not near else near[0]


def _appraise(canvas: Canvas, prompt: Prompt) -> tuple[float, NDArray[np.float32]]:
    """The aesthetic score of a candidate, and its CIELAB pixels in the requested light."""
    lab = to_lab(canvas.pixels)
    if prompt.by_day:
        lab = to_night(lab)
    appeal = aesthetic_score(lab, portrait=prompt.scene in CLOSE_UPS)
    if prompt.light == "moon" and not prompt.by_day and find_moon(lab) is None:
        appeal -= _MOONLESS
    if prompt.light == "snow":
        appeal += _SNOWY * float((lab[..., 0] > _WHITE).mean())
    return appeal, lab


def _finished(lab: NDArray[np.float32], prompt: Prompt) -> NDArray[np.uint8]:
    """The (height, width, 3) RGB pixels of a chosen candidate, denoised and with a clean moon."""
    lab = denoise(lab)
    found = find_moon(lab) if prompt.light in {"moon", "night"} and not prompt.by_day else None
    if found is not None:
        lab = paint_moon(lab, found)
    return (from_lab(lab) * 255 + 0.5).astype(np.uint8)


def aesthetic_score(lab: NDArray[np.float32], *, portrait: bool = False) -> float:
    """Score the colours, composition and texture of a painting, about -0.2 to 0.4; added to the matching score.

    Args:
        lab: (height, width, 3) CIELAB.
        portrait: whether something should stand out in the middle, such as a flower.
    """
    light = lab[..., 0]
    height, width = (side // _CELLS * _CELLS for side in light.shape)
    cells = lab[:height, :width].reshape(_CELLS, height // _CELLS, _CELLS, width // _CELLS, 3).mean(axis=(1, 3))
    spread = cells.reshape(-1, 3).std(axis=0)
    chroma = float(np.hypot(lab[..., 1], lab[..., 2]).mean())
    low, high = np.percentile(light, [5, 95])
    grain = float(np.abs(light - blurred(light, 1.0)).mean()) / max(float(high - low), 20.0)
    mean = float(light.mean())
    middle = cells[2:6, 2:6].reshape(-1, 3).mean(axis=0)
    rim = np.concatenate([cells[0], cells[-1], cells[1:-1, 0], cells[1:-1, -1]]).mean(axis=0)
    apart = float(np.linalg.norm(middle - rim))
    return (
        0.12 * min(chroma / _COLOURFUL, 1.0)
        + 0.12 * min(float(spread[0]) / _FORMED, 1.0)
        + 0.12 * min(float(np.hypot(*spread[1:])) / _VARIED, 1.0)
        + (0.2 * min(apart / _OUTSTANDING, 1.0) if portrait else 0.0)
        - 0.10 * min(max(grain - _SPECKLED[0], 0.0) / _SPECKLED[1], 1.0)
        - 0.35 * max(float((light > 95).mean()) - 0.15, 0.0)
        - 0.004 * (max(_DIM - mean, 0.0) + max(mean - _PALE, 0.0))
    )


def _meanings(path: Path, scenes: tuple[str, ...]) -> dict[str, NDArray[np.float32]]:
    """The vectors of prompt.SENTENCES that are stored with a model which can paint `scenes`."""
    try:
        stored = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelCorrupt(f"{path} cannot be read: {error}") from None
    wanted = {name for name in SENTENCES if not name.startswith("scene:") or name.removeprefix("scene:") in scenes}
    missing = sorted(wanted - set(stored))
    if missing:
        raise ModelCorrupt(f"{path} lacks {', '.join(missing)}; run `auria train painter` to export it again")
    return {name: vectors.astype(np.float32) for name, vectors in stored.items()}
