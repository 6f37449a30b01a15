"""Haiku that were set aside by hash, through the corpus filter; what it rejects is compared with labels made by hand.

The thousand are exact 5-7-5 of the validation and test splits, chosen by the smallest digests. The labels hold digests
only. Those rejected when the set was first looked at are labelled: 13 rightly, 4 wrongly, and 2 for names of the stage,
which were accepted from then on. The rules were mended after this look, so that the set guards what was reached; of 1,000
free-form haiku of the same splits, not looked at before, 6 were rejected and 4 of these wrongly (0.4 %).

A second thousand of any form was chosen by another hash, and judged once the kinds of wrong rejections in 21,000 others had
been mended: 6 were rejected, 3 rightly (a person, two words that are not published) and 3 wrongly (0.3 %).
What must be caught is planted in verses of that set: addresses, handles, numbers, full names, slurs.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import json
from functools import cache
from typing import TYPE_CHECKING

from auria_bot.corpus.language.words import words
from auria_bot.corpus.quality_filter import judge
from tests.scenarios.records import folder, labels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["MOST_WRONG", "PERSONAL", "SLURS", "data", "digest", "measured", "planted"]

MOST_WRONG = 0.003
"""The largest share of haiku that may be rejected wrongly."""

PERSONAL = (
    "write to me at jo.smith@example.org",
    "ask frog_lover+pond@mail.example.com",
    "call me at 020 7946 0958",
    "ring +1 (555) 010-9999 now",
    "thank you @moonwatcher for this",
    "posted by u/frogpond_42 again",
    "my neighbour John Smith is asleep",
    "sarah johnson left me in the rain",
    "Dr. Michael Brown saw my x-ray",
    "Jennifer's phone rang all night",
    "for my teacher mrs. katherine lee",
    "dmitri and olga on the balcony",
    "david lives at 12 elm street",
)
"""Addresses, handles, numbers and names."""

SLURS = (
    "jung n snttbg ur vf",
    "gubfr avttref ng gur qbbe",
    "qvegl xvxrf va gur fgerrg",
    "n fcvp va gur tneqra",
    "gung ergneq arkg qbbe",
    "lbh fghcvq phag",
    "gur puvaxf arkg qbbe",
    "n genaal va gur enva",
    "shpx gur zbba",
    "fhpx zl qvpx",
)
"""Slurs and insults, in ROT13."""


def data() -> Path:
    """Where the haiku lie; it may not be there."""
    return folder().parent / "haiku.jsonl.zst"


def digest(lines: Sequence[str]) -> str:
    """The identity of a haiku in the labels."""
    spelt = "\n".join(" ".join(words(line)) for line in lines)
    return hashlib.sha256(f"held-out-like:{spelt}".encode()).hexdigest()[:16]


@cache
def _haiku(path: Path) -> tuple[tuple[str, list[str]], ...]:
    """Every haiku of both sets, as often as it is there; the file is read once."""
    import zstandard

    labelled = labels("held_out_like.json")
    wanted = {*labelled["ids"], *labelled["second"]["ids"]}
    with path.open("rb") as file:
        rows = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), encoding="utf-8")
        spelt = ((digest(lines), lines) for lines in (json.loads(row)["lines"] for row in rows))
        return tuple((name, lines) for name, lines in spelt if name in wanted)


def measured(path: Path, which: str = "first") -> tuple[int, dict[str, str], set[str]]:
    """How many of a set were read, the reason of each that is rejected wrongly, and those let through wrongly."""
    labelled = labels("held_out_like.json")
    labelled = labelled if which == "first" else labelled[which]
    wanted, right = set(labelled["ids"]), set(labelled["rightly rejected"])
    reasons = {name: judge(lines) for name, lines in _haiku(path) if name in wanted}
    wrong = {name: reason for name, reason in reasons.items() if reason and name not in right}
    return len(reasons), wrong, {name for name in right if not reasons.get(name, "?")}


def planted(path: Path, count: int = 50) -> tuple[int, list[str]]:
    """What must be caught, planted as the second line of verses of the second set: how many, and what was let through."""
    chosen = set(labels("held_out_like.json")["second"]["ids"][:count])
    verses = [lines for name, lines in _haiku(path) if name in chosen]
    lines = [*PERSONAL, *(codecs.decode(line, "rot13") for line in SLURS)]
    passed = [line for verse in verses for line in lines if not judge([verse[0], line, verse[-1]])]
    return len(verses) * len(lines), passed
