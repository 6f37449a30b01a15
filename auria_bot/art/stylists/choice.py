"""Choose a painting, and a medium, for an artwork by mood, meaning of the poem, colours of the picture and recent use.

The same arguments choose the same painting.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.colour import distances
from auria_bot.art.stylists.hands import family_of, ranks
from auria_bot.domain.mood import Mood, find_mood

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from auria_bot.art.colour import ColourDistribution
    from auria_bot.art.stylists.style_bank import BankedPainting, StyleBank

__all__ = ["EMOTION_COORDINATES", "affinity", "choose_medium", "choose_painting", "find_painting", "scores"]

EMOTION_COORDINATES: dict[str, tuple[float, float]] = {
    "agreeableness": (0.6, -0.6),
    "anger": (-0.7, 0.9),
    "anticipation": (0.2, 0.3),
    "arrogance": (-0.3, 0.4),
    "disagreeableness": (-0.6, 0.3),
    "disgust": (-0.8, 0.4),
    "fear": (-0.7, 0.7),
    "gratitude": (0.8, -0.2),
    "happiness": (0.9, 0.5),
    "humility": (0.3, -0.5),
    "love": (0.8, 0.0),
    "optimism": (0.7, 0.2),
    "pessimism": (-0.7, -0.2),
    "regret": (-0.5, -0.1),
    "sadness": (-0.6, -0.4),
    "shame": (-0.6, 0.1),
    "shyness": (0.1, -0.4),
    "surprise": (0.4, 0.7),
    "trust": (0.6, -0.4),
    "neutral": (0.1, -0.5),
}
"""Each WikiArt emotion as (valence, arousal), each from -1 to 1."""

_PALE = 68.0  # mean L above which a picture should stay pale: snow in brown colours looks like a ploughed field
_DARKER = 25.0  # L by which a painting may be darker than such a picture for each point of score lost
_FINALISTS = 8  # best paintings among which the seed decides
_WARMTH = 0.25  # temperature of the draw: a score this much lower is drawn e times less often
_OTHER_MEDIUM = 0.3  # share of the artworks which watercolour or ink suit that are painted so
_LITTLE_COLOUR = 11.0  # deviation of a painting's colours, in CIELAB, below which ink suits it
_AVOIDED = 24  # most recently used paintings that are left out


def affinity(mood: Mood, painting: BankedPainting) -> float:
    """How well the emotions of a painting fit a mood, 0 to 1."""
    fit = 0.0
    for emotion, share in painting.emotions:
        valence, arousal = EMOTION_COORDINATES.get(emotion, (0.0, 0.0))
        near = np.exp(-((valence - mood.valence) ** 2 + (arousal - mood.arousal) ** 2) / 0.6)
        fit += share * (1.0 if emotion == mood.parent else 0.85 * float(near))
    return min(fit, 1.0)


def scores(
    bank: StyleBank, *, mood: Mood, meaning: NDArray[np.float32], colours: ColourDistribution
) -> NDArray[np.float64]:
    """(paintings,) how well each painting of the bank suits; higher is better.

    Args:
        meaning: (384,) unit vector of the poem.
        colours: of the picture that will be restyled; a near painting keeps the time of day.
    """
    rows = []
    distance = distances(colours, [painting.colours for painting in bank.paintings])
    # Relative to the nearest few, because dark pictures have no near painting.
    near = np.sort(distance)[min(5, len(distance) - 1)]
    palettes = np.exp(-np.maximum(distance - near, 0.0) / 14.0)
    for painting, palette in zip(bank.paintings, palettes, strict=True):
        hue = np.exp(-float(np.hypot(*(painting.colours.mean[1:] - colours.mean[1:]))) / 12.0)
        darker = max(float(colours.mean[0] - painting.colours.mean[0]) - 8.0, 0.0) if colours.mean[0] > _PALE else 0.0
        spread = min(float(np.sqrt(painting.colours.covariance[1, 1] + painting.colours.covariance[2, 2])) / 20.0, 1.0)
        words = float(painting.meaning @ meaning)
        feeling = affinity(mood, painting)
        value = 1.0 * feeling + 1.0 * words + 2.0 * palette + 1.0 * hue + 0.9 * painting.nature + 0.5 * spread
        rows.append(value - min(darker / _DARKER, 0.8))
    return np.array(rows)


def choose_painting(
    bank: StyleBank,
    *,
    mood: Mood,
    meaning: NDArray[np.float32],
    colours: ColourDistribution,
    seed: int,
    recent: Sequence[str] = (),
    weights: Mapping[str, float] | None = None,
) -> BankedPainting:
    """Draw one of the best paintings, by `scores`, by seed.

    Args:
        bank: at least one painting.
        seed: decides among the best.
        recent: keys used lately, the newest first; the last two dozen are left out while enough others remain.
        weights: by key, the factor (more than 0) on a painting's chance of being drawn.
    """
    value = scores(bank, mood=mood, meaning=meaning, colours=colours)
    factors = [(weights or {}).get(painting.key, 1.0) for painting in bank.paintings]
    value = value + _WARMTH * np.log(factors)  # multiplies its share of the draw below
    for age, key in enumerate(recent[: min(_AVOIDED, len(bank.paintings) // 2)]):
        value -= (10.0 - age / 10.0) * np.array([painting.key == key for painting in bank.paintings])
    best = np.argsort(-value, kind="stable")[:_FINALISTS]
    share = np.exp((value[best] - value[best[0]]) / _WARMTH)
    draw = _draw("style", seed)
    place = int(np.searchsorted(np.cumsum(share / share.sum()), draw, side="right"))
    return bank.paintings[int(best[min(place, len(best) - 1)])]


def find_painting(
    bank: Callable[[], StyleBank], *, style: str, mood: str, colours: ColourDistribution, seed: int
) -> BankedPainting | None:
    """The painting that is asked for, or else one that suits a mood and colours; None where nothing is.

    Args:
        bank: reads the style bank, where that is needed.
        style: a painting's key or title, or with a mood also an artist; "" for any.
        mood: the name of a mood; "" for none.

    Raises:
        UnknownName: there is no such painting or mood.
    """
    if not mood:
        return bank().find(style) if style else None
    from auria_bot.art.minilm import MiniLM

    chosen = find_mood(mood)
    among = bank().matching(style) if style else bank()
    meaning = MiniLM().encode([chosen.description])[0]
    return choose_painting(among, mood=chosen, meaning=meaning, colours=colours, seed=seed)


def choose_medium(painting: BankedPainting, *, mood: Mood, seed: int) -> str:
    """What an artwork is painted with where nobody asked for a medium: "oil", "watercolour" or "ink".

    Watercolour suits light paintings in pleasant moods, ink paintings of little colour in calm moods; both are drawn
    for a part of the artworks that they suit. A woodblock's hand keeps its own medium.
    """
    if family_of(painting.hand) == "woodblock":
        return "oil"
    rank, draw = ranks(painting.hand), _draw("medium", seed)
    colourful = float(np.sqrt(painting.colours.covariance[1, 1] + painting.colours.covariance[2, 2]))
    if mood.valence > 0.2 and rank.light > 0.55:
        return "watercolour" if draw < _OTHER_MEDIUM else "oil"
    if mood.arousal < 0 and colourful < _LITTLE_COLOUR:
        return "ink" if draw < _OTHER_MEDIUM else "oil"
    return "oil"


def _draw(what: str, seed: int) -> float:
    """A number of [0, 1) that depends on what is drawn and on the seed."""
    return int.from_bytes(hashlib.sha256(f"{what} {seed}".encode()).digest()[:7], "big") / 2**56
