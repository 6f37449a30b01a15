"""Moves the pictures of drafts between the disk and a bucket, folder by folder; what was moved is not moved again."""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.errors import InputError
from auria_bot.files import disk_errors
from auria_bot.store.files import Pictures, folder_sizes

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PictureMove", "PictureMover", "StorageUse", "storage_use"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureMove:
    """Folders that were moved, and their bytes."""

    folders: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageUse:
    """How many drafts have their pictures where, and the bytes of these."""

    address: str  # the bucket; "" where there is none
    in_bucket: int
    bucket_size: int
    on_disk: int
    disk_size: int


def storage_use(pictures: Pictures) -> StorageUse:
    """Where the pictures are.

    Raises:
        StorageAway: the bucket cannot be reached.
    """
    here, everywhere = folder_sizes(pictures.root), pictures.sizes()
    there = {folder: size for folder, size in everywhere.items() if folder not in here}
    return StorageUse(
        address=pictures.address,
        in_bucket=len(there),
        bucket_size=sum(there.values()),
        on_disk=len(here),
        disk_size=sum(here.values()),
    )


class PictureMover:
    """Moves pictures into the bucket, or back.

    Usage::

        PictureMover(pictures).to_bucket(report=print)
    """

    def __init__(self, pictures: Pictures) -> None:
        """Prepare a move.

        Raises:
            InputError: the pictures are on the disk alone.
        """
        from auria_bot.store.bucket.pictures import BucketPictures

        if not isinstance(pictures, BucketPictures):
            raise InputError('storage.pictures names no bucket; set it in auria.toml, such as "s3://bucket/prefix"')
        self._pictures = pictures

    def to_bucket(self, *, report: Callable[[str], None] | None = None) -> PictureMove:
        """Write every folder to the bucket, read it from there again, compare hashes, and then remove it from the disk.

        `report` is called with the name of each folder that was moved.

        Raises:
            StorageAway: the bucket cannot be reached; the folder that was being moved is still on the disk.
            InvalidTransition: the bucket has a folder of that name with other contents.
        """
        pictures, sizes = self._pictures, folder_sizes(self._pictures.root)
        for folder in sizes:
            here = pictures.root / folder
            pictures.upload(folder, {file.name: file for file in sorted(here.iterdir()) if file.is_file()})
            pictures.verify(folder)
            with disk_errors(here):
                shutil.rmtree(pictures.copies / folder, ignore_errors=True)
                pictures.copies.mkdir(parents=True, exist_ok=True)
                try:
                    here.rename(pictures.copies / folder)
                except OSError as error:
                    if error.errno != errno.EXDEV:
                        raise
                    Pictures.remove(pictures, folder)  # from this disk alone: the copies are on another
            if report is not None:
                report(folder)
        return PictureMove(folders=len(sizes), size=sum(sizes.values()))

    def to_disk(self, *, report: Callable[[str], None] | None = None) -> PictureMove:
        """Copy every folder from the bucket to the disk, where it is used from then on; the bucket keeps its own.

        Raises:
            StorageAway: the bucket cannot be reached, or gives other bytes than were written.
            DiskError: the disk is full, read-only or not writable.
            InputError: there is less room on the disk than the folders need.
        """
        pictures, moved, size = self._pictures, 0, 0
        there = {name: files for name, files in pictures.folders().items() if not (pictures.root / name).is_dir()}
        needed = sum(size for files in there.values() for size, _ in files.values())
        pictures.root.mkdir(parents=True, exist_ok=True)
        if (free := shutil.disk_usage(pictures.root).free) < needed:
            raise InputError(
                f"{needed / 1e6:.0f} MB are to be copied, and {free / 1e6:.0f} MB are free; free some space"
            )
        for folder, files in there.items():
            copies = {name: pictures.path(folder, name) for name in files}
            pictures.keep_on_disk(folder, copies)
            moved, size = moved + 1, size + sum(size for size, _ in files.values())
            if report is not None:
                report(folder)
        return PictureMove(folders=moved, size=size)
