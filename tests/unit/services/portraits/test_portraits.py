"""Portraits as files, and the one in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from PIL import Image

from auria_bot.art.pictures import open_picture
from auria_bot.art.portraits.portrait import PortraitPainter, PortraitRequest
from auria_bot.errors import DiskError, InputError, NotFound, UsageError
from auria_bot.services.portraits.portraits import FILES, Portraits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class DrawnPainter:
    """A painter of one colour for each seed."""

    def models(self) -> Mapping[str, str]:
        """One model."""
        return {"painter": "a" * 64}

    def paint(self, request: PortraitRequest) -> Image.Image:
        """A square of a colour."""
        return Image.new("RGB", (1024, 1024), (request.seed % 256, 90, 60))


def portraits(home: Path) -> Portraits:
    """Portraits by a painter that needs no model."""
    return Portraits(home, lambda: cast("PortraitPainter", DrawnPainter()))


def test_the_portrait_in_use_is_kept_in_the_sizes_that_are_needed(tmp_path: Path) -> None:
    """Another takes its place; the icon is round; the files say how they were made."""
    kept = portraits(tmp_path)
    assert kept.current() is None
    with pytest.raises(NotFound, match="auria portrait use SEED"):
        kept.require()
    first, second = kept.use(PortraitRequest(seed=10)), kept.use(PortraitRequest(seed=200, medium="oil"))
    assert first.version != second.version
    assert (second.facts["seed"], second.facts["medium"]) == (200, "oil")
    assert kept.current() == second
    sizes = {name: open_picture(second.file(name)).width for name in FILES}
    assert sizes == {"400.jpg": 400, "512.jpg": 512, "1024.png": 1024, "icon.png": 96}
    with Image.open(second.file("icon.png")) as icon:
        assert icon.getchannel("A").getextrema() == (0, 255)
    for name in ("400.jpg", "1024.png"):
        assert b"trainedAlgorithmicMedia" in second.file(name).read_bytes()
    with pytest.raises(NotFound):
        second.file("../secrets")
    (tmp_path / "portrait" / "portrait.json").write_text("{")
    assert kept.current() is None


def test_candidates_are_written(tmp_path: Path) -> None:
    """As a sheet, or one in a size as PNG or JPEG; anything else is refused."""
    kept, seen = portraits(tmp_path), list[tuple[int, int]]()
    requests = tuple(PortraitRequest(seed=seed) for seed in (1, 2))
    with pytest.raises(UsageError, match=r"written as \.jpg"):
        kept.write_sheet(requests, tmp_path / "all.png", lambda done, total: None)
    kept.write_sheet(requests, tmp_path / "all.jpg", lambda done, total: seen.append((done, total)))
    assert seen == [(0, 2), (1, 2), (2, 2)]
    assert open_picture(tmp_path / "all.jpg").width == 2000
    kept.write(requests[0], tmp_path / "new" / "one.png", size=400)
    assert open_picture(tmp_path / "new" / "one.png").size == (400, 400)
    with pytest.raises(InputError, match="known: 400, 512, 1024"):
        kept.write(requests[0], tmp_path / "one.png", size=500)
    with pytest.raises(InputError, match=r"\.png or \.jpg"):
        kept.write(requests[0], tmp_path / "one.gif", size=400)
    with pytest.raises(DiskError):
        kept.write(requests[0], tmp_path / "all.jpg" / "one.png", size=400)
