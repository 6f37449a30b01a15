"""A text is judged once and told as a value; its places and authors are known by hashes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auria_bot.corpus import poem_extraction
from auria_bot.corpus.item import ADULT, MEANINGS, author_key, from_row, from_submission
from auria_bot.corpus.quality_filter import FORMER_REASONS, REASONS
from auria_bot.corpus.sources.rows import Row
from auria_bot.corpus.sources.submission import Submission

POND = "An old silent pond/A frog jumps into the pond/Splash! Silence again"


def post(title: str = POND, body: str = "", **changes: object) -> Submission:
    """A post."""
    values = {
        "id": "a1",
        "subreddit": "Haiku",
        "created": datetime(2020, 1, 1, tzinfo=UTC),
        "score": 3,
        "author": "Ria",
        "removed": False,
        "over_18": False,
    }
    return Submission(title=title, body=body, **{**values, **changes})  # type: ignore[arg-type]


def test_a_poem_is_told_with_all_that_is_known():
    """Its lines as they stand, its form and season; no name."""
    piece = from_submission(post(), origin="RS_2020-01", licence="")
    assert (piece.lines, piece.syllables, piece.form, piece.season) == (
        tuple(POND.split("/")),
        (5, 7, 5),
        "575",
        "spring",
    )
    assert (piece.source, piece.origin, piece.subreddit, piece.external_id) == ("reddit", "RS_2020-01", "Haiku", "a1")
    assert (piece.reason, piece.author, piece.author_key) == ("", "", author_key("/u/ria"))
    assert from_submission(post(), names=True).author == "Ria"


@pytest.mark.parametrize(
    "title",
    [
        POND.upper().replace("/", " / "),
        POND.replace("/", "\n"),
        POND.lower().replace("!", " -"),
        POND.replace("/", " | "),
    ],
)
def test_case_marks_and_separators_make_no_other_poem(title: str):
    """The digest is of the folded words."""
    assert (
        from_submission(post(title)).digest
        == from_submission(post()).digest
        == from_row(Row(text=title), origin="x").digest
    )


def test_a_poem_in_the_body_is_the_same_poem():
    """Under a title that is none."""
    found = from_submission(post("my first one", POND.replace("/", "\n\n")))
    assert found.digest == from_submission(post()).digest


@pytest.mark.parametrize(
    ("changes", "reason", "lines"),
    [
        ({"over_18": True}, ADULT, 3),
        ({"title": "what is this"}, "not three lines", 0),
        ({"title": POND.replace("frog", "fucking frog")}, "profanity", 3),
    ],
)
def test_a_rejected_text_has_lines_if_it_is_a_poem(changes: dict[str, object], reason: str, lines: int):
    """So that the operator may accept it; the importer decides whether they are stored."""
    piece = from_submission(post(**changes))  # type: ignore[arg-type]
    assert (piece.reason, len(piece.lines)) == (reason, lines)
    assert len(piece.digest) == 32


def test_every_reason_has_a_meaning():
    """Those of the filter, of the extraction and of earlier versions."""
    source = Path(poem_extraction.__file__).read_text(encoding="utf-8")
    given = set(re.findall(r'(?:reason=|return )\(?"([a-z0-9 -]+)"', source)) - {"title", "body"}
    assert given <= poem_extraction.REASONS.keys()
    assert {*REASONS, *FORMER_REASONS, *poem_extraction.REASONS, ADULT} == MEANINGS.keys()
    assert all("'" in MEANINGS[former] for former in FORMER_REASONS)


def test_texts_without_words_differ_by_their_letters():
    """Two that are not in Latin letters are two."""
    assert from_row(Row(text="古池や"), origin="x").digest != from_row(Row(text="水の音"), origin="x").digest


def test_a_row_is_known_by_its_file_and_id_or_by_its_words():
    """Without an id the same file under another name adds nothing."""
    first, second = (from_row(Row(text=POND), origin=name) for name in ("a.txt", "b.txt"))
    assert first.key == second.key
    numbered = [from_row(Row(text=POND, id="1"), origin=name) for name in ("a.csv", "b.csv")]
    assert numbered[0].key != numbered[1].key
    assert author_key(" ") == ""
