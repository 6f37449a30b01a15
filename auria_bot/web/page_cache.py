"""Keeps rendered public pages, compressed, until something is published."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from auria_bot.errors import AuriaError
from auria_bot.web.site import Moved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["CachedPages", "KeptPage", "PageCache", "Rendering", "smaller"]

Rendering = Callable[[], tuple[str | bytes, str]]
"""Gives a page's body and media type."""

_MOST_BYTES = 16_000_000  # of compressed pages; one of an artwork has 2,600
_ROUTE: Final = SimpleNamespace(path="/{path:path}")  # as metrics know the site's pages
_HEADERS = (
    (b"cache-control", b"public, max-age=0, must-revalidate"),
    (b"vary", b"Accept-Encoding, Accept-Language, Cookie"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPage:
    """A rendered page."""

    version: str
    etag: str  # sent as a weak one, because the page has two encodings
    compressed: bytes
    headers: tuple[tuple[bytes, bytes], ...]  # of every answer
    content_type: tuple[bytes, bytes]
    route: object  # that answered when the page was rendered; None outside of an application

    def answer(self, known: str, accepted: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Status, headers and body of an answer.

        Args:
            known: the request's header If-None-Match: what the browser has.
            accepted: its header Accept-Encoding.
        """
        if known and self.etag in (etag.strip().removeprefix("W/") for etag in known.split(",")):
            return 304, list(self.headers), b""
        headers, body = [*self.headers, self.content_type], self.compressed
        if _takes_gzip(accepted):
            headers.append((b"content-encoding", b"gzip"))
        else:
            body = gzip.decompress(body)
        headers.append((b"content-length", b"%d" % len(body)))
        return 200, headers, body


class PageCache:
    """Answers requests for public pages from memory where it can. Safe for use by several threads."""

    def __init__(
        self,
        version: Callable[[], str],
        *,
        fresh_version: Callable[[], str | None] = lambda: None,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        """Remember pages.

        Args:
            version: a value that changes when pages may have changed; it may wait for the database.
            fresh_version: the same where it is known without waiting, else None.
            most_bytes: of compressed pages; those that were not asked for longest are dropped first.
        """
        self._version, self._fresh_version, self._most = version, fresh_version, most_bytes
        self._lock, self._rendering = threading.Lock(), threading.Lock()
        self._pages: OrderedDict[str, KeptPage] = OrderedDict()
        self._bytes = 0

    def kept(self, key: str) -> KeptPage | None:
        """The page of that key if it is known to be up to date; it waits for nothing."""
        return self._find(key, version) if (version := self._fresh_version()) is not None else None

    def answer(self, request: Request, key: str, render: Rendering) -> Response:
        """An answer with the page of that key.

        Args:
            request: whose headers say what the browser has and accepts.
            key: everything that the page depends on besides the version.
            render: gives the body and its media type.
        """
        page, headers = self.page(key, render, route=request.scope.get("route")), request.headers
        status, raw, body = page.answer(headers.get("if-none-match", ""), headers.get("accept-encoding", ""))
        response = Response(body, status)
        response.raw_headers = raw
        return response

    def page(self, key: str, render: Rendering, *, route: object) -> KeptPage:
        """The page of that key, rendered if it is not kept; `route` is what answers it."""
        version = self._version()
        if (page := self._find(key, version)) is None:
            with self._rendering:  # several at a time would only take the processor from each other, and from the loop
                if (page := self._find(key, version)) is None:
                    page = _rendered(version, *render(), route=route)
                    self._keep(key, page)
        return page

    def _find(self, key: str, version: str) -> KeptPage | None:
        with self._lock:
            page = self._pages.get(key)
            if page is None or page.version != version:
                return None
            self._pages.move_to_end(key)
            return page

    def _keep(self, key: str, page: KeptPage) -> None:
        with self._lock:
            if (before := self._pages.pop(key, None)) is not None:
                self._bytes -= len(before.compressed)
            self._pages[key] = page
            self._bytes += len(page.compressed)
            while self._bytes > self._most:
                self._bytes -= len(self._pages.popitem(last=False)[1].compressed)


class CachedPages:
    """Answers requests for the site's pages, without a look at the routes; hands on all others.

    Plain ASGI. A page that is kept is answered at once. Another one is made by one thread, because Python runs one at a
    time; what goes wrong there is answered by the application.
    """

    def __init__(
        self, app: ASGIApp, *, cache: PageCache, page: Callable[[str, str, str], tuple[str, Rendering | None]]
    ) -> None:
        """Wrap an application.

        Args:
            app: the application.
            cache: keeps the pages.
            page: gives a page's key, and how it is rendered, from path, header Accept-Language and header Cookie;
                None instead leaves the rendering to the application.
        """
        self._app, self._cache, self._page = app, cache, page
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pages")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and not scope["query_string"]:
            headers = {name: value.decode("latin-1") for name, value in reversed(scope["headers"])}  # the first counts
            key, render = self._page(scope["path"], headers.get(b"accept-language", ""), headers.get(b"cookie", ""))
            if (page := self._cache.kept(key) or await self._made(key, render)) is not None:
                scope["route"] = page.route
                known, accepted = headers.get(b"if-none-match", ""), headers.get(b"accept-encoding", "")
                status, raw, body = page.answer(known, accepted)
                await send({"type": "http.response.start", "status": status, "headers": raw})
                await send({"type": "http.response.body", "body": body})
                return
        await self._app(scope, receive, send)

    async def _made(self, key: str, render: Rendering | None) -> KeptPage | None:
        if render is None:
            return None
        making = partial(self._cache.page, key, render, route=_ROUTE)
        with contextlib.suppress(AuriaError, Moved):
            return await asyncio.get_running_loop().run_in_executor(self._thread, making)
        return None


def smaller(request: Request, content: bytes, headers: Mapping[str, str], status: int = 200) -> Response:
    """An answer with this text, compressed where the browser accepts that."""
    sent = {**headers, "Vary": "Accept-Encoding"}
    if _takes_gzip(request.headers.get("accept-encoding", "")):
        content, sent["Content-Encoding"] = _compressed(content), "gzip"
    return Response(content, status, headers=sent)


def _takes_gzip(accepted: str) -> bool:
    """Whether a header Accept-Encoding names gzip, or by * what it does not name, with a weight above 0."""
    weights = {"*": 0.0}
    for one in accepted.lower().split(","):
        coding, _, parameter = one.partition(";")
        name, _, weight = parameter.partition("=")
        weights[coding.strip()] = _weight(weight) if name.strip() == "q" else 1.0
    return weights.get("gzip", weights["*"]) > 0


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


@lru_cache(maxsize=32)
def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, 5, mtime=0)


def _rendered(version: str, body: str | bytes, media_type: str, *, route: object) -> KeptPage:
    content = body.encode() if isinstance(body, str) else body
    etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    return KeptPage(
        version=version,
        etag=etag,
        compressed=gzip.compress(content, 5, mtime=0),
        headers=((b"etag", f"W/{etag}".encode()), *_HEADERS),
        content_type=(b"content-type", media_type.encode()),
        route=route,
    )
