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

__all__ = ["PageCache", "smaller"]

_MOST_BYTES = 6_000_000  # of compressed pages
_HEADERS = {"Cache-Control": "public, max-age=0, must-revalidate", "Vary": "Accept-Encoding, Accept-Language, Cookie"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    version: str
    media_type: str
    etag: str
    compressed: bytes


class PageCache:
    """Answers requests for public pages from memory where it can. Safe for use by several threads."""

    def __init__(self, version: Callable[[], str], *, most_bytes: int = _MOST_BYTES) -> None:
        """Remember pages.

        Args:
            version: a value that changes when pages may have changed.
            most_bytes: of compressed pages; those that were not asked for longest are dropped first.
        """
        self._version, self._most = version, most_bytes
        self._lock = threading.Lock()
        self._pages: OrderedDict[str, _Page] = OrderedDict()
        self._bytes = 0

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
            page = _rendered(version, *render())
            self._keep(key, page)
        return _response(request, page)

    def _keep(self, key: str, page: _Page) -> None:
        with self._lock:
            if (before := self._pages.pop(key, None)) is not None:
                self._bytes -= len(before.compressed)
            self._pages[key] = page
            self._bytes += len(page.compressed)
            while self._bytes > self._most:
                self._bytes -= len(self._pages.popitem(last=False)[1].compressed)


def smaller(request: Request, content: bytes, headers: Mapping[str, str], status: int = 200) -> Response:
    """An answer with this text, compressed where the browser accepts that."""
    sent = {**headers, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, sent["Content-Encoding"] = _compressed(content), "gzip"
    return Response(content, status, headers=sent)


@lru_cache(maxsize=32)
def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, 5, mtime=0)


def _rendered(version: str, body: str | bytes, media_type: str) -> _Page:
    content = body.encode() if isinstance(body, str) else body
    etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    compressed = gzip.compress(content, 5, mtime=0)
    return _Page(version=version, media_type=media_type, etag=etag, compressed=compressed)


def _response(request: Request, page: _Page) -> Response:
    headers = {"ETag": page.etag, **_HEADERS}
    known = request.headers.get("if-none-match", "")
    if page.etag in (etag.strip().removeprefix("W/") for etag in known.split(",")):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(page.compressed, media_type=page.media_type, headers=headers)
    return Response(gzip.decompress(page.compressed), media_type=page.media_type, headers=headers)
