"""Pictures in a bucket are the same bytes as on the disk; a folder is whole or not there, and its copies are bounded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import InputError, InvalidTransition, NotFound, StorageAway
from auria_bot.store.bucket.pictures import BucketPictures
from auria_bot.store.files import Pictures
from tests.unit.store.bucket.test_client import opened, server  # noqa: F401 - the fixture

if TYPE_CHECKING:
    from tests.platforms.picture_storage import StorageStandIn

pytest.importorskip("obstore", reason="the extra s3 is not installed: pip install 'auria-bot[s3]'")


class Place:
    """A bucket, and homes of machines that see it."""

    def __init__(self, started: StorageStandIn, tmp_path: Path) -> None:
        self.server, self.path = started, tmp_path

    def pictures(self, machine: str = "one", *, limit: int = 10_000_000) -> BucketPictures:
        """The pictures as a machine sees them."""
        return BucketPictures(self.path / machine, opened(self.server, self.path), limit=limit)

    def made(self, content: bytes = b"post") -> dict[str, Path]:
        """Two files that a studio made."""
        for name, times in (("a.jpg", 1000), ("b.png", 2000)):
            (self.path / name).write_bytes(content * times)
        return {"post.jpg": self.path / "a.jpg", "full.png": self.path / "b.png"}


@pytest.fixture
def place(server: StorageStandIn, tmp_path: Path) -> Place:  # noqa: F811 - the fixture
    """An empty prefix of a bucket."""
    return Place(server, tmp_path)


def test_another_machine_reads_the_same_bytes(place: Place):
    """What one machine kept, another one has, byte for byte as on a disk, and a path of one machine leads to it on the other."""
    made = place.made()
    kept = place.pictures().keep("run-1", made)
    on_disk = Pictures(place.path / "disk").keep("run-1", made)
    other = place.pictures("two")
    for name in made:
        assert other.path("run-1", name).read_bytes() == (kept / name).read_bytes() == (on_disk / name).read_bytes()
    stored = other.copies / "run-1" / "post.jpg"
    assert Path(other.here(str(stored))).read_bytes() == made["post.jpg"].read_bytes()
    assert Path(other.here(str(other.root / "run-1" / "post.jpg"))) == stored
    assert other.here("") == ""


def test_repeating_changes_nothing_and_other_contents_are_refused(place: Place):
    """A folder is written once."""
    pictures = place.pictures()
    pictures.keep("run-1", place.made())
    pictures.keep("run-1", place.made())
    with pytest.raises(InvalidTransition, match="never overwritten"):
        place.pictures("two").keep("run-1", place.made(b"else"))
    assert place.pictures("three").path("run-1", "post.jpg").read_bytes() == b"post" * 1000


def test_a_folder_that_was_interrupted_is_not_there_until_it_is_repeated(place: Place):
    """Files without their list belong to no draft; repeating writes what is missing."""
    pictures, made = place.pictures(), place.made()
    put, calls = pictures.bucket.put, []

    def failing(key: str, source: Path | bytes, *, once: bool = False) -> bool:
        calls.append(key)
        if once:
            raise StorageAway("the cable is out")
        return put(key, source, once=once)

    pictures.bucket.put = failing  # type: ignore[method-assign]
    with pytest.raises(StorageAway):
        pictures.keep("run-1", made)
    with pytest.raises(NotFound):
        place.pictures("two").path("run-1", "post.jpg")
    assert not place.pictures("two").folders()
    pictures.bucket.put = put  # type: ignore[method-assign]
    calls.clear()
    pictures.keep("run-1", made)
    assert place.pictures("two").path("run-1", "full.png").read_bytes() == b"post" * 2000


@pytest.mark.parametrize("name", ["../out", "a/b", ".files.json", "", "nul\x00"])
def test_no_name_leads_out(place: Place, name: str):
    """Names are plain file names, of folders and of files."""
    pictures = place.pictures()
    with pytest.raises(InputError):
        pictures.path("run-1", name)
    with pytest.raises(InputError):
        pictures.keep("run-1", {name: place.made()["post.jpg"]})


def test_copies_are_bounded_and_those_in_use_stay(place: Place):
    """The copies that were not used for longest give way; what was used in the last hour never does."""
    pictures = place.pictures(limit=7000)
    for number in range(3):
        pictures.keep(f"run-{number}", place.made(b"abcd"))
    assert len(list(pictures.copies.iterdir())) == 3
    for number in range(3):
        os.utime(pictures.copies / f"run-{number}", (1000.0 + number, 1000.0 + number))
    pictures.path("run-1", "post.jpg")
    pictures.keep("run-3", place.made(b"abcd"))
    assert sorted(folder.name for folder in pictures.copies.iterdir()) == ["run-1", "run-3"]
    assert pictures.path("run-0", "post.jpg").read_bytes() == b"abcd" * 1000


def test_what_is_missing_or_changed_is_found_by_a_listing(place: Place):
    """A check reads no picture, and names what is missing or has another hash."""
    pictures = place.pictures()
    pictures.keep("run-1", place.made())
    sha256 = pictures.folders()["run-1"]["post.jpg"][1]
    pictures.check("run-1", "post.jpg", sha256)
    with pytest.raises(InvalidTransition, match="not the picture that was made"):
        pictures.check("run-1", "post.jpg", "0" * 64)
    with pytest.raises(NotFound, match="put it back"):
        pictures.check("run-1", "other.jpg")
    assert pictures.sizes() == {"run-1": 12_000}
    assert pictures.shown("run-1", "post.jpg") == str(pictures.copies / "run-1" / "post.jpg")
    assert place.pictures("two").shown("run-1", "post.jpg").startswith("s3://pictures/")


def test_a_removed_folder_is_gone_everywhere(place: Place):
    """Bucket, copies and disk; removing it again is no error."""
    pictures = place.pictures()
    pictures.keep("run-1", place.made())
    pictures.remove("run-1")
    pictures.remove("run-1")
    assert not list(pictures.bucket.files("pictures"))
    with pytest.raises(NotFound):
        place.pictures("two").path("run-1", "post.jpg")


def test_an_unreachable_file_is_no_missing_one(place: Place):
    """A storage that refuses is told as that; copies that are there are used meanwhile."""
    pictures = place.pictures()
    pictures.keep("run-1", place.made())
    away = BucketPictures(place.path / "two", opened(place.server, place.path, wrong_key="wrong-secret-0123"), limit=1)
    with pytest.raises(StorageAway):
        away.path("run-1", "post.jpg")
    assert away.place("run-1", "post.jpg") == away.copies / "run-1" / "post.jpg"
    mine = BucketPictures(place.path / "one", away.bucket, limit=1)
    assert mine.path("run-1", "post.jpg").is_file()


def test_sweeping_clears_what_died_on_the_disk(place: Place):
    """Old beginnings of copies and old staging folders go; young ones, whole copies and all of the bucket stay."""
    pictures = place.pictures()
    pictures.keep("run-1", place.made())
    stored = sorted(pictures.bucket.files("pictures"))
    copies, staging = pictures.copies / "run-1", pictures.root / ".staging-run-2-1"
    old, young, copy = copies / ".new-1", copies / ".new-2", copies / "post.jpg"
    staging.mkdir(parents=True)
    for file in (old, young):
        file.write_bytes(b"half of a copy")
    for path in (old, copy, staging):
        os.utime(path, (1000.0, 1000.0))
    (copies / ".new-3").symlink_to("nowhere")  # as a copy that its writer finishes meanwhile
    assert pictures.sweep() == 1
    assert not staging.exists()
    assert not old.exists()
    assert young.exists()
    assert pictures.path("run-1", "post.jpg").read_bytes() == b"post" * 1000
    assert sorted(pictures.bucket.files("pictures")) == stored
