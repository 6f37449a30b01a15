"""Bar `near-duplicates`: planted versions of poems are found, unrelated poems are not.

Poems are made of the corpus's commonest words in its usual line lengths (or of a small list of words, where there is no folder of data), so that
strangers share many words. Each planted version differs from its poem by case, by punctuation, by line breaks, or by one word. A pair counts as
found when both are put into one group; every other pair in a group is wrong.
"""

from __future__ import annotations

import random
from itertools import combinations
from typing import TYPE_CHECKING

from auria_bot.corpus.language.words import words
from auria_bot.corpus.verses import versions
from tests.factories import NOUNS

if TYPE_CHECKING:
    from collections import Counter

__all__ = ["FEW", "PRECISION", "RECALL", "planted", "score"]

RECALL, PRECISION = 0.95, 0.99
FEW = [
    *NOUNS,
    *"evening ash the a of in my on and to with under over morning winter rain dark light cold summer silence mother child sky old new".split(),  # noqa: SIM905
]


def _stranger(chance: random.Random, usual: list[str], weights: list[float]) -> list[str]:
    sizes = [chance.choice((2, 3, 4)), chance.choice((4, 5, 6)), chance.choice((2, 3, 4))]
    return [" ".join(chance.choices(usual, weights, k=size)) for size in sizes]


def _version(chance: random.Random, lines: list[str], usual: list[str]) -> list[str]:
    """The same poem, a little different."""
    kind = chance.randrange(4)
    if kind == 0:
        return [line.upper() if chance.random() < 0.5 else line.title() for line in lines]
    if kind == 1:
        return [f"{line}{chance.choice((',', '.', '...', ' -', '!', ';'))}" for line in lines]
    flat = " ".join(lines).split()
    if kind == 2:
        first = chance.randrange(1, len(flat) - 1)
        second = chance.randrange(first + 1, len(flat) + 1)
        return [" ".join(part) for part in (flat[:first], flat[first:second], flat[second:])]
    flat[chance.randrange(len(flat))] = chance.choice(usual)
    sizes = [len(line.split()) for line in lines]
    return [
        " ".join(flat[: sizes[0]]),
        " ".join(flat[sizes[0] : sizes[0] + sizes[1]]),
        " ".join(flat[sizes[0] + sizes[1] :]),
    ]


def planted(
    count: int, *, share: float = 0.2, counted: Counter[str] | None = None
) -> tuple[list[list[list[str]]], set[tuple[int, int]]]:
    """So many poems as lines of words, and the pairs that are versions of one another."""
    chance = random.Random(11)
    usual = [word for word, _ in counted.most_common(2000)] if counted else FEW
    weights = [float(counted[word]) if counted else 1.0 for word in usual]
    poems = [_stranger(chance, usual, weights) for _ in range(round(count * (1 - share)))]
    pairs = set()
    # Each poem has one version at most, so that what is a pair stays clear.
    for source in chance.sample(range(len(poems)), count - len(poems)):
        pairs.add((source, len(poems)))
        poems.append(_version(chance, poems[source], usual))
    return [[words(line) for line in poem] for poem in poems], pairs


def score(poems: list[list[list[str]]], pairs: set[tuple[int, int]]) -> tuple[float, float]:
    """Precision and recall of the groups."""
    groups: dict[int, list[int]] = {}
    for number, first in enumerate(versions(poems)):
        groups.setdefault(first, []).append(number)
    found = {pair for members in groups.values() for pair in combinations(members, 2)}
    return len(found & pairs) / max(1, len(found)), len(found & pairs) / max(1, len(pairs))
