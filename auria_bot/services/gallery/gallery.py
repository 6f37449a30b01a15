"""The published artworks as visitors browse them: newest first, by mood, season, style, subject and year, or by words.

An index of all published artworks is kept in memory, about 700 bytes each, and brought up to date when a post goes
out; everything else is read from the database when it is shown.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.corpus.language.season_words import seasons_of
from auria_bot.domain.artwork import FILM, Haiku, Style, stored_name
from auria_bot.errors import InputError, NotFound
from auria_bot.services.gallery.index import FACETS, Card, CardFilm, GalleryEntry, GalleryIndex, folded
from auria_bot.services.gallery.subjects import subjects_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from auria_bot.domain.draft import Draft
    from auria_bot.store.drafts import Posted, PublishedRow
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = ["ArtworkDetails", "Gallery", "GalleryPage", "GalleryQuery", "PublishedArtwork"]

LONGEST_SEARCH = 100  # characters
_FRESH = 1.0  # seconds for which the index is taken as up to date


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


class Gallery:
    """Finds published artworks. Safe for use by several threads."""

    def __init__(self, *, store: Store, zone: ZoneInfo, now: Callable[[], float] = time.monotonic) -> None:
        """`now` gives seconds that only grow."""
        self._store, self._zone, self._now = store, zone, now
        self._lock = threading.Lock()
        self._index = GalleryIndex((), None)
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

    def require(self, artwork_id: int) -> None:
        """Check that an artwork is published.

        Raises:
            NotFound: it is not, or there is none.
        """
        self._current().place(artwork_id)

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

    def _current(self) -> GalleryIndex:
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
                self._index = GalleryIndex([*kept.values(), *fresh], signature)
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


def _read_cards(unit: Unit, index: GalleryIndex, entries: Sequence[GalleryEntry]) -> tuple[Card, ...]:
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
