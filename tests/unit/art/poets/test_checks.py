import pytest

from auria_bot.art.poets.checks import faults, lines_of, usable_theme
from auria_bot.corpus.originality import CopyGuard
from auria_bot.domain.artwork import LONGEST_THEME
from auria_bot.errors import InputError, TextRejected

POEM = lines_of("still water tonight\nthe moon lies down on a leaf\nand does not wake it")


def test_a_good_poem_has_no_fault():
    """A 5-7-5 poem in good form passes."""
    assert faults(POEM, None) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("still water\nthe moon lies down on a leaf\nand does not wake it", "5-7-5"),
        ("still water and the\nmoon lies down upon a leaf\nand does not wake it", "breaks badly"),
        ("still water tonight\nthe moon lies down on a leaf\nstill water tonight", "repeats"),
        ("still water tonight\nthe fuck lies down on a leaf\nand does not wake it", "blocked"),
        ("still water tonight\nhere jennifer lies on leaves\nand does not wake it", "name"),
    ],
)
def test_faults_are_named(text, fault):
    """Each kind of fault is found and said."""
    assert any(fault in each for each in faults(lines_of(text), None))


def test_copies_are_faults():
    """A poem that the guard knows is dropped."""
    assert faults(POEM, CopyGuard(CopyGuard.build([POEM])))


@pytest.mark.parametrize(
    "theme",
    [
        "'; DROP TABLE drafts; --",
        "../../etc/passwd",
        "quantum flux-capacitors",
        "\N{CJK UNIFIED IDEOGRAPH-6708}",
        " first\n snow ",
        "O'Hara's ca\u0301fe",
    ],
)
def test_strange_themes_are_welcome(theme):
    """Quotes, slashes, new words and other scripts are read for their meaning."""
    assert usable_theme(theme)


@pytest.mark.parametrize("theme", [None, "", "  \n\t "])
def test_no_theme_is_none(theme):
    """Nothing but white space is no theme."""
    assert usable_theme(theme) is None


@pytest.mark.parametrize(
    "theme",
    ["x" * 10_000_000, "a" * (LONGEST_THEME + 1), "moon\N{RIGHT-TO-LEFT OVERRIDE}light", "a\x00b", "!?!", "12345"],
)
def test_unusable_themes_are_refused(theme):
    """Ten megabytes, hidden characters and themes without a word raise InputError with a short message."""
    with pytest.raises(InputError) as caught:
        usable_theme(theme)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("theme", ["a fucking storm", "see https://spam.example.com", "ask @someone"])
def test_themes_that_must_not_be_said_are_refused(theme):
    """Profanity, links and mentions raise TextRejected."""
    with pytest.raises(TextRejected):
        usable_theme(theme)
