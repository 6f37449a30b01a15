"""A backup is whole or not there; what is put back is what was there."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import DiskError, InvalidTransition, NotFound, StoreError
from auria_bot.services.operations import backup_files
from auria_bot.services.operations import backups as module
from auria_bot.services.operations.backups import Backups
from auria_bot.services.visitors.works import VisitorWork, VisitorWorks, WorkState
from auria_bot.store.dump import Dump
from auria_bot.store.schema import HEAD
from tests.factories import NOW, add_draft, artwork

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.services.operations.backup_files import Backup
    from auria_bot.testing import FakeClock

_FILES = ("painting.png", "full.png", "post.jpg", "card.jpg")


def _draft(application: Application, number: int) -> Path:
    """A draft with its pictures."""
    source = application.settings.home / f"source-{number}"
    source.write_bytes(bytes([number]) * 3000)
    folder = application.pictures.keep(f"run-{number}", dict.fromkeys(_FILES, source))
    with application.store.begin() as unit:
        add_draft(unit, number)
    return folder


def _backups(application: Application, **changes: int) -> Backups:
    home = application.settings.home
    return Backups(
        home=home,
        folder=home / "backups",
        database=Dump(application.settings.database_url),
        clock=application.clock,
        **{"daily": 2, "weekly": 2, **changes},
    )


def test_what_was_lost_comes_back(application: Application, clock: FakeClock):
    """Database and pictures are as they were at the backup, and what was there before the restore is set aside."""
    folder = _draft(application, 1)
    backups = _backups(application)
    made = backups.make()
    assert made.size > 12_000
    assert len(made.files) == 5
    assert [one.folder for one in backups.list()] == [made.folder]
    _draft(application, 2)
    (folder / "post.jpg").write_bytes(b"rubbish")
    (folder / "card.jpg").unlink()
    with pytest.raises(InvalidTransition, match="--force"):
        backups.restore(made.folder)
    assert (folder / "post.jpg").read_bytes() == b"rubbish"
    clock.advance(hours=1)
    restored = backups.restore(made.folder / "auria.db", force=True)
    assert restored.pictures == 2
    assert restored.aside is not None
    assert restored.aside.is_file()
    assert {name: (folder / name).read_bytes() for name in _FILES} == dict.fromkeys(_FILES, b"\1" * 3000)
    with application.store.read() as unit:
        assert [draft.id for draft in unit.drafts.list()] == [1]
    assert (application.pictures.root / "run-2").is_dir()  # what the backup does not know is left alone


def test_pictures_on_another_disk_come_back(
    application: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    """The folder of the pictures may be a link or a mount: no file is renamed from one disk onto another."""
    folder = _draft(application, 1)
    backups = _backups(application)
    made = backups.make()
    written = (folder / "post.jpg").stat()
    (folder / "post.jpg").write_bytes(b"rubbish")
    clock.advance(hours=1)
    replace_ = Path.replace
    root = application.pictures.root

    def replace_on_one_disk(path: Path, target: Path) -> Path:
        if path.is_relative_to(root) != Path(target).is_relative_to(root):
            raise OSError(errno.EXDEV, "Invalid cross-device link", str(path))
        return replace_(path, target)

    monkeypatch.setattr(Path, "replace", replace_on_one_disk)
    assert backups.restore(made.folder, force=True).pictures == 1
    assert (folder / "post.jpg").read_bytes() == b"\1" * 3000
    found = (folder / "post.jpg").stat()
    assert (found.st_mtime_ns, found.st_mode) == (written.st_mtime_ns, written.st_mode | 0o600)


def test_how_far_a_backup_is_can_be_followed(application: Application):
    """The database first, then every file by its name."""
    _draft(application, 1)
    told: list[tuple[int, int, str]] = []
    made = _backups(application).make(progress=lambda *progress: told.append(progress))
    assert told[0] == (0, 1, "auria.db")
    assert [(done, total) for done, total, _ in told[1:]] == [(number, 5) for number in range(1, 5)]
    assert {"auria.db", *(name for _, _, name in told)} == set(made.files)


def test_what_is_not_a_picture_comes_back_too(application: Application, clock: FakeClock):
    """A kept artwork of a visitor and a rating's picture; another version of the same name in the home is not touched."""
    home = application.settings.home
    note = home / "registry" / "poet" / "v1" / "version.json"
    rating = home / "ratings" / f"{'c' * 64}.jpg"
    record = {"model": "poet", "name": "v1", "sha256": "1", "metrics": {}}
    for file, content in ((rating, "picture"), (note, json.dumps(record))):
        file.parent.mkdir(parents=True)
        file.write_text(content)
    backups = _backups(application)
    made = backups.make()
    rating.unlink()
    clock.advance(hours=1)
    assert backups.restore(made.folder, force=True).files == (f"ratings/{'c' * 64}.jpg",)
    assert rating.read_text() == "picture"
    for other in ("[", json.dumps({**record, "sha256": "2"})):
        note.write_text(other)
        rating.unlink()
        if other == "[":
            clock.advance(hours=1)
            assert len(backups.restore(made.folder, force=True).files) == 2
        else:
            with pytest.raises(StoreError, match=f"another version than that of the backup; move {home / 'registry'}"):
                backups.restore(made.folder, force=True)
            assert not rating.exists()


