"""Write a sheet of poems to be read blind, and count its marks by who wrote them.

    python -m auria_bot.art.evaluation.poem_reading sheet --data DIR --out FOLDER [--poet NAME=MODELS ...]
    python -m auria_bot.art.evaluation.poem_reading count FOLDER

Each poet answers the same requests, whose seeds are fixed before anybody reads: a third of them nothing but a seed, a
third a mood, a third a season word. Held-out human haiku in form stand between them. The reader fills the first column
of sheet.tsv without looking at key.json: `1` for a poem fit to post (every line makes sense, together they show an
image or a moment, nothing is clumsy or wrong), `0` for any other.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.corpus.language import season_words
from auria_bot.corpus.language.words import spoken
from auria_bot.domain.mood import MOODS
from auria_bot.errors import InputError
from auria_bot.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from auria_bot.domain.interfaces import Poet

__all__ = ["HUMAN", "Marks", "PoemRequest", "count_marks", "human_poems", "poem_requests", "poems_of", "write_sheet"]

HUMAN = "human"  # the source of held-out haiku in the key
_SHEET, _KEY = "sheet.tsv", "key.json"
_FIRST_SEED = 9000
_NORMAL = 1.96  # two-sided quantile of 95 % of a normal distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class PoemRequest:
    """What a poet is asked for."""

    seed: int
    theme: str | None = None
    mood: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How many poems of one source were found fit to post."""

    fit: int
    read: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share (Wilson, "Probable Inference", JASA 22, 1927)."""
        share, extra = self.fit / self.read, _NORMAL**2 / self.read
        centre = (share + extra / 2) / (1 + extra)
        half = _NORMAL * math.sqrt(share * (1 - share) / self.read + extra / (4 * self.read)) / (1 + extra)
        return centre - half, centre + half


def poem_requests(count: int) -> list[PoemRequest]:
    """The requests of a sheet, the same in every run."""
    names = sorted(MOODS)
    found = []
    for number in range(count):
        seed = _FIRST_SEED + number
        season = season_words.SEASONS[number // 3 % 4]
        theme = season_words.theme_in(season, seed=seed) if number % 3 == 2 else None
        mood = names[number // 3 % len(names)] if number % 3 == 1 else None
        found.append(PoemRequest(seed=seed, theme=theme, mood=mood))
    return found


def poems_of(poet: Poet, asked: Iterable[PoemRequest]) -> list[str]:
    """A poet's best answer to each request, the lines parted by " / "."""
    composed = (
        poet.compose(seed=one.seed, theme=one.theme, mood=MOODS[one.mood] if one.mood else None)[0] for one in asked
    )
    return [" / ".join(verse.haiku.lines) for verse in composed]


def human_poems(data: Path, count: int) -> list[str]:
    """Haiku in form of the test split, evenly taken, in the poets' manner of printing: folded, no punctuation.

    Raises:
        InputError: the test split holds fewer.
        NotFound: the folder has no haiku.
    """
    from auria_bot.art.training.haiku_lm.dataset import read_haiku

    poems = read_haiku(data).test
    if len(poems) < count:
        raise InputError(f"the test split of {data} holds {len(poems)} haiku in form, and {count} are wanted")
    order = np.random.default_rng(_FIRST_SEED).permutation(len(poems))[:count]
    return [" / ".join(spoken(line) for line in poems[row].lines) for row in order]


def write_sheet(poems: Mapping[str, Sequence[str]], folder: Path) -> None:
    """Shuffle the poems of all sources into sheet.tsv, and write who wrote which into key.json.

    Args:
        poems: the poems of each source, the lines parted by " / ".
        folder: made where it is missing.

    Raises:
        InputError: the folder has a sheet already, whose marks would be lost.
    """
    if (folder / _SHEET).exists():
        raise InputError(f"{folder / _SHEET} exists already; name another folder, or remove it")
    folder.mkdir(parents=True, exist_ok=True)
    entries = [(source, poem) for source in sorted(poems) for poem in poems[source]]
    order = np.random.default_rng(_FIRST_SEED).permutation(len(entries))
    rows = [(number, entries[row]) for number, row in enumerate(order, start=1)]
    key = {str(number): source for number, (source, _) in rows}
    text = "mark\tnumber\tpoem\n" + "".join(f"\t{number}\t{poem}\n" for number, (_, poem) in rows)
    write_atomic(folder / _KEY, (json.dumps(key, indent=1) + "\n").encode())
    write_atomic(folder / _SHEET, text.encode())


def count_marks(folder: Path) -> dict[str, Marks]:
    """The marks of each source.

    Raises:
        InputError: the folder holds no sheet, or a mark is missing or is neither 0 nor 1.
    """
    try:
        key = json.loads((folder / _KEY).read_text(encoding="utf-8"))
        rows = list(csv.DictReader((folder / _SHEET).read_text(encoding="utf-8").splitlines(), delimiter="\t"))
    except FileNotFoundError as error:
        raise InputError(f"{folder} holds no sheet; write one with the command `sheet`") from error
    marks: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row["mark"] not in {"0", "1"}:
            raise InputError(f"poem {row['number']} of {folder / _SHEET} is marked {row['mark']!r}; write 1 or 0")
        marks[key[row["number"]]].append(int(row["mark"]))
    return {source: Marks(fit=sum(given), read=len(given)) for source, given in sorted(marks.items())}


def _poets(given: Sequence[str]) -> dict[str, Poet]:
    """The poets named NAME=MODELS; a folder of models with the adapters of a language model gives that one."""
    from auria_bot.art.poets.causal_lm import CausalLm
    from auria_bot.art.poets.word_lstm import WordLstm

    found: dict[str, Poet] = {}
    for item in given:
        name, _, folder = item.partition("=")
        if not folder:
            raise InputError(f"--poet {item!r} names no folder; write NAME=MODELS, or causal-lm:NAME=MODELS")
        kind, _, label = name.rpartition(":")
        models = Path(folder)
        found[label] = (
            CausalLm(CausalLm.Config(device="cpu"), models=models)
            if kind == "causal-lm"
            else WordLstm(WordLstm.Config(), models=models)
        )
    return found


def main() -> None:
    """Write a sheet, or count its marks, from the command line."""
    parser = argparse.ArgumentParser(description="Poems to be read blind.")
    commands = parser.add_subparsers(dest="command", required=True)
    sheet = commands.add_parser("sheet", help="write a sheet")
    sheet.add_argument("--data", type=Path, required=True, help="folder with haiku.jsonl.zst, for the human haiku")
    sheet.add_argument("--out", type=Path, required=True, help="the sheet's folder")
    sheet.add_argument("--poems", type=int, default=60, help="of each poet, and by humans")
    sheet.add_argument(
        "--poet",
        action="append",
        help="NAME=MODELS, or causal-lm:NAME=MODELS for the language model; once for each poet",
    )
    counted = commands.add_parser("count", help="count the marks of a sheet")
    counted.add_argument("folder", type=Path)
    given = parser.parse_args()
    if given.command == "sheet":
        asked = poem_requests(given.poems)
        poems = {name: poems_of(poet, asked) for name, poet in _poets(given.poet or ["lstm=models"]).items()}
        write_sheet(poems | {HUMAN: human_poems(given.data, given.poems)}, given.out)
        print(f"mark the poems in {given.out / _SHEET}, then count them")  # noqa: T201 - a command's answer
        return
    for source, marks in count_marks(given.folder).items():
        low, high = marks.interval
        print(f"{source}: {marks.fit} of {marks.read} fit to post (95 %: {low:.0%} to {high:.0%})")  # noqa: T201


if __name__ == "__main__":
    main()
