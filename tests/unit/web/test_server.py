"""Serving over a socket."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import uvicorn
from starlette.responses import PlainTextResponse

from auria_bot.web import server

if TYPE_CHECKING:
    import pytest
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
            lambda: server._PatientProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
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
    config = uvicorn.Config(PlainTextResponse("hello"), port=0, log_config=None)
    started = server._Server(config, told.set)
    thread = threading.Thread(target=started.run, daemon=True)
    thread.start()
    assert told.wait(60)
    assert started.started
    started.should_exit = True
    thread.join()
