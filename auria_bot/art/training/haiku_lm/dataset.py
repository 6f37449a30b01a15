"""Haiku in form with what can be told of them, and the headers under which a language model reads them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from auria_bot.art.poets.verse_tokens import Header
from auria_bot.art.training.poet.dataset import HAIKU
from auria_bot.corpus import verses
from auria_bot.corpus.language import content_filter, season_words, syllables
from auria_bot.corpus.language.verse_rules import is_content

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

__all__ = ["HaikuSet", "LabelledHaiku", "header_of", "read_haiku", "theme_of"]

_TOLD = 0.8  # how often each thing that is known is told
_PHRASE = 0.4  # share of themes that are a phrase of the poem
_LONGEST = 3  # words in a phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledHaiku:
    """One haiku of exactly 5-7-5 syllables."""

    lines: tuple[tuple[str, ...], ...]  # folded words
    published: bool  # by a published poet
    nature: bool  # it names something of nature
    group: str  # a text that stands for all versions of the poem

    def fold(self, folds: int) -> int:
        """The part of its split that it belongs to, by the hash of its group."""
        return int.from_bytes(hashlib.sha256(f"fold {self.group}".encode()).digest()[:4], "big") % max(1, folds)


@dataclass(frozen=True, slots=True, kw_only=True)
class HaikuSet:
    """The haiku that may be read, and those that may only be measured on."""

    train: list[LabelledHaiku]
    validation: list[LabelledHaiku]
    test: list[LabelledHaiku]


def read_haiku(data: Path, limit: int | None = None) -> HaikuSet:
    """The haiku in form of a data folder, in decent words that a dictionary has, by split.

    `limit` reads the first so many haiku only.

    Raises:
        NotFound: there is no such file.
    """
    poems = list(islice(verses.read(data / HAIKU), limit))
    lines = [poem.tokens for poem in poems]
    split, group = verses.splits(lines), verses.clusters(lines)
    parts: dict[str, list[LabelledHaiku]] = {name: [] for name in verses.SPLITS}
    for poem, words, part, number in zip(poems, lines, split, group, strict=True):
        if syllables.fits(words) and _usable(words):
            labelled = LabelledHaiku(
                lines=tuple(map(tuple, words)),
                published=poem.tier == "poets",
                nature=poem.nature > 0,
                group=" / ".join(map(" ".join, lines[number])),
            )
            parts[part].append(labelled)
    return HaikuSet(train=parts["train"], validation=parts["validation"], test=parts["test"])


def _usable(lines: Sequence[Sequence[str]]) -> bool:
    words = [word for line in lines for word in line]
    if any(word.isdigit() or not syllables.by_dictionary(word) for word in words):
        return False
    return not content_filter.faults("\n".join(" ".join(line) for line in lines))


def header_of(poem: LabelledHaiku, rng: np.random.Generator, *, untold: float, themed: float) -> Header:
    """A header that is true of the poem.

    Args:
        untold: probability of an empty header.
        themed: probability of a theme in one that is not empty.
    """
    told = rng.random(5)
    if told[0] < untold:
        return Header()
    seasons = list(season_words.seasons_of([" ".join(line) for line in poem.lines]))
    return Header(
        published=poem.published and told[1] < _TOLD,
        nature=poem.nature and told[2] < _TOLD,
        season=seasons[0] if seasons and told[3] < _TOLD / 2 else "",
        theme=theme_of(poem, rng) if told[4] < themed else "",
    )


def theme_of(poem: LabelledHaiku, rng: np.random.Generator) -> str:
    """A phrase of the poem, or one or two of its content words; "" where it has none."""
    content = sorted({word for line in poem.lines for word in line if is_content(word)})
    if not content:
        return ""
    if rng.random() < _PHRASE:
        line = poem.lines[int(rng.integers(len(poem.lines)))]
        start = int(rng.integers(len(line)))
        phrase = line[start : start + int(rng.integers(2, _LONGEST + 1))]
        while phrase and not is_content(phrase[-1]):
            phrase = phrase[:-1]
        if phrase:
            return " ".join(phrase)
    some = rng.choice(content, min(len(content), int(rng.integers(1, 3))), replace=False)
    return ", ".join(map(str, some))
