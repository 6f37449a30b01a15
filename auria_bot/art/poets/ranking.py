"""Rank candidate poems, and check what every poem and theme must pass.

Ranked by fluency, the poem scorer, worn lines, nearness to the theme and distance from recent poems; checked for form,
line breaks, repetitions, blocked words and originality.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations, islice
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.corpus.language import content_filter, syllables, verse_rules
from auria_bot.corpus.language.verse_rules import is_content
from auria_bot.corpus.language.words import word_set
from auria_bot.domain.artwork import LONGEST_THEME
from auria_bot.errors import InputError, TextRejected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from auria_bot.art.poets.decoding import DecodedPoem
    from auria_bot.art.poets.worn_lines import WornLines
    from auria_bot.corpus.originality import CopyGuard

    Encoder = Callable[[Sequence[str]], NDArray[np.float32]]

__all__ = ["RankingWeights", "faults", "fluency", "rank", "style_penalties", "usable_theme"]


def faults(lines: Sequence[Sequence[str]], guard: CopyGuard | None) -> list[str]:
    """List why a poem must be rejected; an empty list when it passes.

    Args:
        lines: the poem as lines of folded words.
        guard: hashes of the training text; None where there is no text to copy from.
    """
    found = []
    if not syllables.fits(lines):
        found.append("not 5-7-5")
    found += [f"line {number + 1} breaks badly" for number in verse_rules.bad_breaks(lines)]
    found += [f"repeats {what}" for what in verse_rules.repetitions(lines)]
    found += content_filter.faults("\n".join(" ".join(line) for line in lines))
    if guard is not None:
        found += ["copies a line" for _ in guard.copied(lines)]
    return found


def usable_theme(theme: str | None) -> str | None:
    """Normalise a theme's white space; None for none.

    A theme is only used for its meaning, so any script and punctuation is accepted.

    Raises:
        InputError: it is too long, has no letter, or contains invisible characters.
        TextRejected: it contains a blocked word, a link, an address or a mention.
    """
    if theme is None:
        return None
    if len(theme) > LONGEST_THEME:
        raise InputError(f"the theme has {len(theme):,} characters; give at most {LONGEST_THEME}, better a few words")
    plain = re.sub(r"\s+", " ", content_filter.normalised(theme)).strip()
    if not plain:
        return None
    hidden = content_filter.hidden_characters(plain)
    if hidden:
        raise InputError(
            f"the theme holds characters that cannot be seen ({', '.join(hidden[:4])}); type it without them"
        )
    if not any(letter.isalpha() for letter in plain):
        raise InputError(f"the theme {plain[:40]!r} has no word in it")
    reasons = content_filter.faults(plain, names=False)
    if reasons:
        raise TextRejected(f"the theme cannot be used: {reasons[0]}")
    return plain


_PER_FURTHER_POEM = 4  # more candidates compared by meaning for each poem after the first

_SEASONS = (
    frozenset({"spring", "spring's"}),
    frozenset({"summer", "summer's", "midsummer"}),
    frozenset({"autumn", "autumn's"}),
    frozenset({"winter", "winter's", "midwinter"}),
)
_HOURS = (
    frozenset({"dawn", "morning", "sunrise", "daybreak"}),
    frozenset({"noon", "midday", "afternoon"}),
    frozenset({"dusk", "evening", "twilight", "sunset"}),
    frozenset({"night", "midnight", "tonight", "nightfall"}),
)
_MALE = word_set("man men boy boys father grandfather son sons brother uncle monk king")
_FEMALE = word_set("woman women girl girls mother grandmother daughter daughters sister aunt nun queen bride widow")
_PRONOUNS = ((word_set("he him his"), _MALE, _FEMALE), (word_set("she her hers"), _FEMALE, _MALE))
"""Pronouns, whom they mean, and whom they cannot mean."""
_PREPOSITIONS = frozenset(
    {"in", "on", "of", "from", "to", "at", "with", "by", "for", "into", "through", "under", "over"}
)
_STEM = 3  # letters
_MOST_PREPOSITIONS = 3  # in a poem without a penalty


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingWeights:
    """The weight of each quality of a poem, in units of one nat of log-probability a word."""

    likely: float = 1.0  # mean log-probability of a word, without kind and theme
    breaks: float = 0.25  # mean log-probability of line breaks and end
    lowest: float = 0.2  # log-probability of the least likely word, below `floor`
    floor: float = -7.0
    ngram: float = 0.6  # DecodedPoem.ngram_penalty
    style: float = 0.8  # see `style_penalties`
    fluent: float = -2.25  # mean log-probability above which a poem counts as trite; beyond, likelihood costs
    overused: float = 0.8  # cost for each nat above `fluent`
    scorer: float = 0.6  # the poem scorer's logit, up to `scorer_limit`
    scorer_limit: float = 2.0
    first_line: float = 0.3  # cost of a first line likelier than `first_line_limit`, which is sampled often
    first_line_limit: float = -15.8
    worn: float = 0.0  # cost of each unit of WornLines.wear
    theme: float = 4.5  # cosine with the theme's vector
    recent: float = 4.0  # likeness to recent poems, 0 to 1


def fluency(poem: DecodedPoem, weights: RankingWeights) -> float:
    """How well a poem reads, whatever its subject; higher is better."""
    likely = (
        poem.plain if poem.plain < weights.fluent else weights.fluent - weights.overused * (poem.plain - weights.fluent)
    )
    penalty = weights.ngram * poem.ngram_penalty + weights.style * style_penalties(poem.lines)
    penalty += weights.first_line * max(0.0, poem.opening - weights.first_line_limit)
    return (
        weights.likely * likely
        + weights.breaks * poem.breaks
        + weights.lowest * min(0.0, poem.lowest - weights.floor)
        - penalty
    )


def _any(_: DecodedPoem) -> bool:
    return True


def rank(
    poems: Sequence[DecodedPoem],
    *,
    count: int,
    themes: NDArray[np.float32] | None,
    encode: Encoder,
    scorer_logits: NDArray[np.float64] | None = None,
    worn: WornLines | None = None,
    recent: Sequence[Sequence[Sequence[str]]] = (),
    considered: int = 6,
    is_usable: Callable[[DecodedPoem], bool] = _any,
    weights: RankingWeights,
) -> list[tuple[int, float]]:
    """Choose the best poems: (index, score), the best first, each unlike those before it.

    Args:
        count: how many are wanted; fewer candidates are all returned.
        themes: (poems, 384) the vector of each poem's theme; None where no theme was given.
        encode: texts to unit sentence vectors.
        scorer_logits: (poems,) the poem scorer's logits, where there is a scorer.
        worn: the lines that the poet writes often, where they were counted.
        recent: poems, as lines of words, that the chosen ones should not resemble.
        considered: how many candidates are compared by meaning for the first poem; four more for each further one.
        is_usable: whether a poem passes the checks; only called for the likeliest, because it takes longer than
            decoding one.
    """
    first = np.array([fluency(poem, weights) for poem in poems])
    if scorer_logits is not None:
        first += weights.scorer * np.minimum(scorer_logits, weights.scorer_limit)
    if worn is not None:
        first -= weights.worn * np.array([worn.wear(poem.lines) for poem in poems])
    first -= weights.recent * np.array([_likeness(poem.lines, recent) for poem in poems])
    ordered = (int(index) for index in np.argsort(-first, kind="stable") if is_usable(poems[index]))
    kept = list(islice(ordered, considered + _PER_FURTHER_POEM * (count - 1)))
    scores = {index: float(first[index]) for index in kept}
    if themes is not None:
        vectors = encode([", ".join(" ".join(line) for line in poems[index].lines) for index in kept])
        for index, vector in zip(kept, vectors, strict=True):
            scores[index] += float(weights.theme * (vector @ themes[index]))
    chosen: list[tuple[int, float]] = []
    while scores and len(chosen) < count:
        before = [poems[index].lines for index, _ in chosen]
        best = max(
            scores,
            key=lambda index: (scores[index] - weights.recent * _likeness(poems[index].lines, before[-8:]), -index),
        )
        chosen.append((best, scores.pop(best)))
    return chosen


def _likeness(lines: Sequence[Sequence[str]], others: Sequence[Sequence[Sequence[str]]]) -> float:
    """The greatest share of a poem's content words found in one of the others; 1 for a common line."""
    mine = {word for line in lines for word in line if is_content(word)}
    likeness = 0.0
    for other in others:
        theirs = {word for line in other for word in line if is_content(word)}
        shared = len(mine & theirs) / max(1, min(len(mine), len(theirs)))
        if any(list(line) == list(their) for line in lines for their in other):
            shared = 1.0
        likeness = max(likeness, shared)
    return likeness


