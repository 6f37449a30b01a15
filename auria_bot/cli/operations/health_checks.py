"""What the doctor looks at: settings, disk, database, models, backends, device, clock and channels.

Each examination gives one finding and never raises. Nothing is changed: no database is made, no schema upgraded.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot import errors
from auria_bot.errors import AuriaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auria_bot.bootstrap.application import Application
    from auria_bot.settings.schema import Settings

__all__ = ["Finding", "examine", "schema_version"]

_LITTLE, _TOO_LITTLE = 2_000_000_000, 100_000_000  # free bytes: when to warn, and when work fails


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one examination."""

    name: str
    state: str  # "ok", "warn" or "bad"
    words: str
    advice: str = ""  # what to do
    exit_code: int = 0  # of the command, when it is bad


def examine() -> Iterator[Finding]:
    """Look at everything, one after the other; without settings nothing else can be looked at."""
    from auria_bot.redaction import redacted
    from auria_bot.settings.loading import load

    try:
        settings = load()
    except AuriaError as error:
        yield _bad("settings", error, "correct the named file or variable; auria config shows what is in force")
        return
    yield Finding(name="settings", state="ok", words=f"home {settings.home}, time zone {settings.time_zone}")
    parts: tuple[tuple[str, Callable[[Settings], Iterator[Finding]]], ...] = (
        ("disk", _disk),
        ("database", _database),
        ("models", _models),
        ("backends", _backends),
        ("device", _device),
        ("clock", _clock),
        ("channels", _channels),
    )
    for name, part in parts:
        try:
            yield from part(settings)
        except AuriaError as error:
            yield _bad(name, error, "")
        except Exception as error:  # noqa: BLE001 - a broken part must not hide the others
            yield Finding(name=name, state="bad", words=redacted(f"{type(error).__name__}: {error}")[:500], exit_code=1)


def _bad(name: str, error: AuriaError, advice: str) -> Finding:
    from auria_bot.redaction import redacted

    return Finding(name=name, state="bad", words=redacted(str(error)), advice=advice, exit_code=error.exit_code)


def _disk(settings: Settings) -> Iterator[Finding]:
    home = settings.home
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    code = errors.DiskError.exit_code
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"auria")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        yield Finding(
            name="disk",
            state="bad",
            words=f"{there} cannot be written: {error.strerror}",
            exit_code=code,
            advice="free some space, correct the folder's permissions, or set AURIA_HOME to another folder",
        )
        return
    free = shutil.disk_usage(there).free
    words = f"{free / 1e9:.1f} GB free in {there}"
    if free < _TOO_LITTLE:
        yield Finding(name="disk", state="bad", words=words, advice="free some space", exit_code=code)
    elif free < _LITTLE:
        yield Finding(name="disk", state="warn", words=words, advice="free some space: an artwork takes about 3 MB")
    else:
        yield Finding(name="disk", state="ok", words=words)


def schema_version(settings: Settings) -> str | None:
    """The version of the database's schema; None where there is no database yet, which is not made."""
    from sqlalchemy import make_url

    from auria_bot.store import migrate

    place = make_url(settings.database_url)
    if place.get_backend_name() == "sqlite" and not Path(str(place.database)).expanduser().exists():
        return None
    return migrate.current(settings.database_url)


def _database(settings: Settings) -> Iterator[Finding]:
    from auria_bot.redaction import redacted
    from auria_bot.store.schema import HEAD

    where = redacted(settings.database_url)
    found = schema_version(settings)
    if found is None:
        yield Finding(name="database", state="ok", words=f"{where} is made on first use")
    elif found == HEAD:
        yield Finding(name="database", state="ok", words=f"{where}, schema {found}")
    else:
        yield Finding(
            name="database",
            state="warn",
            words=f"{where} has schema {found}, this program {HEAD}",
            advice="auria db upgrade",
        )


def _models(settings: Settings) -> Iterator[Finding]:
    from auria_bot.cli.models.listing import model_rows

    rows = list(model_rows(settings, verify=True))
    good = [row for row in rows if row["state"] != "bad"]
    if good:
        names = ", ".join(f"{row['name']} {row['sha256'][:8]}" for row in good)
        yield Finding(name="models", state="ok", words=f"{len(good)} whole: {names}")
    for row in rows:
        if row["state"] == "bad":
            advice = "install it again: pip install --force-reinstall auria-bot"
            yield Finding(
                name="models",
                state="bad",
                words=row["words"],
                advice=advice,
                exit_code=errors.ModelError.exit_code,
            )
    if not rows:
        words = f"there is no model in {settings.models_folder}"
        yield Finding(name="models", state="bad", words=words, exit_code=errors.ModelError.exit_code)


