"""The public pages, each as a function of its address: the running site and the export render the same ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auria_bot.domain.artwork import FILM
from auria_bot.domain.mood import MOODS
from auria_bot.errors import NotFound
from auria_bot.services.gallery.gallery import GalleryQuery
from auria_bot.services.gallery.index import FACETS
from auria_bot.services.gallery.lineage import models_used
from auria_bot.web.links import FACET_PATHS, artwork_path, facet_path, film_path, picture_path, reading_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auria_bot.services.gallery.gallery import Gallery, PublishedArtwork
    from auria_bot.services.gallery.lineage import CorpusVersions
    from auria_bot.services.gallery.picture_sizes import PictureSizes
    from auria_bot.services.gallery.readings import Readings
    from auria_bot.settings.web import WebSettings
    from auria_bot.web.rendering import Renderer, View

__all__ = ["Moved", "Site"]

_FACETS = {path: facet for facet, path in FACET_PATHS.items()}
_LISTING = re.compile(
    r"/(?:(?P<kind>(?!page/)[a-z]+)/(?P<value>[^/]{1,200}))?(?:(?(kind)/)page/(?P<number>[1-9][0-9]{0,5}))?"
)
_ARTWORK = re.compile(r"/artworks/(?P<id>[1-9][0-9]{0,17})(?:-[^/]*)?")
_SIMILAR = 4  # works shown under "more like this"


class Moved(Exception):
    """The page has another address."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Renders the public pages."""

    settings: WebSettings
    gallery: Gallery
    sizes: PictureSizes
    corpora: CorpusVersions
    readings: Readings
    renderer: Renderer

    def page(self, view: View) -> str:
        """The page of a view's path: a listing, an artwork, or the page to browse by.

        Raises:
            NotFound: there is no such page.
            Moved: it has another address.
        """
        if view.path == "/browse":
            return self._browse(view)
        if found := _ARTWORK.fullmatch(view.path):
            return self._artwork(view, int(found["id"]))
        if found := _LISTING.fullmatch(view.path):
            number = int(found["number"] or 1)
            if found["number"] == "1":
                raise Moved(view.path.removesuffix("page/1").rstrip("/") or "/")
            return self._listing(view, found["kind"] or "", found["value"] or "", number)
        raise NotFound(f"there is no page {view.path[:80]!r}")

    @staticmethod
    def has(path: str) -> bool:
        """Whether the path has the form of a page's."""
        if path == "/browse" or _ARTWORK.fullmatch(path):
            return True
        found = _LISTING.fullmatch(path)
        return found is not None and (not found["kind"] or found["kind"] in _FACETS)

    def search(self, view: View, query: GalleryQuery, number: int = 1) -> str:
        """The page of a search.

        Raises:
            NotFound: there is no such page of results.
            InputError: the text is too long.
        """
        found = None
        if not query.is_empty:
            found = self.gallery.page(query, number=number, size=self.settings.page_size)
        return self.renderer.page("search.html", view, query=query, found=found, facets=self.gallery.facets())

    def paths(self) -> Iterator[str]:
        """The path of every page except searches."""
        size = self.settings.page_size
        yield "/browse"
        yield from _numbered("", "", len(self.gallery.entries()), size)
        for facet, values in self.gallery.facets().items():
            for value, count in values.items():
                yield from _numbered(facet, value, count, size)
        for entry in self.gallery.entries():
            yield artwork_path(entry)

    def _listing(self, view: View, kind: str, value: str, number: int) -> str:
        facet = _FACETS.get(kind, "")
        if kind and (not facet or self._value(facet, value) is None):
            raise NotFound(f"there is no page {view.path[:80]!r}")
        value = self._value(facet, value) or "" if facet else ""
        query = GalleryQuery(**{facet: value}) if facet else GalleryQuery()
        found = self.gallery.page(query, number=number, size=self.settings.page_size)
        return self.renderer.page(
            "listing.html", view, facet=facet, value=value, name=self.name(view, facet, value), found=found
        )

    def _value(self, facet: str, shown: str) -> str | None:
        """The value that an address shows, where blanks are dashes; None if no artwork has it."""
        known = self.gallery.facets()[facet]
        return next((value for value in (shown, shown.replace("-", " ")) if value in known), None)

    def name(self, view: View, facet: str, value: str) -> str:
        """What a facet's value is called."""
        return self.gallery.style_title(value) if facet == "style" else view.language.name_of(facet, value)

    def _browse(self, view: View) -> str:
        facets = {
            facet: [(value, self.name(view, facet, value), count) for value, count in values.items()]
            for facet, values in ((facet, self.gallery.facets()[facet]) for facet in FACETS)
        }
        return self.renderer.page("browse.html", view, facets=facets, total=len(self.gallery.entries()))

    def _artwork(self, view: View, artwork_id: int) -> str:
        details = self.gallery.details(artwork_id, similar=_SIMILAR)
        work = details.work
        if view.path != artwork_path(work.entry):
            raise Moved(artwork_path(work.entry))
        newer, older = self.gallery.neighbours(artwork_id)
        return self.renderer.page(
            "artwork.html",
            view,
            work=work,
            newer=newer,
            older=older,
            similar=details.similar,
            posted=[post for post in details.posted if post.url.startswith(("https://", "http://"))],
            models=models_used(work.draft.artwork),
            corpus=self.corpora.of(work.draft.artwork),
            reading=reading.name if (reading := self.readings.find(work.draft.artwork.haiku)) else "",
            structured=self.structured(view, work),
            mood_known=work.entry.mood in MOODS,
        )

    def structured(self, view: View, work: PublishedArtwork) -> dict[str, Any]:
        """The artwork as schema.org describes one."""
        draft, (width, height) = work.draft, self.sizes.size(work.draft)
        address = view.absolute(artwork_path(work.entry))
        creator = {"@type": "Thing", "name": "Auria", "description": "A computer program that writes and paints"}
        film = draft.artwork.film
        described = {
            "@context": "https://schema.org",
            "@type": "VisualArtwork",
            "@id": address,
            "url": address,
            "name": draft.artwork.haiku.lines[0],
            "description": draft.alt_text,
            "creator": creator,
            "artform": "Digital painting",
            "dateCreated": draft.made_at.isoformat(),
            "datePublished": work.entry.published_at.isoformat(),
            "keywords": [work.entry.mood, *work.entry.subjects],
            "inLanguage": "en",
            "text": draft.artwork.haiku.text,
            "image": {
                "@type": "ImageObject",
                "contentUrl": view.absolute(picture_path(draft.id, width, "jpg")),
                "width": width,
                "height": height,
            },
        }
        if film is not None:
            described["artform"] = "Film"
            described["video"] = {
                "@type": "VideoObject",
                "name": draft.artwork.haiku.lines[0],
                "description": draft.alt_text,
                "contentUrl": view.absolute(film_path(draft.id, draft.artwork.files[FILM].name)),
                "thumbnailUrl": view.absolute(picture_path(draft.id, width, "jpg")),
                "uploadDate": work.entry.published_at.isoformat(),
                "duration": f"PT{film.seconds:g}S",
                "width": film.width,
                "height": film.height,
            }
        if (reading := self.readings.find(draft.artwork.haiku)) is not None:
            described["audio"] = {
                "@type": "AudioObject",
                "name": draft.artwork.haiku.lines[0],
                "contentUrl": view.absolute(reading_path(draft.id, reading.name)),
                "transcript": draft.artwork.haiku.text,
            }
        return described


def _numbered(facet: str, value: str, total: int, size: int) -> Iterator[str]:
    for number in range(1, max(1, -(-total // size)) + 1):
        yield facet_path(facet, value, number)