def test_a_work_that_its_visitor_deleted_stays_deleted(application: Application, clock: FakeClock):
    """A kept one comes back after a loss, and not after its visitor's deletion."""
    works = VisitorWorks(application.settings.home / "visitors")
    works.load()
    keys = ["a" * 32, "b" * 32]
    for key in keys:
        work = VisitorWork(key=key, owner="0" * 64, theme="rain", mood="", asked_at=clock(), is_kept=True)
        works.save(replace(work, state=WorkState.DONE, artwork=artwork(1).to_json()))
    backups = _backups(application)
    made = backups.make()
    works.remove(keys[0])
    shutil.rmtree(works.root / keys[1])
    clock.advance(hours=1)
    assert backups.restore(made.folder, force=True).files == (f"visitors/{keys[1]}/work.json",)
    works.load()
    assert [work.key for work in works.all()] == [keys[1]]


def test_a_new_home_needs_no_force(application: Application, tmp_path: Path):
    """After a lost disk."""
    _draft(application, 1)
    made = _backups(application).make(tmp_path / "elsewhere")
    other = tmp_path / "other"
    fresh = Backups(
        home=other,
        folder=other / "b",
        database=Dump(f"sqlite:///{other / 'auria.db'}"),
        clock=application.clock,
        daily=1,
        weekly=1,
    )
    assert fresh.restore(made.folder).aside is None
    assert (other / "pictures" / "run-1" / "post.jpg").read_bytes() == b"\1" * 3000


def test_backups_share_what_did_not_change(application: Application, clock: FakeClock):
    """A second one takes room for what is new only; where files cannot be linked they are copied."""
    _draft(application, 1)
    backups = _backups(application)
    first = backups.make()
    clock.advance(days=1)
    _draft(application, 2)
    second = backups.make()
    old, new = (one.folder / "pictures" / "run-1" / "post.jpg" for one in (first, second))
    assert old.stat().st_ino == new.stat().st_ino
    clock.advance(days=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "link", _refused(errno.EPERM))
        third = backups.make()
    assert third.files.keys() == second.files.keys()
    assert (third.folder / "pictures" / "run-1" / "post.jpg").stat().st_ino != new.stat().st_ino
    picture = application.pictures.root / "run-1" / "post.jpg"
    picture.write_bytes(b"\7" * 3000)
    clock.advance(days=1)
    fourth = backups.make()
    assert (fourth.folder / "pictures" / "run-1" / "post.jpg").read_bytes() == b"\7" * 3000
    shutil.rmtree(first.folder)
    assert backups.verify(fourth.folder).folder == fourth.folder


def test_old_ones_go(application: Application, clock: FakeClock):
    """Of each of the last days and weeks the newest stays; a folder that is no backup is left alone."""
    backups = _backups(application)
    assert backups.rotate() == ()
    stranger = backups.folder / "auria-20200101T000000Z"
    stranger.mkdir(parents=True)
    (backups.folder / "auria-notes").mkdir()
    for _ in range(20):
        backups.make()
        clock.advance(hours=12)
    gone = backups.rotate()
    left = [one.made_at.strftime("%m-%d %H") for one in backups.list()]
    # The clock began on Saturday, 21 November, at 9.
    assert left == ["11-30 21", "11-29 21"]
    assert len(gone) == 18
    assert stranger.is_dir()
    assert backups.rotate() == ()
    clock.advance(days=30)
    backups.make()
    backups.rotate()
    assert [one.made_at.strftime("%m-%d %H") for one in backups.list()] == ["12-31 09", "11-30 21"]


