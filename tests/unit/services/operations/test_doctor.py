"""Health checks: each gives its finding, none hides another, nothing is changed, no secret is shown."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from auria_bot import registry
from auria_bot.bootstrap.application import build, open_channels
from auria_bot.errors import SettingsError, StepFailed, StoreError
from auria_bot.redaction import clear_secrets
from auria_bot.secret_store import SecretStore
from auria_bot.services.operations import doctor as doctor_module
from auria_bot.services.operations.backup_files import UNFINISHED
from auria_bot.services.operations.doctor import Doctor, examine_apart
from auria_bot.settings.schema import Settings
from auria_bot.settings.sections import ChannelSettings
from tests.applications import migrated_database
from tests.platforms.x import XPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.services.operations.doctor import Finding


def looked_at(settings: Settings) -> dict[str, Finding]:
    """Each channel's finding."""
    doctor = Doctor(
        load=lambda: settings, open_channels=open_channels, try_cluster=lambda _: None, try_storage=lambda _: None
    )
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


def test_a_default_channel_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """`review.channels` is compared with the channels that are set up."""
    settings = Settings(home=tmp_path, review={"channels": ("folder", "nowhere")})
    found = looked_at(settings)["channels"]
    assert (found.state, found.exit_code) == ("bad", 3)
    assert found.words == "review.channels names 'nowhere', which is no channel; known: folder"
    assert "auria.toml" in found.advice


def test_posting_times_of_a_channel_that_does_not_exist_are_named(tmp_path: Path) -> None:
    """The channel that was meant would post at the usual times."""
    found = looked_at(Settings.model_validate({"home": tmp_path, "schedule": {"channels": {"foldr": {}}}}))["channels"]
    assert (found.state, found.exit_code) == ("bad", 3)
    assert found.words == "schedule.channels has times for 'foldr', which is no channel; known: folder"


def test_two_folder_channels_on_one_directory_are_named(tmp_path: Path) -> None:
    """However the directory is written; each needs its own."""
    channels = {
        name: ChannelSettings(backend="folder", options={"directory": directory})
        for name, directory in (("folder", "one"), ("b", "two"), ("c", str(tmp_path / "x" / ".." / "one")))
    }
    found = looked_at(Settings(home=tmp_path, channels=channels))["channels"]
    assert found.words == f"the channels folder and c both publish to {tmp_path / 'one'}; set another directory"


def test_a_paused_channel_is_not_asked(tmp_path: Path) -> None:
    """It is told why, and how it goes on."""
    shutil.copyfile(migrated_database(), tmp_path / "auria.db")
    settings = Settings(
        home=tmp_path, channels={"away": ChannelSettings(backend="x", options={"address": "http://127.0.0.1:1"})}
    )
    application = build(settings)
    application.publisher.pause("away", reason="a holiday")
    application.close()
    finding = looked_at(settings)["away"]
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


def findings(settings: Settings) -> dict[str, Finding]:
    """The last finding of each name."""
    doctor = Doctor(
        load=lambda: settings,
        open_channels=lambda _: contextlib.nullcontext(({}, tuple)),
        try_cluster=lambda _: None,
        try_storage=lambda _: None,
    )
    with clear_secrets():
        return {finding.name: finding for finding in doctor.examine()}


def test_everything_is_checked_and_nothing_created(tmp_path: Path) -> None:
    """A sound installation has a finding of each kind; its database is only created by other commands."""
    found = findings(Settings(home=tmp_path / "home"))
    assert list(found) == ["settings", "disk", "database", "models", "backends", "device", "clock"]
    assert {found[name].state for name in ("settings", "database", "models", "backends", "device")} == {"ok"}
    assert "is created on first use" in found["database"].words
    assert found["models"].to_json()["next"] == ""
    assert list(tmp_path.iterdir()) == []


