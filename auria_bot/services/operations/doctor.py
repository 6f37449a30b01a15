"""Health checks of an installation: settings, disk, database, models, backends, device, clock and channels.

Each check gives one finding and never raises. Nothing is changed: no database is created, no schema upgraded.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot import errors
from auria_bot.errors import AuriaError
from auria_bot.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from auria_bot.domain.interfaces import Channel
    from auria_bot.domain.post import Pause
    from auria_bot.settings.schema import Settings
    from auria_bot.settings.sections import BackendSettings

    OpenChannels = Callable[
        [Settings], AbstractContextManager[tuple[Mapping[str, Callable[[], Channel]], Callable[[], Sequence[Pause]]]]
    ]

__all__ = ["Doctor", "Finding", "examine_apart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check."""

    name: str
    state: str  # "ok", "warn" or "bad"
    words: str
    advice: str = ""  # what to do
    exit_code: int = 0  # of the command, when it is bad

    def to_json(self) -> dict[str, Any]:
        """The finding, ready for JSON."""
        return {"name": self.name, "state": self.state, "words": self.words, "next": self.advice}


class Doctor:
    """Runs every health check.

    Usage::

        doctor = Doctor(
            load=settings.load, open_channels=open_channels, try_cluster=try_cluster, try_storage=try_storage
        )
        findings = list(doctor.examine())
    """

    def __init__(
        self,
        *,
        load: Callable[[], Settings],
        open_channels: OpenChannels,
        try_cluster: Callable[[Settings], None],
        try_storage: Callable[[Settings], None],
    ) -> None:
        """`open_channels` gives channels, and a function that lists the paused ones, which opens the database.

        `try_cluster` raises an AuriaError where the cluster cannot run the studio's steps, and `try_storage` where the
        bucket of the pictures does not work.
        """
        self._load, self._open_channels = load, open_channels
        self._try_cluster, self._try_storage = try_cluster, try_storage

    def examine(self) -> Iterator[Finding]:
        """Run the checks one after the other; without settings there is nothing else to check."""
        try:
            settings = self._load()
        except AuriaError as error:
            yield _bad("settings", error, "correct the named file or variable; auria config shows what is in force")
            return
        yield _finding("settings", "ok", f"home {settings.home}, time zone {settings.time_zone}")
        checks: tuple[tuple[str, Callable[[Settings], Iterator[Finding]]], ...] = (
            ("disk", _disk),
            ("permissions", _permissions),
            ("database", _database),
            ("models", _models),
            ("backends", _backends),
            ("device", _device),
            ("clock", _clock),
            ("cluster", self.cluster),
            ("storage", self.storage),
            ("channels", self.channels),
        )
        for name, check in checks:
            try:
                yield from check(settings)
            except AuriaError as error:
                yield _bad(name, error, "")
            except Exception as error:  # noqa: BLE001 - a broken part must not hide the others
                message = redacted(f"{type(error).__name__}: {error}")[:500]
                yield _finding(name, "bad", message, exit_code=1)

    def cluster(self, settings: Settings) -> Iterator[Finding]:
        """Join the cluster, where the steps run on one, and see whether it has what they ask for."""
        if settings.execution.engine == "ray":
            self._try_cluster(settings)
            words = f"{settings.execution.address} answers and has what every step asks for"
            yield _finding("cluster", "ok", words)

    def storage(self, settings: Settings) -> Iterator[Finding]:
        """Write, read and delete a file in the bucket, where pictures are kept in one."""
        if settings.storage.pictures:
            self._try_storage(settings)
            words = f"{settings.storage.pictures} takes files, gives them back and writes none twice"
            yield _finding("storage", "ok", words)

    def channels(self, settings: Settings) -> Iterator[Finding]:
        """Check every channel with its platform; a paused one is not asked."""
        for words in settings.channel_conflicts:
            yield _finding(
                "channels",
                "bad",
                words,
                advice=f"correct {settings.home / 'auria.toml'}; auria config shows what is in force",
                exit_code=errors.SettingsError.exit_code,
            )
        with self._open_channels(settings) as (channels, list_paused):
            paused = _paused(settings, list_paused)
            for name, make in channels.items():
                title = f"channel {name}"
                if name in paused:
                    yield _finding(title, "warn", paused[name], advice=f"auria channels resume {name}")
                else:
                    yield _channel(name, title, make)


