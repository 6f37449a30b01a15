"""Tests of auria_bot.art.stylists.hands, with the bank that ships."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.stylists.hands import FAMILIES, TYPICAL, HandMeasures, family_of, hand_of, measure_hand, ranks
from auria_bot.art.stylists.style_bank import StyleBank

SHIPPED = Path(__file__).resolve().parents[4] / "models" / "styles"
BANK = StyleBank.load(SHIPPED)


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


def test_the_bank_s_card_counts_its_families() -> None:
    """Each with the number of its paintings."""
    card = " ".join((SHIPPED / "card.md").read_text(encoding="utf-8").split())
    count = Counter(family_of(painting.hand) for painting in BANK.paintings)
    assert (
        f"{count['dabs']} of the {len(BANK.paintings)} paint in dabs, {count['flowing']} in long flowing strokes, "
        f"{count['smooth']} smoothly, {count['chiaroscuro']} in dark smooth light and shade, {count['knife']} with a "
        f"palette knife, {count['dots']} in dots and {count['woodblock']} in flat areas with drawn outlines"
    ) in card


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


CHANCE = np.random.default_rng(0)


def picture(values: np.ndarray) -> Image.Image:
    """Grey from numbers of 0 to 255."""
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).convert("RGB")


def test_flat_grey_has_no_brushwork() -> None:
    """All is flat, nothing is dark, nothing is drawn."""
    found = measure_hand(picture(np.full((300, 240), 128)))
    assert found.flat == pytest.approx(1)
    assert found.finest == found.broad == found.outline == found.dark == 0


def test_stripes_are_coherent_and_noise_is_not() -> None:
    """The direction of strokes, and its turning."""
    stripes = measure_hand(picture(128 + 60 * np.sin(np.arange(300) / 2)[None].repeat(300, 0)))
    noise = measure_hand(picture(CHANCE.normal(128, 50, (300, 300))))
    assert stripes.coherence > 0.9
    assert noise.coherence < 0.5
    assert stripes.turning < 0.1 < noise.turning


def test_the_scale_of_texture_is_found() -> None:
    """Coarse noise is in the broad octaves, fine noise in the fine ones."""
    fine = measure_hand(picture(CHANCE.normal(128, 40, (480, 480))))
    few = Image.fromarray(CHANCE.normal(128, 40, (48, 48)).astype(np.float32))
    coarse = measure_hand(picture(np.asarray(few.resize((480, 480), Image.Resampling.BICUBIC))))
    assert fine.finest > fine.broad
    assert coarse.broad > coarse.finest


def test_dark_lines_are_outlines_and_light_ones_are_not() -> None:
    """On paper, which is counted too."""
    lines = np.full((300, 300), 230.0)
    lines[::20] = lines[1::20] = 20
    assert measure_hand(picture(lines)).outline > 0.05
    assert measure_hand(picture(250 - lines)).outline == 0
    assert measure_hand(picture(lines)).paper > 0.8


@pytest.mark.parametrize("size", [(8, 8), (8, 900), (2000, 30)])
def test_any_size_is_measured(size: tuple[int, int]) -> None:
    """All numbers are finite, and survive the trip through an array."""
    found = measure_hand(Image.effect_noise(size, 40).convert("RGB"))
    assert np.isfinite(found.values()).all()
    assert HandMeasures.of(found.values()) == found
    assert len(TYPICAL.values()) == 12
