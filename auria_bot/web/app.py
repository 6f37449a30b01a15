"""The web application: its routes, what surrounds them, and how errors become pages."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request, cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Match
from starlette.staticfiles import StaticFiles

from auria_bot.errors import AuriaError, ModelServerBusy, SignInRequired, TooManyAttempts
from auria_bot.redaction import redacted
from auria_bot.web.api.problems import invalid_fields
from auria_bot.web.language import Language, available, find_language, negotiated
from auria_bot.web.links import READ
from auria_bot.web.metrics import RequestCounts, WebHealth
from auria_bot.web.middleware import RequestGuard, host_name
from auria_bot.web.page_cache import CachedPages, PageCache, Rendering, smaller
from auria_bot.web.pages.gallery import gallery_router
from auria_bot.web.pages.reference import reference_router
from auria_bot.web.pages.wall import wall_router
from auria_bot.web.rendering import HTML, Renderer, View, page_key
from auria_bot.web.runs import BackgroundRuns
from auria_bot.web.site import Moved, Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from auria_bot.bootstrap.application import Application
    from auria_bot.settings.captions import CaptionSettings

__all__ = ["WebApp", "create_app", "site_of"]

log = logging.getLogger(__name__)

_THREADS = 8
_PARTS = {
    "desk": "auria_bot.web.desk:desk_router",
    "studio": "auria_bot.web.pages.studio:studio_router",
    "captions": "auria_bot.web.pages.captions:captions_router",
}
"""The parts of the site that are made on first use, by the beginning of their paths."""
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebApp:
    """What the routes work with."""

    services: Application
    site: Site
    renderer: Renderer
    cache: PageCache
    runs: BackgroundRuns

    def view(self, request: Request, path: str | None = None) -> View:
        """How the page that a request asks for is written."""
        language = self.language(request.headers.get("accept-language", ""), request.headers.get("cookie", ""))
        return View(request.url.path if path is None else path, language, base=self.services.public_url)

    def kept(self, request: Request, path: str, media_type: str, render: Callable[[View], str | bytes]) -> Response:
        """A public page that is rendered once for all who ask for it in a language, until something is published."""
        view = self.view(request)
        return self.cache.answer(request, page_key(view.language, path), lambda: (render(view), media_type))

    def page(self, path: str, accepted: str, cookies: str) -> tuple[str, Rendering | None]:
        """What a page is kept under, and how it is rendered; None if its path is none of the site's pages.

        Args:
            path: of the page.
            accepted: the request's header Accept-Language.
            cookies: its header Cookie.
        """
        language = self.language(accepted, cookies)
        if not self.site.has(path):
            return page_key(language, path), None
        view = View(path, language, base=self.services.public_url)
        return page_key(language, path), lambda: (self.site.page(view), HTML)

    def language(self, accepted: str, cookies: str) -> Language:
        """The language of an answer: the one that was chosen in the footer, or the browser's.

        Args:
            accepted: the request's header Accept-Language.
            cookies: its header Cookie.
        """
        if "lang=" in cookies and (chosen := cookie_parser(cookies).get("lang", "")) in available():
            return find_language(chosen)
        return find_language(negotiated(accepted, default=find_language(self.services.settings.language).tag))


def site_of(services: Application) -> tuple[Site, Renderer]:
    """The public pages of an application, and what renders them."""
    renderer = Renderer(
        services.settings.web,
        services.picture_sizes,
        portrait=services.portraits.current,
        captions=services.settings.captions.page,
    )
    site = Site(
        settings=services.settings.web,
        gallery=services.gallery,
        sizes=services.picture_sizes,
        corpora=services.corpus_lineage,
        readings=services.readings,
        renderer=renderer,
    )
    return site, renderer


def create_app(services: Application) -> FastAPI:
    """The ASGI application of these services."""
    site, renderer = site_of(services)
    gallery, portraits, readings = site.gallery, services.portraits, services.readings

    def fresh_version() -> str | None:
        version = gallery.fresh_version
        return f"{version} {portraits.stamp} {readings.stamp}" if version is not None else None

    pages = PageCache(lambda: f"{gallery.version()} {portraits.stamp} {readings.stamp}", fresh_version=fresh_version)
    web = WebApp(services=services, site=site, renderer=renderer, cache=pages, runs=BackgroundRuns())
    counts = RequestCounts()
    app = FastAPI(title="Auria", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_few_threads)
    app.mount("/static", _StaticFiles(packages=[("auria_bot.web", "static")]))
    api = cache(partial(_made, "auria_bot.web.api.application:api_application", web))
    app.include_router(reference_router(web, lambda: api().openapi()))
    app.mount("/api/v1", _OnFirstUse(api))
    app.include_router(wall_router(web))
    app.include_router(gallery_router(web))  # its last route takes every path
    _handle_errors(app, web)
    names = [name for name in _PARTS if name != "captions" or services.settings.captions.page]
    app.state.parts = {name: cache(partial(_part, web, _PARTS[name])) for name in names}
    if services.settings.web.studio:
        app.state.parts["studio"]()  # goes on at once with what visitors asked for before
    app.add_middleware(_Parts, parts=app.state.parts)
    app.add_middleware(CachedPages, cache=pages, page=web.page)
    # Within the guard, which counts the answer and adds its headers; Starlette's own stands outside of it.
    app.add_middleware(ServerErrorMiddleware, handler=app.exception_handlers[Exception])
    address, public = host_name(services.settings.web.address), host_name(services.public_url.partition("://")[2])
    hosts = frozenset({*_LOOPBACK, public}) if address in _LOOPBACK else frozenset[str]()
    app.add_middleware(
        RequestGuard,
        is_secure=services.public_url.startswith("https://"),
        hosts=hosts,
        larger=_larger_bodies(services.settings.captions),
        counts=counts,
    )
    app.state.health = WebHealth(web, counts)
    app.state.site = site
    return app


def _part(web: WebApp, router: str) -> FastAPI:
    """The application of a part of the site; an unknown path is answered as everywhere."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(_made(router, web))
    app.include_router(gallery_router(web))
    _handle_errors(app, web)
    return app


