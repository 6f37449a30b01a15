"""Pictures move between the disk and a bucket, whole folders, verified and continued."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import StorageAway
from auria_bot.services.operations.storage import PictureMover, storage_use
from auria_bot.store.files import Pictures
from tests.platforms.picture_storage import StorageStandIn
from tests.unit.store.bucket.test_pictures import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