def test_without_settings_nothing_else_is_checked() -> None:
    """The one finding says what to correct."""

    def load() -> Settings:
        raise SettingsError("studio.count must be a number")

    doctor = Doctor(load=load, open_channels=open_channels, try_cluster=lambda _: None, try_storage=lambda _: None)
    (finding,) = doctor.examine()
    assert (finding.name, finding.state, finding.exit_code) == ("settings", "bad", 3)


def test_a_broken_check_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a known error nor a bug; the message has no secret."""

    def fail(_: Settings) -> Iterator[Finding]:
        raise ZeroDivisionError("password=hunter2")

    def refuse(_: Settings) -> Iterator[Finding]:
        raise StoreError("damaged")

    monkeypatch.setattr("auria_bot.services.operations.doctor._disk", fail)
    monkeypatch.setattr("auria_bot.services.operations.doctor._database", refuse)
    found = findings(Settings(home=tmp_path, models=tmp_path / "none"))
    assert (found["disk"].exit_code, found["database"].exit_code) == (1, 7)
    assert "hunter2" not in found["disk"].words
    assert found["clock"].name == "clock"


@pytest.mark.parametrize(("free", "state"), [(50_000_000, "bad"), (500_000_000, "warn"), (5_000_000_000, "ok")])
def test_free_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    """Below the settings' limit, 2 GB, it is a warning, below 0.1 GB an error."""
    usage = SimpleNamespace(free=free, total=10_000_000_000)
    monkeypatch.setattr("auria_bot.services.operations.maintenance.shutil.disk_usage", lambda _: usage)
    (finding,) = doctor_module._disk(Settings(home=tmp_path))
    assert finding.state == state
    (finding,) = doctor_module._disk(Settings(home=tmp_path, maintenance={"min_free_mb": 400}))
    assert finding.state != "warn"


def test_a_disk_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told with the way out."""

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("auria_bot.services.operations.doctor.tempfile.TemporaryFile", refuse)
    (finding,) = doctor_module._disk(Settings(home=tmp_path))
    assert (finding.state, finding.exit_code, "AURIA_HOME" in finding.advice) == ("bad", 10, True)


def test_a_cluster_and_a_bucket_are_tried_where_they_are_used() -> None:
    """Otherwise nothing is asked."""
    asked: list[tuple[str, Settings]] = []
    doctor = Doctor(
        load=Settings,
        open_channels=open_channels,
        try_cluster=lambda settings: asked.append(("cluster", settings)),
        try_storage=lambda settings: asked.append(("storage", settings)),
    )
    assert [*doctor.cluster(Settings()), *doctor.storage(Settings())] == []
    settings = Settings.model_validate(
        {
            "execution": {"engine": "ray", "address": "ray.example:6379"},
            "storage": {"pictures": "s3://bucket/auria"},
        }
    )
    cluster, storage = *doctor.cluster(settings), *doctor.storage(settings)
    assert (cluster.state, cluster.words) == ("ok", "ray.example:6379 answers and has what every step asks for")
    assert (storage.state, storage.words.split()[0]) == ("ok", "s3://bucket/auria")
    assert asked == [("cluster", settings), ("storage", settings)]


def test_what_others_can_read_is_told_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home, its database, and settings that hold a password; where files have no such modes nothing is said."""
    home = tmp_path / "a home"
    home.mkdir(mode=0o755)
    (home / ".env").write_text("AURIA_DATABASE_URL=postgresql://auria:s3cret-pass@db.example/auria\n")
    (home / "auria.db").touch(mode=0o600)
    (home / ".env").chmod(0o644)
    found = list(doctor_module._permissions(Settings(home=home)))
    assert [finding.advice for finding in found] == [f"chmod 700 '{home}'", f"chmod 600 '{home / '.env'}'"]
    assert {finding.state for finding in found} == {"warn"}
    (home / ".env").write_text("AURIA_LOG_LEVEL=info\n")
    assert [finding.advice for finding in doctor_module._permissions(Settings(home=home))] == [f"chmod 700 '{home}'"]
    home.chmod(0o700)
    assert [finding.state for finding in doctor_module._permissions(Settings(home=home))] == ["ok"]
    monkeypatch.setattr(doctor_module, "os", SimpleNamespace(name="nt"))
    assert list(doctor_module._permissions(Settings(home=home))) == []


