"""Connections of clients that are slow, idle or many."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from auria_bot.serving import connections
from auria_bot.serving.connections import PatientProtocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send
    from uvicorn.server import ServerState


def test_a_connection_closes_when_the_head_of_any_of_its_requests_stays_incomplete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first as well as a later one, whose client has been answered before."""

    async def talk() -> None:
        config = uvicorn.Config(PlainTextResponse("hello"), timeout_keep_alive=600, log_config=None)
        config.load()
        state: ServerState = uvicorn.Server(config).server_state
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            lambda: PatientProtocol(config=config, server_state=state, app_state={}, waiting={}), "127.0.0.1", 0
        )
        for answered in (0, 2):
            monkeypatch.setattr(connections, "_REQUEST_TIME", 600.0 if answered else 0.01)
            reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
            for _ in range(answered):
                writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
                assert b"200" in await reader.readuntil(b"hello")
            monkeypatch.setattr(connections, "_REQUEST_TIME", 0.01)
            writer.write(b"GET / HTTP/1.1\r\n")
            assert await reader.read() == b""
            writer.close()
        listening.close()

    asyncio.run(asyncio.wait_for(talk(), 60))


@pytest.mark.parametrize("more", [b"", b"GET / HTTP/1.1\r\n"])
def test_a_client_that_stops_reading_gives_way(monkeypatch: pytest.MonkeyPatch, more: bytes) -> None:
    """Whatever else it sends; one that has read on since is kept."""
    monkeypatch.setattr(connections, "_MOST_OPEN", 2)

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000 if scope["path"] == "/long" else 0):
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
        await send({"type": "http.response.body", "body": b"hello"})

    async def talk() -> None:
        listening, waiting = await _listening(endless)
        address = listening.sockets[0].getsockname()
        slow, to_slow = await asyncio.open_connection(*address)
        silent, to_silent = await asyncio.open_connection(*address)
        for number, writer in enumerate((to_slow, to_silent), start=1):
            writer.write(b"GET /long HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            await _stuck(waiting, number)
        first = next(iter(waiting))
        while next(iter(waiting)) is first:
            await slow.read(65_536)
        to_silent.write(more)
        await to_silent.drain()
        new, to_new = await asyncio.open_connection(*address)
        to_new.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert b"hello" in await new.readuntil(b"hello")
        kept, gone = await slow.read(), await silent.read()
        assert kept.endswith(b"hello\r\n0\r\n\r\n")
        assert not gone.endswith(b"hello\r\n0\r\n\r\n")
        for writer in (to_slow, to_silent, to_new):
            writer.close()
            await writer.wait_closed()
        listening.close()

    asyncio.run(asyncio.wait_for(talk(), 60))


async def _listening(app: ASGIApp) -> tuple[asyncio.Server, dict[PatientProtocol, None]]:
    """A server on a port of its own, and the connections that it may close."""
    config = uvicorn.Config(app, timeout_keep_alive=600, log_config=None)
    config.load()
    state, waiting = uvicorn.Server(config).server_state, dict[PatientProtocol, None]()
    listening = await asyncio.get_running_loop().create_server(
        lambda: PatientProtocol(config=config, server_state=state, app_state={}, waiting=waiting),
        "127.0.0.1",
        0,
    )
    return listening, waiting


async def _stuck(waiting: dict[PatientProtocol, None], count: int) -> None:
    """Wait until so many clients take nothing more: what is left of their answers stays as it is."""
    before = list[int]()
    while True:
        await asyncio.sleep(0.1)
        left = [one.transport.get_write_buffer_size() for one in waiting if one.flow.write_paused]
        if len(left) == count and left == before:
            return
        before = left


def test_where_too_many_are_open_those_that_wait_longest_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle one, and one whose body stays incomplete; a connection that is being answered stays."""
    monkeypatch.setattr(connections, "_MOST_OPEN", 3)

    async def talk() -> None:
        gate, entered = asyncio.Event(), asyncio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/slow":
                entered.set()
                await gate.wait()
            elif scope["method"] == "POST":
                await receive()
                await receive()
            await PlainTextResponse("hello")(scope, receive, send)

        listening, waiting = await _listening(slow)
        address = listening.sockets[0].getsockname()
        answered, to_slow = await asyncio.open_connection(*address)
        to_slow.write(b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n")
        await entered.wait()
        body, to_body = await asyncio.open_connection(*address)
        to_body.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nx")
        idle, to_idle = await asyncio.open_connection(*address)
        for _ in range(6000):
            if len(waiting) == 2:
                break
            await asyncio.sleep(0.01)
        writers = [to_slow, to_body, to_idle]
        for first in (body, idle):
            new, to_new = await asyncio.open_connection(*address)
            with contextlib.suppress(ConnectionResetError):
                assert await first.read() == b""
            to_new.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert b"200" in await new.readuntil(b"hello")
            writers.append(to_new)
        gate.set()
        assert b"200" in await answered.readuntil(b"hello")
        for writer in writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        listening.close()

    asyncio.run(asyncio.wait_for(talk(), 60))
