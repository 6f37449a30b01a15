"""A folder of pictures appears whole or not at all, is never overwritten, and no name leads out of it."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path

import pytest

from auria_bot.errors import DiskError, InputError, InvalidTransition, NotFound
from auria_bot.store import files as module
from auria_bot.store.files import Pictures, path_from_home, path_in_home

HOSTILE = [
    "../out",
    "..",
    ".",
    "",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "nul\x00",
    ".hidden",
    "x" * 200,
    "a\n",
    "ü",
    "C:x",
]


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    """An empty store of pictures."""
    return Pictures(tmp_path / "home")


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Path]:
    """Two files that a studio made."""
    (tmp_path / "a.jpg").write_bytes(b"post" * 1000)
    (tmp_path / "b.png").write_bytes(b"full" * 1000)
    return {"post.jpg": tmp_path / "a.jpg", "full.png": tmp_path / "b.png"}


def _everything(pictures: Pictures) -> list[str]:
    return sorted(str(path.relative_to(pictures.root)) for path in pictures.root.rglob("*"))


def test_files_are_kept_under_their_names(pictures: Pictures, made: dict[str, Path]):
    """Stored files hold what their sources held, and no other file is left."""
    folder = pictures.keep("run-1", made)
    assert folder == pictures.root / "run-1"
    assert {name: (folder / name).read_bytes() for name in made} == {n: p.read_bytes() for n, p in made.items()}
    assert _everything(pictures) == ["run-1", "run-1/full.png", "run-1/post.jpg"]
    assert pictures.path("run-1", "post.jpg") == folder / "post.jpg"


def test_keeping_again_is_harmless(pictures: Pictures, made: dict[str, Path]):
    """The same files under the same name once more change nothing."""
    pictures.keep("run-1", made)
    before = (pictures.root / "run-1" / "post.jpg").stat().st_mtime_ns
    assert pictures.keep("run-1", made) == pictures.root / "run-1"
    assert (pictures.root / "run-1" / "post.jpg").stat().st_mtime_ns == before


def test_other_contents_are_refused(pictures: Pictures, made: dict[str, Path]):
    """A folder is never overwritten: not by other bytes, fewer files or more."""
    pictures.keep("run-1", made)
    with pytest.raises(InvalidTransition, match="never overwritten"):
        pictures.keep("run-1", {"post.jpg": made["post.jpg"]})
    made["post.jpg"].write_bytes(b"other")
    with pytest.raises(InvalidTransition, match="never overwritten"):
        pictures.keep("run-1", made)
    assert pictures.path("run-1", "post.jpg").read_bytes() == b"post" * 1000


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_failing_disk_leaves_nothing(
    pictures: Pictures, made: dict[str, Path], monkeypatch: pytest.MonkeyPatch, number: int, call: str
):
    """A full, read-only or broken disk gives an error that names the place, and no folder, half or staged."""

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail) if call == "fsync" else monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(DiskError, match="pictures"):
        pictures.keep("run-1", made)
    assert _everything(pictures) == []


def test_nothing_is_seen_before_it_is_whole(pictures: Pictures, made: dict[str, Path], monkeypatch: pytest.MonkeyPatch):
    """While files are being copied, the folder's name does not exist yet."""
    seen = []
    real = module._copy
    monkeypatch.setattr(
        module,
        "_copy",
        lambda source, target: (seen.append((pictures.root / "run-1").exists()), real(source, target)),
    )
    pictures.keep("run-1", made)
    assert seen == [False, False]


def test_the_disk_has_everything_before_the_rename(
    pictures: Pictures, made: dict[str, Path], monkeypatch: pytest.MonkeyPatch
):
    """Every file and the folder are flushed before the name appears, and the name's own folder after."""
    order = []
    fsync, rename = os.fsync, Path.rename
    monkeypatch.setattr(os, "fsync", lambda descriptor: (order.append("flush"), fsync(descriptor))[1])
    monkeypatch.setattr(Path, "rename", lambda path, target: (order.append("rename"), rename(path, target))[1])
    pictures.keep("run-1", made)
    assert order == ["flush", "flush", "flush", "rename", "flush"]


