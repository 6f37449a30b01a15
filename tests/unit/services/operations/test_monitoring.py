"""Monitoring runs beside the daemon, and none of its failures stops the daemon."""

from __future__ import annotations

import base64
import json
import logging
import sys
import threading
import time
import urllib.request
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.notice import Notice
from auria_bot.errors import BackendMissing, DatabaseUnreachable, SettingsError
from auria_bot.redaction import clear_secrets, redacted, register_secret_address
from auria_bot.services.operations.health import HealthReport, HealthServer
from auria_bot.services.operations.monitoring import (
    DATABASE,
    EVERY,
    OVER,
    PATIENCE,
    SETTINGS,
    AppriseNotifier,
    HealthMonitor,
    LogNotifier,
    OutageAlerter,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAY = (
    sys.executable,
    "-S",
    "-E",
    "-c",
    "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(' '.join(sys.argv[2:]))",
)
SLEEP = (sys.executable, "-S", "-E", "-c", "import time; time.sleep(60)")


class _Notices:
    def __init__(self) -> None:
        self.looks, self.wait, self.away = 0, False, False

    def update(self) -> int:
        if self.away:
            raise DatabaseUnreachable("the server does not answer")
        self.looks += 1
        return 0

    def has_due(self) -> bool:
        return self.wait


class _Source:
    def report(self) -> HealthReport:
        return HealthReport(troubles=())

    def metrics(self) -> str:
        return ""


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def notices() -> _Notices:
    """Knows of nothing."""
    return _Notices()


@pytest.fixture
def monotonic() -> _Clock:
    """Seconds."""
    return _Clock()


def _ended(monitor: HealthMonitor) -> None:
    """Wait for the process that says notices."""
    until = time.monotonic() + 120
    while monitor._sender is not None and monitor._sender.poll() is None and time.monotonic() < until:
        time.sleep(0.01)


def test_it_looks_every_minute_and_only_if_it_leads(notices: _Notices, monotonic: _Clock):
    """A daemon that waits says nothing, for the leader does."""
    monitor = HealthMonitor(notices=lambda: notices, server=None, program=SLEEP, monotonic=monotonic)
    for leads, looks in ((False, 0), (True, 1), (True, 2)):
        for _ in range(3):
            monitor.turn(leads=leads)
        assert notices.looks == looks
        monotonic.now += EVERY
    monitor.close()


def test_what_is_to_be_said_is_said_by_another_process(notices: _Notices, monotonic: _Clock, tmp_path):
    """One at a time; one that hangs is ended."""
    file = tmp_path / "said"
    notices.wait = True
    monitor = HealthMonitor(notices=lambda: notices, server=None, program=(*SAY, str(file)), monotonic=monotonic)
    monitor.turn(leads=True)
    _ended(monitor)
    assert file.read_text() == "notify send"
    monitor.turn(leads=True)
    assert monitor._sender is None
    monitor = HealthMonitor(notices=lambda: notices, server=None, program=SLEEP, monotonic=monotonic)
    monitor.turn(leads=True)
    first = monitor._sender
    monotonic.now += EVERY
    monitor.turn(leads=True)
    assert monitor._sender is first
    monotonic.now += 600
    monitor.turn(leads=True)
    assert first is not None
    assert first.poll() is not None
    assert monitor._sender is not first
    monitor.close()
    assert monitor._sender is None


def test_events_for_webhooks_are_sent_by_the_same_process(notices: _Notices, monotonic: _Clock, tmp_path):
    """Also where the operator need not be told anything."""
    file, webhooks = tmp_path / "said", _Notices()
    webhooks.wait = True
    monitor = HealthMonitor(
        notices=lambda: notices,
        server=None,
        program=(*SAY, str(file)),
        monotonic=monotonic,
        webhooks=lambda: webhooks,
    )
    monitor.turn(leads=True)
    _ended(monitor)
    assert (file.read_text(), webhooks.looks) == ("notify send", 1)
    monitor.close()


def test_trouble_is_told_once_and_stops_nothing(notices: _Notices, monotonic: _Clock, caplog: pytest.LogCaptureFixture):
    """The database is away, the program is not there, the address is taken."""
    notices.away = True
    with HealthServer(_Source(), "127.0.0.1:0") as other:
        taken = HealthServer(_Source(), other.url.removeprefix("http://"))
        monitor = HealthMonitor(
            notices=lambda: notices, server=taken, program=("/no/such/program",), monotonic=monotonic
        )
        for _ in range(3):
            monitor.turn(leads=True)
            monotonic.now += EVERY
        assert caplog.text.count("cannot be used") == 1
        assert "the server does not answer" in caplog.text
        notices.away = False
        monitor.turn(leads=True)
        assert notices.looks == 1  # what is to be said does not wait for the address
        notices.away = True
        monotonic.now += EVERY
    monitor.turn(leads=True)
    assert urllib.request.urlopen(f"{taken.url}/healthz", timeout=5).status == 200  # noqa: S310 - this machine's own
    notices.away, notices.wait = False, True
    monotonic.now += EVERY
    monitor.turn(leads=True)
    assert "/no/such/program" in caplog.text
    monitor.close()
    assert taken.url == ""


RELAY = r"""
import os, sys, json, pathlib
folder = pathlib.Path(sys.argv[1]); count = len(list(folder.iterdir()))
(folder / f"{count}.json").write_text(json.dumps([sys.argv[2:], json.load(sys.stdin)]))
fails = int(folder.name)
answer = {"delivered": ["aaaa"], "failed": ["address 2"] if count < fails else []}
os.write(int(os.environ["SUPERVISED_BY"].split(":")[2]), json.dumps(answer).encode() + b"\n")
sys.exit(1 if count < fails else 0)
"""


class _Rig:
    """An alerter whose program keeps what it is given in a folder; the first so many times it fails in part."""

    def __init__(self, folder: Path, *, fails: int = 0) -> None:
        self.folder = folder / str(fails)
        self.folder.mkdir()
        self.monotonic = _Clock()
        program = (sys.executable, "-S", "-E", "-c", RELAY, str(self.folder))
        self.alerter = OutageAlerter(addresses=("json://one", "json://two"), program=program, monotonic=self.monotonic)

    def stand(self, seconds: float, **troubles: str) -> None:
        """Let troubles stand for a while, with a tick every ten seconds; what is said has the time that it takes."""
        for _ in range(int(seconds // 10)):
            self.monotonic.now += 10
            self.alerter.turn(troubles)
            if self.alerter._sender is not None:
                self.alerter._sender[0].wait(20)
                self.alerter.turn(troubles)

    def said(self) -> list[list]:
        """What the program was given, each time."""
        return [json.loads(file.read_text()) for file in sorted(self.folder.iterdir())]


def test_what_stands_for_a_while_is_said_once(tmp_path: Path):
    """With what to do; a moment's trouble is not said."""
    rig = _Rig(tmp_path)
    rig.stand(PATIENCE - 10, database="the server does not answer")
    rig.stand(10)
    assert rig.said() == []
    rig.stand(3 * PATIENCE, database="the server does not answer")
    ((words, given),) = rig.said()
    assert words == ["notify", "relay"]
    assert (given["addresses"], given["delivered"]) == (["json://one", "json://two"], [])
    assert given["notice"]["title"] == "Auria has stopped working"
    assert given["notice"]["body"].startswith("the server does not answer\n\nWork resumes by itself")


def test_what_comes_and_goes_is_one_occasion(tmp_path: Path):
    """What was away for some minutes is another; settings are an occasion of their own."""
    rig = _Rig(tmp_path)
    for _ in range(3):
        rig.stand(2 * PATIENCE, **{DATABASE: "away"})
        rig.stand(OVER / 2)
    assert len(rig.said()) == 1
    rig.stand(OVER)
    rig.stand(2 * PATIENCE, **{DATABASE: "away", SETTINGS: "count: many is no number"})
    assert [given["notice"]["subject"] for _, given in rig.said()] == [DATABASE, DATABASE, SETTINGS]


def test_what_did_not_get_through_is_said_again(tmp_path: Path):
    """Later and later, and not to those who have it."""
    rig = _Rig(tmp_path, fails=2)
    rig.stand(PATIENCE + 30, **{DATABASE: "away"})
    assert len(rig.said()) == 1
    rig.stand(600, **{DATABASE: "away"})
    assert [given["delivered"] for _, given in rig.said()] == [[], ["aaaa"], ["aaaa"]]
    rig.stand(7200, **{DATABASE: "away"})
    assert len(rig.said()) == 3


@pytest.mark.parametrize(
    "program", [("/no/such/program",), (sys.executable, "-c", "raise SystemExit(1)"), (sys.executable, "-c", "")]
)
def test_a_program_that_fails_stops_nothing(program: tuple[str, ...]):
    """It is not there, ends at once, or answers nothing."""
    monotonic = _Clock()
    alerter = OutageAlerter(addresses=("json://one",), program=program, monotonic=monotonic, patience=0.0)
    for _ in range(3):
        alerter.turn({DATABASE: "away " * 20_000})
        if alerter._sender is not None:
            alerter._sender[0].wait(20)
        monotonic.now += 100
    alerter.close()


def test_one_that_hangs_is_ended(tmp_path: Path):
    """And with the alerter itself, what is being said."""
    monotonic = _Clock()
    alerter = OutageAlerter(addresses=("json://one",), program=SLEEP, monotonic=monotonic, patience=0.0)
    alerter.turn({DATABASE: "away"})
    assert alerter._sender is not None
    first = alerter._sender[0]
    alerter.turn({DATABASE: "away"})
    assert first.poll() is None
    monotonic.now += 400
    alerter.turn({DATABASE: "away"})
    assert first.poll() is not None
    assert alerter._sender is not None
    second = alerter._sender[0]
    alerter.close()
    assert second.poll() is not None


def test_without_an_address_nothing_is_started():
    """The log tells."""
    alerter = OutageAlerter(addresses=(), program=SLEEP, patience=0.0)
    alerter.turn({DATABASE: "away"})
    time.sleep(0.01)
    alerter.turn({DATABASE: "away"})
    assert alerter._sender is None


apprise = pytest.importorskip("apprise", reason="apprise is not installed")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its hundred plugins, some import what Python is about to drop
    apprise.Apprise.instantiate("json://localhost")

_NOTICE = Notice(kind="draft_waiting", subject="7", title="Draft 7 waits", body="old pond\n\nDecide: auria review")


class _Listener(ThreadingHTTPServer):
    """Where Apprise's json:// posts to."""

    daemon_threads = True

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict]] = []
        self.status = 200
        self.go_on = threading.Event()
        super().__init__(("127.0.0.1", 0), _Listening)


class _Listening(BaseHTTPRequestHandler):
    server: _Listener

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append((self.path, body))
        if self.path == "/slow":
            self.server.go_on.wait(10)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quietly."""


@pytest.fixture
def listener() -> Iterator[_Listener]:
    """A server that takes what it is told."""
    server = _Listener()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    with clear_secrets():
        yield server
    server.shutdown()
    server.server_close()


def test_a_notice_arrives_with_its_picture(listener: _Listener, tmp_path: Path):
    """Title, words and the picture's bytes; without a picture that is gone."""
    picture = tmp_path / "post.jpg"
    picture.write_bytes(b"\xff\xd8 a picture")
    notifier = AppriseNotifier([f"json://me:s3cret-word@127.0.0.1:{listener.server_port}/a-path"])
    assert notifier.check() == ("address 1 (json)",)
    said = notifier.send(Notice(kind="k", subject="1", title="Draft 7 waits", body="old pond", picture=str(picture)))
    assert (len(said.delivered), said.failed) == (1, ())
    path, body = listener.heard[0]
    assert (path, body["title"], body["message"]) == ("/a-path", "Draft 7 waits", "old pond")
    assert base64.b64decode(body["attachments"][0]["base64"]) == picture.read_bytes()
    picture.unlink()
    notifier.send(Notice(kind="k", subject="1", title="t", body="w", picture=str(picture)))
    assert listener.heard[1][1]["attachments"] == []


def test_who_has_it_is_left_out(listener: _Listener, caplog: pytest.LogCaptureFixture):
    """An address that fails is named by its number; a second try is for that one alone, and nothing tells the address."""
    addresses = [
        f"json://127.0.0.1:{listener.server_port}/first-1",
        f"json://u:pa55-w0rd@127.0.0.1:{listener.server_port}/second-2",
    ]
    notifier = AppriseNotifier(addresses)
    logging.getLogger("apprise").setLevel(logging.WARNING)
    first = AppriseNotifier(addresses[:1]).send(_NOTICE)
    listener.status = 500
    said = notifier.send(_NOTICE, skip=first.delivered)
    assert said.delivered == first.delivered
    assert said.failed == ("address 2 (json)",)
    listener.status = 200
    assert notifier.send(_NOTICE, skip=said.delivered).failed == ()
    assert [path for path, _ in listener.heard] == ["/first-1", "/second-2", "/second-2"]
    assert "pa55" not in repr(notifier) + redacted(caplog.text)


def test_a_plugin_that_breaks_keeps_nobody_else_from_being_told(listener: _Listener, monkeypatch: pytest.MonkeyPatch):
    """Its address counts as not told."""
    notifier = AppriseNotifier([f"json://127.0.0.1:{listener.server_port}/{name}" for name in ("a", "b")])
    notify = apprise.Apprise.notify

    def breaking(self: apprise.Apprise, **words):
        if "/a" in self.urls()[0]:
            raise RuntimeError("a slip")
        return notify(self, **words)

    monkeypatch.setattr(apprise.Apprise, "notify", breaking)
    assert notifier.send(_NOTICE).failed == ("address 1 (json)",)
    assert [path for path, _ in listener.heard] == ["/b"]


def test_an_address_that_hangs_keeps_nobody_else_from_being_told(listener: _Listener, caplog: pytest.LogCaptureFixture):
    """An address that hangs uses its deadline once; the others are notified, and not again."""
    notifier = AppriseNotifier(
        [f"json://127.0.0.1:{listener.server_port}/{name}" for name in ("slow", "b")], timeout=0.4
    )
    said = [notifier.send(_NOTICE), notifier.send(Notice(kind="k", subject="2", title="t", body="w"))]
    listener.go_on.set()
    assert [(len(one.delivered), one.failed) for one in said] == [(1, ("address 1 (json)",))] * 2
    assert [path for path, _ in listener.heard] == ["/slow", "/b", "/b"]
    assert caplog.text.count("address 1 (json) did not answer within 0.4 s") == 1


def test_an_address_that_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch):
    """By its number, without being shown; so is all where Apprise is not installed."""
    with clear_secrets():
        with pytest.raises(SettingsError, match=r"address 1 .* is unknown to Apprise") as caught:
            AppriseNotifier(["nosuch://t0psecret-word"]).check()
        assert "t0psecret" not in str(caught.value)
        monkeypatch.setitem(sys.modules, "apprise", None)
        with pytest.raises(BackendMissing, match=r"auria-bot\[notify\]"):
            AppriseNotifier(["json://x"]).send(_NOTICE)


def test_without_an_address_the_log_is_told(caplog: pytest.LogCaptureFixture):
    """In one line."""
    with caplog.at_level(logging.WARNING, logger="auria_bot"):
        assert LogNotifier().send(_NOTICE).delivered == ("log",)
    assert caplog.records[0].getMessage() == "Draft 7 waits old pond Decide: auria review"


def test_what_of_an_address_is_a_secret():
    """Tokens, topics and passwords in every part; hosts and short words are none."""
    with clear_secrets():
        register_secret_address("tgram://123456789:AAbbCCddEEff/987654321")
        register_secret_address("mailtos://me:plainword@mail.example.org?to=you@example.org&pass=p%40ss-word-1")
        register_secret_address("ntfys://ntfy.sh/my-secret-topic")
        text = "AAbbCCddEEff plainword p@ss-word-1 my-secret-topic at mail.example.org and ntfy.sh"
        assert redacted(text) == "*** *** *** *** at mail.example.org and ntfy.sh"
