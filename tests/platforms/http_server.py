"""A server on a free port of 127.0.0.1 whose every answer is made by one function.

Usage::

    with HttpServer(lambda method, target, headers, content: (200, {}, b"Welcome")) as server:
        ...                                 # talk to server.address
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

    from tests.platforms.proxy import Answer

__all__ = ["HttpServer"]

Answering: TypeAlias = "Callable[[str, str, Message, bytes], Answer]"


class HttpServer:
    """Serves one function."""

    def __init__(self, answer: Answering) -> None:
        """Set it up.

        Args:
            answer: given method, path with query, headers and content, gives status, headers and body.
        """
        self._answer = answer

    def __enter__(self) -> Self:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, body = answer(self.command, self.path, self.headers, content)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the library's names

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """The same, for clients."""
        return f"http://127.0.0.1:{self.port}"
