"""Operations from the command line: backups and restoring, tidying, and the journal."""

from __future__ import annotations

import json
import os
import shutil
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from auria_bot.bootstrap.application import build
from auria_bot.cli.app import app
from auria_bot.errors import InputError, InvalidTransition, NotFound, Rejected
from auria_bot.files import sha256_of
from auria_bot.redaction import clear_secrets
from auria_bot.services.schedule.job_scheduler import LeaderElection
from auria_bot.settings.loading import load
from auria_bot.testing import FakeClock
from tests.applications import fake_application
from tests.factories import add_draft

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with a draft in it, which the commands find."""
    place = tmp_path / "home"
    with closing(fake_application(place)) as application:
        source = place / "source"
        source.write_bytes(b"a picture")
        names = ("painting.png", "full.png", "post.jpg", "card.jpg")
        application.pictures.keep("run-1", dict.fromkeys(names, source))
        with application.store.begin() as unit:
            add_draft(unit, 1, picture_sha256=sha256_of(source))
    monkeypatch.setenv("AURIA_HOME", str(place))
    monkeypatch.setattr("auria_bot.telemetry.set_up", lambda **_: None)  # the log is the other tests' too
    with clear_secrets():
        yield place


def auria(*words: str) -> tuple[int, str]:
    """Run a command; its exit code and what it printed."""
    done = CliRunner().invoke(app, list(words))
    if isinstance(done.exception, Exception):
        raise done.exception
    return done.exit_code, done.stdout


def test_a_backup_goes_there_and_back(home: Path, tmp_path: Path):
    """A lost picture and a changed database come back; without --force nothing is overwritten."""
    assert auria("db", "backups")[1] == ""
    made = json.loads(auria("db", "backup", "--json")[1])
    assert made["files"] == 5
    assert made["folder"] in auria("db", "backups")[1]
    assert json.loads(auria("db", "backups", "--json")[1])[0]["bytes"] == made["bytes"]
    said = auria("db", "backup", str(tmp_path / "other"))[1]
    assert f"to restore it: auria db restore {tmp_path / 'other'}/auria-" in said
    (home / "pictures" / "run-1" / "card.jpg").unlink()
    with pytest.raises(InvalidTransition, match="--force"):
        auria("db", "restore", made["folder"])
    done = json.loads(auria("db", "restore", made["folder"], "--force", "--json")[1])
    assert done["pictures"] == 1
    assert "the previous content is in" in auria("db", "restore", made["folder"], "--force")[1]
    shutil.rmtree(home)
    assert "1 pictures" not in auria("db", "restore", str(next((tmp_path / "other").iterdir())))[1]
    assert (home / "pictures" / "run-1" / "card.jpg").read_bytes() == b"a picture"


def test_nothing_goes_out_twice_after_a_restore(home: Path):
    """While a daemon works nothing is put back; then what may be out since is told, and waits for the operator."""
    made = json.loads(auria("db", "backup", "--json")[1])["folder"]
    with closing(build(load())) as application:
        leader = LeaderElection(store=application.store, clock=application.clock, holder="vm:7")
        leader.heartbeat()
        with pytest.raises(InvalidTransition, match=r"a daemon is running: vm:7; stop it first"):
            auria("db", "restore", made, "--force")
        leader.release()
        application.review.approve([1], channels=("folder",))
    approved = json.loads(auria("db", "backup", str(home / "later"), "--json")[1])["folder"]
    told = CliRunner().invoke(app, ["db", "restore", approved, "--force"])
    assert "1 approved draft must be approved again" in told.stderr
    assert "post " not in told.stderr
    assert auria("db", "restore", made, "--force", "--json")[1].count('"drafts": []') == 1


def test_the_journal_tells_who_did_what(home: Path):
    """The newest first, of all or of one draft."""
    assert auria("db", "journal")[1] == ""
    auria("db", "backup")
    auria("reject", "1", "--reason", "dull")
    lines = json.loads(auria("db", "journal", "--json")[1])
    assert [(one["action"], one["draft_id"]) for one in lines] == [("reject", 1), ("backup", None)]
    assert [one["words"] for one in json.loads(auria("db", "journal", "--draft", "1", "--json")[1])] == ["dull"]
    shown = auria("db", "journal", "--limit", "1")[1]
    assert "reject" in shown
    assert "backup" not in shown
    with pytest.raises(NotFound):
        auria("db", "journal", "--draft", "9")


def test_what_is_not_whole_is_said(home: Path):
    """By words and by the exit code."""
    (home / "pictures" / "run-1" / "post.jpg").write_bytes(b"another picture")
    code, words = auria("db", "check")
    assert code == 7
    assert "is not the picture that was made" in words
    assert len(json.loads(auria("db", "check", "--json")[1])["faults"]) == 1
    shutil.rmtree(home)
    assert auria("db", "check") == (0, "database and pictures are intact\n")


def test_tidying_says_what_goes(home: Path):
    """First without doing it."""
    assert auria("tidy", "--dry-run")[1] == "nothing is old enough to delete\n"
    assert json.loads(auria("tidy", "--json")[1])["pictures"] == []
    (home / "logs").mkdir(exist_ok=True)
    old = home / "logs" / "error-1.log"
    old.write_text("long ago")
    os.utime(old, (0, 0))
    assert (
        "would free 0.0 MB: pictures of 0 rejected drafts, 0 unfinished runs, 1 crash log\n"
        in auria("tidy", "--dry-run")[1]
    )
    assert old.exists()
    assert "freed 0.0 MB: " in auria("tidy")[1]
    assert not old.exists()


def test_programs_and_the_log_of_a_job_are_told(home: Path):
    """The document on stdout, and a sentence on stderr, which the schedule shows."""
    for words, said in (
        (("db", "backup"), "5 files, "),
        (("tidy",), "nothing is old"),
        (("measure",), "1 call; see the results"),
    ):
        done = CliRunner().invoke(app, [*words, "--json"])
        assert json.loads(done.stdout) is not None
        assert said in done.stderr.splitlines()[-1]


class _Listening(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quietly."""


