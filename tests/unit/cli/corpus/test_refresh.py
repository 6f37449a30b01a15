from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from auria_bot.cli import main
from tests.applications import fake_application
from tests.platforms.reddit import CLIENT_ID, CLIENT_SECRET
from tests.reading_reddit import kept, server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.platforms.reddit import RedditServer

__all__ = ["server"]  # the fixture

pytest.importorskip("praw")


@pytest.fixture
def home(server: RedditServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose settings lead there."""
    place = tmp_path / "home"
    fake_application(place).close()
    for name, value in server.settings().items():
        monkeypatch.setenv(f"AURIA_CORPUS__REDDIT__{name.upper()}", str(value))
    monkeypatch.setenv("AURIA_HOME", str(place))
    monkeypatch.setenv("AURIA_SECRET_REDDIT_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("AURIA_SECRET_REDDIT_CLIENT_SECRET", CLIENT_SECRET)
    return place


def auria(*words: str) -> int:
    """Run a command; its exit code."""
    before, sys.argv = sys.argv, ["auria", *words]
    try:
        with pytest.raises(SystemExit) as left:
            main()
    finally:
        sys.argv = before
    return int(left.value.code or 0)


def test_refresh_reads_what_is_new(server: RedditServer, home: Path, capsys: pytest.CaptureFixture[str]):
    """It tells posts and poems, the requests it took and what is left."""
    server.fill(30)
    server.post("Weekly thread: what are you reading?")
    assert auria("corpus", "refresh") == 0
    said = capsys.readouterr()
    assert [word for word in said.out.strip().splitlines()[-1].split() if word] == [
        "r/haiku",
        "new",
        "31",
        "30",
        "30",
        "0",
    ]
    assert "requests, 99999" in said.err
    assert kept(home) == {one.id for one in server.up() if "/" in one.title}


def test_refresh_as_json_forgets_what_was_deleted(server: RedditServer, home: Path, capsys: pytest.CaptureFixture[str]):
    """One document with what was read, what was looked at and what it cost."""
    posts = server.fill(12)
    auria("corpus", "refresh", "--no-look")
    server.take_away(posts[5].id)
    capsys.readouterr()
    assert auria("corpus", "refresh", "--json", "--look") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["listings"][0]["new_poems"], told["looked"]["deleted"], told["looked"]["buried"]) == (0, 1, 1)
    assert (told["requests"], told["problems"]) == (3, [])  # a token, a page, a look-up
    assert posts[5].id not in kept(home)


def test_answers_in_doubt_are_told(server: RedditServer, home: Path, capsys: pytest.CaptureFixture[str]):
    """It says how many posts that is about, why, what was not done and what comes next."""
    posts = server.fill(12)
    auria("corpus", "refresh", "--no-check")
    for post in posts:
        server.take_away(post.id, "purged")
    capsys.readouterr()
    assert auria("corpus", "refresh") == 0
    assert (
        "Reddit's answers about 1 batch of up to 100 known posts are in doubt: it knew of less than half, or one could"
        " not be read; no post of these was forgotten for being unknown, and the next checks ask again"
    ) in " ".join(capsys.readouterr().err.split())
    assert len(kept(home)) == 12


def test_a_subreddit_that_is_not_there_stops_no_other(
    server: RedditServer, home: Path, capsys: pytest.CaptureFixture[str]
):
    """Its name is told, and the exit code is that of something not found."""
    server.fill(5)
    assert auria("corpus", "refresh", "-r", "nowhere", "-r", "r/haiku") == 5
    assert "Reddit has no r/nowhere" in capsys.readouterr().err
    assert len(kept(home)) == 5


def test_a_reddit_that_is_away_is_told_after_what_was_read(
    server: RedditServer, home: Path, capsys: pytest.CaptureFixture[str]
):
    """What was read before the failure is stored and shown."""
    server.fill(150)

    def breaks(number: int) -> None:
        if number == 1:
            server.fail_next("500", "429-long")

    server.before_answer = breaks
    assert auria("corpus", "refresh") == 11
    assert "what was read is kept" in capsys.readouterr().err
    assert len(kept(home)) == 100


def test_a_wait_is_said(server: RedditServer, home: Path, capsys: pytest.CaptureFixture[str]):
    """A second or more is not slept through in silence."""
    server.fill(3)
    server.fail_next("429")
    assert auria("corpus", "refresh") == 0
    assert "Reddit asks to wait: waiting 1 s" in capsys.readouterr().err
    assert len(kept(home)) == 3


def test_a_dry_run_keeps_nothing(server: RedditServer, home: Path, capsys: pytest.CaptureFixture[str]):
    """A dry run says what would be stored, and checks nothing for deletion."""
    server.fill(3)
    assert auria("corpus", "refresh", "--dry-run", "--listing", "top", "--time", "all") == 0
    assert "would be kept" in capsys.readouterr().out
    assert kept(home) == set()
    assert server.asked["/api/info"] == 0


def test_slices_of_time(server: RedditServer, home: Path):
    """Days are taken as they are written."""
    server.fill(40, every=86_400)
    assert auria("corpus", "refresh", "--since", "2026-11-01", "--until", "2026-11-10", "--no-look") == 0
    assert len(kept(home)) == 10


@pytest.mark.parametrize(
    "wrong",
    [
        ["--listing", "hot"],
        ["--time", "decade", "-l", "top"],
        ["--since", "yesterday"],
        ["--until", "2026-01-01"],
        ["--since", "2026-02-01", "--until", "2026-01-01"],
        ["-r", "not a name"],
    ],
)
@pytest.mark.usefixtures("home")
def test_options_that_cannot_be(server: RedditServer, wrong: list[str]):
    """Nothing is asked of Reddit."""
    assert auria("corpus", "refresh", *wrong) == 2
    assert not server.asked


def test_no_secret_is_told_whatever_fails(
    server: RedditServer, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Neither in the log at its most talkative, nor with a traceback, nor in the database."""
    monkeypatch.setenv("AURIA_LOGGING__LEVEL", "debug")
    monkeypatch.setattr("prawcore.sessions.random.random", lambda: 0.0)
    server.fill(250)
    tokens = set[str]()

    def fails(number: int) -> None:
        tokens.update(server.tokens)
        server.fail_next(("cut-within", "500", "garbage")[number % 3])
        if number == 3:
            server.expire_tokens()

    server.before_answer = fails
    auria("--debug", "corpus", "refresh")
    server.before_answer = None
    server.fail_next("429-long")
    assert auria("--debug", "corpus", "refresh") == 11
    said = capsys.readouterr()
    told = (
        said.out + said.err + "".join(file.read_bytes().decode("latin-1") for file in home.rglob("*") if file.is_file())
    )
    assert tokens
    assert [one for one in (CLIENT_ID, CLIENT_SECRET, *tokens) if one in told] == []


@pytest.mark.usefixtures("home")
def test_without_credentials_it_says_how_to_get_some(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """The next command is named."""
    monkeypatch.delenv("AURIA_SECRET_REDDIT_CLIENT_ID")
    assert auria("corpus", "refresh") == 3
    assert "auria corpus login" in capsys.readouterr().err


def test_login_keeps_what_reddit_takes(
    server: RedditServer, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Credentials that Reddit refuses are not stored, and none are shown."""
    monkeypatch.delenv("AURIA_SECRET_REDDIT_CLIENT_ID")
    monkeypatch.delenv("AURIA_SECRET_REDDIT_CLIENT_SECRET")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    answers = [CLIENT_ID, f"not-{CLIENT_SECRET}", CLIENT_ID, CLIENT_SECRET]
    monkeypatch.setattr("typer.prompt", lambda *_args, **_more: answers.pop(0))
    assert auria("corpus", "login") == 11
    assert not (home / "secrets" / "reddit.json").exists()
    assert auria("corpus", "login") == 0
    said = capsys.readouterr()
    assert CLIENT_SECRET not in said.out + said.err
    server.fill(2)
    assert auria("corpus", "refresh") == 0
    assert len(kept(home)) == 2
