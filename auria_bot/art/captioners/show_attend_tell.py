"""The captioner: Show, Attend and Tell over EfficientNet-Lite0 with beam search, on the CPU and without torch.

Uses models/captioner and models/lite0. In scene mode it uses only words that suit Auria's pictures and adds the
measured colours; otherwise the whole vocabulary learnt from photographs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from PIL import Image

from auria_bot.art import runtime
from auria_bot.art.captioners.attention import AttendedCaption
from auria_bot.art.captioners.vocabulary import (
    END,
    PAD,
    SCENE_WORDS,
    START,
    UNCERTAIN,
    UNKNOWN,
    Vocabulary,
    join_names,
    name_colours,
    polished,
)
from auria_bot.art.checkpoint import read_json, verify
from auria_bot.art.pictures import open_picture, to_array
from auria_bot.art.runtime import Precision, RuntimeChoice  # noqa: TC001 - pydantic resolves the options' types
from auria_bot.corpus.language.words import word_set
from auria_bot.errors import ModelCorrupt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Advance", "Caption", "CaptionModel", "ShowAttendTell", "search"]

_SIDE: Final = 224  # pixels a side, as in training
_SMALL: Final = word_set("a an the of on in at by near under over with and above from into to next")
"""Words allowed more than once in a caption."""


class Advance(Protocol):
    """One step of the network for every beam."""

    def __call__(self, words: NDArray[np.int64], parents: NDArray[np.int64]) -> NDArray[np.float32]:
        """Continue beam `parents[i]` of the previous step with `words[i]`; log-probabilities (beams, words)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A finished caption of the beam search."""

    numbers: tuple[int, ...]  # word numbers, without start and end
    log_probability: float  # of the whole caption, its end included
    score: float  # log-probability / length**power, by which captions are ranked
    rows: tuple[int, ...] = ()  # for each word, the row of its step's arrays that it was chosen from


def search(
    advance: Advance,
    *,
    beams: int,
    longest: int,
    length_power: float = 0.0,
    forbidden: NDArray[Any] | None = None,
    once: NDArray[Any] | None = None,
) -> list[Caption]:
    """Find the likeliest captions by beam search, the best first; always at least one.

    Args:
        beams: how many captions are kept in parallel.
        longest: most words of a caption.
        length_power: 0 ranks by log-probability alone, which favours short captions; 1 by its mean over words.
        forbidden: bool (words,), True for words that must not be used; the end cannot be forbidden.
        once: bool (words,), True for words allowed only once in a caption; no word is used twice in a row.
    """
    words, parents = np.array([START]), np.array([0])
    active: list[tuple[int, ...]] = [()]
    traces: list[tuple[int, ...]] = [()]
    totals = np.zeros(1)
    done: list[Caption] = []
    for _ in range(longest):
        scores = advance(words, parents).astype(np.float64)
        _rule_out(scores, active, forbidden, once)
        sums = totals[:, None] + scores
        flat = _highest(sums.ravel(), 2 * beams)
        extended: list[tuple[tuple[int, ...], float, int, int]] = []
        for rank, place in enumerate(flat):
            beam, word = divmod(int(place), sums.shape[1])
            total = float(sums[beam, word])
            if not np.isfinite(total) or (word == END and rank >= beams):
                continue
            if word == END:
                length = len(active[beam]) + 1
                score = total / length**length_power
                done.append(Caption(numbers=active[beam], log_probability=total, score=score, rows=traces[beam]))
            elif len(extended) < beams:
                extended.append(((*active[beam], word), total, beam, word))
        if not extended or _settled(done, extended[0][1], longest, length_power):
            break
        traces = [(*traces[row[2]], row[2]) for row in extended]
        active, totals = [row[0] for row in extended], np.array([row[1] for row in extended])
        parents, words = np.array([row[2] for row in extended]), np.array([row[3] for row in extended])
    if not done:
        done = [
            Caption(numbers=prefix, log_probability=total, score=total / len(prefix) ** length_power, rows=trace)
            for prefix, total, trace in zip(active, totals.tolist(), traces, strict=True)
        ]
    return sorted(done, key=lambda found: (-found.score, found.numbers))[:beams]


def _highest(values: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Places of the highest `values` (n,): the highest first, of equal ones the first; not all are sorted."""
    least = np.partition(values, -count)[-count] if count < len(values) else -np.inf
    places = np.flatnonzero(values >= least)
    return places[np.argsort(-values[places], kind="stable")[:count]]


