"""Keeps rendered public pages, compressed, until something is published."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["CachedPages", "KeptPage", "PageCache", "smaller"]

_MOST_BYTES = 6_000_000  # of compressed pages
_HEADERS = (
    (b"cache-control", b"public, max-age=0, must-revalidate"),
    (b"vary", b"Accept-Encoding, Accept-Language, Cookie"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPage:
    """A rendered page."""

    version: str
    etag: str
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
        if "gzip" in accepted:
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
        self._lock = threading.Lock()
        self._pages: OrderedDict[str, KeptPage] = OrderedDict()
        self._bytes = 0

    def kept(self, key: str) -> KeptPage | None:
        """The page of that key if it is known to be up to date; it waits for nothing."""
        with self._lock:
            page = self._pages.get(key)
            if page is None or page.version != self._fresh_version():
                return None
            self._pages.move_to_end(key)
            return page

    def answer(self, request: Request, key: str, render: Callable[[], tuple[str | bytes, str]]) -> Response:
        """The page of that key, rendered if it is not known.

        Args:
            request: whose headers say what the browser has and accepts.
            key: everything that the page depends on besides the version.
            render: gives the body and its media type.
        """
        version = self._version()
        with self._lock:
            page = self._pages.get(key)
            if page is not None:
                self._pages.move_to_end(key)
        if page is None or page.version != version:
            page = _rendered(version, *render(), route=request.scope.get("route"))
            self._keep(key, page)
        headers = request.headers
        status, raw, body = page.answer(headers.get("if-none-match", ""), headers.get("accept-encoding", ""))
        response = Response(body, status)
        response.raw_headers = raw
        return response

    def _keep(self, key: str, page: KeptPage) -> None:
        with self._lock:
            if (before := self._pages.pop(key, None)) is not None:
                self._bytes -= len(before.compressed)
            self._pages[key] = page
            self._bytes += len(page.compressed)
            while self._bytes > self._most:
                self._bytes -= len(self._pages.popitem(last=False)[1].compressed)


class CachedPages:
    """Answers requests for pages that are kept at once, without a thread or a look at the routes; hands on all others.

    Plain ASGI. What may be out of date is left to the application, which may wait for the database.
    """

    def __init__(self, app: ASGIApp, *, cache: PageCache, key: Callable[[str, str, str], str]) -> None:
        """Wrap an application; `key` gives a page's key, from path, header Accept-Language and header Cookie."""
        self._app, self._cache, self._key = app, cache, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and not scope["query_string"]:
            headers = {name: value.decode("latin-1") for name, value in reversed(scope["headers"])}  # the first counts
            key = self._key(scope["path"], headers.get(b"accept-language", ""), headers.get(b"cookie", ""))
            if (page := self._cache.kept(key)) is not None:
                scope["route"] = page.route
                known, accepted = headers.get(b"if-none-match", ""), headers.get(b"accept-encoding", "")
                status, raw, body = page.answer(known, accepted)
                await send({"type": "http.response.start", "status": status, "headers": raw})
                await send({"type": "http.response.body", "body": body})
                return
        await self._app(scope, receive, send)


def smaller(request: Request, content: bytes, headers: Mapping[str, str], status: int = 200) -> Response:
    """An answer with this text, compressed where the browser accepts that."""
    sent = {**headers, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, sent["Content-Encoding"] = _compressed(content), "gzip"
    return Response(content, status, headers=sent)


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
        headers=((b"etag", etag.encode()), *_HEADERS),
        content_type=(b"content-type", media_type.encode()),
        route=route,
    )
