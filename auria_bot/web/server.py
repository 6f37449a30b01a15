"""Serves the web application with uvicorn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from auria_bot.web.app import create_app

if TYPE_CHECKING:
    import asyncio

    from auria_bot.bootstrap.application import Application

__all__ = ["serve"]

_REQUEST_TIME = 10.0  # seconds that a client may take to send a request's head
_MOST_AT_ONCE = 512  # connections and requests; more are answered with 503
_LARGEST_HEAD = 16 * 1024  # bytes


class _PatientProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose first request does not arrive in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._deadline = self.loop.call_later(_REQUEST_TIME, self._close_without_request)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _close_without_request(self) -> None:
        request: object = self.cycle  # None until the head of the first request is complete
        if request is None and not self.transport.is_closing():
            self.transport.close()


def serve(services: Application) -> None:
    """Answer requests until SIGTERM or SIGINT.

    Raises:
        SystemExit: the address cannot be used; uvicorn logs why.
    """
    host, _, port = services.settings.web.address.rpartition(":")
    config = uvicorn.Config(
        create_app(services),
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
    uvicorn.Server(config).run()
