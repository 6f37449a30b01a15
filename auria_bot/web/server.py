"""Serves the web application with uvicorn."""

from __future__ import annotations

import contextlib
import gc
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn

from auria_bot.errors import AuriaError
from auria_bot.memory import return_memory
from auria_bot.services.operations.health import HealthServer
from auria_bot.serving.connections import PatientProtocol
from auria_bot.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from auria_bot.bootstrap.application import Application
    from auria_bot.web.site import Site

__all__ = ["WebServer", "serve"]

_MOST_AT_ONCE = 512  # connections that are all being answered; more are answered with 503
_LARGEST_HEAD = 16 * 1024  # bytes


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
            http=partial(PatientProtocol, waiting={}),  # type: ignore[arg-type]  # uvicorn only calls it
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
