"""The public routes: pages, searches, pictures and feeds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from auria_bot.domain.artwork import ArtworkFile
from auria_bot.errors import NotFound
from auria_bot.services.gallery.gallery import GalleryQuery
from auria_bot.services.gallery.index import FACETS
from auria_bot.services.gallery.picture_sizes import FORMATS, FORMER_WIDTHS
from auria_bot.web import feeds
from auria_bot.web.language import language_choice
from auria_bot.web.links import CANONICAL, READ, Number, picture_path
from auria_bot.web.rendering import HTML

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auria_bot.web.app import WebApp
    from auria_bot.web.rendering import View

__all__ = ["gallery_router"]

_PICTURE_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_SMALL = 64 * 1024  # bytes of a picture that is sent from memory
_MOST_MADE = 4096  # copies whose files are remembered


def gallery_router(web: WebApp) -> APIRouter:
    """The public routes."""
    router = APIRouter(include_in_schema=False, default_response_class=Response)
    _add_feeds(router, web)
    _add_files(router, web)

    @router.api_route("/search", methods=READ)
    def search(request: Request, q: str = "", page: Annotated[int, Query(ge=1, le=100_000), CANONICAL] = 1) -> Response:
        chosen = {facet: request.query_params.get(facet, "")[:200] for facet in FACETS}
        view = web.view(request)
        body = web.site.search(view, GalleryQuery(words=q, **chosen), page)
        return Response(body, media_type=HTML, headers={"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"})

    @router.api_route("/{path:path}", methods=READ)
    def public_page(request: Request) -> Response:
        path = request.url.path
        if (chosen := language_choice(request)) is not None:
            return chosen
        if path != "/" and path.endswith("/"):
            return RedirectResponse("/" + path.strip("/"), 301)
        return web.kept(request, path, HTML, web.site.page)

    return router


def _add_files(router: APIRouter, web: WebApp) -> None:
    """Pictures, films and readings, and the portrait."""
    made: dict[tuple[int, int, str], Path] = {}

    @router.api_route("/pictures/{artwork_id}/{width}.{suffix}", methods=READ)
    def picture(artwork_id: Number, width: Number, suffix: str) -> Response:
        web.site.gallery.require(artwork_id)
        file = made.get((artwork_id, width, suffix))  # a published picture never changes, but its copies may be deleted
        if file is None or not file.is_file():
            draft = web.site.gallery.work(artwork_id).draft
            if width in FORMER_WIDTHS and (nearest := web.site.sizes.nearest(draft, width)) != width:
                headers = _PICTURE_HEADERS | {"Cache-Control": "public, max-age=86400"}
                return RedirectResponse(picture_path(artwork_id, nearest, suffix), 301, headers=headers)
            file = web.site.sizes.file(draft, width, suffix)
            if len(made) >= _MOST_MADE:
                made.clear()
            made[artwork_id, width, suffix] = file
        if file.stat().st_size <= _SMALL:  # one look at the disk, where streaming takes several threads' turns
            return Response(file.read_bytes(), media_type=FORMATS[suffix], headers=_PICTURE_HEADERS)
        return FileResponse(file, media_type=FORMATS[suffix], headers=_PICTURE_HEADERS)

    @router.api_route("/portrait/{name}", methods=READ)
    def portrait(name: str) -> Response:
        file = web.services.portraits.require().file(name)
        headers = _PICTURE_HEADERS | {"Cache-Control": "public, max-age=3600"}
        return FileResponse(file, media_type=ArtworkFile.named(name).media_type, headers=headers)

    @router.api_route("/films/{artwork_id}.{suffix}", methods=READ)
    def film(artwork_id: Number, suffix: str) -> Response:
        file = web.site.sizes.film(web.site.gallery.work(artwork_id).draft)
        if file.suffix != f".{suffix}":
            raise NotFound(f"the film of artwork {artwork_id} is not offered as {suffix[:8]}")
        return FileResponse(file, media_type=ArtworkFile.named(file.name).media_type, headers=_PICTURE_HEADERS)

    @router.api_route("/readings/{artwork_id}.{suffix}", methods=READ)
    def reading(artwork_id: Number, suffix: str) -> Response:
        file = web.site.readings.find(web.site.gallery.work(artwork_id).draft.artwork.haiku)
        if file is None or file.suffix != f".{suffix}":
            raise NotFound(f"the poem of artwork {artwork_id} cannot be heard as {suffix[:8]}")
        headers = _PICTURE_HEADERS | {"Cache-Control": "public, max-age=3600"}
        return FileResponse(file, media_type=ArtworkFile.named(file.name).media_type, headers=headers)


def _add_feeds(router: APIRouter, web: WebApp) -> None:
    def document(path: str, media_type: str, render: Callable[[View], str | bytes]) -> None:
        def answer(request: Request) -> Response:
            return web.kept(request, path, media_type, render)

        router.add_api_route(path, answer, methods=READ)

    def as_json(value: dict[str, Any]) -> str:
        return json.dumps(value, ensure_ascii=False)

    document("/feed.xml", "application/atom+xml", lambda view: feeds.atom(web.site, view))
    document("/feed.json", "application/feed+json", lambda view: as_json(feeds.json_feed(web.site, view)))
    document("/sitemap.xml", "application/xml", lambda view: feeds.sitemap(web.site, view))
    document("/robots.txt", "text/plain; charset=utf-8", feeds.robots)

    @router.api_route("/oembed", methods=READ)
    def oembed(
        request: Request,
        url: str,
        format: str = "json",  # noqa: A002 - the protocol's name
        maxwidth: Number = 100_000,
        maxheight: Number = 100_000,
    ) -> Response:
        if format != "json":
            return PlainTextResponse("only the format json is offered\n", 501)
        if not url:
            raise NotFound("give the address of an artwork as `url`")
        found = feeds.oembed(web.site, web.view(request), url, most_width=maxwidth, most_height=maxheight)
        return JSONResponse(found, headers={"Access-Control-Allow-Origin": "*"})
