"""The endpoint tells health by its status, and figures, to whoever asks on its address."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import SettingsError
from auria_bot.services.operations.health_report import HealthReport
from auria_bot.services.operations.health_server import HealthServer

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Source:
    troubles: tuple[str, ...] = ()

    def report(self) -> HealthReport:
        return HealthReport(troubles=self.troubles)

    def metrics(self) -> str:
        return "auria_healthy 1\n"


@pytest.fixture
def source() -> _Source:
    """All is well."""
    return _Source()


@pytest.fixture
def server(source: _Source) -> Iterator[HealthServer]:
    """An endpoint on a free port."""
    with HealthServer(source, "127.0.0.1:0") as started:
        yield started


def _get(url: str, method: str = "GET") -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=5) as answer:  # noqa: S310
            return answer.status, answer.read().decode(), answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers["Content-Type"]


def test_health_is_the_status(server: HealthServer, source: _Source):
    """200 when all is well, 503 with the troubles else."""
    assert _get(f"{server.url}/healthz")[:2] == (200, "well\n")
    source.troubles = ("the job 'make' is overdue", "no daemon")
    assert _get(f"{server.url}/healthz?verbose")[:2] == (503, "the job 'make' is overdue\nno daemon\n")
    assert _get(f"{server.url}/healthz", "HEAD")[:2] == (503, "")


def test_figures_and_nothing_else(server: HealthServer, capsys: pytest.CaptureFixture):
    """As Prometheus wants them; other paths are not there, other methods are not known, and nothing is logged."""
    status, text, kind = _get(f"{server.url}/metrics")
    assert (status, text) == (200, "auria_healthy 1\n")
    assert kind.startswith("text/plain; version=0.0.4")
    assert _get(f"{server.url}/../etc/passwd")[0] == 404
    assert _get(f"{server.url}/metrics", "POST")[0] == 501
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as line:
        line.sendall(b"\x00rubbish\r\n\r\n")
        assert line.recv(100).startswith((b"HTTP/1.0 400", b"<!DOCTYPE"))
    assert capsys.readouterr().err == ""


def test_an_address_that_is_taken_is_named(server: HealthServer, source: _Source):
    """So is one that is no machine's; a server that stopped answers no more."""
    for address in (server.url.removeprefix("http://"), "127.0.0.1:99999", "no-such-host.invalid:1"):
        with pytest.raises(SettingsError, match=r"health\.address"):
            HealthServer(source, address).start()
    url = server.url
    server.stop()
    server.stop()
    assert server.url == ""
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{url}/healthz", timeout=2)  # noqa: S310


def test_it_answers_on_ipv6_too(source: _Source):
    """The address in brackets, as in a URL."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        with HealthServer(source, "[::1]:0") as server:
            assert server.url.startswith("http://[::1]:")
            assert _get(f"{server.url}/healthz")[0] == 200
    except SettingsError:
        with socket.socket(socket.AF_INET6) as line, pytest.raises(OSError):
            line.bind(("::1", 0))
        pytest.skip("this machine has no ::1")


def test_it_starts_without_a_name_server(source: _Source, monkeypatch: pytest.MonkeyPatch):
    """Nobody is asked for the host's full name."""
    monkeypatch.setattr(socket, "getfqdn", lambda *_: pytest.fail("a name server was asked"))
    with (
        HealthServer(source, "0.0.0.0:0") as server,
        urllib.request.urlopen(f"{server.url}/healthz", timeout=5) as answer,  # noqa: S310
    ):
        assert answer.headers["Server"] == "Auria"