@pytest.mark.filterwarnings("ignore:'.*' is deprecated:DeprecationWarning")
def test_the_operator_is_told(home: Path, monkeypatch: pytest.MonkeyPatch):
    """A test at every address, what is news, and the digest once a day; the address is shown nowhere."""
    pytest.importorskip("apprise")
    with pytest.raises(InputError, match=r"notify\.addresses"):
        auria("notify", "test")
    server = HTTPServer(("127.0.0.1", 0), _Listening)
    server.status = 200  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        monkeypatch.setenv("AURIA_NOTIFY__ADDRESSES", f"json://me:my-pass-w0rd@127.0.0.1:{server.server_port}/x")
        assert auria("notify", "test") == (0, "address 1 (json): sent\n")
        assert auria("notify", "say")[1] == "2 new, 2 sent\n"  # a draft waits, and none is approved
        assert CliRunner().invoke(app, ["notify", "digest"]).stderr == "a new digest, 1 notice sent\n"
        assert (
            CliRunner().invoke(app, ["notify", "digest"]).stderr
            == "the digest of today was already sent, 0 notices sent\n"
        )
        server.status = 500  # type: ignore[attr-defined]
        assert auria("notify", "test") == (1, "address 1 (json): failed\n")
        assert "my-pass" not in auria("config")[1] + auria("config", "--json")[1] + repr(load())
    finally:
        server.shutdown()
        server.server_close()


def test_health_and_tokens_are_joined(home: Path):
    """A daemon that never ran is trouble; a token that ends soon is seen, a channel that cannot tell is passed over."""
    clock = FakeClock(datetime.now(UTC))

    class Ending:
        days = 0.0

        def expires(self) -> datetime:
            return clock() + timedelta(days=self.days)

    def broken() -> None:
        raise Rejected("no such option")

    with closing(build(load(), clock=clock)) as application:
        assert "no daemon has run yet" in application.health.report().troubles[0]
        for days, found in ((3, ["ending"]), (30, [])):
            Ending.days = days
            application.channels = {"ending": Ending, "plain": object, "broken": broken}
            assert list(application.expiring_tokens()) == found
