"""Hostile backups: whatever a copy holds or claims, a restore writes nothing outside the home and takes nothing in unasked.

Each case gets an empty folder, and returns "" when the attack was refused or had no effect, else what it reached.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.errors import AuriaError
from auria_bot.services.operations.backups import Backups
from auria_bot.store import engine
from auria_bot.store.dump import Dump

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BACKUPS"]

_WORK = {
    "key": "a" * 32,
    "owner": "0" * 64,
    "theme": "",
    "mood": "",
    "asked_at": "2026-11-20T00:00:00+00:00",
    "state": "done",
    "is_kept": True,
}


def _hash(file: Path) -> list[object]:
    return [file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest()]


def _backup(scratch: Path) -> tuple[Path, Backups, dict[str, object]]:
    """A home's backup with one picture, the backups of another home, and the backup's list."""
    made = datetime(2026, 11, 20, tzinfo=UTC)
    homes = []
    for number, name in enumerate(("first", "other")):
        home = scratch / name
        (home / "pictures" / "run-1").mkdir(parents=True)
        url = f"sqlite:///{home / 'auria.db'}"
        engine.upgrade(url)
        clock = lambda number=number: made + timedelta(days=number)  # noqa: E731
        homes.append(Backups(home=home, folder=home / "backups", database=Dump(url), clock=clock, daily=2, weekly=2))
    (scratch / "first" / "pictures" / "run-1" / "post.jpg").write_bytes(b"picture")
    folder = homes[0].make().folder
    return folder, homes[1], json.loads((folder / "backup.json").read_text())


def _state(scratch: Path) -> dict[str, str]:
    """Every path under a folder but the backup's and locks, with its content's hash or its link's target."""
    found = {}
    for path in sorted(scratch.rglob("*")):
        name = path.relative_to(scratch).as_posix()
        if name.startswith("first/") or path.name == ".backups.lock":
            continue
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _restore(prepare: Callable[[Path, dict[str, object]], None]) -> Callable[[Path], str]:
    """Restore a backup that was changed; it must be refused and change nothing."""

    def case(scratch: Path) -> str:
        folder, backups, listed = _backup(scratch)
        prepare(folder, listed)
        if not (folder / "backup.json").is_symlink():
            (folder / "backup.json").write_text(json.dumps(listed))
        before = _state(scratch)
        try:
            backups.restore(folder, force=True)
        except AuriaError:
            changed = set(_state(scratch).items()) ^ set(before.items())
            return f"refused, but changed: {sorted(name for name, _ in changed)}" if changed else ""
        return "was restored"

    return case


def _named(name: str) -> Callable[[Path], str]:
    """A backup whose list names a further file, which is there."""

    def prepare(folder: Path, listed: dict[str, object]) -> None:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("hostile")
        listed["files"][name] = _hash(file)  # type: ignore[index]

    return _restore(prepare)


def _record(name: str, record: object) -> Callable[[Path], str]:
    """A backup with a record that says what Auria never writes."""

    def prepare(folder: Path, listed: dict[str, object]) -> None:
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(json.dumps(record))
        listed["files"][name] = _hash(folder / name)  # type: ignore[index]

    return _restore(prepare)


def _linked(name: str, target: str) -> Callable[[Path], str]:
    """A backup one of whose files is a link."""

    def prepare(folder: Path, listed: dict[str, object]) -> None:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_dir():
            shutil.rmtree(file)
        file.unlink(missing_ok=True)
        file.symlink_to(target)
        if file.is_dir():
            listed["files"][f"{name}/passwd"] = _hash(file / "passwd")  # type: ignore[index]
        elif file.is_file() and name != "backup.json":
            listed["files"][name] = _hash(file)  # type: ignore[index]

    return _restore(prepare)


def _wrong_hash(folder: Path, listed: dict[str, object]) -> None:
    (folder / "pictures" / "run-1" / "post.jpg").write_bytes(b"changed")


def _wrong_size(folder: Path, listed: dict[str, object]) -> None:
    listed["files"]["pictures/run-1/post.jpg"][0] = 6  # type: ignore[index]


def _pipe(folder: Path, listed: dict[str, object]) -> None:
    (folder / "pictures" / "run-1" / "post.jpg").unlink()
    os.mkfifo(folder / "pictures" / "run-1" / "post.jpg")


def _deep_list(folder: Path, listed: dict[str, object]) -> None:
    """A list nested too deeply for a recursive reader."""
    deep: list[object] = []
    for _ in range(900):
        deep = [deep]
    listed["files"] = deep