def test_databases_old_and_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older schema is upgraded by a command, a newer one needs a newer program; paused channels are unknown then."""
    versions = "auria_bot.services.operations.database.schema_versions"
    monkeypatch.setattr(versions, lambda _: ("0001", "0009"))
    (finding,) = doctor_module._database(Settings(home=tmp_path))
    assert (finding.state, finding.advice) == ("warn", "auria db upgrade")
    assert doctor_module._paused(Settings(home=tmp_path), tuple) == {}
    monkeypatch.setattr(versions, lambda _: ("0010", "0009"))
    (finding,) = doctor_module._database(Settings(home=tmp_path))
    assert (finding.state, finding.exit_code, finding.advice) == ("bad", 7, "pip install --upgrade auria-bot")
    monkeypatch.setattr(versions, lambda _: ("0009", "0009"))
    (finding,) = doctor_module._database(Settings(home=tmp_path))
    assert (finding.state, finding.words.endswith("schema 0009")) == ("ok", True)
    (tmp_path / UNFINISHED).write_text('{"folder": "/b 1", "keys": {}, "digests": []}')
    (_, finding) = doctor_module._database(Settings(home=tmp_path))
    assert (finding.state, finding.advice) == ("bad", "auria db restore '/b 1' --force")

    def damaged() -> tuple[()]:
        raise StoreError("damaged")

    assert doctor_module._paused(Settings(home=tmp_path), damaged) == {}


def test_models_and_backends_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad model has its own finding; a backend that does not exist names its section."""
    rows = [
        {"name": "poet", "sha256": "ab" * 32, "state": "ok", "words": ""},
        {"name": "painter", "sha256": "", "state": "bad", "words": "it is damaged"},
    ]
    monkeypatch.setattr("auria_bot.services.models.catalogue.model_rows", lambda *_, **__: iter(rows))
    good, bad = doctor_module._models(Settings(home=tmp_path))
    assert (good.state, good.words) == ("ok", "1 verified; auria models lists them")
    assert (bad.words, bad.exit_code) == ("it is damaged", 8)
    rows[:] = []
    (none,) = doctor_module._models(Settings(home=tmp_path))
    assert "there is no model in" in none.words
    wrong = Settings.model_validate({"home": tmp_path, "poet": {"backend": "nobody"}})
    first, *_, last = doctor_module._backends(wrong)
    assert (first.state, "[poet]" in first.advice, last.state) == ("bad", True, "ok")
    monkeypatch.setattr("auria_bot.domain.pipeline.ROLES", ())
    assert list(doctor_module._backends(wrong)) == []


@pytest.mark.parametrize(
    ("role", "chosen", "said"),
    [
        (
            "painter",
            {"backend": "attn", "options": {"candidate": 3}},
            "painter.options: there is no option 'candidate'",
        ),
        ("exporter", {"backend": "print", "options": {"full": "yes"}}, "exporter.options.full is 'yes'; it must be"),
        ("enlarger", {"backend": "real-esrgan", "options": {"network": "slow"}}, "it must be 'x4plus' or 'fast'"),
        ("stylist", {"backend": "magenta", "options": {"runtime": "onnx"}}, "it must be 'auto', 'onnxruntime' or"),
        ("poet", {"backend": "lstm"}, "poet.backend: no poet named 'lstm'; known: word-lstm"),
    ],
)
def test_what_is_wrong_in_the_section_of_a_backend_is_told(
    tmp_path: Path, role: str, chosen: dict[str, object], said: str
) -> None:
    """Before the step that needs it fails, as a setting that is wrong."""
    bad, good = doctor_module._backends(Settings.model_validate({"home": tmp_path, role: chosen}))
    assert said in bad.words
    assert (bad.state, bad.exit_code, f"[{role}]" in bad.advice, good.state) == ("bad", 3, True, "ok")


