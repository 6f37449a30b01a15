"""`auria channels`: set up, listed, checked, paused and taken away, without ever showing a secret."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.bootstrap.application import build
from auria_bot.channels.folder.channel import FolderChannel
from auria_bot.domain.interfaces import Question
from auria_bot.domain.post import PostState
from auria_bot.registry import BACKENDS
from auria_bot.settings.loading import load
from tests.factories import add_draft
from tests.platforms.x import XPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def x() -> Iterator[XPlatform]:
    """X on this machine."""
    with XPlatform() as server:
        yield server


def offered(monkeypatch: pytest.MonkeyPatch, server: XPlatform, name: str = "x", **changes: str) -> list[str]:
    """The platform's credentials in the environment; the arguments that point a channel at it."""
    for secret, value in {**server.secrets(), **changes}.items():
        monkeypatch.setenv(f"AURIA_SECRET_{name.upper()}_{secret.upper()}", value)
    return [word for key, value in server.options().items() for word in ("--set", f"{key}={value}")]


def whole(*shown: str, home: Path) -> str:
    """All output, and every file but those of the secret store."""
    files = [path for path in home.rglob("*") if path.is_file() and path.parent.name != "secrets"]
    return "".join(shown) + "".join(path.read_bytes().decode("latin-1") for path in files)