def _rule_out(
    scores: NDArray[np.float64],
    active: list[tuple[int, ...]],
    forbidden: NDArray[Any] | None,
    once: NDArray[Any] | None,
) -> None:
    """Give the words that may not come next the score -inf, in place: `scores` (beams, words)."""
    scores[:, [PAD, START, UNKNOWN]] = -np.inf
    if forbidden is not None:
        scores[:, forbidden] = -np.inf
    for beam, prefix in enumerate(active):
        if not prefix:
            scores[beam, END] = -np.inf  # never an empty caption
            continue
        scores[beam, prefix[-1]] = -np.inf
        if once is not None:
            scores[beam, [number for number in prefix if once[number]]] = -np.inf


def _settled(done: list[Caption], best_active: float, longest: int, length_power: float) -> bool:
    """Whether no active caption can still pass the best finished one, even if its next words had probability 1."""
    return bool(done) and best_active / (longest + 1) ** length_power <= max(found.score for found in done)


class _Steps:
    """The network's steps for one picture; keeps the attention weights of each, (beams, cells)."""

    def __init__(self, step: runtime.Network, encoded: Mapping[str, NDArray[np.float32]]) -> None:
        self._step = step
        self._picture = {name: encoded[name] for name in ("annotations", "keys")}
        self._hidden, self._memory = encoded["hidden"], encoded["memory"]
        self.weights: list[NDArray[np.float32]] = []

    def __call__(self, words: NDArray[np.int64], parents: NDArray[np.int64]) -> NDArray[np.float32]:
        state = {"hidden": self._hidden[parents], "memory": self._memory[parents]}
        out = self._step.run({"word": words, **self._picture, **state})
        self._hidden, self._memory = out["next_hidden"], out["next_memory"]
        self.weights.append(out["weights"])
        scores: NDArray[np.float32] = out["scores"]
        return scores


class CaptionModel:
    """The network: features in, captions out."""

    def __init__(self, folder: Path, *, runtime_name: str = "auto", precision: str = "f32", threads: int = 0) -> None:
        """Load the net from its folder.

        Raises:
            ModelMissing: a file is missing.
            ModelCorrupt: a file cannot be used.
        """
        config = read_json(folder / "config.json")
        try:
            self.vocabulary = Vocabulary(words=tuple(config["vocabulary"]))
            self._longest = int(config["longest"])
            self.length_power = float(config.get("length_power", 0.0))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelCorrupt(f"{folder / 'config.json'} lacks or garbles {error}; reinstall auria-bot") from None
        options: dict[str, Any] = {"runtime": runtime_name, "precision": precision, "threads": threads}
        self._encode = runtime.load(folder / "encode.onnx", **options)
        self._step = runtime.load(folder / "step.onnx", **options)

    def attend(
        self,
        grid: NDArray[np.float32],
        *,
        beams: int = 5,
        length_power: float | None = None,
        forbidden: NDArray[np.bool_] | None = None,
        once: NDArray[np.bool_] | None = None,
    ) -> tuple[list[Caption], list[NDArray[np.float32]]]:
        """Caption one picture, the best caption first; for each the attention of its words, (words, rows, columns).

        Args:
            grid: (1, rows, columns, 1280) EfficientNet-Lite0's last feature map.
        """
        steps = _Steps(self._step, self._encode.run({"grid": grid}))
        power = self.length_power if length_power is None else length_power
        found = search(steps, beams=beams, longest=self._longest, length_power=power, forbidden=forbidden, once=once)
        shape = grid.shape[1:3]
        attention = [
            np.stack([steps.weights[at][row].reshape(shape) for at, row in enumerate(caption.rows)])
            for caption in found
        ]
        return found, attention

    def follow(self, grid: NDArray[np.float32], numbers: Sequence[int]) -> NDArray[np.float32]:
        """The attention of the words of a given caption, (words, rows, columns), as if the model had said them."""
        steps = _Steps(self._step, self._encode.run({"grid": grid}))
        for word in (START, *numbers[:-1]):
            steps(np.array([word]), np.array([0]))
        return np.stack([weights[0].reshape(grid.shape[1:3]) for weights in steps.weights])

    def mask(self, words: Sequence[str] | frozenset[str]) -> NDArray[np.bool_]:
        """(vocabulary,) False for the given words and for special tokens, True for all others."""
        mask = np.full(len(self.vocabulary), fill_value=True)
        mask[self.vocabulary.numbers(sorted(words))] = False
        mask[:4] = False
        return mask


