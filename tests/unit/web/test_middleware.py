"""What surrounds every request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.testclient import TestClient

from auria_bot.web import middleware
from auria_bot.web.middleware import RequestGuard, client_network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Message, Receive, Scope, Send


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the length of the body."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    await PlainTextResponse(str(length))(scope, receive, send)


def client(app: Any = echo, **options: Any) -> TestClient:
    """A client of a guarded application."""
    return TestClient(RequestGuard(app, is_secure=False, **options))


def test_a_body_is_bounded_by_its_declared_and_its_real_size() -> None:
    """256 kB pass; a larger one is refused, whether it says so or streams."""
    browser = client()

    def pieces() -> Iterator[bytes]:
        yield from (b"x" * 65_536 for _ in range(5))

    assert browser.post("/", content=b"x" * 262_144).text == "262144"
    assert browser.post("/", content=b"x" * 262_145).status_code == 413
    assert browser.post("/", content=pieces()).status_code == 413


def test_a_length_that_is_no_number_is_refused() -> None:
    """It cannot be compared."""
    assert client().post("/", headers={"content-length": "-1"}).status_code == 413


def test_forms_in_parts_are_read_as_utf_8_only() -> None:
    """Other encodings make half characters, which nothing can be done with; what else is sent has its own rules."""
    kind, browser = "multipart/form-data; boundary=AaB", client()
    for more in ("", "; charset=UTF-8", '; charset="utf-8"'):
        assert browser.post("/", content=b"x", headers={"content-type": kind + more}).status_code == 200, more
    for more in ("; charset=utf-7", ';charset="Unicode_Escape"', "; charset*=utf-8''utf-7", "; charset*0=utf-7"):
        assert browser.post("/", content=b"x", headers={"content-type": kind + more}).status_code == 415, more
    plain = browser.post("/", content=b"x", headers={"content-type": "text/plain; charset=latin-1"})
    assert plain.status_code == 200


def test_the_site_answers_to_its_names_only() -> None:
    """A page of another site that resolves to this machine gets nothing."""
    browser = client(hosts=frozenset({"localhost", "[::1]"}))
    for name in ("LocalHost:8620", "localhost", "[::1]:8620", "[::1]"):
        assert browser.get("/", headers={"host": name}).status_code == 200
    for name in ("evil.example", "localhost.evil.example:80", ""):
        assert browser.get("/", headers={"host": name}).status_code == 421


def test_https_is_lasting_where_the_public_address_has_it() -> None:
    """Only then is the header sent."""
    secure = TestClient(RequestGuard(echo, is_secure=True)).get("/")
    assert secure.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in client().get("/").headers


def test_a_request_that_takes_too_long_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 408 when nothing was sent yet; an event stream has no deadline."""
    monkeypatch.setattr(middleware, "_DEADLINE", 0.05)

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/events":

            async def events() -> Any:
                for _ in range(3):
                    await asyncio.sleep(0.05)
                    yield b"data: x\n\n"

            await StreamingResponse(events(), media_type="text/event-stream")(scope, receive, send)
        else:
            await asyncio.sleep(60)

    assert client(slow).get("/").status_code == 408
    assert client(slow).get("/events").text == "data: x\n\n" * 3


def test_a_long_answer_has_the_time_that_a_slow_client_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """In proportion to its length; a short one does not."""
    monkeypatch.setattr(middleware, "_DEADLINE", 0.05)
    monkeypatch.setattr(middleware, "_SLOWEST", 1000)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        length = 60_000 if scope["path"] == "/film" else 10
        headers = [(b"content-length", str(length).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await asyncio.sleep(0.2)
        await send({"type": "http.response.body", "body": b"x" * length})

    assert client(answer).get("/film").content == b"x" * 60_000
    assert client(answer).get("/page").content == b""


def test_other_protocols_pass() -> None:
    """Only HTTP is guarded."""
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def never() -> Message:
        raise AssertionError

    asyncio.run(RequestGuard(app, is_secure=False)({"type": "lifespan"}, never, never))  # type: ignore[arg-type]
    assert seen == ["lifespan"]


def test_some_paths_take_larger_bodies() -> None:
    """Those that are named, up to their own limit; a smaller one is possible too."""
    browser = client(larger={"/pictures": 300_000, "/small": 10})
    assert browser.post("/pictures", content=b"x" * 300_000).text == "300000"
    assert browser.post("/pictures", content=b"x" * 300_001).status_code == 413
    assert browser.post("/pictures/", content=b"x" * 300_000).status_code == 413
    assert browser.post("/small", content=b"x" * 11).status_code == 413


@pytest.mark.parametrize(
    ("client", "network"),
    [(("2001:db8:1:2::7", 4711), "2001:db8:1:2::/64"), (("203.0.113.7", 4711), "203.0.113.7"), (None, "")],
)
def test_limits_count_a_request_by_its_network(client: tuple[str, int] | None, network: str) -> None:
    """An IPv6 network is one caller; without an address it is nobody's."""
    assert client_network(Request({"type": "http", "client": client})) == network


def test_few_large_bodies_arrive_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Further ones are told to come back, from one network sooner; small ones are not counted, and ended ones no more."""
    monkeypatch.setattr(middleware, "_MOST_LARGE", 2)
    monkeypatch.setattr(middleware, "_MOST_LARGE_EACH", 1)
    answers, gate = list[tuple[str, int]](), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.wait()
        await echo(scope, receive, send)

    guarded = RequestGuard(slow, is_secure=False, larger={"/large": 1_000_000})

    async def ask(address: str, length: int, path: str = "/large") -> None:
        headers = [(b"content-length", str(length).encode())] if length else [(b"transfer-encoding", b"chunked")]

        async def receive() -> Message:
            return {"type": "http.request", "body": b"x" * length, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answers.append((address, message["status"]))

        scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "client": (address, 1)}
        await guarded(scope, receive, send)

    async def together() -> None:
        waiting = [asyncio.create_task(ask("192.0.2.1", 500_000))]
        await asyncio.sleep(0)
        await ask("192.0.2.1", 500_000)
        waiting.append(asyncio.create_task(ask("192.0.2.2", 0)))
        await asyncio.sleep(0)
        await ask("192.0.2.3", 500_000)
        waiting += [asyncio.create_task(ask("192.0.2.3", 10)), asyncio.create_task(ask("192.0.2.3", 10, "/other"))]
        gate.set()
        await asyncio.gather(*waiting)
        await ask("192.0.2.3", 500_000)

    asyncio.run(together())
    assert answers[:2] == [("192.0.2.1", 503), ("192.0.2.3", 503)]
    assert [status for _, status in answers[2:]] == [200] * 5
