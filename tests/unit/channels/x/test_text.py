"""How X counts, links and shows a text."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auria_bot.channels.x import text as text_module
from auria_bot.channels.x.text import forbidden_characters, same_text, web_addresses, weighted_length
from auria_bot.errors import BackendMissing


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("first snow\nthe pond keeps\none star", 34),
        ("caf\u00e9", 4),
        ("cafe\u0301", 4),
        ("\u2014\u2013\u2026\u201c\u201d\u2018\u2019", 8),  # all but the ellipsis weigh 1
        ("\u2022", 2),
        ("\u20ac", 2),
        ("\u10ff", 1),
        ("\u1100", 2),
        ("俳句", 4),
        ("古池や蛙飛びこむ水の音", 22),
        ("\u200d", 1),
        ("\u2028", 2),
        ("\U0001f327", 2),
        ("\u2764", 2),
        ("\u2764\ufe0f", 2),
        ("\u2614\ufe0f", 2),
        ("\U0001f44d\U0001f3fd", 2),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", 2),
        ("\U0001f3f3\ufe0f\u200d\U0001f308", 2),
        ("\U0001f1ef\U0001f1f5", 2),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 2),
        ("1\ufe0f\u20e3", 2),
        ("\xa9", 1),
        ("\xa9\ufe0f", 2),
        ("H\U0001f431\u263a\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", 7),
        ("see https://example.org/a/very/long/path?with=a&query=too#part now", 31),
        ("http://t.co/x", 23),
        ("example.org", 23),
        ("日本.jp", 7),
        ("\u2026and.so", 25),
    ],
)
def test_lengths_are_those_of_xs_own_library(text: str, length: int) -> None:
    """Each of these was counted by twitter-text 3.1."""
    assert weighted_length(text) == length


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("rain at dusk.The moon", ()),
        ("1.5 m of snow... and so on", ()),
        ("half.moon.rise", ()),
        ("me@example.org @example.org #night.love", ()),
        ("night.love", ("night.love",)),
        ("at 3.am", ("3.am",)),
        ("(https://Example.ORG/a_(b)), www.example.co.uk.", ("https://Example.ORG/a_(b", "www.example.co.uk")),
        ("https://例え.jp/p and https://no.such-ending", ("https://例え.jp/p",)),
        ("sub_domain.example.org and x_y.com", ("sub_domain.example.org",)),
    ],
)
def test_web_addresses_are_what_x_would_link(text: str, found: tuple[str, ...]) -> None:
    """With a scheme or bare, where the ending is a top-level domain that there is."""
    assert web_addresses(text) == found


def test_characters_that_x_never_takes_are_found() -> None:
    """A byte-order mark is one."""
    assert forbidden_characters("rain\ufeff")
    assert not forbidden_characters("rain\u200b — 雨")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("rain & <wind>\n\nnight", "rain &amp; &lt;wind&gt;\n\nnight https://t.co/AbC123xyz9"),
        ("cafe\u0301  night\n", "caf\u00e9 night https://t.co/AbC123xyz9"),
        ("see https://example.org/long", "see https://t.co/abcdefghij https://t.co/AbC123xyz9"),
        ("a &amp; b", "a &amp;amp; b"),
    ],
)
def test_a_text_is_known_as_x_shows_it(sent: str, shown: str) -> None:
    """Escaped, normalised, with shortened addresses and the picture's link."""
    assert same_text(sent, shown)


@pytest.mark.parametrize("shown", ["rain", "rain\nponds\nnight again", "rain\nponds https://t.co/AbC123xyz9", ""])
def test_another_text_is_not_taken_for_it(shown: str) -> None:
    """Neither a part nor a longer text."""
    assert not same_text("rain\nponds\nnight", shown)


@given(st.lists(st.tuples(st.sampled_from("ab éжא-—'\n"), st.sampled_from("雨の🌧한")), max_size=150))
def test_a_length_is_the_sum_of_its_characters(pairs: list[tuple[str, str]]) -> None:
    """One for each light character, two for each other one, in any order."""
    assert weighted_length("".join(light + heavy for light, heavy in pairs)) == 3 * len(pairs)


def test_without_regex_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package belongs to an extra."""
    text_module._patterns.cache_clear()
    monkeypatch.setitem(sys.modules, "regex", None)
    try:
        with pytest.raises(BackendMissing, match=r"pip install 'auria-bot\[x\]'"):
            weighted_length("rain")
    finally:
        text_module._patterns.cache_clear()


@pytest.mark.parametrize(
    "atom", ["1.", "a-", "-.", "example.org ", "https://example.org/a ", "http://a_", "a" * 70 + "."], ids=str
)
def test_no_text_makes_the_search_for_addresses_slow(atom: str):
    """A hundred thousand characters are read at once; with work that grows by the square this would not end."""
    text = (atom * (100_000 // len(atom) + 1))[:100_000]
    assert all(address in text for address in set(web_addresses(text)))


def test_spans_are_searched_once_for_each_kind(monkeypatch: pytest.MonkeyPatch):
    """Not anew after every address of the other kind."""
    calls: list[int] = []
    real = text_module._next
    monkeypatch.setattr(text_module, "_next", lambda *given: calls.append(1) or real(*given))
    assert len(web_addresses("example.org " * 50)) == 50
    assert len(calls) == 52


def test_a_label_longer_than_a_domain_allows_is_no_address():
    """63 characters are the most."""
    assert web_addresses(f"{'a' * 63}.org") == (f"{'a' * 63}.org",)
    assert web_addresses(f"{'a' * 64}.org") == ()
