"""The lines that a poet writes again and again, counted among its own best poems, so that days do not look alike."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from auria_bot.errors import ModelCorrupt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["FILE", "WornLines"]

FILE = "worn_lines.txt"
"""A line of it is how many requests had a line among their best poems, a tab, and that line."""

_LEAST = 2  # requests that a line must be part of to count as worn


class WornLines:
    """How often a poet writes each line.

    Args:
        requests: of how many requests' best poems each line was part.
    """

    def __init__(self, requests: Mapping[str, int]) -> None:
        self._requests = {line: count for line, count in requests.items() if count >= _LEAST}

    @classmethod
    def counted(cls, requests: Iterable[Iterable[Sequence[Sequence[str]]]]) -> WornLines:
        """Count the lines of each request's best poems."""
        written = ({" ".join(line) for poem in poems for line in poem} for poems in requests)
        return cls(Counter(line for lines in written for line in lines))

    @classmethod
    def load(cls, path: Path) -> WornLines:
        """Read what `save` wrote; nothing is worn where there is no file, as with poets of earlier versions.

        Raises:
            ModelCorrupt: the file is damaged.
        """
        if not path.is_file():
            return cls({})
        try:
            rows = (row.split("\t") for row in path.read_text(encoding="ascii").splitlines())
            return cls({line: int(count) for count, line in rows})
        except ValueError:
            raise ModelCorrupt(f"{path} is damaged; reinstall auria-bot") from None

    def save(self, path: Path) -> None:
        """Write the table, the most worn line first."""
        ordered = sorted(self._requests.items(), key=lambda item: (-item[1], item[0]))
        path.write_text("".join(f"{count}\t{line}\n" for line, count in ordered), encoding="ascii")

    def __len__(self) -> int:
        """How many lines are worn."""
        return len(self._requests)

    def wear(self, lines: Sequence[Sequence[str]]) -> float:
        """How worn a poem is: the sum over its lines of log2(1 + count); 0 for one whose lines are all new."""
        return sum(math.log2(1 + self._requests.get(" ".join(line), 0)) for line in lines)