def examine_apart(program: Sequence[str], *, timeout: float = 50.0) -> tuple[Finding, ...]:
    """Run every check in a process of its own, so that the caller imports none of what is checked.

    Args:
        program: the command `auria`, without arguments.
        timeout: seconds.

    Raises:
        StepFailed: it took too long, or gave no answer.
    """
    import subprocess

    try:
        command = [*program, "doctor", "--json"]
        done = subprocess.run(command, capture_output=True, timeout=timeout, check=False)  # noqa: S603 - Auria's own
        rows = json.loads(done.stdout)
        return tuple(_finding(row["name"], row["state"], row["words"], advice=row["next"]) for row in rows)
    except subprocess.TimeoutExpired:
        raise errors.StepFailed(f"the checks took more than {timeout:.0f} s; on the server: auria doctor") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise errors.StepFailed("the checks gave no answer; on the server: auria doctor") from None


def _finding(name: str, state: str, words: str, *, advice: str = "", exit_code: int = 0) -> Finding:
    return Finding(name=name, state=state, words=words, advice=advice, exit_code=exit_code)


def _bad(name: str, error: AuriaError, advice: str) -> Finding:
    return _finding(name, "bad", redacted(str(error)), advice=advice, exit_code=error.exit_code)


def _disk(settings: Settings) -> Iterator[Finding]:
    from auria_bot.services.operations.maintenance import disk_space_at

    there = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    code = errors.DiskError.exit_code
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"auria")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        yield _finding(
            "disk",
            "bad",
            f"{there} cannot be written: {error.strerror}",
            exit_code=code,
            advice="free some space, correct the folder's permissions, or set AURIA_HOME to another folder",
        )
        return
    space = disk_space_at(there, least_free=settings.maintenance.min_free_mb * 1_000_000)
    message = f"{space.free / 1e9:.1f} GB free in {there}"
    if space.full:
        yield _finding("disk", "bad", message, advice="free some space", exit_code=code)
    elif space.filling:
        yield _finding("disk", "warn", message, advice="free some space: an artwork takes about 3 MB")
    else:
        yield _finding("disk", "ok", message)


def _permissions(settings: Settings) -> Iterator[Finding]:
    """Warn of what others on this machine can read: the home, its database, and settings that hold secrets."""
    from auria_bot.settings.locations import own_file

    if os.name != "posix":
        return
    home = settings.home
    files = [file for file in (own_file(), home / ".env") if _tells(file)]
    wanted = [(home, 0o700), *((file, 0o600) for file in (*files, *home.glob("auria.db*")))]
    loose = [(path, mode) for path, mode in wanted if path.exists() and path.stat().st_mode & 0o077]
    for path, mode in loose:
        message = f"{path} can be read by others on this machine"
        yield _finding("permissions", "warn", message, advice=f"chmod {mode:o} {shlex.quote(str(path))}")
    if home.exists() and not loose:
        yield _finding("permissions", "ok", f"{home} is yours alone")


