"""The captioner: Show, Attend and Tell over EfficientNet-Lite0, by beam search, on the CPU and without torch.

Knows models/captioner and models/lite0. In scene mode it says only what Auria's pictures can show and adds the colours
that it measured; outside it, whatever the net learned from photographs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from auria_bot.art import runtime
from auria_bot.art.captioners.beam import Found, search
from auria_bot.art.captioners.colour_words import name_colours, phrase
from auria_bot.art.captioners.vocabulary import Vocabulary
from auria_bot.art.captioners.vocabulary_mask import SCENE_WORDS, UNCERTAIN, tidied
from auria_bot.art.checkpoint import read_json, verify
from auria_bot.art.pictures import open_picture, to_array
from auria_bot.errors import ModelCorrupt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["CaptionModel", "ShowAttendTell"]

_SIDE: Final = 224  # pixels, what the eye was trained at
_SMALL_WORDS = "a an the of on in at by near under over with and above from into to next"
_SMALL: Final = frozenset(_SMALL_WORDS.split())  # may be said more than once in a caption


class CaptionModel:
    """The net itself: features in, captions out."""

    def __init__(
        self, folder: Path, *, runtime_name: str = "auto", precision: str = "f32", threads: int | None = None
    ) -> None:
        """Load the net from its folder.

        Raises:
            ModelMissing: a file is not there.
            ModelCorrupt: a file is not what it should be.
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

    def tell(
        self,
        grid: NDArray[np.float32],
        *,
        beams: int = 5,
        length_power: float | None = None,
        forbidden: NDArray[np.bool_] | None = None,
        once: NDArray[np.bool_] | None = None,
    ) -> list[Found]:
        """Caption one picture: `grid` (1, rows, columns, 1280), the eye's values; the best caption first."""
        seen = self._encode.run({"grid": grid})
        state = {"hidden": seen["hidden"], "memory": seen["memory"]}

        def advance(words: NDArray[np.int64], parents: NDArray[np.int64]) -> NDArray[np.float32]:
            out = self._step.run(
                {
                    "word": words,
                    "annotations": seen["annotations"],
                    "keys": seen["keys"],
                    "hidden": state["hidden"][parents],
                    "memory": state["memory"][parents],
                }
            )
            state["hidden"], state["memory"] = out["next_hidden"], out["next_memory"]
            scores: NDArray[np.float32] = out["scores"]
            return scores

        power = self.length_power if length_power is None else length_power
        return search(advance, beams=beams, longest=self._longest, length_power=power, forbidden=forbidden, once=once)

    def mask(self, words: Sequence[str] | frozenset[str], *, outside: bool = False) -> NDArray[np.bool_]:
        """A mask (vocabulary,), True for the given words, or for all others; special ones are always False."""
        mask = np.full(len(self.vocabulary), outside)
        mask[self.vocabulary.numbers(sorted(words))] = not outside
        mask[:4] = False
        return mask


class ShowAttendTell:
    """The captioner of the base install."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """How it describes."""

        beams: int = 5
        scenes: bool = True  # say only what Auria's pictures can show; False for pictures of anything
        colours: bool = True  # add the measured colours
        least_sure: float = -0.7  # mean log-probability a word below which a scene is only said to be one from nature
        runtime: str = "auto"  # or "openvino", "onnxruntime"
        precision: str = "f32"  # or "bf16", for OpenVINO on processors that have it

    def __init__(self, config: Config, models: Path) -> None:
        """Prepare; the models under `models` are loaded when first needed."""
        self._config, self._models = config, models
        self._loaded: tuple[runtime.Network, CaptionModel] | None = None
        self._sums: dict[str, str] = {}

    def models(self) -> Mapping[str, str]:
        """The eye and the captioner, each by the hash of its checksums; checked once."""
        if not self._sums:
            self._sums = {name: verify(self._models / name) for name in ("captioner", "lite0")}
        return dict(self._sums)

    def describe(self, picture: Path) -> str:
        """One sentence on what the picture shows.

        Raises:
            PictureError: the picture cannot be read.
            ModelMissing: models/captioner or models/lite0 is not there.
        """
        return self.describe_image(open_picture(picture))

    def describe_image(self, picture: Image.Image) -> str:
        """The same for a decoded picture."""
        eye, teller = self._load()
        pixels = to_array(picture.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))
        grid = eye.run({"pictures": pixels.transpose(2, 0, 1)[None]})["grid"]
        forbidden = teller.mask(SCENE_WORDS, outside=True) if self._config.scenes else None
        once = teller.mask(_SMALL, outside=True)
        best = teller.tell(grid, beams=self._config.beams, forbidden=forbidden, once=once)[0]
        sentence = " ".join(teller.vocabulary.decode(best.numbers))
        if self._config.scenes:
            sure = best.log_probability / (len(best.numbers) + 1) >= self._config.least_sure
            sentence = tidied(sentence) if sure else UNCERTAIN
        if self._config.colours:
            sentence = f"{sentence}, in {phrase([name for name, _ in name_colours(picture)])}"
        return f"{sentence[0].upper()}{sentence[1:]}."

    def _load(self) -> tuple[runtime.Network, CaptionModel]:
        if self._loaded is None:
            options: dict[str, Any] = {"runtime": self._config.runtime, "precision": self._config.precision}
            eye = runtime.load(self._models / "lite0" / "model.onnx", **options)
            teller = CaptionModel(
                self._models / "captioner",
                runtime_name=self._config.runtime,
                precision=self._config.precision,
            )
            self._loaded = eye, teller
        return self._loaded
