"""Haiku on which painters are evaluated: about nature, and such that name one of ten subjects."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from auria_bot.domain.artwork import Haiku
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["SUBJECTS", "naming", "read_haiku"]

SUBJECTS: Final[dict[str, frozenset[str]]] = {
    scene: frozenset(words.split())
    for scene, words in {
        "sea": "sea ocean waves shore beach",
        "mountain": "mountain mountains peak peaks",
        "forest": "forest woods pines trees",
        "river": "river stream creek",
        "field": "field fields meadow",
        "city": "city street streets skyscrapers",
        "sky": "sky skies clouds",
        "bird": "bird birds sparrow robin",
        "butterfly": "butterfly butterflies",
        "flower": "flower flowers blossom blossoms",
    }.items()
}
"""The ten scenes of the bar `recognised`, each with the words that name it in a poem."""


def read_haiku(data: Path, count: int | None = None) -> list[Haiku]:
    """5-7-5 haiku about nature, evenly spread over the file; the painter was not trained on haiku.

    Args:
        data: the folder of haiku.jsonl.zst.
        count: how many; all by default, those that are not about nature too.

    Raises:
        InputError: the file is missing.
    """
    import zstandard

    file = data / "haiku.jsonl.zst"
    if not file.is_file():
        raise InputError(f"{file} is missing; give the folder of the training archives with --data DIR")
    with file.open("rb") as stream:
        text = zstandard.ZstdDecompressor().stream_reader(stream).read().decode()
    rows = [row for row in map(json.loads, text.splitlines()) if row["form"] == "575"]
    if count is not None:
        rows = [row for row in rows if row["nature"] >= 1]
        rows = rows[:: max(1, len(rows) // count)][:count]
    return [Haiku(lines=tuple(row["lines"]), syllables=(5, 7, 5)) for row in rows]


def naming(poems: Iterable[Haiku], each: int) -> dict[str, list[Haiku]]:
    """The first `each` poems that name one subject of SUBJECTS and no other, by subject."""
    found: dict[str, list[Haiku]] = {subject: [] for subject in SUBJECTS}
    for poem in poems:
        words = set(re.findall(r"[a-z']+", " ".join(poem.lines).lower()))
        named = [subject for subject, known in SUBJECTS.items() if words & known]
        if len(named) == 1 and len(found[named[0]]) < each:
            found[named[0]].append(poem)
    return found
