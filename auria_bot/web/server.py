"""Serves the web application with uvicorn."""

from __future__ import annotations

import contextlib
import gc
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from auria_bot.errors import AuriaError
from auria_bot.memory import return_memory
from auria_bot.services.operations.health import HealthServer
from auria_bot.web.app import create_app

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from auria_bot.bootstrap.application import Application
    from auria_bot.web.site import Site

__all__ = ["WebServer", "serve"]

_REQUEST_TIME = 10.0  # seconds that a client may take to send a request's head
_MOST_OPEN = 448  # connections; for a further one, that which has waited longest for a request is closed
_MOST_AT_ONCE = 512  # connections that are all being answered; more are answered with 503
_LARGEST_HEAD = 16 * 1024  # bytes


class _PatientProtocol(H11Protocol):
    """HTTP/1.1 whose idle connections keep nobody out.

    A connection is closed when the head of a request does not arrive in time: uvicorn alone waits forever once one
    began. And where too many are open, those that wait for a request, or for the rest of one, give way to new ones, and
    so do those whose client has stopped reading its answer.
    """

    _deadline: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, waiting: dict[_PatientProtocol, None], **options: Any) -> None:
        """Share with the server's other connections which of them wait, the longest first."""
        super().__init__(*arguments, **options)
        self._waiting = waiting

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > _MOST_OPEN and self._waiting:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.transport.abort()
        self._waiting[self] = None
        self._deadline = self.loop.call_later(_REQUEST_TIME, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        self._waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering() and not self.cycle.more_body and not self.flow.write_paused:
            self._waiting.pop(self, None)
        if self.conn.their_state is not h11.IDLE:
            self._head_arrived()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(_REQUEST_TIME, self.transport.close)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._waiting[self] = None  # also where it is closing: its last bytes may never be read

    def pause_writing(self) -> None:
        super().pause_writing()
        self._waiting[self] = None

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._is_answering():
            self._waiting.pop(self, None)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _head_arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class WebServer(uvicorn.Server):
    """Serves the web application at an address, with limits for slow and for many clients."""

    def __init__(
        self, app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0, ready: Callable[[], None] | None = None
    ) -> None:
        """Prepare a server; `ready` is called once, in a thread, when it answers. Port 0 is any that is free."""
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=partial(_PatientProtocol, waiting={}),  # type: ignore[arg-type]  # uvicorn only calls it
            loop="asyncio",
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
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Any = None) -> None:
        """Begin to listen."""
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
    _settle(app.state.site)
    with contextlib.ExitStack() as beside:
        if address := services.settings.web.metrics:
            beside.enter_context(HealthServer(app.state.health, address, setting="web.metrics"))
        WebServer(app, host=host.strip("[]"), port=int(port), ready=ready).run()


def _settle(site: Site) -> None:
    """Read and compile what the first visitors would wait for.

    It is kept out of garbage collection, which stops all readers.
    """
    with contextlib.suppress(AuriaError):  # a database that is away now is reported by the pages
        site.gallery.version()
    site.renderer.compile()
    gc.collect()
    gc.freeze()
    return_memory()  # which reading took