class ShowAttendTell:
    """The captioner of the base install."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        beams: int = 5
        scenes: bool = True  # use only words for what Auria paints; False for pictures of anything
        colours: bool = True  # add the measured colours
        least_sure: float = -0.7  # mean log-probability a word below which the caption is "a scene from nature"
        runtime: RuntimeChoice = "auto"  # or "openvino", "onnxruntime"
        precision: Precision = "f32"  # or "bf16", for OpenVINO on processors that have it
        threads: int = 0  # that compute a picture; 0 for every core

    def __init__(self, config: Config, models: Path, *, folder: Path | None = None) -> None:
        """Keep the settings; the models are loaded on first use.

        Args:
            folder: the captioner's own folder; by default that in `models`.
        """
        self._config, self._models, self._folder = config, models, folder or models / "captioner"
        self._sums: dict[str, str] = {}

    def models(self) -> Mapping[str, str]:
        """SHA-256 of captioner and image encoder; verified once."""
        if not self._sums:
            self._sums = {"captioner": verify(self._folder), "lite0": verify(self._models / "lite0")}
        return dict(self._sums)

    def describe(self, picture: Path) -> str:
        """One sentence on what the picture shows.

        Raises:
            PictureError: the picture cannot be read.
            ModelMissing: models/captioner or models/lite0 is missing.
        """
        return self.describe_image(open_picture(picture))

    def describe_image(self, picture: Image.Image) -> str:
        """Like `describe`, for a decoded picture."""
        caption_model, grid = self._seen(picture)
        forbidden, once = self._word_rules(caption_model)
        found, _ = caption_model.attend(grid, beams=self._config.beams, forbidden=forbidden, once=once)
        best = found[0]
        sentence = " ".join(caption_model.vocabulary.decode(best.numbers))
        if self._config.scenes:
            sure = best.log_probability / (len(best.numbers) + 1) >= self._config.least_sure
            sentence = polished(sentence) if sure else UNCERTAIN
        if self._config.colours:
            sentence = f"{sentence}, in {join_names([name for name, _ in name_colours(picture)])}"
        return f"{sentence[0].upper()}{sentence[1:]}."

    def explain(self, picture: Image.Image) -> tuple[AttendedCaption, ...]:
        """The captions of the beam search, the best first, each word with its attention; no colours are added.

        Raises:
            ModelMissing: models/captioner or models/lite0 is missing.
        """
        caption_model, grid = self._seen(picture)
        forbidden, once = self._word_rules(caption_model)
        found, attention = caption_model.attend(grid, beams=self._config.beams, forbidden=forbidden, once=once)
        return tuple(
            AttendedCaption(
                words=tuple(caption_model.vocabulary.decode(caption.numbers)),
                attention=maps,
                confidence=float(np.exp(caption.log_probability / (len(caption.numbers) + 1))),
            )
            for caption, maps in zip(found, attention, strict=True)
        )

    def _seen(self, picture: Image.Image) -> tuple[CaptionModel, NDArray[np.float32]]:
        """The model, and the image encoder's grid of a picture."""
        image_encoder, caption_model = self._loaded
        pixels = to_array(picture.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))
        return caption_model, image_encoder.run({"pictures": pixels.transpose(2, 0, 1)[None]})["grid"]

    def _word_rules(self, caption_model: CaptionModel) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_]]:
        """The words that must not be used, and those that may be used once."""
        forbidden = caption_model.mask(SCENE_WORDS) if self._config.scenes else None
        return forbidden, caption_model.mask(_SMALL)

    @cached_property
    def _loaded(self) -> tuple[runtime.Network, CaptionModel]:
        options: dict[str, Any] = {"precision": self._config.precision, "threads": self._config.threads}
        image_encoder = runtime.load(self._models / "lite0" / "model.onnx", runtime=self._config.runtime, **options)
        return image_encoder, CaptionModel(self._folder, runtime_name=self._config.runtime, **options)
