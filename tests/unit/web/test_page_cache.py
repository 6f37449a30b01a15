"""The cache of rendered pages."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest
from starlette.requests import Request

from auria_bot.errors import NotFound
from auria_bot.web.page_cache import CachedPages, PageCache, smaller


def request(**headers: str) -> Request:
    """A request with these headers."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": pairs})


class Page:
    """A page that counts how often it is rendered."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> tuple[str, str]:
        self.times += 1
        return f"page {self.times}", "text/html"


def test_a_page_is_rendered_once_for_each_version() -> None:
    """A new version renders it again."""
    versions = ["1"]
    cache, page = PageCache(lambda: versions[0]), Page()
    assert [cache.answer(request(), "a", page).body for _ in range(2)] == [b"page 1", b"page 1"]
    versions[0] = "2"
    assert cache.answer(request(), "a", page).body == b"page 2"


def test_a_browser_that_has_the_page_gets_no_body() -> None:
    """304, also where a proxy made the tag strong or it is one of several; it is weak, for a page has two encodings."""
    cache, page = PageCache(lambda: "1"), Page()
    tag = cache.answer(request(), "a", page).headers["etag"]
    assert tag.startswith('W/"')
    for known in (tag, tag.removeprefix("W/"), f'"x", {tag}'):
        again = cache.answer(request(if_none_match=known), "a", page)
        assert (again.status_code, again.body) == (304, b"")


def test_pages_are_sent_compressed_to_whoever_takes_that() -> None:
    """Others get the same page uncompressed."""
    cache, page = PageCache(lambda: "1"), Page()
    small = cache.answer(request(accept_encoding="br, gzip"), "a", page)
    assert small.headers["content-encoding"] == "gzip"
    assert gzip.decompress(bytes(small.body)) == b"page 1"
    assert "content-encoding" not in cache.answer(request(), "a", page).headers


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("GZIP", True),
        ("gzip;q=0.1", True),
        ("*", True),
        ("br;q=1, * ; q=0.5", True),
        ("gzip;q=0", False),
        ("gzip ; Q = 0.000, *", False),
        ("gzip;q=x", False),
        ("*;q=0", False),
        ("identity, br", False),
        ("", False),
    ],
)
def test_a_refused_encoding_is_not_sent(accepted: str, takes: bool) -> None:
    """A weight of 0 refuses; pages and other texts understand the header alike."""
    page = PageCache(lambda: "1").answer(request(accept_encoding=accepted), "a", Page())
    text = smaller(request(accept_encoding=accepted), b"text", {})
    assert [answer.headers.get("content-encoding") for answer in (page, text)] == ["gzip" if takes else None] * 2


def test_memory_is_bounded() -> None:
    """The page that was not asked for longest is dropped."""
    cache, first = PageCache(lambda: "1", most_bytes=60), Page()
    pages: dict[str, Any] = {"a": first, "b": Page(), "c": Page()}
    for key in ("a", "b", "a", "c", "a"):
        cache.answer(request(), key, pages[key])
    assert first.times == 1
    cache.answer(request(), "b", pages["b"])
    assert pages["b"].times == 2


def ask(app: CachedPages, *, method: str = "GET", query: bytes = b"", **headers: str) -> tuple[dict[str, Any], ...]:
    """What an application sends to a request."""
    sent = []

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": "/", "query_string": query, "headers": pairs}
    asyncio.run(app(scope, None, send))  # type: ignore[arg-type]  # nothing is received
    return tuple(sent)


async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers 418."""
    await send({"type": "http.response.start", "status": 418, "headers": []})


def test_a_page_that_is_up_to_date_is_answered_before_the_application() -> None:
    """With the headers of the first answer; other methods, searches, languages and older pages go to the application."""
    fresh: list[str | None] = ["1"]
    cache = PageCache(lambda: "1", fresh_version=lambda: fresh[0])
    first = cache.answer(request(accept_encoding="gzip"), "en /", Page())
    app = CachedPages(elsewhere, cache=cache, page=lambda path, accepted, _: (f"{accepted or 'en'} {path}", None))
    for method in ("GET", "HEAD"):
        start, body = ask(app, method=method, accept_encoding="gzip")
        assert (start["status"], start["headers"], body["body"]) == (200, first.raw_headers, first.body)
    assert ask(app, if_none_match=first.headers["etag"])[0]["status"] == 304
    assert ask(app)[1]["body"] == b"page 1"
    assert [
        ask(app, **other)[0]["status"]
        for other in ({"method": "POST"}, {"query": b"lang=de"}, {"accept_language": "de"})
    ] == [418] * 3
    for version in ("2", None):
        fresh[0] = version
        assert ask(app)[0]["status"] == 418


def test_a_page_is_made_without_the_application() -> None:
    """Once, by the thread of pages; one that cannot be made is left to the application."""
    made = Page()

    def missing() -> tuple[str, str]:
        raise NotFound("there is no such page")

    found: dict[str, Any] = {"en": made, "de": missing}
    cache = PageCache(lambda: "1", fresh_version=lambda: "1")
    app = CachedPages(elsewhere, cache=cache, page=lambda _, accepted, __: (accepted, found[accepted]))
    for _ in range(2):
        assert ask(app, accept_language="en")[1]["body"] == b"page 1"
    assert ask(app, accept_language="de")[0]["status"] == 418


def test_other_texts_are_compressed_to_whoever_takes_that() -> None:
    """With the same headers and status; caches keep both forms apart."""
    headers = {"Content-Type": "text/css", "ETag": '"a"'}
    plain, small = (smaller(request(accept_encoding=one), b"text" * 99, headers, 422) for one in ("br", "gzip, br"))
    assert (plain.body, gzip.decompress(bytes(small.body))) == (b"text" * 99, b"text" * 99)
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    for one in (plain, small):
        assert (one.status_code, one.headers["etag"], one.headers["vary"]) == (422, '"a"', "Accept-Encoding")
