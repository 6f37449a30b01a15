"""The threads that write and paint."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

pytest.importorskip("onnx")

from auria_bot.domain.artwork import Haiku
from auria_bot.domain.model_requests import PictureRequest, PoemRequest
from auria_bot.errors import NoGoodPicture
from auria_bot.registry import find
from auria_bot.serving.making import PicturePool, PoemPool, ServedMakers
from auria_bot.settings.sections import StudioSettings

if TYPE_CHECKING:
    from collections.abc import Iterator


class Makers:
    """Fakes, and what was loaded."""

    def __init__(self) -> None:
        self.state, self.loaded = "first", list[str]()
        self.options: dict[str, dict[str, Any]] = {}

    def find(self) -> ServedMakers:
        return ServedMakers(make=self.make, state=(self.state,))

    def make(self, role: str) -> Any:
        self.loaded.append(role)
        kind = find(role, "fake")
        return kind(kind.Config(**self.options.get(role, {})), models=Path())


@pytest.fixture
def makers() -> Makers:
    """Nothing is loaded yet."""
    return Makers()


@pytest.fixture
def poems(makers: Makers) -> Iterator[PoemPool]:
    """One request may wait."""
    made = PoemPool(find=makers.find, waiting=1)
    yield made
    made.close()


@pytest.fixture
def pictures(makers: Makers) -> Iterator[PicturePool]:
    """One request may wait."""
    made = PicturePool(find=makers.find, waiting=1, painting=StudioSettings(size=64, candidates=2, rounds=2))
    yield made
    made.close()


def soon() -> float:
    """A deadline."""
    return time.monotonic() + 60


def test_poems_are_written_as_wished_for(poems: PoemPool, makers: Makers) -> None:
    """So many, the same ones for the same seed; the poet is loaded once, and anew when a model has changed."""
    given = poems.submit(PoemRequest(count=3, seed=7, mood="serene"), deadline=soon()).result()
    assert (len(given["poems"]), given["seed"], given["poems"][0]["syllables"]) == (3, 7, [5, 7, 5])
    assert poems.submit(PoemRequest(count=3, seed=7, mood="serene"), deadline=soon()).result() == given
    assert makers.loaded == ["poet"]
    makers.state = "second"
    assert poems.submit(PoemRequest(), deadline=soon()).result()["seed"] == 0
    assert makers.loaded == ["poet", "poet"]
    assert "auria_serve_poem_requests_total 3" in poems.metrics()


def test_a_poem_is_painted(pictures: PicturePool) -> None:
    """As a JPEG of the size of the settings; the same request gives the same bytes."""
    haiku = Haiku(lines=("rain begins again", "a dog waits beside the gate", "nobody looks up"), syllables=(5, 7, 5))
    given = pictures.submit(PictureRequest(haiku=haiku, mood="serene", seed=3), deadline=soon()).result()
    with Image.open(io.BytesIO(given)) as picture:
        assert (picture.format, min(picture.size)) == ("JPEG", 64)
    assert pictures.submit(PictureRequest(haiku=haiku, mood="serene", seed=3), deadline=soon()).result() == given
    assert "auria_serve_pictures_total 2" in pictures.metrics()


def test_what_the_safety_filter_rejects_is_not_given(pictures: PicturePool, makers: Makers) -> None:
    """After so many rounds; the message says why."""
    makers.options["painter"] = {"faults": {"": "blank"}}
    haiku = Haiku(lines=("one", "two", "three"), syllables=(1, 1, 1))
    with pytest.raises(NoGoodPicture, match="rejected all pictures of the poem, the last one: the picture is blank"):
        pictures.submit(PictureRequest(haiku=haiku), deadline=soon()).result()
    assert 'auria_serve_picture_refused_total{reason="wrong"} 1' in pictures.metrics()
