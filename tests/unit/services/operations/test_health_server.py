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


class _Pulse:
    troubles: tuple[str, ...] = ()

    def look(self) -> HealthReport:
        return HealthReport(troubles=self.troubles)

    def metrics(self) -> str:
        return "auria_healthy 1\n"


@pytest.fixture
def pulse() -> _Pulse:
    """All is well."""
    return _Pulse()


@pytest.fixture
def beacon(pulse: _Pulse) -> Iterator[HealthServer]:
    """An endpoint on a free port."""
    with HealthServer(pulse, "127.0.0.1:0") as started:
        yield started


def _get(url: str, method: str = "GET") -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=5) as answer:  # noqa: S310
            return answer.status, answer.read().decode(), answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers["Content-Type"]


def test_health_is_the_status(beacon: HealthServer, pulse: _Pulse):
    """200 when all is well, 503 with the troubles else."""
    assert _get(f"{beacon.url}/healthz")[:2] == (200, "well\n")
    pulse.troubles = ("the job 'make' is overdue", "no daemon")
    assert _get(f"{beacon.url}/healthz?verbose")[:2] == (503, "the job 'make' is overdue\nno daemon\n")
    assert _get(f"{beacon.url}/healthz", "HEAD")[:2] == (503, "")


def test_figures_and_nothing_else(beacon: HealthServer, capsys: pytest.CaptureFixture):
    """As Prometheus wants them; other paths are not there, other methods are not known, and nothing is logged."""
    status, text, kind = _get(f"{beacon.url}/metrics")
    assert (status, text) == (200, "auria_healthy 1\n")
    assert kind.startswith("text/plain; version=0.0.4")
    assert _get(f"{beacon.url}/../etc/passwd")[0] == 404
    assert _get(f"{beacon.url}/metrics", "POST")[0] == 501
    with socket.create_connection(("127.0.0.1", int(beacon.url.rpartition(":")[2]))) as line:
        line.sendall(b"\x00rubbish\r\n\r\n")
        assert line.recv(100).startswith((b"HTTP/1.0 400", b"<!DOCTYPE"))
    assert capsys.readouterr().err == ""


def test_an_address_that_is_taken_is_named(beacon: HealthServer, pulse: _Pulse):
    """So is one that is no machine's; a beacon that stopped answers no more."""
    for address in (beacon.url.removeprefix("http://"), "127.0.0.1:99999", "no-such-host.invalid:1"):
        with pytest.raises(SettingsError, match=r"health\.address"):
            HealthServer(pulse, address).start()
    url = beacon.url
    beacon.stop()
    beacon.stop()
    assert beacon.url == ""
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{url}/healthz", timeout=2)  # noqa: S310


def test_it_answers_on_ipv6_too(pulse: _Pulse):
    """The address in brackets, as in a URL."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        with HealthServer(pulse, "[::1]:0") as beacon:
            assert beacon.url.startswith("http://[::1]:")
            assert _get(f"{beacon.url}/healthz")[0] == 200
    except SettingsError:
        with socket.socket(socket.AF_INET6) as line, pytest.raises(OSError):
            line.bind(("::1", 0))
        pytest.skip("this machine has no ::1")


def test_it_starts_without_a_name_server(pulse: _Pulse, monkeypatch: pytest.MonkeyPatch):
    """Nobody is asked for the host's full name."""
    monkeypatch.setattr(socket, "getfqdn", lambda *_: pytest.fail("a name server was asked"))
    with (
        HealthServer(pulse, "0.0.0.0:0") as beacon,
        urllib.request.urlopen(f"{beacon.url}/healthz", timeout=5) as answer,  # noqa: S310
    ):
        assert answer.headers["Server"] == "Auria"