def _backends(settings: Settings) -> Iterator[Finding]:
    from auria_bot import registry
    from auria_bot.domain.pipeline import ROLES, settings_section

    names = []
    for role in ROLES:
        section = settings_section(role)
        chosen = getattr(settings, section).backend
        try:
            registry.find(role, chosen)
        except AuriaError as error:
            yield _bad("backends", error, f"install what it needs, or set another backend for [{section}]")
        else:
            names.append(f"{section} {chosen}")
    if names:
        yield Finding(name="backends", state="ok", words=", ".join(names))


def _device(_: Settings) -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for package in ("onnxruntime", "openvino", "torch"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    words = f"{_processor()}, {os.cpu_count() or 1} cores; {', '.join(found) or 'no runtime'}"
    if not found or found[0].startswith("torch"):
        advice = "pip install onnxruntime"
        yield Finding(name="device", state="bad", words=words, advice=advice, exit_code=errors.ModelError.exit_code)
    else:
        yield Finding(name="device", state="ok", words=f"{words}; Python {sys.version.split()[0]}")


def _processor() -> str:
    import platform

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _clock(settings: Settings) -> Iterator[Finding]:
    from datetime import UTC, datetime, timedelta
    from zoneinfo import ZoneInfo

    now = datetime.now(UTC)
    words = now.astimezone(ZoneInfo(settings.time_zone)).strftime("%Y-%m-%d %H:%M:%S %Z")
    newest = datetime.fromtimestamp(max(path.stat().st_mtime for path in Path(__file__).parent.glob("*.py")), UTC)
    if now < newest - timedelta(days=1):
        advice = "set the clock: posts would go out at the wrong time, and secure connections fail"
        words = f"{words} is earlier than this program was installed ({newest:%Y-%m-%d})"
        yield Finding(name="clock", state="bad", words=words, advice=advice, exit_code=1)
    elif _unsynchronised():
        advice = "keep the clock right with a time service, such as systemd-timesyncd or chrony"
        yield Finding(
            name="clock",
            state="warn",
            words=f"{words}; the system says nothing keeps it right",
            advice=advice,
        )
    else:
        yield Finding(name="clock", state="ok", words=words)


def _unsynchronised() -> bool:
    """Whether Linux says that no time service disciplines its clock; False where it cannot be asked."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    try:
        # adjtimex(2) with no mode set only reads; the structure takes 208 bytes, and 5 is TIME_ERROR
        return bool(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) == 5)
    except (OSError, AttributeError):
        return False


def _channels(settings: Settings) -> Iterator[Finding]:
    from auria_bot.bootstrap import application
    from auria_bot.redaction import redacted

    app = application.build(settings)
    paused = _paused(app)
    for name, make in app.channels.items():
        title = f"channel {name}"
        if name in paused:
            yield Finding(name=title, state="warn", words=paused[name], advice=f"auria channels resume {name}")
            continue
        try:
            yield Finding(name=title, state="ok", words=make().check())
        except errors.Throttled as error:
            advice = f"later: auria channels check {name}"
            yield Finding(name=title, state="warn", words=redacted(str(error)), advice=advice)
        except errors.ChannelError as error:
            yield _bad(title, error, f"when that is put right: auria channels check {name}")
        except AuriaError as error:
            yield _bad(title, error, f"correct [channels.{name}] in auria.toml, or install what it needs")
        except Exception as error:  # noqa: BLE001 - a broken channel must not hide the others
            words = redacted(f"it failed in a way it should not: {type(error).__name__}: {error}")[:500]
            yield Finding(name=title, state="bad", words=words, exit_code=errors.ChannelError.exit_code)
    app.close()


def _paused(app: Application) -> dict[str, str]:
    """Why each paused channel is; none where there is no database yet, or one of another schema, which is told elsewhere."""
    from auria_bot.store.schema import HEAD

    try:
        if schema_version(app.settings) != HEAD:
            return {}
        return {one.name: f"paused since {one.at:%Y-%m-%d}: {one.reason}" for one in app.publisher.paused()}
    except AuriaError:
        return {}
