"""Pictures in several sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot.errors import NotFound
from auria_bot.services.gallery.picture_sizes import FORMATS, PictureSizes
from tests.exhibited import exhibited
from tests.overtaken import OvertakenLock

if TYPE_CHECKING:
    from pathlib import Path


def test_a_picture_is_offered_no_larger_than_it_is(tmp_path: Path) -> None:
    """Widths below its own, and its own; every format keeps the ratio."""
    application = exhibited(tmp_path, 1)
    draft = application.gallery.work(1).draft
    assert application.picture_sizes.size(draft) == (400, 500)
    assert application.picture_sizes.widths(draft) == (320, 400)
    for suffix in FORMATS:
        with Image.open(application.picture_sizes.file(draft, 320, suffix)) as made:
            assert made.size == (320, 400)


@pytest.mark.parametrize(("width", "suffix"), [(321, "jpg"), (640, "jpg"), (320, "gif"), (0, "avif")])
def test_only_what_is_offered_is_made(tmp_path: Path, width: int, suffix: str) -> None:
    """Other widths and formats do not exist, so that nobody can fill the disk."""
    application = exhibited(tmp_path, 1)
    with pytest.raises(NotFound):
        application.picture_sizes.file(application.gallery.work(1).draft, width, suffix)


def test_the_nearest_width_is_at_least_as_wide(tmp_path: Path) -> None:
    """Else the widest; what is asked for where the picture is missing."""
    application = exhibited(tmp_path, 1)
    draft = application.gallery.work(1).draft
    assert [application.picture_sizes.nearest(draft, width) for width in (1, 320, 321, 9999)] == [320, 320, 400, 400]
    (tmp_path / "pictures" / "run-1" / "full.png").unlink()
    assert PictureSizes(pictures=application.pictures, cache=tmp_path).nearest(draft, 640) == 640


def test_a_copy_is_made_once(tmp_path: Path) -> None:
    """The second time the file on the disk is used."""
    application = exhibited(tmp_path, 1)
    draft = application.gallery.work(1).draft
    first = application.picture_sizes.file(draft, 320, "webp")
    first.write_bytes(b"kept")
    assert application.picture_sizes.file(draft, 320, "webp").read_bytes() == b"kept"


def test_two_who_ask_at_once_get_one_copy(tmp_path: Path) -> None:
    """Whoever waited takes what the other one made."""
    application = exhibited(tmp_path, 1)
    draft, sizes = application.gallery.work(1).draft, application.picture_sizes
    sizes._lock = OvertakenLock(lambda: sizes.file(draft, 320, "webp").write_bytes(b"kept"))  # type: ignore[assignment]
    assert sizes.file(draft, 320, "webp").read_bytes() == b"kept"


def test_a_picture_has_no_film(tmp_path: Path) -> None:
    """Visitors are told its number, and no path."""
    application = exhibited(tmp_path, 1)
    with pytest.raises(NotFound, match=r"^artwork 1 has no film$"):
        application.picture_sizes.film(application.gallery.work(1).draft)


def test_a_missing_or_damaged_picture_has_no_size(tmp_path: Path) -> None:
    """Then nothing is offered, and making it says why."""
    application = exhibited(tmp_path, 2)
    first, second = (application.gallery.work(number).draft for number in (1, 2))
    application.pictures.path(first.folder, "full.png").unlink()
    assert application.picture_sizes.widths(first) == ()
    application.picture_sizes.size(second)
    application.pictures.path(second.folder, "full.png").write_bytes(b"no picture")
    with pytest.raises(NotFound, match=r"^artwork 2 has no readable picture; put it back from a backup$"):
        application.picture_sizes.file(second, 320, "jpg")
    application.pictures.path(second.folder, "full.png").unlink()
    with pytest.raises(NotFound, match=r"^artwork 2 has no readable picture"):
        application.picture_sizes.file(second, 320, "jpg")


def test_a_missing_picture_is_looked_for_again_after_a_while(tmp_path: Path) -> None:
    """Not at each request; once it is back, its size is known."""
    application = exhibited(tmp_path, 1)
    draft, now = application.gallery.work(1).draft, [100.0]
    sizes = PictureSizes(pictures=application.pictures, cache=tmp_path / "cache", seconds=lambda: now[0])
    picture = application.pictures.path(draft.folder, draft.artwork.files["full"].name)
    away = picture.rename(tmp_path / "away.png")
    assert sizes.size(draft) == (0, 0)
    away.rename(picture)
    assert sizes.size(draft) == (0, 0)
    now[0] += 61
    assert sizes.size(draft) == (400, 500)
