"""The index of the published artworks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.services.gallery.index import KeptCards, folded, slug
from tests.exhibited import exhibited

if TYPE_CHECKING:
    from pathlib import Path


def test_addresses_are_made_of_plain_letters() -> None:
    """The number alone decides; words are for people."""
    assert slug(12, "Ünter — <b>the</b> moon!") == "12-unter-b-the-b-moon"
    assert slug(3, "ネコ") == "3"
    assert len(slug(1, "very long line " * 20)) <= 62
    assert (folded("ÉLAN"), folded("Plain")) == ("elan", "plain")


def test_the_cards_asked_for_lately_are_kept(tmp_path: Path) -> None:
    """Those that were not asked for longest give way; what is kept stays the same object."""
    cards = {card.entry.id: card for card in exhibited(tmp_path, 3).gallery.newest(3)}
    kept = KeptCards(most=2)
    for number in (1, 2):
        kept.keep({number: cards[number]})
    assert kept.find([1])[1] is cards[1]
    kept.keep({3: cards[3]})
    assert kept.find([1, 2, 3]) == {1: cards[1], 3: cards[3]}
