"""Published artworks: the public gallery as data. No key is needed."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.domain.artwork import LONGEST_THEME
from auria_bot.domain.draft import LAST_ID
from auria_bot.services.gallery.gallery import LONGEST_SEARCH, GalleryQuery
from auria_bot.services.gallery.lineage import models_used
from auria_bot.web.api.answers import Cursor, Limit, Page, answer, cursor_of, cursor_values, page
from auria_bot.web.api.schemas import Artwork, ArtworkSummary, Picture
from auria_bot.web.links import CANONICAL, artwork_path, picture_path

if TYPE_CHECKING:
    from auria_bot.services.gallery.gallery import PublishedArtwork
    from auria_bot.services.gallery.index import GalleryEntry
    from auria_bot.web.api.access import Access
    from auria_bot.web.app import WebApp

__all__ = ["artworks_router"]

ArtworkId = Annotated[int, Path(ge=1, le=LAST_ID), CANONICAL]
_Facet = Annotated[str, Query(max_length=LONGEST_THEME)]


def artworks_router(web: WebApp, access: Access) -> APIRouter:
    """The routes of published artworks."""
    router = APIRouter(prefix="/artworks", tags=["artworks"], dependencies=[Depends(access.visitor)])
    gallery, base = web.services.gallery, web.services.public_url

    @router.get("", response_model=Page[ArtworkSummary])
    def list_artworks(
        request: Request,
        q: Annotated[str, Query(max_length=LONGEST_SEARCH, description="Words of the poem or the theme.")] = "",
        mood: _Facet = "",
        season: _Facet = "",
        style: _Facet = "",
        subject: _Facet = "",
        year: _Facet = "",
        limit: Limit = 20,
        cursor: Cursor = "",
    ) -> Response:
        """Published artworks, newest first."""
        wanted = GalleryQuery(words=q, mood=mood, season=season, style=style, subject=subject, year=year)
        entries = gallery.entries(wanted)
        place = cursor_values(cursor, (float, int))
        # The newest first: negated, so that the places after the cursor are found by bisection.
        begin = 0 if place is None else bisect_right(entries, (-place[0], -place[1]), key=_place)
        works = gallery.works(entries[begin : begin + limit + 1])
        found = page(
            works, limit, lambda work: ArtworkSummary(**_summary(web, base, work)), lambda work: _cursor(work.entry)
        )
        return answer(request, found, is_public=True)

    @router.get("/{artwork_id}", response_model=Artwork)
    def get_artwork(request: Request, artwork_id: ArtworkId) -> Response:
        """A published artwork and how it came about."""
        found = gallery.details(artwork_id, similar=0)
        work = found.work
        lineage: dict[str, Any] = {
            "seed": work.draft.artwork.seed,
            "corpus": web.services.corpus_lineage.of(work.draft.artwork),
            "models": [asdict(model) for model in models_used(work.draft.artwork)],
            "posts": [asdict(post) for post in found.posted],
        }
        return answer(request, Artwork(**_summary(web, base, work), **lineage), is_public=True)

    return router


def _place(entry: GalleryEntry) -> tuple[float, int]:
    return -entry.published_at.timestamp(), -entry.id


def _cursor(entry: GalleryEntry) -> str:
    return cursor_of(entry.published_at.timestamp(), entry.id)


def _summary(web: WebApp, base: str, work: PublishedArtwork) -> dict[str, Any]:
    draft, entry = work.draft, work.entry
    pictures = [
        Picture(url=base + picture_path(draft.id, width, "jpg"), width=width, media_type="image/jpeg")
        for width in web.services.picture_sizes.widths(draft)
    ]
    return {
        "id": draft.id,
        "url": base + artwork_path(entry),
        "haiku": list(draft.artwork.haiku.lines),
        "mood": entry.mood,
        "season": entry.season,
        "subjects": list(entry.subjects),
        "theme": draft.artwork.theme,
        "style": asdict(draft.artwork.style),
        "alt_text": draft.alt_text,
        "published_at": entry.published_at,
        "pictures": pictures,
    }
