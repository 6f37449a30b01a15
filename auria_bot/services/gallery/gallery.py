"""The published artworks as visitors browse them: newest first, by mood, season, style, subject and year, or by words.

An index of all published artworks is kept in memory, about 700 bytes each, and brought up to date when a post goes
out; everything else is read from the database when it is shown.
"""

from __future__ import annotations

import re
import sys
import threading
import time
import unicodedata
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auria_bot.corpus.language.season_words import SEASONS, seasons_of
from auria_bot.domain.artwork import FILM, ArtworkFile, Haiku, Style, stored_name
from auria_bot.errors import InputError, NotFound
from auria_bot.services.gallery.subjects import SUBJECTS, subjects_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from auria_bot.domain.draft import Draft
    from auria_bot.store.drafts import Posted, PublishedRow
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = [
    "FACETS",
    "ArtworkDetails",
    "Card",
    "CardFilm",
    "Gallery",
    "GalleryEntry",
    "GalleryPage",
    "GalleryQuery",
    "PublishedArtwork",
    "folded",
    "slug",
]

FACETS: Final = ("mood", "season", "style", "subject", "year")
"""By what the gallery can be browsed."""

LONGEST_SEARCH = 100  # characters
_FRESH = 1.0  # seconds for which the index is taken as up to date
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
class GalleryQuery:
    """Which artworks are wanted; an empty field means any."""

    mood: str = ""
    season: str = ""
    style: str = ""
    subject: str = ""
    year: str = ""
    words: str = ""  # all of them must be contained

    @property
    def is_empty(self) -> bool:
        """Whether every artwork is wanted."""
        return not any((self.mood, self.season, self.style, self.subject, self.year, self.words.strip()))


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryPage:
    """One page of artworks, newest first."""

    number: int  # from 1
    count: int  # pages; at least 1
    total: int  # artworks on all pages
    works: tuple[Card, ...]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedArtwork:
    """A published artwork with everything that is shown of it."""

    entry: GalleryEntry
    draft: Draft

    @property
    def card(self) -> Card:
        """What is shown of it among others."""
        draft = self.draft
        file = draft.artwork.files["full"].name
        lines = draft.artwork.haiku.lines
        facts = draft.artwork.film
        film = CardFilm(file=draft.artwork.files[FILM], seconds=facts.seconds) if facts is not None else None
        return Card(entry=self.entry, lines=lines, alt_text=draft.alt_text, folder=draft.folder, file=file, film=film)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtworkDetails:
    """A published artwork with what its page shows beside it."""

    work: PublishedArtwork
    posted: Sequence[Posted]  # where, the first first
    similar: tuple[Card, ...]  # others of its mood, the newest first


class _KeptCards:
    """The cards that were asked for lately. Safe for use by several threads."""

    def __init__(self) -> None:
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
            while len(self._cards) > _MOST_CARDS:
                self._cards.popitem(last=False)


class _Index:
    """All published artworks at one time; it never changes, so that what is read of it fits together."""

    def __init__(self, entries: Sequence[GalleryEntry], signature: tuple[int, datetime | None] | None) -> None:
        """`signature` is the database's when the entries were read."""
        self.signature, self.version = signature, repr(signature)
        self.entries = tuple(sorted(entries, key=lambda entry: (entry.published_at, entry.id), reverse=True))
        self.places = {entry.id: place for place, entry in enumerate(self.entries)}
        self.by_facet = _grouped(self.entries)  # by facet and value, the newest first
        self.facets = {facet: _counted(self.by_facet, facet) for facet in FACETS}
        self.style_titles = {entry.style: entry.style_title for entry in self.entries}
        self.cards = _KeptCards()

    def place(self, artwork_id: int) -> int:
        """Where an artwork stands in `entries`.

        Raises:
            NotFound: there is none, or it is not published.
        """
        if (place := self.places.get(artwork_id)) is None:
            raise NotFound(f"there is no published artwork {artwork_id}")
        return place


