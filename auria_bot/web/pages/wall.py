"""The exhibition: a full-screen page for a screen or a projector in a room, which shows one artwork after the other.

Films are shown without their sound.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.web.links import READ, film_path
from auria_bot.web.rendering import HTML

if TYPE_CHECKING:
    from auria_bot.services.gallery.index import Card
    from auria_bot.web.app import WebApp
    from auria_bot.web.rendering import View

__all__ = ["wall_router"]

_NEWEST = 40  # artworks that take turns


def wall_router(web: WebApp) -> APIRouter:
    """The routes of the exhibition."""
    router = APIRouter(prefix="/wall", include_in_schema=False, default_response_class=Response)

    @router.api_route("", methods=READ)
    def wall(request: Request) -> Response:
        def render(view: View) -> str:
            works = web.site.gallery.newest(1)
            return web.renderer.page("wall.html", view, work=works[0] if works else None)

        return web.kept(request, "/wall", HTML, render)

    @router.api_route("/works.json", methods=READ)
    def works(request: Request) -> Response:
        def render(view: View) -> str:
            found = [_shown(web, view, work) for work in web.site.gallery.newest(_NEWEST)]
            return json.dumps({"works": found}, ensure_ascii=False)

        return web.kept(request, "/wall/works.json", "application/json", render)

    @router.api_route("/worker.js", methods=READ)
    def worker() -> Response:
        script = resources.files("auria_bot.web").joinpath("static", "wall-worker.js").read_bytes()
        headers = {"Service-Worker-Allowed": "/wall", "Cache-Control": "no-cache"}
        return Response(script, media_type="text/javascript", headers=headers)

    return router


def _shown(web: WebApp, view: View, work: Card) -> dict[str, Any]:
    """What the wall shows of an artwork."""
    picture = web.renderer.picture(view, work)
    return {
        "id": work.entry.id,
        "lines": list(work.lines),
        "alt": work.alt_text,
        "mood": view.language.name_of("mood", work.entry.mood),
        "date": view.language.date(work.entry.published_at),
        "width": picture.width,
        "height": picture.height,
        "widths": list(picture.widths),
        "film": film_path(work.entry.id, work.film.file.name) if work.film else "",
    }
