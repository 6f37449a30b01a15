"""A proxy before a server of the tests that fails, byte for byte, as it is told to.

It reads a whole request, then decides: hand it on or not, hand the answer back or not, or only a part of it. One
request a connection, and every connection is closed afterwards, so that a client never meets a stale one. Knows HTTP/1.1 as far
as a request's length goes; what a request means, it is told.

Usage::

    with FaultyProxy(port, mutation=lambda method, path: path.endswith("putRecord")) as proxy:
        proxy.fail_next("cut-after")
        ...                                 # talk to proxy.address
        proxy.requests                      # (method, path) of everything that was asked, in order
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import socketserver
import struct
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["KILLS", "Answer", "FaultyProxy", "json_answer", "written"]

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""

KILLS = ("killed-before", "killed-after")
"""Faults of a request: its client is killed before the platform acts, or when it has acted and before it answers."""

PATIENCE = 120.0  # seconds: after this a "slow" answer is given up, should the client never hang up
GARBAGE = b"<html>\xff\xfe not what was asked for \x00"


def json_answer(status: int, body: object, **headers: str) -> Answer:
    """An answer in JSON; an underscore in a header's name stands for a dash."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"Content-Type": "application/json", **named}, json.dumps(body).encode()


class FaultyProxy:
    """Stands before a server on 127.0.0.1 and fails as it is told to."""

    def __init__(
        self,
        port: int,
        *,
        mutation: Callable[[str, str], bool],
        answers: Mapping[str, Callable[[], Answer]] | None = None,
        changes: Mapping[str, Callable[[bytes], bytes]] | None = None,
        before: Callable[[str, str, bytes, Callable[[], bytes]], bytes] | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        """Name what is behind.

        Args:
            port: the server's.
            mutation: whether a method and path are the visible mutation, which faults wait for.
            answers: what the platform would say for faults that are an answer of its own, such as "429"; a plain one else.
            changes: faults of the platform's own, which alter the server's whole answer, head and body.
            before: what the platform does that the server does not: given method, path, the whole request and what
                asks the server, it gives the whole answer.
            host: the server's.
        """
        self._behind = (host, port)
        self._mutation = mutation
        self._answers, self._changes, self._before = dict(answers or {}), dict(changes or {}), before
        self._faults: list[tuple[str, Callable[[str, str], bool]]] = []
        self._lock = threading.Lock()
        self._server: socketserver.ThreadingTCPServer | None = None
        self.requests: list[tuple[str, str]] = []
        self.away = False  # whether every connection breaks
        self.kill: Callable[[], None] = lambda: None  # kills the client, for the faults "killed-..."
        self.unheard: frozenset[bytes] = frozenset()  # names of headers, in small letters, that are not handed on
        self.rewrite: Callable[[str, str, bytes], bytes] | None = None  # changes answers, given method and path

    def __enter__(self) -> Self:
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):  # a client that hangs up is part of the game
                    proxy._serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

            def handle_error(self, request: object, client_address: object) -> None:
                """A fault of the test's own making is no news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._server is None:
            raise RuntimeError("the proxy is not started")
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """Its address for clients."""
        return f"http://127.0.0.1:{self.port}"

    def fail_next(self, *faults: str, when: Callable[[str, str], bool] | None = None) -> None:
        """What the coming mutations do, one fault each, "ok" for none; `when` picks other requests, such as uploads."""
        with self._lock:
            self._faults += [(fault, when or self._mutation) for fault in faults]

    def fail_at(self, number: int, fault: str) -> None:
        """What the n-th request from now does, whatever it is; 1 is the next."""
        left = itertools.count(number - 1, -1)
        self.fail_next(fault, when=lambda _method, _path: next(left) == 0)

    def forget_faults(self) -> None:
        """Faults that no request came for are none any more."""
        with self._lock:
            self._faults.clear()

    def asked(self, part: str) -> int:
        """How many requests so far had this in their path."""
        return sum(part in path for _, path in self.requests)

    def _due(self, method: str, path: str) -> str:
        with self._lock:
            self.requests.append((method, path))
            for number, (fault, when) in enumerate(self._faults):
                if when(method, path):
                    del self._faults[number]
                    return "" if fault == "ok" else fault
        return ""

    def _serve(self, client: socket.socket) -> None:
        if self.away:
            _break(client)
            return
        request = _read_request(client, without=self.unheard | {b"connection"})
        if request is None:
            return
        method, path, raw = request
        fault = self._due(method, path)
        if fault in {"", "cut-after", "cut-within", "slow", "garbage", "500-after", "killed-after", *self._changes}:
            answer = self._before(method, path, raw, lambda: self._ask(raw)) if self._before else self._ask(raw)
            if self.rewrite is not None:
                answer = self.rewrite(method, path, answer)
        if not fault or fault in self._changes:
            client.sendall(self._changes[fault](answer) if fault else answer)
        elif fault in {"cut-before", "cut-after", *KILLS}:
            if fault in KILLS:
                self.kill()
            _break(client)
        elif fault == "cut-within":
            client.sendall(answer[: -max(1, len(answer.partition(b"\r\n\r\n")[2]) // 2)])
            _break(client)
        elif fault == "slow":
            _wait_until_gone(client)
        elif fault == "garbage":
            client.sendall(written((200, {"Content-Type": "application/json"}, GARBAGE)))
        else:
            known = self._answers.get(fault.removesuffix("-after"))
            plain = {"Content-Type": "text/plain"}
            client.sendall(written(known() if known else (int(fault[:3]), plain, b"as the test wishes")))

    def _ask(self, raw: bytes) -> bytes:
        """The server's whole answer."""
        with socket.create_connection(self._behind, timeout=PATIENCE) as server:
            server.sendall(raw)
            parts = []
            while part := server.recv(65536):
                parts.append(part)
        return b"".join(parts)


def _read_request(client: socket.socket, *, without: frozenset[bytes]) -> tuple[str, str, bytes] | None:
    """Method, path and the request's bytes, changed to ask for the connection's end."""
    client.settimeout(PATIENCE)
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    sent = bytearray(body)
    if b"transfer-encoding" in fields:
        while not sent.endswith(b"0\r\n\r\n"):
            sent += client.recv(65536)
    while len(sent) < int(fields.get(b"content-length", b"0")):
        part = client.recv(1_048_576)
        if not part:
            return None
        sent += part
    kept = [line for line in lines if line.partition(b":")[0].lower() not in without]
    method, path, _ = first.decode("latin-1").split(" ", 2)
    return method, path, b"\r\n".join([first, *kept, b"Connection: close"]) + b"\r\n\r\n" + bytes(sent)


def written(answer: Answer) -> bytes:
    """An answer's bytes."""
    status, headers, body = answer
    fields = {**headers, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {status} As Told", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def _break(client: socket.socket) -> None:
    """Reset the connection."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def _wait_until_gone(client: socket.socket) -> None:
    """Keep silent until the client hangs up."""
    end = time.monotonic() + PATIENCE
    client.settimeout(0.1)
    while time.monotonic() < end:
        try:
            if not client.recv(1):
                return
        except TimeoutError:
            continue
