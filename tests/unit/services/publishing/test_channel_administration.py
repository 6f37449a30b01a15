"""Channels are set up, checked, listed and removed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.interfaces import Question
from auria_bot.errors import InputError, InvalidTransition, StoreError, Unauthorised, UnknownName
from auria_bot.redaction import clear_secrets
from auria_bot.registry import BACKENDS
from auria_bot.settings.loading import load
from auria_bot.testing.channel import FakeChannel
from tests.applications import fake_application
from tests.factories import NOW, add_draft

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.services.publishing.channel_administration import ChannelAdministration


class Guarded(FakeChannel):
    """A channel with a secret."""

    QUESTIONS = (Question(name="token", prompt="Token", secret=True),)


@dataclass
class Silent:
    """Prompts without a terminal; messages are collected."""

    notes: list[str]
    interactive: bool = False

    def ask(self, question: str, **_: Any) -> str:
        raise AssertionError(question)

    def confirm(self, question: str, **_: Any) -> bool:
        raise AssertionError(question)

    def note(self, message: str) -> None:
        self.notes.append(message)


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """A home with the settings of a file, and a backend that has a secret."""
    home = tmp_path / "home"
    fake_application(home).close()
    (home / "auria.toml").write_text(
        '[channels.guarded]\nbackend = "guarded"\n[channels.ours]\nbackend = "folder"\noptions = {directory = "ours"}\n'
    )
    monkeypatch.setenv("AURIA_HOME", str(home))
    monkeypatch.setitem(BACKENDS["channel"], "guarded", f"{__name__}:Guarded")
    from auria_bot.bootstrap.application import build

    with clear_secrets(), closing(build(load())) as made:
        yield made


@pytest.fixture
def administration(application: Application) -> ChannelAdministration:
    """Of that home."""
    return application.channel_administration


def add(administration: ChannelAdministration, name: str, **options: Any) -> Any:
    """Set a channel up without a terminal."""
    given = {"backend": "", "place": "", "pairs": (), "prompts": Silent([]), "yes": False, "check": True, **options}
    return administration.add(name, **given)


def test_a_channel_is_set_up_tried_and_kept(administration: ChannelAdministration, monkeypatch: pytest.MonkeyPatch):
    """With its options in the file; secrets of the environment stay there and are named."""
    prompts = Silent([])
    done = add(administration, "wall", backend="folder", pairs=["directory=wall"], prompts=prompts)
    assert prompts.notes == ["trying wall ..."]
    assert (done.variables, done.paused, done.is_default) == ((), False, False)
    assert load().channels["wall"].options == {"directory": "wall"}
    monkeypatch.setenv("AURIA_SECRET_SECOND_TOKEN", "a token of six")
    done = add(administration, "second", backend="guarded", place="environment", check=False)
    assert (done.variables, load().channels["second"].keystore) == (("AURIA_SECRET_SECOND_TOKEN",), "environment")
    assert "not tried" in done.found


def test_what_the_platform_refuses_is_not_kept(administration: ChannelAdministration, monkeypatch: pytest.MonkeyPatch):
    """The message says so, and how to try again."""

    def refuse(_: object) -> str:
        raise Unauthorised("the token is wrong")

    monkeypatch.setattr(Guarded, "check", refuse)
    monkeypatch.setenv("AURIA_SECRET_THIRD_TOKEN", "a token of six")
    from auria_bot.errors import ChannelError

    with pytest.raises(ChannelError, match=r"stays as it was: the token is wrong.*auria channels add third"):
        add(administration, "third", backend="guarded")
    assert "third" not in load().channels


def test_nothing_is_kept_where_the_database_cannot_be_used(administration: ChannelAdministration):
    """A command that failed has set no channel up."""

    def fail() -> Any:
        raise StoreError("the disk is full")

    administration._publisher = fail
    with pytest.raises(StoreError):
        add(administration, "wall", backend="folder", pairs=["directory=wall"])
    assert "wall" not in load().channels


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("My X", {"backend": "folder"}, InputError, "not a valid channel name"),
        ("guarded", {"backend": "folder"}, InputError, "has the backend guarded"),
        ("moon", {}, UnknownName, "--backend: folder"),
        ("wall", {"backend": "folder", "place": "cloud"}, UnknownName, "file, keyring, environment"),
        ("new-one", {"backend": "folder"}, InputError, "too similar to new_one"),
        ("wall", {"backend": "folder"}, InputError, "folder and wall both publish to .*--set directory=FOLDER"),
    ],
)
def test_names_and_places_that_cannot_be(
    application: Application, name: str, options: dict[str, Any], error: type[Exception], message: str
):
    """The message names what is allowed."""
    settings = application.settings.model_copy(
        update={"channels": {**application.settings.channels, "new_one": application.settings.channels["ours"]}}
    )
    administration = application.channel_administration
    administration._settings = settings
    with pytest.raises(error, match=message):
        add(administration, name, **options)


def test_the_status_needs_no_platform(application: Application, administration: ChannelAdministration):
    """Ready, lacking a secret, or paused; with its posts counted."""
    with application.store.begin() as unit:
        draft = unit.drafts.save(unit.drafts.save(add_draft(unit).approve(("ours",), NOW)).schedule())
        unit.posts.add(draft, "ours", due=NOW, picture="p.jpg", key="k")
    application.publisher.pause("folder", reason="a holiday")
    rows = {row["name"]: row for row in administration.statuses()}
    assert (rows["ours"]["state"], rows["ours"]["waiting"]) == ("ready", 1)
    assert (rows["guarded"]["state"], rows["guarded"]["secrets"]) == ("broken", {"token": None})
    assert "it lacks token; auria channels add guarded" in rows["guarded"]["why"]
    assert (rows["folder"]["state"], rows["folder"]["why"], rows["folder"]["paused_by"]) == (
        "paused",
        "a holiday",
        "operator",
    )


def test_checks_hide_no_other_channel(administration: ChannelAdministration, monkeypatch: pytest.MonkeyPatch):
    """An error of the platform and a bug are both results."""

    def fail(self: FakeChannel) -> str:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(Guarded, "check", fail)
    found = {one["name"]: one for one in administration.check()}
    assert (found["ours"]["state"], found["guarded"]["state"]) == ("ok", "bad")
    assert "hunter2" not in found["guarded"]["words"]

    def refuse(self: FakeChannel) -> str:
        raise Unauthorised("refused")

    monkeypatch.setattr(Guarded, "check", refuse)
    assert "refused" in administration.check(["guarded", "guarded"])[0]["words"]
    with pytest.raises(UnknownName, match="known: folder, guarded, ours"):
        administration.check(["moon"])


def test_a_channel_is_removed_when_nothing_waits_for_it(
    application: Application, administration: ChannelAdministration
):
    """Neither a post nor an approved draft; with its secrets, from the operator's own file only."""
    with pytest.raises(InputError, match=r"not in .*auria\.toml"):
        administration.remove("folder")
    with application.store.begin() as unit:
        approved = unit.drafts.save(add_draft(unit).approve(("ours",), NOW))
    with pytest.raises(InvalidTransition, match="draft 1 is approved for channel ours"):
        administration.remove("ours")
    with application.store.begin() as unit:
        unit.posts.add(unit.drafts.save(approved.schedule()), "ours", due=NOW, picture="p.jpg", key="k")
    with pytest.raises(InvalidTransition, match="1 post is not finished on channel ours, such as post 1"):
        administration.remove("ours")
    assert administration.remove("guarded") is False
    assert "guarded" not in load().channels


def test_a_channel_whose_package_is_gone_can_be_removed(
    administration: ChannelAdministration, monkeypatch: pytest.MonkeyPatch
):
    """Its status says why it does not work."""
    monkeypatch.delitem(BACKENDS["channel"], "guarded")
    rows = {row["name"]: row for row in administration.statuses()}
    assert (rows["guarded"]["state"], rows["guarded"]["secrets"]) == ("broken", {})
    assert administration.remove("guarded") is False
