"""Tests of auria_bot.art.stylists.hands, with the bank that ships."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from auria_bot.art.stylists.hand_measures import TYPICAL
from auria_bot.art.stylists.hands import FAMILIES, family_of, hand_of, ranks
from auria_bot.art.stylists.style_bank import StyleBank

BANK = StyleBank.load(Path(__file__).resolve().parents[4] / "models" / "styles")


@pytest.mark.parametrize(
    ("words", "family"),
    [
        ("the starry night", "flowing"),
        ("the scream", "flowing"),
        ("great wave", "woodblock"),
        ("tama river", "woodblock"),
        ("mistress and maid", "chiaroscuro"),
        ("moonlit night on the dnieper", "chiaroscuro"),
        ("ninth wave", "smooth"),
        ("grande jatte", "dots"),
        ("boy in the red vest", "knife"),
        ("hunters in the snow", "dabs"),
    ],
)
def test_families_come_out_of_the_measures(words: str, family: str) -> None:
    """Masters whom everybody knows are in the family where one expects them."""
    assert family_of(BANK.find(words).hand) == family


def test_every_family_has_masters() -> None:
    """And no family has most of them."""
    found = [family_of(painting.hand) for painting in BANK.paintings]
    assert set(found) == set(FAMILIES)
    assert max(found.count(family) for family in FAMILIES) < 0.5 * len(found)


def test_hands_stay_in_their_ranges() -> None:
    """For every painting of the bank."""
    for hand in (hand_of(painting.hand) for painting in BANK.paintings):
        assert 5.9 <= hand.width <= 34
        assert 1 <= hand.length <= 9
        for share in (hand.cover, hand.opacity, hand.bristles, hand.roundness, hand.blend, hand.contour, hand.flat):
            assert 0 <= share <= 1


def test_a_typical_painting_ranks_in_the_middle() -> None:
    """And one beyond every other at the end."""
    assert all(abs(rank - 0.5) < 0.05 for rank in ranks(TYPICAL).values())
    assert ranks(replace(TYPICAL, tint=1000.0)).tint == 1.0


def test_more_coherent_strokes_are_longer_and_straighter() -> None:
    """More texture is covered with finer, livelier strokes."""
    calm, stirred = (hand_of(replace(TYPICAL, coherence=value)) for value in (0.4, 0.7))
    assert stirred.length > calm.length
    assert stirred.wander < calm.wander
    faint, strong = (hand_of(replace(TYPICAL, finest=v, fine=v, middle=v, broad=v)) for v in (1.3, 3.5))
    assert strong.broken > faint.broken
    assert strong.cover > faint.cover