def test_two_runs_that_keep_the_same(pictures: Pictures, made: dict[str, Path]):
    """Of several who keep the same folder at once, all succeed and one copy stays."""
    failures: list[BaseException] = []

    def keep() -> None:
        try:
            pictures.keep("run-1", made)
        except BaseException as error:  # noqa: BLE001 - told to the test below
            failures.append(error)

    threads = [threading.Thread(target=keep) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert _everything(pictures) == ["run-1", "run-1/full.png", "run-1/post.jpg"]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leads_out(pictures: Pictures, made: dict[str, Path], name: str):
    """A name that is not a plain one is refused wherever it is given, and nothing is written."""
    for attempt in (
        lambda: pictures.keep(name, made),
        lambda: pictures.keep("run-1", {name: made["post.jpg"]}),
        lambda: pictures.path(name, "post.jpg"),
        lambda: pictures.path("run-1", name),
        lambda: pictures.remove(name),
    ):
        with pytest.raises(InputError):
            attempt()
    assert not pictures.root.exists()


def test_links_do_not_lead_out(pictures: Pictures, made: dict[str, Path], tmp_path: Path):
    """A link inside a folder that points elsewhere is refused."""
    pictures.keep("run-1", made)
    (pictures.root / "run-1" / "link.jpg").symlink_to(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="leads out"):
        pictures.path("run-1", "link.jpg")


def test_missing_files_are_not_found(pictures: Pictures, made: dict[str, Path]):
    """A missing source or stored file is named."""
    with pytest.raises(NotFound, match="nowhere"):
        pictures.keep("run-1", {"x.png": Path("nowhere.png")})
    pictures.keep("run-1", made)
    (pictures.root / "run-1" / "post.jpg").unlink()
    with pytest.raises(NotFound, match=r"post\.jpg is missing"):
        pictures.path("run-1", "post.jpg")


def test_removing_takes_all_at_once(pictures: Pictures, made: dict[str, Path]):
    """A removed folder is gone whole; removing it again is fine."""
    pictures.keep("run-1", made)
    pictures.remove("run-1")
    pictures.remove("run-1")
    assert _everything(pictures) == []


def test_sweeping_clears_what_died(pictures: Pictures, made: dict[str, Path]):
    """Old staging folders are cleared away; young ones, which may be at work, and finished ones stay."""
    pictures.keep("run-1", made)
    old, young = pictures.root / ".staging-x-1", pictures.root / ".staging-y-2"
    for folder in (old, young):
        folder.mkdir()
        (folder / "half.png").write_bytes(b"x")
    os.utime(old, (time.time() - 100_000, time.time() - 100_000))
    assert pictures.sweep() == 1
    assert not old.exists()
    assert young.exists()
    assert pictures.path("run-1", "post.jpg").is_file()


def test_what_vanishes_meanwhile_is_not_swept(pictures: Pictures, made: dict[str, Path]):
    """A run that ends renames its staging folder, and a draft's folder may be deleted while its size is taken."""
    pictures.keep("run-1", made)
    for gone in (".staging-x-1", "run-1/gone.png"):
        (pictures.root / gone).symlink_to("nowhere")
    assert pictures.sweep() == 0
    assert list(pictures.sizes()) == ["run-1"]


def test_a_file_where_the_home_should_be(tmp_path: Path, made: dict[str, Path]):
    """A file in the way is a disk error that says so."""
    (tmp_path / "home").write_text("x")
    with pytest.raises(DiskError, match="a file is where a folder is needed"):
        Pictures(tmp_path / "home").keep("run-1", made)


def test_paths_are_stored_relative_to_the_home(tmp_path: Path):
    """A path in the home is found again after the home was moved; one elsewhere, or none, stays as it is."""
    stored = path_in_home(str(tmp_path / "a" / "pictures" / "x.jpg"), tmp_path / "a")
    assert stored == "pictures/x.jpg"
    assert path_from_home(stored, tmp_path / "b") == str(tmp_path / "b" / "pictures" / "x.jpg")
    assert path_from_home(path_in_home("/mnt/x.jpg", tmp_path), tmp_path) == "/mnt/x.jpg"
    assert path_from_home(path_in_home("", tmp_path), tmp_path) == ""
