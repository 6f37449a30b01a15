"""The captioner's words: how a caption is cut into tokens, and which number each token has.

Knows words and numbers; does not know nets or pictures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["END", "PAD", "START", "UNKNOWN", "Vocabulary", "tokenise"]

PAD: Final = 0
START: Final = 1
END: Final = 2
UNKNOWN: Final = 3
_SPECIAL = ("<pad>", "<start>", "<end>", "<unknown>")
_TOKEN = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")


def tokenise(caption: str) -> list[str]:
    """Lower-case words without punctuation; "tri-colored" and "man's" stay whole."""
    return _TOKEN.findall(caption.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace(" '", "'"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The words in their order; the first four numbers are for padding, start, end and the unknown."""

    words: tuple[str, ...]  # without the special ones
    _numbers: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = {word: number for number, word in enumerate(self.words, start=len(_SPECIAL))}
        object.__setattr__(self, "_numbers", numbers)

    def __len__(self) -> int:
        return len(self.words) + len(_SPECIAL)

    def encode(self, caption: str) -> list[int]:
        """The numbers of a caption's tokens, without start and end."""
        return [self._numbers.get(token, UNKNOWN) for token in tokenise(caption)]

    def decode(self, numbers: Iterable[int]) -> list[str]:
        """The words of the numbers, up to the end; special ones are left out."""
        words: list[str] = []
        for number in numbers:
            if number == END:
                break
            if number >= len(_SPECIAL):
                words.append(self.words[number - len(_SPECIAL)])
        return words

    def numbers(self, words: Sequence[str]) -> list[int]:
        """The numbers of those of `words` that are in the vocabulary."""
        return [self._numbers[word] for word in words if word in self._numbers]
