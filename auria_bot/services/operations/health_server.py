"""Answers /healthz and /metrics over HTTP, in a thread of its own, with the standard library only.

It asks for no password, reveals no secret, reads nothing but the path, and is meant for this machine or a trusted
network.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Protocol, Self

from auria_bot.errors import SettingsError
from auria_bot.http_server import BoundedHTTPServer

if TYPE_CHECKING:
    from auria_bot.services.operations.health_report import HealthReport

__all__ = ["HealthServer", "HealthSource"]

_DEADLINE = 5.0  # seconds for a client to send its request and read the answer
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class HealthSource(Protocol):
    """What the server answers with."""

    def report(self) -> HealthReport:
        """Whether all is well."""
        ...

    def metrics(self) -> str:
        """All metrics in Prometheus' text format."""
        ...


class HealthServer:
    """The endpoint; it answers from `start` to `stop`.

    Usage::

        with HealthServer(health, "127.0.0.1:8610") as server:
            print(server.url)
    """

    def __init__(self, source: HealthSource, address: str) -> None:
        """Set what is answered, and the address HOST:PORT, where port 0 is any free one."""
        self._source, self._address = source, address
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The server's address; "" while it does not answer."""
        return f"http://{self._address.rpartition(':')[0]}:{self._server.server_port}" if self._server else ""

    def start(self) -> None:
        """Answer from now on.

        Raises:
            SettingsError: the address is taken, or not one of this machine's.
        """
        host, _, port = self._address.rpartition(":")
        try:
            self._server = _Server((host.strip("[]"), int(port)), self._source)
        except (OSError, OverflowError) as error:
            raise SettingsError(
                f"health.address {self._address!r} cannot be used: {error}; choose another port"
            ) from error
        threading.Thread(target=self._server.serve_forever, name="health-server", daemon=True).start()

    def stop(self) -> None:
        """Stop answering."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(BoundedHTTPServer):
    def __init__(self, address: tuple[str, int], source: HealthSource) -> None:
        self.source = source
        super().__init__(address, _Handler, deadline=_DEADLINE)


class _Handler(BaseHTTPRequestHandler):
    timeout = _DEADLINE
    server: _Server

    def version_string(self) -> str:
        return "Auria"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            report = self.server.source.report()
            self._answer(200 if report.is_well else 503, "\n".join(report.troubles or ("well",)) + "\n")
        elif path == "/metrics":
            self._answer(200, self.server.source.metrics())
        else:
            self._answer(404, "not found; try /healthz or /metrics\n")

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_: object) -> None:
        """Log no requests."""

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in (("Content-Type", _TEXT), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
