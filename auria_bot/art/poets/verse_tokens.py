"""How a haiku is written in the tokens of a language model: a header line, then each line of verse and a line feed.

Every word begins with a space, so that a word has the same tokens wherever it stands and its end can be seen by what
follows. The header tells what is known of the poem; any part of it may be left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auria_bot.corpus.language.words import spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Header", "VerseTokens"]

NEWLINE = "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a poem is told to be."""

    published: bool = False  # in the manner of published poets
    nature: bool = False  # of nature
    season: str = ""
    theme: str = ""

    @property
    def text(self) -> str:
        """The header line, for instance " classic nature poem of autumn about old house"."""
        kinds = (" classic" if self.published else "") + (" nature" if self.nature else "")
        season = f" of {self.season}" if self.season else ""
        return f"{kinds} poem{season}" + (f" about {self.theme}" if self.theme else "")


class VerseTokens:
    """Writes headers and poems as token numbers.

    Args:
        tokenizer: of transformers; byte-level BPE that parts words at spaces.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._words: dict[str, tuple[int, ...]] = {}

    @cached_property
    def newline(self) -> int:
        """The token that ends a line."""
        (number,) = self._encoded(NEWLINE)
        return number

    def word(self, word: str) -> tuple[int, ...]:
        """The tokens of a folded word with the space before it."""
        if word not in self._words:
            self._words[word] = self._encoded(" " + spoken([word]))
        return self._words[word]

    def header(self, header: Header) -> list[int]:
        """The tokens that stand before a poem."""
        start = self._tokenizer.bos_token_id
        return [*([] if start is None else [start]), *self._encoded(header.text), self.newline]

    def poem(self, lines: Sequence[Sequence[str]]) -> list[int]:
        """The tokens of a poem, given as lines of folded words."""
        return [
            token for line in lines for token in (*(part for word in line for part in self.word(word)), self.newline)
        ]

    def _encoded(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])
