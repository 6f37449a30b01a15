"""Bar `syllables`: of the corpus's word tokens nearly all are counted as CMUdict has them, and the guess for other words is mostly right.

CMUdict itself has 98.4 % of the tokens; the rest of those that count are words made of its words, such as "moonless" and "dragonfly".

Tokens are those of the haiku in the folder of data. The guess is tried on words of CMUdict that it was not trained on: those whose
hash ends in nought modulo ten (`art.training.words`), 5,000 of them by chance, and, to tell how it does where it is needed, on the rarest
words that the corpus does have.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.corpus import verses
from auria_bot.corpus.language import syllables

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COVERED", "GUESSED", "covered", "guessed", "measured", "rare", "unseen"]

COVERED, GUESSED = 0.99, 0.93
WORDS = 5000


def unseen() -> list[str]:
    """Words of CMUdict that the guesser was not trained on, by chance but always the same."""
    words = [
        word
        for word in syllables._dictionary()
        if "'" not in word and hashlib.sha256(word.encode()).digest()[0] % 10 == 0
    ]
    return random.Random(5).sample(sorted(words), WORDS)


def guessed(words: list[str]) -> float:
    """The share of words whose guess is one of CMUdict's counts."""
    return sum(syllables.guess(word) in syllables.counts(word) for word in words) / len(words)


def tokens(path: Path) -> Counter[str]:
    """Every word of the haiku, and how often it stands there."""
    return Counter(word for verse in verses.read(path) for line in verse.tokens for word in line if not word.isdigit())


def covered(found: Counter[str]) -> tuple[float, float]:
    """The share of tokens that stand in CMUdict as they are, and of those counted by its entries for them or their parts."""
    plain = sum(times for word, times in found.items() if syllables.in_dictionary(word))
    by_parts = sum(times for word, times in found.items() if syllables.by_dictionary(word))
    return plain / found.total(), by_parts / found.total()


def rare(found: Counter[str]) -> list[str]:
    """Words of the corpus that CMUdict has, the guesser has not seen, and poets seldom use."""
    return [
        word
        for word, times in found.items()
        if times <= 3
        and "'" not in word
        and syllables.in_dictionary(word)
        and hashlib.sha256(word.encode()).digest()[0] % 10 == 0
    ]


def measured(data: Path) -> tuple[str, bool]:
    """Count the tokens of a corpus and guess words. The figures, and whether both shares are reached."""
    share = guessed(unseen())
    path = data / "haiku.jsonl.zst"
    if not path.is_file():
        return f"guessed {share:.4f}; tokens not measured: no {path}", False
    found = tokens(path)
    plain, parts = covered(found)
    seldom = rare(found)
    figures = (
        f"{found.total():,} tokens: {plain:.4f} stand in CMUdict, {parts:.4f} with words made of its words (endings, compounds); guessed {share:.4f} of {WORDS:,} unseen words,"
        f" {guessed(seldom):.4f} of {len(seldom):,} rare ones of the corpus"
    )
    return figures, parts >= COVERED and share >= GUESSED
