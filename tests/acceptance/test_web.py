"""`auria web` as a process: pages over a socket, slow clients, and its end."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.exhibited import exhibited
from tests.scenarios.web_load import START, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of a running `auria web` with two published works; it ends by SIGTERM with exit code 0."""
    exhibited(tmp_path, 2).close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    environment = {"AURIA_HOME": str(tmp_path), "AURIA_WEB__ADDRESS": f"127.0.0.1:{number}", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "auria_bot", "web"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        try:
            wait_for(number, process)
            yield number
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=START)
    assert process.returncode in {0, -signal.SIGTERM}, errors.decode()
    assert b"Traceback" not in errors


def get(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    """Status and body of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_pages_and_pictures_are_served(port: int) -> None:
    """The newest work's page and its picture arrive; a foreign host name is refused."""
    assert get(port, "/")[0] == 200
    assert b"frog leaps" in get(port, "/artworks/2-old-pond-number-2")[1]
    assert get(port, "/pictures/2/320.webp")[1][8:12] == b"WEBP"
    assert get(port, "/", Host="evil.example")[0] == 421


def test_clients_that_send_nothing_keep_nobody_out(port: int) -> None:
    """While a hundred connections wait, pages are served; oversized heads are refused."""
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    for one in idle[:50]:
        one.sendall(b"GET / HTTP/1.1\r\n")
    assert get(port, "/browse")[0] == 200
    idle[0].sendall(b"X: " + b"y" * 20_000)
    assert idle[0].recv(12) == b"HTTP/1.1 400"
    for one in idle:
        one.close()
