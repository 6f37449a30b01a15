"""An HTTP server that slow clients cannot starve: few connections at once, and one deadline for a whole request.

When all connections are in use, the oldest one gives way to a new client, so that a thousand idle ones keep nobody out.
"""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import threading
import time
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from auria_bot.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

__all__ = ["BoundedHTTPServer", "check_address"]

_PATIENCE = 0.5  # seconds that a new client waits for the oldest connection to end


def check_address(address: str, *, setting: str) -> None:
    """Make sure, before a server is made ready, that it can listen at HOST:PORT, or at "unix:" and a socket's path.

    Raises:
        SettingsError: the address is taken, or not one of this machine's.
    """
    if address.startswith("unix:"):
        with socket.socket(socket.AF_UNIX) as tried, contextlib.suppress(OSError):  # nobody answers there
            tried.connect(address.removeprefix("unix:"))
            raise SettingsError(f"{setting} {address!r} cannot be used: another server answers there; end it first")
        return
    host, _, port = address.rpartition(":")
    try:
        for family, kind, protocol, _, place in socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM
        ):
            with socket.socket(family, kind, protocol) as tried:
                if os.name == "posix":  # elsewhere this would share an address that is taken
                    tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                tried.bind(place)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"{setting} {address!r} cannot be used: {reason}; choose another port") from None


class BoundedHTTPServer(ThreadingHTTPServer):
    """A threading server with a limit of connections; `serve_forever` enforces the deadline."""

    daemon_threads = True
    request_queue_size = 128  # connections that wait to be accepted; beyond, a client tries again a second later

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[BaseHTTPRequestHandler],
        *,
        connections: int = 16,
        deadline: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Bind the address.

        Args:
            address: host, IPv6 without brackets, and port.
            connections: the most at once.
            deadline: seconds from accepting a connection to its end.
            clock: seconds that only ever grow.

        Raises:
            OSError: the address is not available.
        """
        self._most, self._deadline, self._clock = connections, deadline, clock
        self._since: dict[socket.socket, float] = {}  # when each open connection was accepted, the oldest first
        self._ended = threading.Condition()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, handler)

    @property
    def deadline(self) -> float:
        """Seconds from accepting a connection to its end."""
        return self._deadline

    @property
    def open_connections(self) -> int:
        """Connections that are being answered."""
        return len(self._since)

    def server_bind(self) -> None:
        """Bind without http.server's look-up of the host's full name, which blocks where no name server answers."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own; end the oldest one where there are too many."""
        with self._ended:
            if len(self._since) >= self._most:
                _end(next(iter(self._since)))
                self._ended.wait_for(lambda: len(self._since) < self._most, _PATIENCE)
            is_full = len(self._since) >= self._most
            if not is_full:
                self._since[request] = self._clock()
        if is_full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        super().shutdown_request(request)
        with self._ended:
            self._since.pop(request, None)
            self._ended.notify_all()

    def service_actions(self) -> None:
        """End connections that are past their deadline."""
        super().service_actions()
        now = self._clock()
        with self._ended:
            for request, since in self._since.items():
                if now - since >= self._deadline:
                    _end(request)

    def handle_error(self, *_: object) -> None:
        """Ignore clients that disconnect."""


def _end(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)