def style_penalties(lines: Sequence[Sequence[str]]) -> float:
    """The cost of clashing seasons, hours and pronouns, repeated beginnings, many prepositions; 1 for a clear fault."""
    flat = [word for line in lines for word in line]
    found = 1.0 * _clash(flat, _SEASONS) + 0.5 * _clash(flat, _HOURS) + 2.0 * _lost_pronouns(flat)
    found += 0.4 * max(0, sum(word in _PREPOSITIONS for word in flat) - _MOST_PREPOSITIONS)
    found += 0.5 * max(0, flat.count("of") - 1) + 0.4 * max(0, flat.count("and") - 1)
    found += 0.4 * _shared_beginnings(flat)
    first_words = [line[0] for line in lines if line]
    found += 0.3 * (len(first_words) - len(set(first_words)))
    prepositional = sum(word in _PREPOSITIONS for word in first_words)
    return found + 0.3 * max(0, prepositional - 1)


def _clash(words: Sequence[str], groups: Sequence[frozenset[str]]) -> int:
    """How many groups beyond the first the words belong to."""
    return max(0, sum(any(word in group for word in words) for group in groups) - 1)


def _lost_pronouns(words: Sequence[str]) -> int:
    """How many kinds of pronoun can only mean somebody of the other sex: a boy with her lantern."""
    there = set(words)
    return sum(bool(there & kind and there & others and not there & own) for kind, own, others in _PRONOUNS)


def _shared_beginnings(words: Sequence[str]) -> int:
    """How many pairs of different content words begin alike, such as sun and sunlight."""
    content = {word for word in words if is_content(word) and len(word) >= _STEM}
    return sum(
        first.startswith(second) or second.startswith(first) for first, second in combinations(sorted(content), 2)
    )
