"""The catalogues of strings."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from markupsafe import Markup

import auria_bot.web
from auria_bot.domain.mood import MOODS
from auria_bot.services.gallery.subjects import SUBJECTS
from auria_bot.web.language import available, find_language, negotiated

FOLDER = Path(auria_bot.web.__file__).parent


@pytest.mark.parametrize("tag", available())
def test_every_language_has_the_same_strings_with_the_same_fields(tag: str) -> None:
    """A translation leaves nothing out, and fills in what the English one does."""
    english, other = (
        json.loads((FOLDER / "locales" / f"{name}.json").read_text(encoding="utf-8")) for name in ("en", tag)
    )
    assert list(other) == list(english)

    def fields(value: object) -> set[str]:
        return set(re.findall(r"{(\w+)}", json.dumps(value)))

    assert [key for key in english if fields(english[key]) != fields(other[key])] == []


def test_templates_use_strings_that_exist_and_all_are_used() -> None:
    """Every key in a template is in the catalogue; names of moods and the like are looked up by value."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (FOLDER / "templates").rglob("*.html"))
    used = set(re.findall(r"\bt\('([\w.]+)'[,)]", text))
    known = find_language("en").keys
    assert {key for key in used if key not in known} == set()
    assert {f"mood.{mood}" for mood in MOODS} <= known
    assert {f"subject.{subject}" for subject in SUBJECTS} <= known


def test_fields_are_escaped_unless_they_are_markup() -> None:
    """What strangers wrote cannot become markup."""
    english = find_language("en")
    assert english.text("artwork.after", title="<b>", byline="by y") == "After &lt;b&gt; by y"
    assert english.text("artwork.after", title=Markup("<cite>x</cite>"), byline="by <i>") == (
        "After <cite>x</cite> by &lt;i&gt;"
    )
    assert english.name_of("mood", "<x>") == "&lt;x&gt;"


def test_numbers_dates_and_plurals_follow_the_language() -> None:
    """One work, two works; days and thousands are written as the language writes them."""
    at = datetime(2026, 3, 4, tzinfo=UTC)
    english, german = find_language("en"), find_language("de-AT")
    assert (english.text("works", count=1), english.text("works", count=2)) == ("1 work", "2 works")
    assert (english.date(at), german.date(at)) == ("4 March 2026", "4. März 2026")
    assert (english.number(12345), german.number(12345)) == ("12,345", "12.345")
    assert find_language("xx").tag == "en"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("fr, en;q=0.4, de;q=0.8", "de"),
        ("en;q=0.1", "en"),
        ("fr", "de"),
        ("", "de"),
        ("de;q=zero, *;q=2, ;;", "de"),
        ("en;q=0", "de"),
    ],
)
def test_the_browsers_preference_is_followed(header: str, expected: str) -> None:
    """The heaviest known language wins; else the default stays."""
    assert negotiated(header, default="de") == expected