class Gallery:
    """Finds published artworks. Safe for use by several threads."""

    def __init__(self, *, store: Store, zone: ZoneInfo, now: Callable[[], float] = time.monotonic) -> None:
        """`now` gives seconds that only grow."""
        self._store, self._zone, self._now = store, zone, now
        self._lock = threading.Lock()
        self._index = _Index((), None)
        self._subjects: dict[tuple[str, ...], tuple[str, ...]] = {}  # one tuple for all entries with the same ones
        self._checked = float("-inf")

    def version(self) -> str:
        """A value that changes with what is published; checked against the database once a second."""
        return self._current().version

    @property
    def fresh_version(self) -> str | None:
        """The same where it was checked within the last second, else None: it never waits for the database."""
        return self._index.version if self._now() - self._checked < _FRESH else None

    def entries(self, query: GalleryQuery | None = None) -> Sequence[GalleryEntry]:
        """The artworks that match, newest first.

        Raises:
            InputError: the search text is too long.
        """
        index = self._current()
        if query is None or query.is_empty:
            return index.entries
        if len(query.words) > LONGEST_SEARCH:
            raise InputError(
                f"the search text has {len(query.words)} characters; at most {LONGEST_SEARCH} are possible"
            )
        chosen = [index.by_facet.get((facet, value), ()) for facet in FACETS if (value := str(getattr(query, facet)))]
        found, *others = sorted(chosen, key=len) or [index.entries]
        for other in others:
            known = {entry.id for entry in other}
            found = tuple(entry for entry in found if entry.id in known)
        words = folded(query.words).split()
        return tuple(entry for entry in found if all(word in entry.words for word in words)) if words else found

    def page(self, query: GalleryQuery | None = None, *, number: int = 1, size: int = 24) -> GalleryPage:
        """One page of the artworks that match.

        Raises:
            NotFound: there is no such page.
            InputError: the search text is too long.
        """
        found = self.entries(query)
        count = max(1, -(-len(found) // size))
        if not 1 <= number <= count:
            raise NotFound(f"there is no page {number}; the last one is {count}")
        return GalleryPage(
            number=number, count=count, total=len(found), works=self.cards(found[(number - 1) * size :][:size])
        )

    def newest(self, count: int) -> tuple[Card, ...]:
        """The newest artworks."""
        return self.cards(self.entries()[:count])

    def work(self, artwork_id: int) -> PublishedArtwork:
        """One published artwork.

        Raises:
            NotFound: there is none, or it is not published.
        """
        index = self._current()
        with self._store.read() as unit:
            return _read_work(unit, index.entries[index.place(artwork_id)])

    def details(self, artwork_id: int, *, similar: int) -> ArtworkDetails:
        """An artwork with its posts and at most so many others of its mood.

        Raises:
            NotFound: there is none, or it is not published.
        """
        index = self._current()
        entry = index.entries[index.place(artwork_id)]
        of_mood = index.by_facet.get(("mood", entry.mood), ())[: similar + 1]
        with self._store.read() as unit:
            return ArtworkDetails(
                work=_read_work(unit, entry),
                posted=unit.published.posted(artwork_id),
                similar=_read_cards(unit, index, [other for other in of_mood if other.id != artwork_id][:similar]),
            )

    def neighbours(self, artwork_id: int) -> tuple[GalleryEntry | None, GalleryEntry | None]:
        """The next newer and the next older artwork.

        Raises:
            NotFound: there is no such artwork.
        """
        index = self._current()
        entries, place = index.entries, index.place(artwork_id)
        newer = entries[place - 1] if place else None
        return newer, entries[place + 1] if place + 1 < len(entries) else None

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """The values of each of FACETS with their number of artworks, in the order in which they are offered."""
        return self._current().facets

    def style_title(self, key: str) -> str:
        """The title of a painting that an artwork was restyled after; its key if there is none."""
        return self._current().style_titles.get(key, key)

    def works(self, entries: Sequence[GalleryEntry]) -> tuple[PublishedArtwork, ...]:
        """The artworks of these entries; those that are gone meanwhile are left out."""
        with self._store.read() as unit:
            drafts = unit.drafts.get_many([entry.id for entry in entries])
        return tuple(PublishedArtwork(entry=entry, draft=drafts[entry.id]) for entry in entries if entry.id in drafts)

    def cards(self, entries: Sequence[GalleryEntry]) -> tuple[Card, ...]:
        """What is shown of the artworks of these entries; those that are gone meanwhile are left out."""
        with self._store.read() as unit:
            return _read_cards(unit, self._index, entries)

    def _current(self) -> _Index:
        """The index, brought up to date with the database where it was not looked at for a while."""
        with self._lock:
            if self._now() - self._checked >= _FRESH:
                self._refresh()
            return self._index

    def _refresh(self) -> None:
        with self._store.read() as unit:
            signature = unit.published.signature()
            if signature != self._index.signature:
                dates = unit.published.dates()
                kept = {entry.id: entry for entry in self._index.entries if dates.get(entry.id) == entry.published_at}
                new = unit.published.rows(dates.keys() - kept.keys())
                fresh = [self._indexed(row, dates[row.draft_id]) for row in new]
                self._index = _Index([*kept.values(), *fresh], signature)
        self._checked = self._now()

    def _indexed(self, row: PublishedRow, published_at: datetime) -> GalleryEntry:
        haiku, style = Haiku.from_json(row.artwork["haiku"]), Style(**row.artwork["style"])
        shared = sys.intern  # the same few names stand in every entry
        return GalleryEntry(
            id=row.draft_id,
            published_at=published_at,
            mood=shared(row.mood),
            season=shared(next(iter(seasons_of(haiku.lines)), "")),
            style=shared(style.key),
            style_title=shared(style.title),
            subjects=self._subjects.setdefault(found := subjects_of(row.alt_text), found),
            year=shared(f"{published_at.astimezone(self._zone):%Y}"),
            words=folded(f"{haiku.text}\n{row.artwork.get('theme') or ''}"),
        )


def _read_work(unit: Unit, entry: GalleryEntry) -> PublishedArtwork:
    draft = unit.drafts.get_many([entry.id]).get(entry.id)
    if draft is None:
        raise NotFound(f"there is no published artwork {entry.id} any more")
    return PublishedArtwork(entry=entry, draft=draft)


def _read_cards(unit: Unit, index: _Index, entries: Sequence[GalleryEntry]) -> tuple[Card, ...]:
    """The cards of these entries, in their order; the latest are kept with the index."""
    found = index.cards.find(entry.id for entry in entries)
    missing = {entry.id: entry for entry in entries if entry.id not in found}
    read = {
        row.draft_id: Card(
            entry=missing[row.draft_id],
            lines=Haiku.from_json(row.artwork["haiku"]).lines,
            alt_text=row.alt_text,
            folder=row.folder,
            file=stored_name(row.artwork, "full"),
            film=CardFilm.of(row.artwork),
        )
        for row in unit.published.rows(missing)
    }
    index.cards.keep(read)
    found |= read
    return tuple(found[entry.id] for entry in entries if entry.id in found)


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
