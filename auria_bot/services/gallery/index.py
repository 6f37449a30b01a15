"""The index of the published artworks, which is kept in memory: about 700 bytes each."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auria_bot.corpus.language.season_words import SEASONS
from auria_bot.domain.artwork import FILM, ArtworkFile
from auria_bot.errors import NotFound
from auria_bot.services.gallery.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

__all__ = ["FACETS", "Card", "CardFilm", "GalleryEntry", "GalleryIndex", "KeptCards", "folded", "slug"]

FACETS: Final = ("mood", "season", "style", "subject", "year")
"""By what the gallery can be browsed."""

_SLUG_LENGTH = 60
_MOST_CARDS = 512  # kept with an index


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryEntry:
    """A published artwork in the index."""

    id: int  # its draft's
    published_at: datetime  # when it was first out; aware, UTC
    mood: str
    season: str  # by the poem's season words; "" if it has none
    style: str  # the painting's key
    style_title: str
    subjects: tuple[str, ...]
    year: str  # in the operator's time zone
    words: str  # of the poem and the theme, folded for search

    @property
    def slug(self) -> str:
        """The last part of its address: the id and the poem's first line."""
        return slug(self.id, self.words.partition("\n")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFilm:
    """The film of an artwork among others."""

    file: ArtworkFile
    seconds: float

    @classmethod
    def of(cls, artwork: Mapping[str, Any]) -> CardFilm | None:
        """Read it from a stored artwork; None for a picture."""
        film = artwork.get("film")
        return cls(file=ArtworkFile(**artwork["files"][FILM]), seconds=float(film["seconds"])) if film else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is shown of a published artwork among others."""

    entry: GalleryEntry
    lines: tuple[str, ...]  # of the poem
    alt_text: str
    folder: str  # of its pictures
    file: str  # the name of the largest one
    film: CardFilm | None = None  # None: a picture


class KeptCards:
    """The cards that were asked for lately. Safe for use by several threads."""

    def __init__(self, most: int = _MOST_CARDS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._cards: OrderedDict[int, Card] = OrderedDict()

    def find(self, ids: Iterable[int]) -> dict[int, Card]:
        """Those of these that are kept, by id."""
        with self._lock:
            found = {each: self._cards[each] for each in ids if each in self._cards}
            for each in found:
                self._cards.move_to_end(each)
        return found

    def keep(self, cards: Mapping[int, Card]) -> None:
        """Keep these, by id, in place of those that were not asked for longest."""
        with self._lock:
            for each, card in cards.items():
                self._cards.setdefault(each, card)
            while len(self._cards) > self._most:
                self._cards.popitem(last=False)


class GalleryIndex:
    """All published artworks at one time; it never changes, so that what is read of it fits together."""

    def __init__(self, entries: Sequence[GalleryEntry], signature: tuple[int, datetime | None] | None) -> None:
        """`signature` is the database's when the entries were read."""
        self.signature, self.version = signature, repr(signature)
        self.entries = tuple(sorted(entries, key=lambda entry: (entry.published_at, entry.id), reverse=True))
        self.places = {entry.id: place for place, entry in enumerate(self.entries)}
        self.by_facet = _grouped(self.entries)  # by facet and value, the newest first
        self.facets = {facet: _counted(self.by_facet, facet) for facet in FACETS}
        self.style_titles = {entry.style: entry.style_title for entry in self.entries}
        self.cards = KeptCards()

    def place(self, artwork_id: int) -> int:
        """Where an artwork stands in `entries`.

        Raises:
            NotFound: there is none, or it is not published.
        """
        if (place := self.places.get(artwork_id)) is None:
            raise NotFound(f"there is no published artwork {artwork_id}")
        return place


def folded(text: str) -> str:
    """A text for comparison: without case and accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def slug(artwork_id: int, line: str) -> str:
    """The last part of an artwork's address, such as "12-the-silent-forest"."""
    words = re.sub(r"[^a-z0-9]+", "-", folded(line)).strip("-")[:_SLUG_LENGTH].rstrip("-")
    return f"{artwork_id}-{words}" if words else str(artwork_id)


def _grouped(entries: Sequence[GalleryEntry]) -> dict[tuple[str, str], tuple[GalleryEntry, ...]]:
    """The artworks with each value of each facet, in the given order."""
    groups: defaultdict[tuple[str, str], list[GalleryEntry]] = defaultdict(list)
    for entry in entries:
        values = {"mood": entry.mood, "season": entry.season, "style": entry.style, "year": entry.year}
        for facet, value in (*values.items(), *(("subject", subject) for subject in entry.subjects)):
            if value:
                groups[facet, value].append(entry)
    return {key: tuple(group) for key, group in groups.items()}


def _counted(groups: Mapping[tuple[str, str], Sequence[GalleryEntry]], facet: str) -> dict[str, int]:
    """The values of a facet with their number of artworks, in the order in which they are offered."""
    counts = {value: len(group) for (of, value), group in groups.items() if of == facet}
    if facet == "year":
        return dict(sorted(counts.items(), reverse=True))
    order = {"season": SEASONS, "subject": tuple(SUBJECTS)}.get(facet)
    if order is not None:
        return {value: counts[value] for value in order if value in counts}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
