"""The doctor's look at channels: each by itself, none hidden by another, nothing changed, no secret told."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from auria_bot.bootstrap.application import build, open_channels
from auria_bot.redaction import clear_secrets
from auria_bot.secret_store import SecretStore
from auria_bot.services.operations.doctor import Doctor
from auria_bot.settings.schema import Settings
from auria_bot.settings.sections import ChannelSettings
from tests.house import _migrated
from tests.platforms.x import XPlatform

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from auria_bot.services.operations.doctor import Finding


def looked_at(settings: Settings) -> dict[str, Finding]:
    """Each channel's finding."""
    doctor = Doctor(load=lambda: settings, open_channels=open_channels)
    with clear_secrets():
        return {finding.name.removeprefix("channel "): finding for finding in doctor.channels(settings)}


def test_every_channel_is_told_of(tmp_path: Path) -> None:
    """What works, what is away for a while, what needs the operator, and what is set wrongly."""
    with XPlatform() as server:
        options = server.options()
        channels = {
            "folder": ChannelSettings(backend="folder"),
            "good": ChannelSettings(backend="x", options=options),
            "locked": ChannelSettings(backend="x", options=options),
            "away": ChannelSettings(backend="x", options={**options, "address": "http://127.0.0.1:1"}),
            "wrong": ChannelSettings(backend="x", options={"address": "http://example.org"}),
            "unknown": ChannelSettings(backend="myspace"),
        }
        settings = Settings(home=tmp_path, channels=channels)
        for name in ("good", "away", "locked"):
            for secret, value in server.secrets().items():
                SecretStore(tmp_path, name).store(secret, "not-the-secret" if name == "locked" else value)
        found = looked_at(settings)
    assert {name: one.state for name, one in found.items()} == {
        "folder": "ok",
        "good": "ok",
        "locked": "bad",
        "away": "warn",
        "wrong": "bad",
        "unknown": "bad",
    }
    assert "auria channels check away" in found["away"].advice
    assert "[channels.wrong]" in found["wrong"].advice
    assert [found[name].exit_code for name in ("locked", "wrong", "unknown")] == [11, 3, 3]
    told = "".join(one.words + one.advice for one in found.values())
    assert not [value for value in (*server.secrets().values(), "not-the-secret") if value in told]
    assert not (tmp_path / "auria.db").exists()


def test_a_paused_channel_is_not_asked(tmp_path: Path) -> None:
    """It is told why, and how it goes on."""
    shutil.copyfile(_migrated(), tmp_path / "auria.db")
    settings = Settings(
        home=tmp_path, channels={"away": ChannelSettings(backend="x", options={"address": "http://127.0.0.1:1"})}
    )
    house = build(settings)
    house.publisher.pause("away", reason="a holiday")
    house.close()
    (finding,) = looked_at(settings).values()
    assert (finding.state, finding.advice) == ("warn", "auria channels resume away")
    assert finding.words.endswith(": a holiday")


def test_a_channel_with_a_bug_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is bad, and the next is looked at."""

    def fail(_: object) -> str:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("auria_bot.testing.channel.FakeChannel.check", fail)
    channels = {"buggy": ChannelSettings(backend="fake"), "folder": ChannelSettings(backend="folder")}
    found = looked_at(Settings(home=tmp_path, channels=channels))
    assert (found["buggy"].state, found["folder"].state) == ("bad", "ok")
    assert "hunter2" not in found["buggy"].words
