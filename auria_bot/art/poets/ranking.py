"""Which of many poems is the best: fluent, like a poet's, to the theme, unlike the recent ones.

Knows poems with the decoder's likelihoods, the critic's opinions and sentence vectors; does not know the nets.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.poets.style_penalties import style_penalties
from auria_bot.corpus.language.verse_rules import is_content

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from auria_bot.art.poets.decoding import DecodedPoem

    Encoder = Callable[[Sequence[str]], NDArray[np.float32]]

__all__ = ["RankingWeights", "fluency", "rank"]

_FURTHER = 4  # candidates compared by meaning for each further poem wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingWeights:
    """How much each quality of a poem counts, in units of one nat a word of likelihood."""

    breaks: float = 0.25  # mean log-probability of line breaks and end
    lowest: float = 0.2  # log-probability of the least likely word, below `floor`
    floor: float = -7.0
    odd: float = 0.6  # what words lost because verse does not put them together
    blemish: float = 0.8  # see sense.blemishes
    ease: float = -2.25  # mean log-probability above which a poem counts as worn rather than fluent
    worn: float = 0.8
    critic: float = 0.6  # the critic's logit, up to `enough`
    enough: float = 2.0  # a logit above which the critic is pleased, not shown something better
    stale: float = 0.3  # how far the first line's log-probability is above `fresh`: such lines come again and again
    fresh: float = -15.8
    theme: float = 4.5  # cosine with the theme's vector
    recent: float = 4.0  # likeness to recent poems, 0 to 1


def fluency(poem: DecodedPoem, taste: RankingWeights) -> float:
    """How well a poem reads, whatever it is about."""
    likely = poem.plain if poem.plain < taste.ease else taste.ease - taste.worn * (poem.plain - taste.ease)
    marred = taste.odd * poem.oddness + taste.blemish * style_penalties(poem.lines)
    marred += taste.stale * max(0.0, poem.opening - taste.fresh)
    return likely + taste.breaks * poem.breaks + taste.lowest * min(0.0, poem.lowest - taste.floor) - marred


def _any(_: DecodedPoem) -> bool:
    return True


def rank(
    poems: Sequence[DecodedPoem],
    *,
    count: int,
    themes: NDArray[np.float32] | None,
    encode: Encoder,
    opinions: NDArray[np.float64] | None = None,
    recent: Sequence[Sequence[Sequence[str]]] = (),
    considered: int = 6,
    fit: Callable[[DecodedPoem], bool] = _any,
    taste: RankingWeights,
) -> list[tuple[int, float]]:
    """The indices of the best poems with their scores, the best first, each unlike those before it.

    Args:
        poems: the candidates.
        count: how many are wanted; all candidates are given where there are not more.
        themes: (poems, 384) what each was asked to be about; None where nobody asked, and no vector is needed.
        encode: texts to unit sentence vectors.
        opinions: (poems,) the critic's logits, where there is a critic.
        recent: poems, as lines of words, that the best should not resemble.
        considered: how many candidates are compared by meaning for the first poem; for each further one, four more.
        fit: whether a poem may be shown at all; asked of the likeliest ones only, as it takes longer than to write one.
        taste: what counts.
    """
    first = np.array([fluency(poem, taste) for poem in poems])
    if opinions is not None:
        first += taste.critic * np.minimum(opinions, taste.enough)
    first -= taste.recent * np.array([_likeness(poem.lines, recent) for poem in poems])
    ordered = (int(index) for index in np.argsort(-first, kind="stable") if fit(poems[index]))
    kept = list(islice(ordered, considered + _FURTHER * (count - 1)))
    scores = {index: float(first[index]) for index in kept}
    if themes is not None:
        vectors = encode([", ".join(" ".join(line) for line in poems[index].lines) for index in kept])
        for index, vector in zip(kept, vectors, strict=True):
            scores[index] += float(taste.theme * (vector @ themes[index]))
    chosen: list[tuple[int, float]] = []
    while scores and len(chosen) < count:
        before = [poems[index].lines for index, _ in chosen]
        best = max(
            scores,
            key=lambda index: (scores[index] - taste.recent * _likeness(poems[index].lines, before[-8:]), -index),
        )
        chosen.append((best, scores.pop(best)))
    return chosen


def _likeness(lines: Sequence[Sequence[str]], others: Sequence[Sequence[Sequence[str]]]) -> float:
    """The greatest share of a poem's content words that one of the others has too; 1 for a shared line."""
    mine = {word for line in lines for word in line if is_content(word)}
    likeness = 0.0
    for other in others:
        theirs = {word for line in other for word in line if is_content(word)}
        shared = len(mine & theirs) / max(1, min(len(mine), len(theirs)))
        if any(list(line) == list(their) for line in lines for their in other):
            shared = 1.0
        likeness = max(likeness, shared)
    return likeness