def test_a_backup_that_is_not_whole_is_not_put_back(application: Application, tmp_path: Path, clock: FakeClock):
    """A missing or changed file, a list that cannot be read or leads elsewhere: named, and nothing is changed."""
    _draft(application, 1)
    backups = _backups(application)
    made = backups.make()
    clock.advance(days=1)
    other = backups.make()
    shutil.copytree(made.folder, tmp_path / "x" / "auria-20200101T000000Z")
    broken = tmp_path / "x" / "auria-20200101T000000Z"
    post = broken / "pictures" / "run-1" / "post.jpg"
    post.write_bytes(b"\2" * 3000)
    with pytest.raises(StoreError, match="is damaged; take another backup: there is no other"):
        backups.restore(broken, force=True)
    (other.folder / "pictures" / "run-1" / "card.jpg").unlink()
    with pytest.raises(StoreError, match=f"is missing; take another backup: {made.folder.name}"):
        backups.restore(other.folder, force=True)
    listed = json.loads((broken / "backup.json").read_text())
    for wrong in (
        "{",
        "[]",
        json.dumps({**listed, "files": {"../x": [1, ""]}}),
        json.dumps({**listed, "database": "y"}),
        json.dumps({**listed, "files": {**listed["files"], "secrets/key": [1, "0" * 64]}}),
    ):
        (broken / "backup.json").write_text(wrong)
        with pytest.raises(StoreError, match=r"backup\.json"):
            backups.verify(broken)
    assert backups.list(broken.parent) == []
    with pytest.raises(NotFound, match="is no backup"):
        backups.verify(tmp_path)
    assert made.folder.is_dir()


def test_links_are_not_followed(application: Application, tmp_path: Path):
    """They may lead anywhere: neither those of a backup, nor a folder of the home that is one."""
    folder = _draft(application, 1)
    backups = _backups(application)
    made = backups.make()
    pictures = made.folder / "pictures" / "run-1"
    pictures.rename(tmp_path / "elsewhere")
    pictures.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(StoreError, match="is a link or no regular file; take another backup: there is no other"):
        backups.restore(made.folder, force=True)
    pictures.unlink()
    (tmp_path / "elsewhere").rename(pictures)
    (made.folder / "backup.json").rename(tmp_path / "list.json")
    (made.folder / "backup.json").symlink_to(tmp_path / "list.json")
    with pytest.raises(StoreError, match="is a link, no regular file, or too long"):
        backups.verify(made.folder)
    (made.folder / "backup.json").unlink()
    (tmp_path / "list.json").rename(made.folder / "backup.json")
    (folder / "post.jpg").unlink()
    (folder / "post.jpg").mkdir()
    with pytest.raises(StoreError, match=r"post\.jpg cannot be replaced: .* or it is a folder; move it away"):
        backups.restore(made.folder, force=True)
    assert (folder / "post.jpg").is_dir()


def test_a_file_that_changes_after_it_was_compared_is_not_restored(
    application: Application, monkeypatch: pytest.MonkeyPatch
):
    """Each is compared once more with the list while it is copied."""
    folder = _draft(application, 1)
    backups = _backups(application)
    made = backups.make()
    (folder / "post.jpg").unlink()
    verify = Backups.verify

    def overtaken(self: Backups, place: Path) -> Backup:
        found = verify(self, place)
        (made.folder / "pictures" / "run-1" / "post.jpg").write_bytes(b"other")
        return found

    monkeypatch.setattr(Backups, "verify", overtaken)
    with pytest.raises(StoreError, match=r"post\.jpg changed while it was read; take another backup"):
        backups.restore(made.folder, force=True)
    assert not (folder / "post.jpg").exists()


@pytest.mark.parametrize("can_link", [True, False])
def test_another_database_leaves_the_pictures_of_a_backup(
    application: Application, monkeypatch: pytest.MonkeyPatch, can_link: bool
):
    """They are linked, or copied where that cannot be."""
    _draft(application, 1)
    backups = _backups(application)
    made = backups.make()
    if not can_link:
        monkeypatch.setattr(os, "link", _refused(errno.EPERM))
    backups.replace_database(made, lambda source, target: target.write_bytes(source.read_bytes()))
    again = backups.verify(made.folder)
    assert again.files == made.files
    assert (made.folder / "pictures" / "run-1" / "post.jpg").read_bytes() == b"\1" * 3000