def _tells(file: Path) -> bool:
    """Whether a settings file holds something that is masked where it is printed, such as a password in an address."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return redacted(text) != text


def _database(settings: Settings) -> Iterator[Finding]:
    from auria_bot.services.operations.backup_files import unfinished_restore
    from auria_bot.services.operations.database import schema_versions

    where = redacted(settings.database_url)
    found, newest = schema_versions(settings)
    if found is None:
        yield _finding("database", "ok", f"{where} is created on first use")
    elif found == newest:
        yield _finding("database", "ok", f"{where}, schema {found}")
    elif found > newest:
        too_new = errors.SchemaTooNew(f"{where} has schema {found}, this program {newest}")
        yield _bad("database", too_new, too_new.hint)
    else:
        yield _finding(
            "database", "warn", f"{where} has schema {found}, this program {newest}", advice="auria db upgrade"
        )
    if left := unfinished_restore(settings.home):
        yield _finding(
            "database",
            "bad",
            "a restore goes on, or was interrupted; until it is done nothing is published",
            advice=f"auria db restore {shlex.quote(left['folder'])} --force",
            exit_code=errors.InvalidTransition.exit_code,
        )


def _models(settings: Settings) -> Iterator[Finding]:
    from auria_bot.services.models.catalogue import model_rows

    rows = list(model_rows(settings, verify=True))
    good = [row for row in rows if row["state"] != "bad"]
    if good:
        yield _finding("models", "ok", f"{len(good)} verified; auria models lists them")
    for row in rows:
        if row["state"] == "bad":
            advice = "install it again: pip install --force-reinstall auria-bot"
            yield _finding("models", "bad", row["words"], advice=advice, exit_code=errors.ModelError.exit_code)
    if not rows:
        message = f"there is no model in {settings.models_folder}"
        yield _finding("models", "bad", message, exit_code=errors.ModelError.exit_code)


def _backends(settings: Settings) -> Iterator[Finding]:
    from auria_bot.domain.pipeline import ROLES

    names = []
    for role in ROLES:
        chosen: BackendSettings = getattr(settings, role)
        try:
            _check_backend(role, chosen, here=settings.execution.engine == "local")
        except errors.SettingsError as error:
            yield _bad("backends", error, f"correct [{role}] in auria.toml; auria config shows what is in force")
        except AuriaError as error:
            yield _bad("backends", error, f"install what it needs, or set another backend for [{role}]")
        else:
            names.append(f"{role} {chosen.backend}")
    if names:
        yield _finding("backends", "ok", ", ".join(names))


def _check_backend(role: str, chosen: BackendSettings, *, here: bool) -> None:
    """Make sure that there is a role's backend, and that it has the options that are set; `here` it is to run.

    Raises:
        SettingsError: there is none of that name, or an option is wrong.
        BackendMissing: what it needs is not installed; an interpreter of its own may have it, if that can be run.
    """
    from auria_bot import registry
    from auria_bot.settings.options import configure

    if chosen.interpreter and here and shutil.which(chosen.interpreter) is None:
        raise errors.BackendMissing(f"{role}.interpreter is {str(chosen.interpreter)!r}, which cannot be run")
    try:
        kind = registry.find_chosen(role, chosen.backend, section=role)
    except errors.BackendMissing:
        if not chosen.interpreter:
            raise
    else:
        configure(role, kind, chosen.options)


def _device(_: Settings) -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for package in ("onnxruntime", "openvino", "torch"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    message = f"{_processor()}, {os.cpu_count() or 1} cores; {', '.join(found) or 'no runtime'}"
    if not found or found[0].startswith("torch"):
        advice = "pip install onnxruntime"
        yield _finding("device", "bad", message, advice=advice, exit_code=errors.ModelError.exit_code)
    else:
        yield _finding("device", "ok", f"{message}; Python {sys.version.split()[0]}")


def _processor() -> str:
    import platform

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _clock(settings: Settings) -> Iterator[Finding]:
    from zoneinfo import ZoneInfo

    now = datetime.now(UTC)
    message = now.astimezone(ZoneInfo(settings.time_zone)).strftime("%Y-%m-%d %H:%M:%S %Z")
    newest = datetime.fromtimestamp(max(path.stat().st_mtime for path in Path(__file__).parent.glob("*.py")), UTC)
    if now < newest - timedelta(days=1):
        advice = "set the clock: posts would go out at the wrong time, and secure connections fail"
        message = f"{message} is earlier than this program was installed ({newest:%Y-%m-%d})"
        yield _finding("clock", "bad", message, advice=advice, exit_code=1)
    elif _unsynchronised():
        advice = "synchronise the clock with a time service, such as systemd-timesyncd or chrony"
        yield _finding("clock", "warn", f"{message}; no time service keeps it synchronised", advice=advice)
    else:
        yield _finding("clock", "ok", message)


def _unsynchronised() -> bool:
    """Whether Linux reports an unsynchronised clock; False on other systems."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    try:
        # adjtimex(2) with no mode set only reads; the structure takes 208 bytes, and 5 is TIME_ERROR
        return bool(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) == 5)
    except (OSError, AttributeError):
        return False


def _channel(name: str, title: str, make: Callable[[], Channel]) -> Finding:
    try:
        return _finding(title, "ok", make().check())
    except errors.Throttled as error:
        advice = f"later: auria channels check {name}"
        return _finding(title, "warn", redacted(str(error)), advice=advice)
    except errors.ChannelError as error:
        return _bad(title, error, f"once that is corrected: auria channels check {name}")
    except AuriaError as error:
        return _bad(title, error, f"correct [channels.{name}] in auria.toml, or install what it needs")
    except Exception as error:  # noqa: BLE001 - a broken channel must not hide the others
        message = redacted(f"unexpected error: {type(error).__name__}: {error}")[:500]
        return _finding(title, "bad", message, exit_code=errors.ChannelError.exit_code)


def _paused(settings: Settings, list_paused: Callable[[], Sequence[Pause]]) -> dict[str, str]:
    from auria_bot.services.operations.database import schema_versions

    try:
        found, newest = schema_versions(settings)
        if found != newest:
            return {}
        return {one.name: f"paused since {one.at:%Y-%m-%d}: {one.reason}" for one in list_paused()}
    except AuriaError:
        return {}