def _made(place: str, web: WebApp) -> Any:
    """What a function of "MODULE:NAME" makes; the module is imported now, for it takes memory where nobody uses it."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)(web)


def _larger_bodies(captions: CaptionSettings) -> dict[str, int]:
    """The paths that take pictures, and the most bytes of a body there: the file, or its small copy in Base64."""
    picture, copy = captions.largest + 10_000, 700_000
    pictures = dict.fromkeys(("/captions", "/api/v1/captions", "/api/v1/styles"), picture)
    return {**pictures, "/captions/ratings": copy, "/api/v1/ratings": copy}


@contextlib.asynccontextmanager
async def _few_threads(_: FastAPI) -> AsyncIterator[None]:
    """Answer with a few threads: Python runs one at a time, and each keeps memory and a database connection."""
    to_thread.current_default_thread_limiter().total_tokens = _THREADS
    yield


def _handle_errors(app: FastAPI, web: WebApp) -> None:
    def shown(request: Request, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
        headers = {"Cache-Control": "no-store", **(headers or {})}
        if request.url.path.startswith(("/pictures/", "/static/")):
            return PlainTextResponse(message + "\n", status, headers=headers)
        reference = getattr(request.state, "request_id", "")
        body = web.renderer.page(
            "error.html",
            web.view(request),
            status=status,
            message=message,
            reference=reference if status >= 500 else "",
        )
        return HTMLResponse(body, status, headers=headers)

    @app.exception_handler(Moved)
    def moved(request: Request, error: Moved) -> Response:  # noqa: ARG001 - the signature is Starlette's
        return RedirectResponse(error.path, 301)

    @app.exception_handler(SignInRequired)
    def signed_out(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the signature is Starlette's
        return RedirectResponse("/desk/sign-in", 303, headers={"Cache-Control": "no-store"})

    @app.exception_handler(AuriaError)
    def expected(request: Request, error: AuriaError) -> Response:
        status = error.http_status
        if status >= 500:
            log.error("A request failed: %s", error)
        headers = {"Retry-After": str(error.seconds)} if isinstance(error, TooManyAttempts | ModelServerBusy) else {}
        return shown(request, status, redacted(str(error)) if status < 500 else "", headers)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods(app, request))
        return shown(request, error.status_code, str(error.detail), headers)

    @app.exception_handler(RequestValidationError)
    def malformed(request: Request, error: RequestValidationError) -> Response:
        found = invalid_fields(error)
        if found is None or request.method in {"GET", "HEAD"}:  # an address that names nothing
            return shown(request, 404, "")
        named = [f"{one['location'].removeprefix('body.')}: {one['message']}" for one in found[:3]]
        return shown(request, 422, f"The form cannot be used: {'; '.join(named)}.")

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        log.error("A request failed unexpectedly", exc_info=error)
        return shown(request, 500, "")


def _methods(app: FastAPI, request: Request) -> list[str]:
    """The methods that are allowed at a request's path."""
    if isinstance(request.scope.get("endpoint"), StaticFiles):  # what is left of its path may also be that of a route
        return READ
    scopes = {method: {**request.scope, "method": method} for method in ("GET", "HEAD", "POST")}
    return [name for name, scope in scopes.items() if any(one.matches(scope)[0] is Match.FULL for one in app.routes)]


class _OnFirstUse:
    """An application that is made when the first request to it arrives."""

    def __init__(self, made: Callable[[], ASGIApp]) -> None:
        self._made = made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._made()(scope, receive, send)


class _Parts:
    """Hands requests to the part of the site that their path begins with, made on first use, and others on."""

    def __init__(self, app: ASGIApp, *, parts: Mapping[str, Callable[[], ASGIApp]]) -> None:
        self._app, self._parts = app, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        made = self._parts.get(scope["path"].partition("/")[2].partition("/")[0]) if scope["type"] == "http" else None
        await (made() if made else self._app)(scope, receive, send)


class _StaticFiles(StaticFiles):
    """Files of the package, texts compressed; an address with a version is kept by browsers for a year."""

    def file_response(self, full_path: Any, stat_result: Any, scope: Scope, status_code: int = 200) -> Response:
        answer = super().file_response(full_path, stat_result, scope, status_code)
        is_text = str(full_path).endswith((".css", ".js", ".svg"))
        if is_text:
            answer.headers["etag"] = f"W/{answer.headers['etag']}"  # weak, because it is sent in two encodings
        if is_text and answer.status_code == 200:
            headers = {name: answer.headers[name] for name in ("content-type", "etag", "last-modified")}
            answer = smaller(Request(scope), Path(full_path).read_bytes(), headers)
        lasting = b"v=" in scope["query_string"] or str(full_path).endswith(".woff2")
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if lasting else "no-cache"
        return answer
