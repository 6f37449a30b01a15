"""Slow clients hold few connections for a limited time, so that others are served."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import SettingsError
from auria_bot.http_server import BoundedHTTPServer, check_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    """A clock at rest."""
    return _Clock()


@pytest.fixture
def server(clock: _Clock) -> Iterator[BoundedHTTPServer]:
    """A server of four connections."""
    made = BoundedHTTPServer(("127.0.0.1", 0), _Handler, connections=4, deadline=5.0, clock=clock)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def _connect(server: BoundedHTTPServer, sent: bytes) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", server.server_port), timeout=20)
    line.sendall(sent)
    return line


def test_idle_connections_keep_nobody_out(server: BoundedHTTPServer):
    """The oldest ones give way; there are never more than the limit."""
    idle = [_connect(server, b"GET / HTTP/1.1\r\nX: ") for _ in range(60)]
    try:
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/", timeout=20) as answer:
                assert answer.status == 204
            assert server.open_connections <= 4
        assert idle[0].recv(1000) == b""
    finally:
        for line in idle:
            line.close()


def test_a_request_has_one_deadline(server: BoundedHTTPServer, clock: _Clock):
    """A client that sends a byte now and then is cut off as well."""
    with _connect(server, b"GET / HTTP/1.1\r\n") as line:
        while not server.open_connections:
            time.sleep(0.01)
        clock.now = 4.9
        line.sendall(b"X")
        clock.now = 5.0
        assert line.recv(1000) == b""


def test_an_address_that_is_taken_is_named_before_anything_else() -> None:
    """With its setting, and the same for one that is no address of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"^web\.address '127\.0\.0\.1:{port}' cannot be used: .*another port"):
            check_address(f"127.0.0.1:{port}", setting="web.address")
    check_address("127.0.0.1:0", setting="web.address")
    with pytest.raises(SettingsError, match="cannot be used"):
        check_address("192.0.2.1:1", setting="web.address")


def test_a_socket_at_which_another_server_answers_is_not_taken_from_it(tmp_path: Path) -> None:
    """One that a killed server left is no obstacle."""
    address = f"unix:{tmp_path / 'serve.sock'}"
    check_address(address, setting="captions.server")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "serve.sock"))
        server.listen()
        with pytest.raises(SettingsError, match="another server answers there"):
            check_address(address, setting="captions.server")
    check_address(address, setting="captions.server")
