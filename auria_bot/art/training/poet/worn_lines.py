"""Count the lines that a trained poet writes again and again; they cost it a little from then on.

    python -m auria_bot.art.training.poet.worn_lines [--model models/poet] [--requests N]

The training of the poem scorer ends with it, because the scorer decides which of a poet's lines come to be chosen.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.art.checkpoint import write_checksums
from auria_bot.art.poets.word_lstm import WordLstm
from auria_bot.art.poets.worn_lines import FILE, WornLines
from auria_bot.corpus.language.words import models_folder, words
from auria_bot.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["count_worn_lines"]

_BEST = 10  # poems of a request whose lines are counted
_FIRST_SEED = 7_000_000_000  # of the requests; an artwork's random seed is practically never one of them
_LOG_EVERY = 250  # requests


def count_worn_lines(folder: Path, *, requests: int, log: Callable[[str], None] = print) -> int:
    """Let a poet write for so many requests without theme, count the lines of the best poems, and store the table.

    Args:
        folder: the poet's; an earlier table in it is replaced. One without scenes writes to themes alone and gets none.

    Returns:
        How many lines are worn.
    """
    (folder / FILE).unlink(missing_ok=True)
    write_checksums(folder)
    if not (folder / "scenes.npy").is_file():
        return 0
    poet = WordLstm(WordLstm.Config(), models=models_folder(), folder=folder)

    def best() -> Iterator[list[list[list[str]]]]:
        for number in range(requests):
            if number % _LOG_EVERY == 0:
                log(f"worn lines {number}/{requests}")
            try:
                verses = poet.compose(seed=_FIRST_SEED + number, count=_BEST)
            except StepFailed:  # too few usable poems, as at the beginning of a training
                continue
            yield [[words(line) for line in verse.haiku.lines] for verse in verses]

    worn = WornLines.counted(best())
    worn.save(folder / FILE)
    write_checksums(folder)
    return len(worn)


def main() -> None:
    """Count from the command line."""
    parser = argparse.ArgumentParser(description="Count the lines that a poet writes again and again.")
    parser.add_argument("--model", type=Path, default=Path("models/poet"), help="the poet's folder")
    parser.add_argument("--requests", type=int, default=1500, help="how many requests it writes for")
    given = parser.parse_args()
    print(f"{count_worn_lines(given.model, requests=given.requests)} lines are worn")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
