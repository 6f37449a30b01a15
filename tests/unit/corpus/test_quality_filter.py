"""Each reason for leaving a poem out is found where it holds, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auria_bot.corpus.quality_filter import FORMER_REASONS, REASONS, FilterRules, judge

GOOD = [
    ("an old silent pond", "a frog jumps into the pond", "the splash of water"),
    ("persimmons", "their roundness softens", "rice stubble"),
    ("curved", "on the ground lens", "a wind-swept pine"),
    ("New England living", "Mass to Maine, mountains and plains", "snow, grass, sand, and leaves"),
    ("to end my life's work", "in a garden full of light", "with one more green bean"),
    ("the noise of thunder", "a dog barks at the window", "the last train is gone"),
    ("Zeus is drunk again", "thunder banging at my door", "awake at midnight"),
    ("I want to live here", "killing time beside the stream", "until the leaves turn"),
    ("sitting on a train", "people I knew in past lives", "walk by to the john"),
    ("winter in Hong Kong", "a pilgrim at the register", "pays for the last pear"),
    ("her warm hand in mine", "and then the sudden sharp prick", "of a hidden thorn"),
    ("I subscribe to snow", "to its slow and quiet news", "falling on the hills"),
    ("smoke stacks in their mouths", "tobacco noose around necks", "courting the reaper"),
    ("University:", "Autocannibalism", "inevitable"),
    ("CAPE COD", "my coffee going cold", "beside the open sea"),
]


@pytest.mark.parametrize("lines", GOOD)
def test_good_poems_pass(lines):
    """Words of nature, hyphens, places, one line in capitals."""
    assert judge(lines) == ""


@pytest.mark.parametrize(
    ("reason", "lines"),
    [
        ("hidden characters", ("a pond\u202e in the woods", "a frog", "the water")),
        ("language", ("der fallende schnee", "schmilzt in sekundenschnelle", "Wie der Kindheitstraum")),
        ("language", ("C'est une vie parfaite", "Les jours passent", "O, mort, viens pour moi")),
        ("language", ("the winds of autumn", "brought gifts a thousand miles", "紅葉落ちた")),
        ("language", ("古池や", "蛙飛び込む", "水の音")),
        ("quality", ("COVER THE WINDOW", "WITH PAPER FROM THE SHREDDER", "AND CRACK IT OPEN")),
        ("quality", ("noooooooo way", "the train is gone again", "without me on it")),
        ("quality", ("1 2 3 4 5", "6 7 8 9 10 11 12", "snow on the window")),
        ("quality", ("%%% snow ###", "$$$ falls on the hill ***", "^^^ and then it stops")),
        ("repetition", ("duck duck duck duck duck", "duck duck duck duck duck duck duck", "duck duck goose again")),
        ("repetition", ("the rain", "the rain", "The rain!")),
        ("advertising", ("read more of my verse", "see www.example.com", "for the winter moon")),
        ("self-harm", ("the wind in the barn", "I tie the noose a last time", "and the swallows leave")),
        ("self-harm", ("cold october rain", "the noose around my neck holds", "the end of summer")),
        ("advertising", ("snow on the mountain", "like and subscribe for more snow", "for the winter moon")),
        ("advertising", ("snow on the mountain", "please subscribe and follow me", "for the winter moon")),
        ("self-harm", ("nobody is home", "tonight I will kill myself", "the moon does not care")),
        ("self-harm", ("this is not easy", "no one cares about the end", "please just end my life")),
        ("self-harm", ("this is not easy", "tonight I will end my life.", "no one cares at all")),
        ("self-harm", ("this is not easy", "shall I end it all, or not", "no one cares at all")),
        ("profanity", ("the rain is falling", "on this fucking parking lot", "and I have no coat")),
        ("profanity", ("thick pancakes", "every fucken day", "applesauce")),
        ("profanity", ("the rain is falling", "on this sh1t parking lot", "and I have no coat")),
        ("contact data", ("the winter evening", "write to ria@example.org", "about the first snow")),
        ("contact data", ("the winter evening", "thank you for this u/poet_77", "and for the first snow")),
        ("contact data", ("the winter evening", "call me 555 123 4567", "and tell me of snow")),
        ("name of a person", ("the winter evening", "Jennifer is walking home", "through the falling snow")),
        ("name of a person", ("when Che Guevara", "opened a massage parlour", "he called it the moon")),
        ("about itself", ("haikus are easy", "but sometimes they make no sense", "refrigerator")),
        ("about itself", ("writing an essay", "or should I go on Reddit", "before the snow falls")),
    ],
)
def test_each_reason_is_found(reason, lines):
    """By the first rule that holds."""
    assert judge(lines) == reason
    assert reason in REASONS


def test_every_reason_has_an_example_above():
    """So that none can be lost unnoticed."""
    mark = test_each_reason_is_found.pytestmark[0]
    assert {reason for reason, _ in mark.args[1]} == set(REASONS)


def test_former_reasons_lead_to_those_of_today():
    """A database of an earlier version may hold one that is no longer given."""
    assert not FORMER_REASONS.keys() & REASONS.keys()
    assert {reason for now in FORMER_REASONS.values() for reason in now} <= REASONS.keys()


def test_thresholds_are_the_operators():
    """Allowed words pass, names when they are let, and each share moves its rule."""
    coarse = ("the rain is falling", "on this damn parking lot", "and I have no coat")
    assert judge(coarse) == "profanity"
    assert judge(coarse, FilterRules(allow=frozenset({"damn"}))) == ""
    named = ("the winter evening", "Jennifer is walking home", "through the falling snow")
    assert judge(named, FilterRules(names=True)) == ""
    assert judge(named, FilterRules(allow=frozenset({"jennifer"}))) == ""
    itself = ("haiku are easy", "but sometimes they make no sense", "refrigerator")
    assert judge(itself, FilterRules(allow=frozenset({"haiku"}))) == ""
    loud = ("SNOW ON the mountain", "FALLING THROUGH the evening light", "and I am AT HOME")
    assert judge(loud) == ""
    assert judge(loud, FilterRules(most_capitals=0.3)) == "quality"
    again = ("rain rain on the roof", "rain on the garden and rain", "on the old lantern")
    assert judge(again) == ""
    assert judge(again, FilterRules(most_repeated=0.2)) == "repetition"
    marked = ("snow = snow = snow", "the hill + the evening", "and then it stops")
    assert judge(marked) == ""
    assert judge(marked, FilterRules(most_odd=0.01)) == "quality"
    invented = ("the brillig toves and", "the slithy gyres in the wabe", "were on the mountain")
    assert judge(invented) == ""
    assert (
        judge(invented, FilterRules(least_english=0.9)) == ""
    )  # common words vouch for the rest while half of it is known
    assert judge(("brillig toves and slith", "gyres gimbled wabe", "momes outgrabe"), FilterRules()) == "language"


@given(st.lists(st.text(max_size=60), min_size=3, max_size=3))
def test_no_text_is_too_strange_to_be_judged(lines):
    """The answer is always a reason or none."""
    assert judge(lines) in {"", *REASONS}


@pytest.mark.parametrize("atom", ["_", "a-", "a.", "a@", "1 ", "-.", "@ ", "the "], ids=repr)
def test_no_poem_makes_the_filter_slow(atom: str):
    """A hundred thousand characters in a line are judged; with work that grows by the square this would not end."""
    assert judge(("x" + atom * (100_000 // len(atom)), "y", "z")) in {"", *REASONS}


@pytest.mark.parametrize("text", ["a@b.c", "first.last+tag@sub.example.org", "_@x-y.de"])
def test_an_address_is_found_by_the_characters_around_its_sign(text: str):
    """Whatever stands before them."""
    assert judge(("an old silent pond", f"write to {text} now", "splash! silence again")) == "contact data"
