"""Serves the web application with uvicorn."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from auria_bot.services.operations.health import HealthServer
from auria_bot.web.app import create_app

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from auria_bot.bootstrap.application import Application

__all__ = ["serve"]

_REQUEST_TIME = 10.0  # seconds that a client may take to send a request's head
_MOST_AT_ONCE = 512  # connections and requests; more are answered with 503
_LARGEST_HEAD = 16 * 1024  # bytes


class _PatientProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection when the head of a request does not arrive in time.

    uvicorn alone closes a connection on which nothing arrives after an answer, but waits forever once a request began.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._deadline = self.loop.call_later(_REQUEST_TIME, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._head_arrived()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(_REQUEST_TIME, self.transport.close)

    def _head_arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started and self._ready is not None:
            threading.Thread(target=self._ready, name="ready", daemon=True).start()


def serve(services: Application, *, ready: Callable[[], None] | None = None) -> None:
    """Answer requests until SIGTERM or SIGINT; `ready` is called once, in a thread, when it does.

    Raises:
        SystemExit: the address cannot be used; uvicorn logs why.
        SettingsError: the address of the metrics cannot be used.
    """
    host, _, port = services.settings.web.address.rpartition(":")
    app = create_app(services)
    config = uvicorn.Config(
        app,
        host=host.strip("[]"),
        port=int(port),
        http=_PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_AT_ONCE,
        h11_max_incomplete_event_size=_LARGEST_HEAD,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
    )
    with contextlib.ExitStack() as beside:
        if address := services.settings.web.metrics:
            beside.enter_context(HealthServer(app.state.health, address, setting="web.metrics"))
        server = _Server(config, ready)
        server.run()
