"""Kinds of frames, such as calm and storm, learnt from a few labels: logistic regression on Lite0's pooled features.

Features are projected onto the unit sphere about the set's mean, so that what all frames of a set share does not count.
The model is small and convex: the same labels give the same result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art import runtime
from auria_bot.art.checkpoint import verified
from auria_bot.art.pictures import open_picture, to_array
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["FEATURES", "KindModel", "accuracy", "frame_features", "learn", "relative_features"]

FEATURES = 1280
"""Numbers of a frame."""

_SIDE = 224  # pixels at which a frame is looked at
_ROUNDS = 400  # of gradient descent with momentum
_RATE, _MOMENTUM = 2.0, 0.9
_RIDGE = 2e-3  # of the weights' squares
_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KindModel:
    """A classifier of frames."""

    kinds: tuple[str, ...]  # in alphabetical order
    weights: NDArray[np.float64]  # (FEATURES, kinds)
    offsets: NDArray[np.float64]  # (kinds,)

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """(frames, kinds), each row summing to 1, of `relative_features`."""
        return _softmax(features @ self.weights + self.offsets)


def frame_features(
    frames: Sequence[Path], models: Path, *, progress: Callable[[int], None] = lambda _: None
) -> NDArray[np.float32]:
    """(frames, FEATURES) of picture files; `progress` is called with how many were looked at.

    Raises:
        PictureError: a file cannot be read.
        ModelError: models/lite0 cannot be used.
    """
    network = runtime.load(verified(models / "lite0" / "model.onnx"))
    found = np.zeros((len(frames), FEATURES), np.float32)
    for place, frame in enumerate(frames):
        small = open_picture(frame).resize((_SIDE, _SIDE), Image.Resampling.BOX)
        found[place] = network.run({"pictures": to_array(small).transpose(2, 0, 1)[None].copy()})["pooled"][0]
        progress(place + 1)
    return found


def relative_features(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features less their mean over the set, each of length 1."""
    relative: NDArray[np.float32] = features - features.mean(axis=0)
    lengths = np.maximum(np.linalg.norm(relative, axis=1, keepdims=True), np.float32(1e-6))
    return np.asarray(relative / lengths, np.float32)


def learn(features: NDArray[np.float32], labels: Sequence[str]) -> KindModel:
    """Learn from labelled frames; each kind counts alike, however many labels it has.

    Args:
        features: (frames, FEATURES), as `relative_features` gives them.

    Raises:
        InputError: there are fewer than two kinds.
    """
    kinds = tuple(sorted(set(labels)))
    if len(kinds) < 2:
        raise InputError(f"labels of {' and '.join(kinds) or 'no kind'} alone teach nothing; label frames of two kinds")
    goal = np.array([[kind == label for kind in kinds] for label in labels], np.float64)
    share = goal / (goal.sum(axis=0) * len(kinds))  # each frame's part of the loss, in its kind's column
    parts = share.sum(axis=1, keepdims=True)
    weights, offsets = np.zeros((features.shape[1], len(kinds))), np.zeros(len(kinds))
    speed, drift = np.zeros_like(weights), np.zeros_like(offsets)
    for _ in range(_ROUNDS):
        error = parts * (_softmax(features @ weights + offsets) - goal)
        speed = _MOMENTUM * speed - _RATE * (features.T @ error + _RIDGE * weights)
        drift = _MOMENTUM * drift - _RATE * error.sum(axis=0)
        weights, offsets = weights + speed, offsets + drift
    return KindModel(kinds=kinds, weights=weights, offsets=offsets)


def accuracy(features: NDArray[np.float32], labels: Sequence[str]) -> float | None:
    """The share of labelled frames that a model of the other folds names rightly, the mean over the kinds.

    A fold is a run of neighbouring frames of each kind, because neighbours in time resemble each other. None where a
    kind has fewer than two labels, or there are fewer than two kinds.
    """
    places: Mapping[str, list[int]] = {kind: [] for kind in sorted(set(labels))}
    for place, label in enumerate(labels):
        places[label].append(place)
    if len(places) < 2 or min(map(len, places.values())) < 2:
        return None
    folds = min(_FOLDS, *map(len, places.values()))
    fold = {place: number * folds // len(own) for own in places.values() for number, place in enumerate(own)}
    right = dict.fromkeys(places, 0)
    for one in range(folds):
        train = [place for place in fold if fold[place] != one]
        test = [place for place in fold if fold[place] == one]
        model = learn(features[train], [labels[place] for place in train])
        for place, row in zip(test, model.probabilities(features[test]), strict=True):
            right[labels[place]] += model.kinds[int(row.argmax())] == labels[place]
    return float(np.mean([right[kind] / len(own) for kind, own in places.items()]))


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares
