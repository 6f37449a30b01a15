"""The thread that restyles pictures."""

from __future__ import annotations

import io
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnx")

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.domain.model_requests import StyleRequest
from auria_bot.errors import ModelServerBusy, PictureError, UnknownName
from auria_bot.serving import restyling
from auria_bot.serving.restyling import ServedStyles, StylePool
from tests.style_networks import MODELS, write_inverting_network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REQUEST = StyleRequest(style="negative", strength=0.0)


class Shelf:
    """Styles on disk, and when they are looked at."""

    def __init__(self, models: Path) -> None:
        self.models, self.state, self.gate, self.entered = models, "first", threading.Event(), threading.Event()
        self.gate.set()

    def find(self) -> ServedStyles:
        self.entered.set()
        self.gate.wait(30)
        return ServedStyles(models=self.models, banks=(), state=(self.state,))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """The models that ship, and a network that inverts."""
    for name in ("stylist", "styles"):
        (tmp_path / name).symlink_to(MODELS / name, target_is_directory=True)
    write_inverting_network(tmp_path, "negative")
    return Shelf(tmp_path)


@pytest.fixture
def pool(shelf: Shelf) -> Iterator[StylePool]:
    """One picture may wait."""
    made = StylePool(find=shelf.find, waiting=1, most_pixels=100_000)
    yield made
    made.close()


def file_of(picture: Image.Image) -> bytes:
    """A picture as PNG."""
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def soon() -> float:
    """A deadline."""
    return time.monotonic() + 60


def test_a_picture_is_restyled_in_its_own_size(pool: StylePool) -> None:
    """By a network, and stroke by stroke; the same question has the same answer."""
    picture = invented_scene(1, 64).resize((63, 48))
    content = file_of(picture)
    given = pool.submit(content, REQUEST, deadline=soon()).result()
    with Image.open(io.BytesIO(given)) as restyled:
        assert (restyled.format, restyled.size) == ("JPEG", (63, 48))
        assert np.abs(np.asarray(restyled, int) - (255 - np.asarray(picture, int))).mean() < 12
    assert pool.submit(content, REQUEST, deadline=soon()).result() == given
    strokes = StyleRequest(style="monet", mode="oil", seed=3)
    with Image.open(io.BytesIO(pool.submit(content, strokes, deadline=soon()).result())) as painted:
        assert painted.size == (63, 48)
    assert "auria_serve_restyled_total 3" in pool.metrics()


def test_a_large_picture_is_scaled_down(pool: StylePool, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that memory is bounded."""
    monkeypatch.setattr(restyling, "LONGEST_SIDE", 40)
    given = pool.submit(file_of(invented_scene(1, 80)), REQUEST, deadline=soon()).result()
    with Image.open(io.BytesIO(given)) as restyled:
        assert restyled.size == (40, 40)


def test_what_cannot_be_restyled_is_counted(pool: StylePool) -> None:
    """A damaged file, one with too many pixels, and a style that is not there."""
    good = file_of(invented_scene(1, 32))
    for content, request, kind in (
        (b"text", REQUEST, PictureError),
        (file_of(invented_scene(1, 400)), REQUEST, PictureError),
        (good, StyleRequest(style="nobody of that name"), UnknownName),
    ):
        with pytest.raises(kind):
            pool.submit(content, request, deadline=soon()).result()
    assert 'auria_serve_restyle_refused_total{reason="wrong"} 3' in pool.metrics()


def test_few_wait_and_nobody_longer_than_asked(pool: StylePool, shelf: Shelf) -> None:
    """Beside the one under way and the one that waits, there is no room; a turn that comes too late is not used."""
    shelf.gate.clear()
    content = file_of(invented_scene(1, 32))
    first = pool.submit(content, REQUEST, deadline=soon())
    shelf.entered.wait(30)
    late = pool.submit(content, REQUEST, deadline=time.monotonic())
    with pytest.raises(ModelServerBusy, match="2 pictures are waiting"):
        pool.submit(content, REQUEST, deadline=soon())
    shelf.gate.set()
    assert first.result()
    with pytest.raises(ModelServerBusy, match="too late"):
        late.result()


def test_styles_that_changed_are_taken_up(pool: StylePool, shelf: Shelf) -> None:
    """A network that was added since is found."""
    content, request = file_of(invented_scene(1, 32)), StyleRequest(style="second", strength=0.0)
    pool.submit(content, REQUEST, deadline=soon()).result()
    write_inverting_network(shelf.models, "second")
    with pytest.raises(UnknownName):
        pool.submit(content, request, deadline=soon()).result()
    shelf.state = "second"
    assert pool.submit(content, request, deadline=soon()).result()
