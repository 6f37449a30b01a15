"""Beam search: the likeliest captions, several kept side by side.

Knows scores and word numbers; the net is a function from the last words to the next words' log-probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from auria_bot.art.captioners.vocabulary import END, PAD, START, UNKNOWN

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Advance", "Found", "search"]


class Advance(Protocol):
    """One step of the net for every beam."""

    def __call__(self, words: NDArray[np.int64], parents: NDArray[np.int64]) -> NDArray[np.float32]:
        """Go on from beam `parents[i]` of the step before with `words[i]`; log-probabilities (beams, words)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finished caption."""

    numbers: tuple[int, ...]  # words, without start and end
    log_probability: float  # of the whole caption, its end included
    score: float  # log-probability over length to the chosen power: what the search ranks by


def search(
    advance: Advance,
    *,
    beams: int,
    longest: int,
    length_power: float = 0.0,
    forbidden: NDArray[Any] | None = None,
    once: NDArray[Any] | None = None,
) -> list[Found]:
    """The best captions found, the best first; always at least one.

    Args:
        advance: the net.
        beams: how many captions are kept side by side.
        longest: a caption that reaches so many words is ended there.
        length_power: 0 ranks by log-probability alone, which favours short captions; 1 by its mean over words.
        forbidden: bool (words,), True for words that must not be said; the end can not be forbidden.
        once: bool (words,), True for words that may be said only once in a caption; no word is said twice running.
    """
    words, parents = np.array([START]), np.array([0])
    alive: list[tuple[int, ...]] = [()]
    totals = np.zeros(1)
    done: list[Found] = []
    for _ in range(longest):
        scores = advance(words, parents).astype(np.float64)
        scores[:, [PAD, START, UNKNOWN]] = -np.inf
        if forbidden is not None:
            scores[:, forbidden] = -np.inf
        for beam, said in enumerate(alive):
            if not said:
                scores[beam, END] = -np.inf  # never an empty caption
                continue
            scores[beam, said[-1]] = -np.inf
            if once is not None:
                scores[beam, [number for number in said if once[number]]] = -np.inf
        sums = totals[:, None] + scores
        flat = np.argsort(-sums, axis=None, kind="stable")[: 2 * beams]
        grown: list[tuple[tuple[int, ...], float, int, int]] = []
        for rank, place in enumerate(flat):
            beam, word = divmod(int(place), sums.shape[1])
            total = float(sums[beam, word])
            if not np.isfinite(total):
                continue
            if word == END and rank >= beams:
                continue
            if word == END:
                length = len(alive[beam]) + 1
                done.append(Found(numbers=alive[beam], log_probability=total, score=total / length**length_power))
            elif len(grown) < beams:
                grown.append(((*alive[beam], word), total, beam, word))
        if not grown or _settled(done, grown[0][1], longest, length_power):
            break
        alive, totals = [row[0] for row in grown], np.array([row[1] for row in grown])
        parents, words = np.array([row[2] for row in grown]), np.array([row[3] for row in grown])
    if not done:
        done = [
            Found(numbers=said, log_probability=total, score=total / len(said) ** length_power)
            for said, total in zip(alive, totals.tolist(), strict=True)
        ]
    return sorted(done, key=lambda found: (-found.score, found.numbers))[:beams]


def _settled(done: list[Found], best_alive: float, longest: int, length_power: float) -> bool:
    """Whether no caption that still grows can pass the best ended one: at best its next words cost nothing."""
    return bool(done) and best_alive / (longest + 1) ** length_power <= max(found.score for found in done)