def _trigger(folder: Path, listed: dict[str, object]) -> None:
    with closing(sqlite3.connect(folder / "auria.db")) as opened:
        opened.execute("CREATE TRIGGER later AFTER INSERT ON drafts BEGIN DELETE FROM posts; END")
        opened.commit()
    listed["files"]["auria.db"] = _hash(folder / "auria.db")  # type: ignore[index]


def _other_database(folder: Path, listed: dict[str, object]) -> None:
    """A list that calls the settings the database."""
    (folder / "auria.toml").write_text("[poet]")
    listed["database"] = "auria.toml"
    listed["files"]["auria.toml"] = _hash(folder / "auria.toml")  # type: ignore[index]


def _journal_beside(scratch: Path) -> str:
    """A journal beside the copy that its list does not name must not be replayed."""
    folder, backups, _ = _backup(scratch)
    (folder / "auria.db-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(600))
    (folder / "auria.db-wal").symlink_to("/etc/passwd")
    content = (folder / "auria.db").read_bytes()
    try:
        backups.restore(folder, force=True)
    except AuriaError:
        return ""
    return "" if (folder / "auria.db").read_bytes() == content else "the journal was replayed"


def _linked_home_folder(name: str) -> Callable[[Path], str]:
    """A file's second folder in the home that is a link must not lead the restore outside."""

    def case(scratch: Path) -> str:
        folder, backups, listed = _backup(scratch)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("hostile")
        listed["files"][name] = _hash(folder / name)  # type: ignore[index]
        (folder / "backup.json").write_text(json.dumps(listed))
        outside = scratch / "outside"
        outside.mkdir()
        linked = scratch / "other" / Path(*Path(name).parts[:2])
        linked.parent.mkdir(exist_ok=True)
        shutil.rmtree(linked, ignore_errors=True)
        linked.symlink_to(outside)
        with suppress(AuriaError):
            backups.restore(folder, force=True)
        return f"written outside: {os.listdir(outside)}" if any(outside.iterdir()) else ""  # noqa: PTH208

    return case


BACKUPS: dict[str, Callable[[Path], str]] = {
    **{
        f"backup with {name}": _named(name)
        for name in (
            "auria.toml",
            "secrets/bluesky.json",
            "models/poet/model.onnx",
            "numpy.py",
            "pictures/post.jpg",
            "pictures/run-1/deeper/post.jpg",
            "pictures/.hidden/post.jpg",
            "pictures/../auria.toml",
            "./auria.toml",
            "pictures//auria.toml",
            "visitors/../auria.toml",
            f"visitors/{'a' * 32}/deeper/post.jpg",
            "ratings/../auria.toml",
            "registry/served/poet/model.onnx",
            "registry/captioner/v1/files/../../../../auria.toml",
        )
    },
    **{
        f"backup with {what}": _record(name, record)
        for what, name, record in (
            ("a visitor's work of another key", f"visitors/{'a' * 32}/work.json", {**_WORK, "key": "../pictures"}),
            (
                "a visitor's work that shows secrets",
                f"visitors/{'a' * 32}/work.json",
                {**_WORK, "artwork": {"files": {"post": {"name": "../../secrets/web-operators.json"}}}},
            ),
            ("a promotion of a folder outside", "registry/poet/promotions.json", {"promotions": ["../../../outside"]}),
            (
                "a version of another name",
                "registry/poet/v1/version.json",
                {"model": "poet", "name": "../v1", "metrics": {}},
            ),
        )
    },
    "backup with a path outside": _named("../other/auria.toml"),
    "backup with an absolute path": _restore(
        lambda folder, listed: listed["files"].update({"/etc/passwd": _hash(Path("/etc/passwd"))})  # type: ignore[attr-defined]
    ),
    "backup with a link to a system file": _linked("pictures/run-1/passwd", "/etc/passwd"),
    "backup with a linked picture folder": _linked("pictures/run-2", "/etc"),
    "backup with a dangling link": _linked("pictures/run-1/post.jpg", "/nowhere"),
    "backup whose pictures are a link": _linked("pictures", "/etc"),
    "backup whose database is a link": _linked("auria.db", "/etc/passwd"),
    "backup whose list is a link": _linked("backup.json", "/etc/passwd"),
    "backup with a changed picture": _restore(_wrong_hash),
    "backup with a wrong size": _restore(_wrong_size),
    "backup with a pipe": _restore(_pipe),
    "backup with a deep list": _restore(_deep_list),
    "backup with a trigger": _restore(_trigger),
    "backup whose database is the settings": _restore(_other_database),
    "backup with a journal beside": _journal_beside,
    "home with a linked picture folder": _linked_home_folder("pictures/run-1/post.jpg"),
    "home with a linked folder of a version": _linked_home_folder("registry/poet/v1/files/model.onnx"),
}
