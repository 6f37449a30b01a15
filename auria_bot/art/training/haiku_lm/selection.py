"""Keeps the good of the poems that were sampled from the language model, as a file that the poet's training reads.

    python -m auria_bot.art.training.haiku_lm.selection POEMS.jsonl --out DIR/haiku_machine.jsonl.zst

What is kept: poems whose least likely word and mean likelihood are above a floor, of images rather than abstractions,
with an image or a season word, and no line again and again.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.art.poets.ranking import style_penalties
from auria_bot.corpus.language.verse_rules import is_content
from auria_bot.corpus.language.words import word_set, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Floors", "kept", "reasons"]

_ABSTRACT = word_set(
    "ability absence action anger answer beauty belief beliefs change chaos choice comfort consciousness courage "
    "death desire despair destiny doubt dreams emotion emotions eternity evil existence experience faith fate fear "
    "fears feel feeling feelings feels forever freedom future good grace grief guilt happiness hate hatred heart "
    "hearts heaven hell hope hopes human humanity idea ideas image journey joy justice knowledge lies life lives "
    "lonely love loved lover loves loving lust madness meaning memories memory mind minds misery moment moments "
    "pain passion past peace perfect pleasure power pride promise purpose reality reason regret sadness shame sin sins "
    "sorrow sorrows soul souls spirit strength suffering thought thoughts time times truth world worlds worry wrong"
)
"""Words that name no thing one could paint; a poem may have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """What a poem must reach, and how often a line may come back."""

    likelihood: float = -3.9  # mean log-probability of a word
    lowest: float = -9.0  # log-probability of the least likely word
    breaks: float = -1.5  # mean log-probability of a line's end
    abstract: int = 1  # abstractions a poem may have
    style: float = 0.5  # see ranking.style_penalties
    again: int = 6  # poems of one line, or of one set of content words, at most


def reasons(row: dict[str, Any], floors: Floors) -> list[str]:
    """Why a sampled poem is not kept; empty when it is."""
    lines = [words(line) for line in row["lines"]]
    flat = [word for line in lines for word in line]
    found = [name for name in ("likelihood", "lowest", "breaks") if row[name] < getattr(floors, name)]
    if sum(word in _ABSTRACT for word in flat) > floors.abstract:
        found.append("abstract")
    if sum(is_content(word) and word not in _ABSTRACT for word in flat) < 4:
        found.append("nothing to see")
    if style_penalties(lines) > floors.style:
        found.append("style")
    return found


def kept(rows: Iterable[dict[str, Any]], floors: Floors, tally: Counter[str]) -> Iterator[dict[str, Any]]:
    """The rows worth keeping.

    Args:
        rows: as `sampling` writes them; rows that end a batch are passed over.
        tally: counts poems, those kept, and the reasons against the others.
    """
    seen: Counter[str] = Counter()
    for row in rows:
        if "lines" not in row:
            continue
        tally["poems"] += 1
        against = reasons(row, floors)
        marks = [*row["lines"], " ".join(sorted(filter(is_content, words(" ".join(row["lines"])))))]
        if not against and any(seen[mark] >= floors.again for mark in marks):
            against = ["again"]
        tally.update(against)
        if not against:
            seen.update(marks)
            tally["kept"] += 1
            yield row


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for row in file:
            if row.endswith("\n"):
                yield json.loads(row)


def main() -> None:
    """Select from the command line."""
    import zstandard

    parser = argparse.ArgumentParser(description="Keep the good of the poems that were sampled.")
    parser.add_argument("poems", type=Path, help="the .jsonl file of the sampling")
    parser.add_argument("--out", type=Path, required=True, help="haiku_machine.jsonl.zst in the folder of data")
    for name, value in (("likelihood", Floors().likelihood), ("lowest", Floors().lowest), ("breaks", Floors().breaks)):
        parser.add_argument(f"--{name}", type=float, default=value, help=f"floor of the {name}")
    given = parser.parse_args()
    floors = Floors(likelihood=given.likelihood, lowest=given.lowest, breaks=given.breaks)
    tally: Counter[str] = Counter()
    text = "".join(json.dumps(row) + "\n" for row in kept(_rows(given.poems), floors, tally))
    given.out.write_bytes(zstandard.ZstdCompressor(level=15).compress(text.encode()))
    told = f"kept {tally['kept']:,} of {tally['poems']:,} poems in {given.out}: {dict(tally)}"
    print(told)  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