def test_a_backend_with_an_interpreter_of_its_own_may_be_installed_there_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is bad where that interpreter cannot be run."""
    monkeypatch.setitem(registry.BACKENDS["poet"], "elsewhere", "no_such_package:Poet")
    for interpreter, state in ((sys.executable, "ok"), (str(tmp_path / "python"), "bad"), (None, "bad")):
        chosen = {"backend": "elsewhere", "interpreter": interpreter}
        first, *_ = doctor_module._backends(Settings.model_validate({"home": tmp_path, "poet": chosen}))
        assert (first.state, first.exit_code) == (state, 0 if state == "ok" else 8)


@pytest.mark.parametrize(("installed", "state"), [(("onnxruntime",), "ok"), (("torch",), "bad"), ((), "bad")])
def test_a_runtime_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: tuple[str, ...], state: str
) -> None:
    """Torch alone serves nothing."""

    def version(package: str) -> str:
        if package not in installed:
            raise PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr("importlib.metadata.version", version)
    (finding,) = doctor_module._device(Settings(home=tmp_path))
    assert finding.state == state


def test_the_processor_is_named_where_the_system_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """By /proc on Linux, by Python's platform module elsewhere."""
    monkeypatch.setattr(doctor_module.Path, "read_text", lambda *_, **__: "model name : Fast One\nother: x")
    assert doctor_module._processor() == "Fast One"
    monkeypatch.setattr(doctor_module.Path, "read_text", lambda *_, **__: "nothing")
    assert doctor_module._processor()

    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(doctor_module.Path, "read_text", missing)
    assert doctor_module._processor()


@pytest.mark.parametrize(("unsynchronised", "state"), [(True, "warn"), (False, "ok")])
def test_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unsynchronised: bool, state: str) -> None:
    """An unsynchronised one is a warning; one that is behind the installation is wrong."""
    monkeypatch.setattr(doctor_module, "_unsynchronised", lambda: unsynchronised)
    (finding,) = doctor_module._clock(Settings(home=tmp_path))
    assert finding.state == state
    later = datetime.now(UTC).timestamp() + 3 * 86_400
    (tmp_path / "module.py").touch()
    os.utime(tmp_path / "module.py", (later, later))
    monkeypatch.setattr(doctor_module, "__file__", str(tmp_path / "doctor.py"))
    (finding,) = doctor_module._clock(Settings(home=tmp_path))
    assert (finding.state, finding.exit_code) == ("bad", 1)


def test_only_linux_tells_of_its_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere, and where the call is missing, it counts as synchronised."""
    assert doctor_module._unsynchronised() in {True, False}

    def missing(_: object) -> object:
        raise OSError

    monkeypatch.setattr("ctypes.CDLL", missing)
    assert doctor_module._unsynchronised() is False
    monkeypatch.setattr("auria_bot.services.operations.doctor.sys.platform", "darwin")
    assert doctor_module._unsynchronised() is False


def test_the_checks_run_in_a_process_of_their_own(tmp_path: Path) -> None:
    """Its findings are read, and no answer is an error."""
    import json
    import sys

    answer = json.dumps([{"name": "disk", "state": "ok", "words": "fine", "next": ""}])
    (found,) = examine_apart([sys.executable, "-c", f"print({answer!r})"])
    assert (found.name, found.state, found.words) == ("disk", "ok", "fine")
    for program in ([sys.executable, "-c", "print('?')"], [str(tmp_path / "nothing")]):
        with pytest.raises(StepFailed, match="no answer"):
            examine_apart(program)
    with pytest.raises(StepFailed, match="the checks took more than 0 s; on the server: auria doctor"):
        examine_apart([sys.executable, "-S", "-c", "import time; time.sleep(60)"], timeout=0.05)
