"""Words are fitted: hashtags go first, then the signature; the poem never; one over a limit is told with the limit."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auria_bot.channels.text_limits import ANY_HASHTAG, HASHTAG, fit_text, graphemes
from auria_bot.domain.interfaces import Limits
from auria_bot.errors import BackendMissing, Rejected

POEM = "rain on the old pond\n— a frog, then silence\n#winter is a word here"
TEXT = f"{POEM}\n\n— Auria\n#haiku #pond #rain"

WORD = st.text(st.characters(categories=["Ll", "Lo", "Nd", "Mn", "Po", "Pd", "So"]), min_size=1, max_size=8)
LINE = st.lists(WORD, min_size=1, max_size=5).map(" ".join)
POEMS = st.lists(LINE, min_size=1, max_size=4).map("\n".join)
TAGS = st.sampled_from(
    ["#haiku", "#俳句", "#हिन्दी", "#หน้าหนาว", "#می‌خواهم", "#été", "#rain_2", "\uff03pond", "#e\u0301te"]
)
ENDS = st.sampled_from(["", "\n", "\n\n", "  ", " \n "])
COUNTS = st.sampled_from([len, lambda text: len(text.encode()), lambda text: len(text.encode("utf-16-le")) // 2])


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, str]:
    """A poem, and the text that it begins."""
    poem, newline = draw(POEMS), draw(st.sampled_from(["\n", "\r\n"]))
    after = [draw(st.sampled_from(["— Auria", "\u2013 A.", "- Auria, of an autumn"]))] if draw(st.booleans()) else []
    after += draw(st.lists(st.lists(TAGS, min_size=1, max_size=4).map(" ".join), max_size=3))
    whole = newline.join([*poem.split("\n"), *([""] if after else []), *after]) + draw(ENDS)
    return newline.join(poem.split("\n")).rstrip(), whole


@given(made=texts(), limit=st.integers(0, 120), tags=st.integers(0, 6) | st.none(), count=COUNTS)
@settings(max_examples=150, deadline=None)
def test_the_poem_is_never_cut(made: tuple[str, str], limit: int, tags: int | None, count) -> None:
    """What is sent begins with the whole poem and keeps every limit, or the limit is named; the alt text never changes."""
    poem, text = made
    limits = Limits(characters=limit, hashtags=tags, alt_characters=10)
    try:
        fitted = fit_text(text, " an alt\r\n", limits, name="x", count=count)
    except Rejected as error:
        assert count(poem) > limit or (tags is not None and len(HASHTAG.findall(poem)) > tags)
        assert re.match(rf"x takes at most ({limit} characters|{tags} hashtags), and this text has", str(error))  # noqa: PT017
    else:
        assert fitted.text.startswith(poem)
        assert count(fitted.text) <= limit
        assert tags is None or len(HASHTAG.findall(fitted.text)) <= tags
        assert fitted.alt_text == " an alt\r\n"
        assert "".join(text.split()) == "".join(
            [*fitted.text.split(), *("".join(w.split()) for w in fitted.dropped[::-1])]
        )


@pytest.mark.parametrize("over", [0, 1])
def test_one_under_fits_and_one_over_drops_the_last_hashtag(over: int) -> None:
    """At the limit nothing is touched; a character less, and only the last hashtag goes."""
    fitted = fit_text(TEXT, "", Limits(characters=len(TEXT) - over), name="x")
    assert fitted.dropped == (("#rain",) if over else ())
    assert fitted.text == (TEXT.removesuffix(" #rain") if over else TEXT)


def test_hashtags_go_before_the_signature_and_the_poem_stays() -> None:
    """Down to the poem alone, whose lines may look like a signature or a hashtag; then the limit is named."""
    fitted = fit_text(TEXT, "", Limits(characters=len(POEM)), name="x")
    assert fitted.text == POEM
    assert fitted.dropped == ("#rain", "#pond", "#haiku", "— Auria")
    with pytest.raises(Rejected, match=rf"x takes at most {len(POEM) - 1} characters, and this text has {len(POEM)}"):
        fit_text(TEXT, "", Limits(characters=len(POEM) - 1), name="x")


def test_too_many_hashtags_cost_hashtags_alone() -> None:
    """The signature stays; those in the poem count, and are not taken out of it."""
    assert fit_text(TEXT, "", Limits(hashtags=2), name="x").text == f"{POEM}\n\n— Auria\n#haiku"
    with pytest.raises(Rejected, match="at most 0 hashtags, and this text has 1"):
        fit_text(TEXT, "", Limits(hashtags=0), name="x")


def test_hashtags_beside_the_signature_go_alone() -> None:
    """Where they stand on one line."""
    fitted = fit_text("pond\n\n— Auria #haiku #rain", "", Limits(characters=14), name="x")
    assert (fitted.text, fitted.dropped) == ("pond\n\n— Auria", ("#rain", "#haiku"))


@pytest.mark.parametrize("text", ["#a #b #c", "#a\n#b\n#c", "#a\n\n#b #c", "\n\n#a #b"])
def test_of_a_text_of_hashtags_the_first_paragraph_is_the_poem(text: str) -> None:
    """It is left whole or refused."""
    first = text.strip().split("\n\n")[0]
    assert fit_text(text, "", Limits(characters=len(text)), name="x").text == text.rstrip()
    with pytest.raises(Rejected, match="hashtags"):
        fit_text(text, "", Limits(hashtags=len(HASHTAG.findall(first)) - 1), name="x")


def test_a_sentence_that_ends_in_a_hashtag_is_no_line_of_hashtags() -> None:
    """A word is not taken out of it."""
    with pytest.raises(Rejected):
        fit_text("pond\n\npainted in the #rain", "", Limits(characters=20), name="x")


def test_white_space_at_the_end_costs_nothing() -> None:
    """It is left out before anything else."""
    assert fit_text("pond\n\n#a  \r\n\n", "", Limits(characters=8), name="x").text == "pond\n\n#a"
    assert fit_text("  pond", "", Limits(), name="x").text == "  pond"
    assert fit_text("", "", Limits(characters=0), name="x").text == ""


def test_bytes_are_a_limit_too() -> None:
    """As UTF-8 has them."""
    text = "池\n\n#雨"
    assert fit_text(text, "", Limits(text_bytes=9), name="x").text == text
    assert fit_text(text, "", Limits(text_bytes=8), name="x").text == "池"
    with pytest.raises(Rejected, match="at most 2 bytes of text, and this text has 3"):
        fit_text(text, "", Limits(text_bytes=2), name="x")


def test_an_alt_text_is_taken_or_refused() -> None:
    """It is never shortened."""
    assert fit_text("a", "x" * 10, Limits(alt_characters=10), name="x").alt_text == "x" * 10
    with pytest.raises(Rejected, match="alt text of at most 10 characters, and this has 11"):
        fit_text("a", "x" * 11, Limits(alt_characters=10), name="x")


@pytest.mark.parametrize(
    "tag", ["#हिन्दी", "#கவிதை", "#หน้าหนาว", "#俳句", "#شعر", "#می‌خواهم", "#e\u0301t\u00e9", "\uff03tag", "#a1_"]
)
def test_hashtags_of_any_script(tag: str) -> None:
    """With their vowel signs, accents and joiners."""
    assert HASHTAG.fullmatch(tag)
    assert fit_text(f"pond\n\n#a {tag}", "", Limits(hashtags=1), name="x").dropped == (tag,)


def test_a_hashtag_may_begin_with_a_digit() -> None:
    """It counts, and is left out before anything else; whether digits alone are one is the platform's affair."""
    text = "pond\n\n#haiku #100DaysOfHaiku"
    fitted = fit_text(text, "", Limits(hashtags=1), name="x")
    assert (fitted.text, fitted.dropped) == ("pond\n\n#haiku", ("#100DaysOfHaiku",))
    assert fit_text(text, "", Limits(characters=13), name="x").text == "pond\n\n#haiku"
    digits = "pond\n\n#haiku #2024"
    assert fit_text(digits, "", Limits(hashtags=1), name="x").text == digits
    assert fit_text(digits, "", Limits(hashtags=1), name="x", hashtag=ANY_HASHTAG).dropped == ("#2024",)
    assert fit_text(digits, "", Limits(characters=13), name="x").dropped == ("#2024",)


@pytest.mark.parametrize("text", ["#1", "#", "# a", "#-", "#!a"])
def test_what_is_no_hashtag(text: str) -> None:
    """A number or a lone sign."""
    assert not HASHTAG.search(text)


def test_a_hostile_text_takes_no_time() -> None:
    """However many hashtags stand in it."""
    for text in ("pond\n\n" + "#a " * 3000, "#" * 50_000, "pond\n\n" + "#a" * 20_000 + " .", "\n" * 50_000):
        with pytest.raises(Rejected):
            fit_text(text + "x", "", Limits(characters=0), name="x")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("rain", 4),
        ("a\r\nb", 3),
        ("é", 1),
        ("e\u0301", 1),
        ("👩‍👩‍👧‍👦", 1),
        ("🇯🇵🇫🇷", 2),
        ("池の音", 3),
        ("\n\n", 2),
    ],
)
def test_a_cluster_counts_one(text: str, count: int) -> None:
    """However many code points it is made of."""
    assert graphemes(text) == count


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "regex", None)
    with pytest.raises(BackendMissing, match="pip install regex"):
        graphemes("池")
