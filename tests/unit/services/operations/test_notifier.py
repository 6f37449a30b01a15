"""Notices arrive at real addresses, and no address is ever told."""

from __future__ import annotations

import base64
import json
import logging
import sys
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.notice import Notice
from auria_bot.errors import BackendMissing, SettingsError
from auria_bot.redaction import clear_secrets, redacted, register_secret_address
from auria_bot.services.operations.notifier import AppriseNotifier, LogNotifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
