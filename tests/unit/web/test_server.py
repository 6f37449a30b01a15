"""Serving over a socket."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

from auria_bot.web import server

if TYPE_CHECKING:
    import pytest
    from starlette.types import Receive, Scope, Send
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
            lambda: server._PatientProtocol(config=config, server_state=state, app_state={}, waiting={}), "127.0.0.1", 0
        )
        for answered in (0, 2):
            monkeypatch.setattr(server, "_REQUEST_TIME", 600.0 if answered else 0.01)
            reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
            for _ in range(answered):
                writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
                assert b"200" in await reader.readuntil(b"hello")
            monkeypatch.setattr(server, "_REQUEST_TIME", 0.01)
            writer.write(b"GET / HTTP/1.1\r\n")
            assert await reader.read() == b""
            writer.close()
        listening.close()

    asyncio.run(asyncio.wait_for(talk(), 60))


def test_whoever_waits_is_told_that_the_server_answers() -> None:
    """Once, after it has begun to listen."""
    told = threading.Event()
    started = server.WebServer(Starlette(), ready=told.set)
    thread = threading.Thread(target=started.run, daemon=True)
    thread.start()
    assert told.wait(60)
    assert started.started
    started.should_exit = True
    thread.join()


def test_where_too_many_are_open_those_that_wait_longest_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle one, and one whose body stays incomplete; a connection that is being answered stays."""
    monkeypatch.setattr(server, "_MOST_OPEN", 3)

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

        config = uvicorn.Config(slow, timeout_keep_alive=600, log_config=None)
        config.load()
        state, waiting = uvicorn.Server(config).server_state, dict[server._PatientProtocol, None]()
        listening = await asyncio.get_running_loop().create_server(
            lambda: server._PatientProtocol(config=config, server_state=state, app_state={}, waiting=waiting),
            "127.0.0.1",
            0,
        )
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