def test_a_channel_is_tried_and_kept(auria: Any, home: Path, x: XPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets go to the secret store, options to the settings, and the channel then works without the environment."""
    arguments = offered(monkeypatch, x)
    code, out, err = auria("channels", "add", "x", *arguments)
    assert code == 0, err
    assert out.startswith("channel x is set up: ")
    assert "@auria" in out
    for secret in x.secrets():
        monkeypatch.delenv(f"AURIA_SECRET_X_{secret.upper()}")
    kept = load().channels["x"]
    assert (kept.backend, kept.keystore, kept.options) == ("x", "file", x.options())
    assert json.loads((home / "secrets" / "x.json").read_text()) == x.secrets()
    code, listed, _ = auria("channels", "--json")
    row = {one["name"]: one for one in json.loads(listed)}["x"]
    assert (row["state"], row["address"]) == ("ready", x.address)
    assert row["secrets"] == dict.fromkeys(x.secrets(), "file")
    code, checked, err2 = auria("channels", "check", "x", "--json")
    assert (code, json.loads(checked)[0]["state"]) == (0, "ok")
    said = whole(out, err, listed, checked, err2, home=home)
    assert not [value for value in x.secrets().values() if value in said]


def test_what_the_platform_does_not_accept_is_not_kept(
    auria: Any, home: Path, x: XPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that the platform refuses is stored, unless the operator asks for no check."""
    arguments = offered(monkeypatch, x, access_token_secret="wrong-but-secret")  # noqa: S106
    code, out, err = auria("channels", "add", "x", *arguments)
    assert code == 11
    assert "stays as it was" in err
    assert "auria channels add x" in err
    assert "wrong-but-secret" not in whole(out, err, home=home)
    assert not (home / "secrets").exists()
    assert not (home / "auria.toml").exists()
    code, out, _ = auria("channels", "add", "x", "--no-check", *arguments)
    assert (code, "not tried yet" in out) == (0, True)
    code, out, err = auria("channels", "check")
    assert code == 11
    assert "1 of 2 channels would not work: x" in err
    assert "wrong-but-secret" not in whole(out, err, home=home)


def test_what_is_missing_is_named(auria: Any) -> None:
    """Without a terminal the message names the variable to set and the option to give."""
    code, _, err = auria("channels", "add", "bluesky")
    assert code == 2
    assert "handle (--set handle=...)" in err
    assert "AURIA_SECRET_BLUESKY_APP_PASSWORD" in err
    code, _, err = auria("channels", "add", "my-x", "-b", "x", "--secrets", "environment")
    assert (code, "AURIA_SECRET_MY_X_API_KEY" in err) == (2, True)


def test_secrets_can_stay_in_the_environment(
    auria: Any, home: Path, x: XPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing is written but where they are."""
    code, _, err = auria("channels", "add", "x", "--secrets", "environment", *offered(monkeypatch, x))
    assert code == 0
    assert "keep these variables set: AURIA_SECRET_X_API_KEY" in err
    assert not (home / "secrets").exists()
    assert load().channels["x"].keystore == "environment"
    assert auria("channels", "check", "x")[0] == 0
    assert "environment" in auria("channels")[1]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["add", "x", "--set", "api_key=abcdef"], 2, "AURIA_SECRET_X_API_KEY"),
        (["add", "x", "--set", "settel=1"], 2, "no option 'settel'; did you mean settle? known: address, made_with_ai"),
        (["add", "x", "--set", "settle=soon"], 2, "settle is 'soon'; it must be a number"),
        (["add", "x", "--set", "made_with_ai=maybe"], 2, "it must be true or false"),
        (["add", "x", "--set", "settle"], 2, "KEY=VALUE"),
        (["add", "moon"], 2, "choose one with --backend: folder, x"),
        (["add", "moon", "-b", "myspace"], 2, "no channel backend named 'myspace'"),
        (["add", "My X", "-b", "x"], 2, "not a valid channel name"),
        (["add", "../x", "-b", "x"], 2, "not a valid channel name"),
        (["add", "folder", "-b", "x"], 4, "has the backend folder"),
        (["add", "x", "--secrets", "cloud"], 2, "file, keyring, environment"),
        (["check", "moon"], 2, "no channel named 'moon'; known: folder"),
        (["pause", "moon"], 2, "known: folder"),
        (["resume", "moon"], 2, "known: folder"),
        (["remove", "moon"], 2, "known: folder"),
        (["remove", "folder"], 4, "shipped settings"),
        (["add", "wall", "-b", "folder", "--set", "directory=auria.db/x"], 11, "cannot be written"),
    ],
)
def test_what_is_wrong_is_explained(auria: Any, arguments: list[str], code: int, words: str) -> None:
    """With what is allowed, or what to do."""
    done = auria("channels", *arguments)
    assert done[0] == code, done
    assert words in done[2]


def test_names_whose_secrets_could_not_be_told_apart(auria: Any) -> None:
    """Channel names that differ in a dash alone would share environment variables."""
    assert auria("channels", "add", "my-wall", "-b", "folder", "--set", "directory=wall")[0] == 0
    code, _, err = auria("channels", "add", "my_wall", "-b", "folder")
    assert (code, "too similar to my-wall" in err) == (4, True)


def test_a_wrong_setting_is_a_broken_channel(auria: Any, home: Path) -> None:
    """It is listed with why, and the check names it; the others are listed all the same."""
    (home / "auria.toml").write_text(
        '[channels.a]\nbackend = "myspace"\n[channels.b]\nbackend = "folder"\noptions = { directroy = "x" }\n'
        '[channels.c]\nbackend = "x"\noptions = { address = "http://example.org" }\n[channels.d]\nbackend = "x"\n'
    )
    rows = {row["name"]: row for row in json.loads(auria("channels", "--json")[1])}
    assert {name: row["state"] for name, row in rows.items()} == {
        "folder": "ready",
        "a": "broken",
        "b": "broken",
        "c": "broken",
        "d": "broken",
    }
    assert "no channel named 'myspace'" in rows["a"]["why"]
    assert "no option 'directroy'; did you mean directory? known: directory" in rows["b"]["why"]
    assert "use https" in rows["c"]["why"]
    assert "auria channels add d" in rows["d"]["why"]
    code, _, err = auria("channels", "check")
    assert (code, "4 of 5 channels" in err) == (11, True)


def test_a_pause_is_shown_and_lifted(auria: Any) -> None:
    """With its reason and its day."""
    assert auria("channels", "pause", "folder", "--reason", "a holiday")[0] == 0
    row = json.loads(auria("channels", "list", "--json")[1])[0]
    assert (row["state"], row["why"], row["paused_by"]) == ("paused", "a holiday", "operator")
    shown = auria("channels")[1]
    assert re.search(r"folder: paused since 20\d\d-\d\d-\d\d: a holiday", shown)
    code, out, _ = auria("channels", "resume", "folder")
    assert (code, "is resumed: " in out) == (0, True)
    assert json.loads(auria("channels", "--json")[1])[0]["state"] == "ready"


def test_posts_are_counted_and_hold_a_channel_back(auria: Any, home: Path) -> None:
    """A channel that posts wait for, or that an approved draft names, is not taken away."""
    assert auria("channels", "add", "wall", "--backend", "folder", "--set", "directory=wall")[0] == 0
    application = build(load())
    with application.store.begin() as unit:
        draft = unit.drafts.save(add_draft(unit).approve(("wall",), application.clock()))
    code, _, err = auria("channels", "remove", "wall", "--yes")
    assert (code, "draft 1 is approved for channel wall" in err) == (6, True)
    with application.store.begin() as unit:
        draft = unit.drafts.save(unit.drafts.get(1).schedule())
        post = unit.posts.add(draft, "wall", due=application.clock(), picture="p.jpg", key="k")
    code, _, err = auria("channels", "remove", "wall", "--yes")
    assert (code, "post 1, which is waiting" in err) == (6, True)
    assert {row["name"]: row["waiting"] for row in json.loads(auria("channels", "--json")[1])}["wall"] == 1
    assert "1 waiting" in auria("channels")[1]
    with application.store.begin() as unit:
        unit.posts.save(post.moved(PostState.FAILED))
    application.close()
    assert auria("channels", "remove", "wall", "--yes")[0] == 0
    assert "wall" not in load().channels


def test_a_channel_that_is_taken_away_is_forgotten(
    auria: Any, home: Path, x: XPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its secrets too; the rest of the settings stays."""
    (home / "auria.toml").write_text("# mine\n[studio]\ncount = 2\n")
    assert auria("channels", "add", "x", *offered(monkeypatch, x))[0] == 0
    assert (home / "secrets" / "x.json").exists()
    assert auria("channels", "remove", "x", "-y")[0] == 0
    assert not (home / "secrets" / "x.json").exists()
    assert (home / "auria.toml").read_text().strip() == "# mine\n[studio]\ncount = 2"


def test_a_channel_is_given_new_credentials(
    auria: Any, home: Path, x: XPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its options stay as they are, and only what is said anew changes."""
    arguments = offered(monkeypatch, x)
    assert auria("channels", "add", "x", "--no-check", *arguments, "--set", "allow_urls=yes")[0] == 0
    assert auria("channels", "add", "x", "--set", "made_with_ai=no")[0] == 0
    assert load().channels["x"].options == {**x.options(), "allow_urls": True, "made_with_ai": False}


class Risky(FolderChannel):
    """A road with a risk."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config(FolderChannel.Config):
        """With a question of its own."""

        accept_risk: bool = False

    QUESTIONS = (Question(name="accept_risk", prompt="The account may be banned. Accept?"),)


def test_a_risk_must_be_confirmed(auria: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal --set or --yes confirms; a no stops the command."""
    monkeypatch.setitem(BACKENDS["channel"], "risky", f"{__name__}:Risky")
    code, _, err = auria("channels", "add", "risky")
    assert (code, "The account may be banned" in err) == (2, True)
    code, _, err = auria("channels", "add", "risky", "--set", "accept_risk=no")
    assert (code, "was not confirmed" in err) == (4, True)
    assert not (home / "auria.toml").exists()
    code, _, err = auria("channels", "add", "risky", "--yes")
    assert (code, "The account may be banned. Accept? yes" in err) == (0, True)
    assert load().channels["risky"].options == {"accept_risk": True}
    assert auria("channels", "add", "risky")[0] == 0


def at_a_terminal(home: Path, answers: list[str], *arguments: str) -> tuple[int, str]:
    """Run a command in a terminal, type a line at each prompt; exit code and all that the terminal showed."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "AURIA_HOME": str(home), "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-m", "auria_bot", *arguments],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
        close_fds=True,
    )
    os.close(follower)
    shown, waiting, until = b"", list(answers), time.monotonic() + 60
    while time.monotonic() < until:
        try:
            piece = os.read(leader, 4096)
        except OSError:
            break  # the program has ended
        shown += piece
        if waiting and (piece.rstrip().endswith((b":", b"]"))):
            time.sleep(0.05)  # until the echo is off
            os.write(leader, waiting.pop(0).encode() + b"\n")
    os.close(leader)
    return process.wait(30), shown.decode()


@pytest.mark.slow
def test_secrets_are_typed_unseen(home: Path, x: XPlatform) -> None:
    """At a terminal each is asked for by name, and nothing of it is shown."""
    options = [word for key, value in x.options().items() for word in ("--set", f"{key}={value}")]
    code, shown = at_a_terminal(home, list(x.secrets().values()), "channels", "add", "x", *options)
    assert code == 0, shown
    assert "API key secret:" in shown
    assert "is set up" in shown
    assert not [value for value in x.secrets().values() if value in shown]
    assert json.loads((home / "secrets" / "x.json").read_text()) == x.secrets()
    code, shown = at_a_terminal(home, ["", "", "", "typed anew but wrong"], "channels", "add", "x")
    assert code == 11
    assert "Enter keeps the one in the file" in shown
    assert "typed anew" not in shown
    assert json.loads((home / "secrets" / "x.json").read_text()) == x.secrets()
