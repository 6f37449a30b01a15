"""Answers /healthz and /metrics over HTTP, in a thread of its own, with nothing but the standard library.

It asks for no password, tells no secret, takes no words from who asks, and is meant for this machine or a trusted network.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Protocol, Self

from auria_bot.errors import SettingsError

if TYPE_CHECKING:
    from auria_bot.services.operations.health_report import HealthReport

__all__ = ["HealthServer", "HealthSource"]

_PATIENCE = 10.0  # seconds for who asks to say what
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class HealthSource(Protocol):
    """Knows how the house is."""

    def look(self) -> HealthReport:
        """Whether all is well."""
        ...

    def metrics(self) -> str:
        """Every figure, in Prometheus' text format."""
        ...


class HealthServer:
    """The endpoint; it answers from `start` to `stop`.

    Usage::

        with HealthServer(health, "127.0.0.1:8610") as beacon:
            print(beacon.url)
    """

    def __init__(self, pulse: HealthSource, address: str) -> None:
        """Name who is asked and where.

        Args:
            pulse: knows how the house is.
            address: HOST:PORT; port 0 is any that is free.
        """
        self._pulse, self._address = pulse, address
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """Where it answers; "" while it does not."""
        return f"http://{self._address.rpartition(':')[0]}:{self._server.server_port}" if self._server else ""

    def start(self) -> None:
        """Answer from now on.

        Raises:
            SettingsError: the address is taken, or none of this machine's.
        """
        host, _, port = self._address.rpartition(":")
        try:
            self._server = _Server((host.strip("[]"), int(port)), self._pulse)
        except (OSError, OverflowError) as error:
            raise SettingsError(
                f"health.address {self._address!r} cannot be used: {error}; choose another port"
            ) from error
        threading.Thread(target=self._server.serve_forever, name="beacon", daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], pulse: HealthSource) -> None:
        self.pulse = pulse
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Answer)

    def server_bind(self) -> None:
        """Without http.server's look at the host's full name, for which a start would wait where no name server answers."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, *_: object) -> None:
        """Who goes away in the middle is no error."""


class _Answer(BaseHTTPRequestHandler):
    timeout = _PATIENCE
    server: _Server

    def version_string(self) -> str:
        """What the answer says who gave it."""
        return "Auria"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            well = self.server.pulse.look()
            self._answer(200 if well.is_well else 503, "\n".join(well.troubles or ("well",)) + "\n")
        elif path == "/metrics":
            self._answer(200, self.server.pulse.metrics())
        else:
            self._answer(404, "there are /healthz and /metrics\n")

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_: object) -> None:
        """A scrape every few seconds is no news."""

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in (("Content-Type", _TEXT), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
