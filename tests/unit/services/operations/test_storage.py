"""Pictures move between the disk and a bucket, whole folders, verified and continued."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import InputError, StorageAway
from auria_bot.services.operations.storage import PictureMover, storage_use
from auria_bot.store.files import Pictures
from tests.platforms.picture_storage import StorageStandIn
from tests.unit.store.bucket.test_pictures import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("obstore", reason="the extra s3 is not installed: pip install 'auria-bot[s3]'")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An empty prefix of a bucket."""
    with StorageStandIn() as server:
        yield Place(server, tmp_path)


def test_pictures_move_to_the_bucket_and_back(place: Place):
    """Each folder is verified before it leaves the disk; an interrupted move goes on; the bytes are the same at the end."""
    disk = Pictures(place.path / "one")
    for number in range(3):
        disk.keep(f"run-{number}", place.made(b"%d" % number))
    pictures, moved = place.pictures(), list[str]()
    assert pictures.path("run-0", "post.jpg").parent.parent == pictures.root
    upload = pictures.upload

    def failing(folder: str, files: dict[str, Path]) -> None:
        if folder == "run-2":
            raise StorageAway("the cable is out")
        upload(folder, files)

    pictures.upload = failing  # type: ignore[method-assign,assignment]
    with pytest.raises(StorageAway):
        PictureMover(pictures).to_bucket(report=moved.append)
    assert moved == ["run-0", "run-1"]
    assert [folder.name for folder in pictures.root.iterdir()] == ["run-2"]
    pictures = place.pictures()
    PictureMover(pictures).to_bucket(report=moved.append)
    assert moved == ["run-0", "run-1", "run-2"]
    assert (storage_use(pictures).in_bucket, storage_use(pictures).on_disk) == (3, 0)
    other = place.pictures("two")
    assert PictureMover(other).to_disk().folders == 3
    for number in range(3):
        assert (other.root / f"run-{number}" / "full.png").read_bytes() == b"%d" % number * 2000
    assert PictureMover(other).to_disk().folders == 0


def test_pictures_leave_another_disk(place: Place, monkeypatch: pytest.MonkeyPatch):
    """The folder of the pictures may be a link or a mount, out of which no folder can be renamed."""
    Pictures(place.path / "one").keep("run-1", place.made(b"1"))
    pictures, rename = place.pictures(), Path.rename

    def rename_on_one_disk(path: Path, target: Path) -> Path:
        if path.is_relative_to(pictures.root) != Path(target).is_relative_to(pictures.root):
            raise OSError(errno.EXDEV, "Invalid cross-device link", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", rename_on_one_disk)
    assert PictureMover(pictures).to_bucket().folders == 1
    assert not list(pictures.root.iterdir())
    assert pictures.path("run-1", "full.png").read_bytes() == b"1" * 2000


def test_pictures_on_the_disk_alone_are_not_moved(tmp_path: Path):
    """The setting that names a bucket is told."""
    with pytest.raises(InputError, match=r"storage\.pictures names no bucket; set it in auria\.toml"):
        PictureMover(Pictures(tmp_path))


def test_what_does_not_fit_on_the_disk_stays_in_the_bucket(place: Place, monkeypatch: pytest.MonkeyPatch):
    """Nothing is copied; with room, each folder is told."""
    Pictures(place.path / "one").keep("run-0", place.made(b"1"))
    PictureMover(place.pictures()).to_bucket()
    other, moved = place.pictures("two"), list[str]()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
        with pytest.raises(InputError, match="0 MB are free; free some space"):
            PictureMover(other).to_disk(report=moved.append)
    assert list(other.root.iterdir()) == []
    PictureMover(other).to_disk(report=moved.append)
    assert moved == ["run-0"]
