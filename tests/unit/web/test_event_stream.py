"""Server-sent events."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request

from auria_bot.web import event_stream as module
from auria_bot.web.event_stream import event_stream, first_event, sent_event

if TYPE_CHECKING:
    from collections.abc import Iterator


REQUEST = Request({"type": "http", "method": "GET", "headers": []})


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TICK", 0.0)


async def read(looks: list[list[str]], open_streams: Counter[str], seen: list[int]) -> list[str]:
    """What is sent, and how many streams were open meanwhile."""
    sent = []
    async for part in event_stream(REQUEST, looks, open_streams=open_streams, who="here").body_iterator:
        seen.append(open_streams["here"])
        sent.append(str(part))
    return sent


def test_an_event_has_a_name_and_json_and_perhaps_a_number() -> None:
    """As the standard for server-sent events writes them; a line feed in the data cannot begin another field."""
    assert sent_event("step", {"a": 1}, number=7) == 'id: 7\nevent: step\ndata: {"a": 1}\n\n'
    assert sent_event("end", {"error": "x\nid: 9"}) == 'event: end\ndata: {"error": "x\\nid: 9"}\n\n'


@pytest.mark.parametrize(
    ("header", "expected"), [("12", 12), (None, 3), ("-1", 0), ("1e3", 0), ("²", 0), ("123456", 0), ("", 0)]
)
def test_a_browser_says_what_it_has(header: str | None, expected: int) -> None:
    """By the header of a repeated connection; what is no number is none."""
    headers = [] if header is None else [(b"last-event-id", header.encode("latin-1"))]
    assert first_event(Request({"type": "http", "headers": headers}), "3") == expected


def test_what_each_look_finds_is_sent_and_the_stream_is_counted_until_its_end() -> None:
    """One without events sends nothing."""
    open_streams, seen = Counter[str](), list[int]()
    assert asyncio.run(read([["a", "b"], [], ["c"]], open_streams, seen)) == ["a", "b", "c"]
    assert seen == [1, 1, 1]
    assert open_streams == Counter()


def test_a_reader_that_goes_away_counts_no_more() -> None:
    """Although there were more events."""
    open_streams = Counter[str]()

    async def one_part() -> None:
        stream = event_stream(REQUEST, endless(), open_streams=open_streams, who="here").body_iterator
        assert await anext(aiter(stream)) == "a"
        assert open_streams == {"here": 1}
        await stream.aclose()  # type: ignore[attr-defined]  # it is a generator

    asyncio.run(one_part())
    assert open_streams == Counter()


def test_a_silent_stream_shows_that_it_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no proxy closes it."""
    monkeypatch.setattr(module, "_SIGN_OF_LIFE", 0.0)
    assert asyncio.run(read([[]], Counter(), [])) == [": still working\n\n"]


def endless() -> Iterator[list[str]]:
    """Looks that always find something."""
    while True:
        yield ["a"]