def _refused(code: int):
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


def test_a_full_disk_leaves_nothing_behind(application: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch):
    """Whether it is seen beforehand or comes in the middle; older backups stay."""
    _draft(application, 1)
    backups = _backups(application)
    made = backups.make()
    with pytest.raises(InvalidTransition, match="exists already"):
        backups.make()
    clock.advance(days=1)
    _draft(application, 2)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 5, 5))
        with pytest.raises(DiskError, match=r"maintenance\.backup_folder"):
            backups.make()
    with monkeypatch.context() as patch:
        for place in (module, backup_files):
            patch.setattr(place, "copied", _refused(errno.ENOSPC))
        with pytest.raises(DiskError, match="the disk is full"):
            backups.make()
        (application.pictures.root / "run-1" / "post.jpg").unlink()
        with pytest.raises(DiskError, match="the disk is full"):
            backups.restore(made.folder, force=True)
    assert [path.name for path in backups.folder.iterdir()] == [made.folder.name]
    (backups.folder / ".staging-auria-x").mkdir()  # of a run that was killed
    (backups.folder / ".staging-website").mkdir()  # the operator's
    backups.make()
    assert len(list(backups.folder.iterdir())) == 3
    (backups.folder / ".staging-website").rmdir()
    clock.advance(days=1)
    backups.make()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", _refused(errno.EROFS))
        with pytest.raises(DiskError, match="read-only"):
            _backups(application, daily=1, weekly=0).rotate()


def test_a_home_that_cannot_be_written_is_named(application: Application, tmp_path: Path):
    """Before anything is copied."""
    wrong = tmp_path / "file"
    wrong.write_text("no folder")
    backups = Backups(
        home=wrong,
        folder=tmp_path / "b",
        database=Dump(application.settings.database_url),
        clock=application.clock,
        daily=1,
        weekly=1,
    )
    with pytest.raises(DiskError, match="/file cannot be written: a file is where a folder is needed"):
        backups.make()
    assert backups.list() == []


def test_two_at_once_come_one_after_the_other(application: Application, tmp_path: Path):
    """Neither takes away what the other is about to make: a backup that is listed is whole."""
    for number in range(1, 31):
        _draft(application, number)
    made: list[Backup] = []

    def make(second: int) -> None:
        keeper = _backups(application)
        keeper._clock = lambda: NOW.replace(second=second)
        made.append(keeper.make())

    threads = [threading.Thread(target=make, args=(second,)) for second in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    backups = _backups(application)
    assert len(backups.list()) == len(made) == 4
    assert {len(backups.verify(one.folder).files) for one in made} == {121}


def test_what_a_clock_ahead_made_takes_nobodys_place(application: Application, clock: FakeClock):
    """Backups dated in the future are retained, and so are today's."""
    backups = _backups(application, weekly=0)
    clock.advance(days=700)
    for _ in range(3):
        backups.make()
        clock.advance(days=1)
    clock.advance(days=-703)
    for _ in range(4):
        today = backups.make()
        backups.rotate()
        assert today.folder.is_dir()
        clock.advance(days=1)
    assert [one.made_at.year for one in backups.list()] == [2028] * 3 + [2026] * 2


def test_a_backup_is_one_file_and_no_reader_changes_it(application: Application):
    """It may lie where nothing can be written: SQLite makes no file beside it, and needs none."""
    _draft(application, 1)
    backups = _backups(application)
    made = backups.make()
    before = {file: file.stat().st_mtime_ns for file in made.folder.iterdir()}
    with sqlite3.connect(f"file:{made.folder / 'auria.db'}?mode=ro", uri=True) as opened:
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    opened.close()
    database = Dump(application.settings.database_url)
    opening: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        connect = sqlite3.connect
        patch.setattr(sqlite3, "connect", lambda name, **more: opening.append(name) or connect(name, **more))
        assert database.verify(made.folder / "auria.db") == HEAD
        database.restore(made.folder / "auria.db", force=True)
    of_backup = [name for name in opening if str(made.folder) in name]
    assert len(of_backup) >= 3
    assert all(name.endswith("mode=ro&immutable=1") for name in of_backup)
    assert {file: file.stat().st_mtime_ns for file in made.folder.iterdir()} == before
