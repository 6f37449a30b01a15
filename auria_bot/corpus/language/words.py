"""Split text into words, number them by a vocabulary, and locate the shipped word tables."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.errors import ModelMissing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "END",
    "LINE",
    "SPECIALS",
    "START",
    "UNKNOWN",
    "Vocabulary",
    "folded",
    "models_folder",
    "spoken",
    "table",
    "word_set",
    "words",
]

SPECIALS = ("<unk>", "<start>", "<line>", "<end>")
UNKNOWN, START, LINE, END = range(4)

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*|[0-9]+")
_QUOTES = str.maketrans(
    {"\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{LEFT SINGLE QUOTATION MARK}": "'", "`": "'", "\N{ACUTE ACCENT}": "'"}
)
_FIRST_PERSON = frozenset({"i", "i'm", "i'll", "i've", "i'd"})


def folded(text: str) -> str:
    """Lower case, no accents, straight apostrophes: the form in which words are compared."""
    straight = text.translate(_QUOTES)
    if straight.isascii():
        return straight.lower()
    # Twice, for what is decomposed may have another lower case: U+2120 becomes "SM" (Unicode 3.13, NFKC_Casefold).
    decomposed = straight
    for _ in range(2):
        decomposed = unicodedata.normalize("NFKD", decomposed.casefold()).translate(_QUOTES)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def words(text: str) -> list[str]:
    """Split a text into folded words; a hyphen separates words; a number is one word of digits."""
    return _WORD.findall(folded(text))


def word_set(text: str) -> frozenset[str]:
    """The whitespace-separated words of a literal, as a set."""
    return frozenset(text.split())


def spoken(line: Iterable[str]) -> str:
    """Join the words of a line as it is published: lower case, except the first person."""
    return " ".join(word.capitalize() if word in _FIRST_PERSON else word for word in line)


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Words and their numbers; the first four numbers are the SPECIALS."""

    words: tuple[str, ...]  # SPECIALS first

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each word."""
        return {word: number for number, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, lines: Sequence[Sequence[str]]) -> list[int]:
        """Encode lines of words: <start>, the words with <line> between lines, <end>."""
        sequence = [START]
        for index, line in enumerate(lines):
            if index:
                sequence.append(LINE)
            sequence.extend(self.numbers.get(word, UNKNOWN) for word in line)
        sequence.append(END)
        return sequence

    def decode(self, sequence: Iterable[int]) -> list[list[str]]:
        """Decode numbers into lines of words; stop at <end>."""
        lines: list[list[str]] = [[]]
        for number in sequence:
            if number == END:
                break
            if number == LINE:
                lines.append([])
            elif number != START:
                lines[-1].append(self.words[number])
        return lines

    @classmethod
    def parse(cls, text: str) -> Vocabulary:
        """Parse a vocabulary file: one word per line."""
        return cls(words=tuple(text.splitlines()))

    def text(self) -> str:
        """The content of the vocabulary file."""
        return "\n".join(self.words) + "\n"


def models_folder() -> Path:
    """The folder of the shipped models.

    Raises:
        ModelMissing: neither the installed package nor the checkout holds it.
    """
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "_data" / "models", package.parent / "models"):
        if folder.is_dir():
            return folder
    raise ModelMissing("the folder models/ is missing; reinstall auria-bot")


def table(*names: str) -> Path:
    """Find one shipped table by the parts of its path below models/.

    Raises:
        ModelMissing: there is no such file.
    """
    path = models_folder().joinpath(*names)
    if not path.is_file():
        raise ModelMissing(f"models/{'/'.join(names)} is missing; reinstall auria-bot")
    return path
