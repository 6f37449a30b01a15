"""The threads that caption pictures, and how they take a newer model up."""

from __future__ import annotations

import base64
import io
import shutil
import struct
import threading
import time
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from auria_bot.art.captioners.show_attend_tell import ShowAttendTell
from auria_bot.corpus.language.words import models_folder
from auria_bot.errors import ModelMissing, ModelServerBusy, PictureError
from auria_bot.serving.captioning import METRICS, CaptionPool, ServedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

INSTALLED = ServedModel(version="installed", folder=models_folder() / "captioner", models=models_folder())


def picture(size: tuple[int, int] = (80, 60), colour: str = "teal") -> bytes:
    """A PNG of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


class Shelf:
    """Where the pool finds its model."""

    def __init__(self) -> None:
        self.model: ServedModel | Exception = INSTALLED

    def __call__(self) -> ServedModel:
        if isinstance(self.model, Exception):
            raise self.model
        return self.model


@pytest.fixture
def shelf() -> Shelf:
    """With the installed model."""
    return Shelf()


@pytest.fixture
def pool(shelf: Shelf) -> Iterator[CaptionPool]:
    """One thread, and room for one more picture."""
    with closing(CaptionPool(find=shelf, threads=1, waiting=1, most_pixels=100_000, poll=0.01)) as made:
        made.start()
        yield made


def soon(happened: Callable[[], bool]) -> None:
    """Wait until something is so."""
    for _ in range(3000):
        if happened():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def later() -> float:
    """A deadline that does not matter."""
    return time.monotonic() + 600


def test_a_picture_gets_captions_with_regions(pool: CaptionPool) -> None:
    """Model, size and captions; for a page also a small copy and a veil for each word."""
    plain = pool.submit(picture(), deadline=later(), drawn=False).result()
    assert plain["model"]["version"] == "installed"
    assert len(plain["model"]["sha256"]) == 64
    assert (plain["width"], plain["height"]) == (80, 60)
    assert len(plain["captions"]) == 5
    assert "veil" not in plain["captions"][0]["words"][0]
    drawn = pool.submit(picture((900, 100)), deadline=later(), drawn=True).result()
    copy = Image.open(io.BytesIO(base64.b64decode(drawn["picture"])))
    assert (copy.format, max(copy.size)) == ("JPEG", 480)
    veil = Image.open(io.BytesIO(base64.b64decode(drawn["captions"][0]["words"][0]["veil"])))
    assert (veil.format, veil.mode) == ("PNG", "LA")


def test_what_is_no_picture_or_too_large_is_refused(pool: CaptionPool) -> None:
    """Nothing is captioned, and the metrics count it."""
    bomb = bytearray(picture())
    bomb[16:24] = struct.pack(">II", 100_000, 100_000)
    bomb[29:33] = struct.pack(">I", zlib.crc32(bomb[12:29]))
    for content in (b"GIF89a nonsense", picture((1000, 1000)), bytes(bomb)):
        with pytest.raises(PictureError):
            pool.submit(content, deadline=later(), drawn=False).result()
    assert 'auria_serve_refused_total{reason="picture"} 3' in pool.metrics()


def test_the_queue_is_bounded_and_lateness_is_told(pool: CaptionPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one picture under way and one waiting, a third is told to come back; one whose time has passed is not begun."""
    gate, explain = threading.Event(), ShowAttendTell.explain

    def slow(self: ShowAttendTell, picture: Image.Image) -> Any:
        gate.wait(30)
        return explain(self, picture)

    monkeypatch.setattr(ShowAttendTell, "explain", slow)
    first = pool.submit(picture(), deadline=later(), drawn=False)
    second = pool.submit(picture(), deadline=time.monotonic(), drawn=False)
    with pytest.raises(ModelServerBusy) as refused:
        pool.submit(picture(), deadline=later(), drawn=False)
    assert refused.value.seconds >= 1
    assert "auria_serve_waiting 2" in pool.metrics()
    gate.set()
    assert first.result()["captions"]
    with pytest.raises(ModelServerBusy, match="too late"):
        second.result()
    assert 'auria_serve_refused_total{reason="busy"} 1' in pool.metrics()
    soon(lambda: "auria_serve_waiting 0" in pool.metrics())


def test_a_newer_version_is_taken_up_between_two_pictures(tmp_path: Path, shelf: Shelf, pool: CaptionPool) -> None:
    """The next picture is captioned by it; the metrics name it."""
    shutil.copytree(INSTALLED.folder, tmp_path / "newer")
    shelf.model = ServedModel(version="v7", folder=tmp_path / "newer", models=models_folder())
    soon(lambda: pool.model is not None and pool.model["version"] == "v7")
    assert pool.submit(picture(), deadline=later(), drawn=False).result()["model"]["version"] == "v7"
    assert "auria_serve_model_changes_total 1" in pool.metrics()


@pytest.mark.parametrize("trouble", [ModelMissing("there are no files"), OSError("disk")])
def test_what_cannot_be_loaded_leaves_the_one_in_use(trouble: Exception, shelf: Shelf, pool: CaptionPool) -> None:
    """A missing or unreadable registry is counted, and captions go on."""
    shelf.model = trouble
    soon(lambda: "auria_serve_model_failures_total 0" not in pool.metrics())
    assert pool.submit(picture(), deadline=later(), drawn=False).result()["model"]["version"] == "installed"


def test_a_broken_version_is_not_tried_at_every_look(
    tmp_path: Path, shelf: Shelf, pool: CaptionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again after a while; a whole one is taken up at once."""
    looks = threading.Semaphore(0)
    tried: list[str] = []
    take_up = pool._take_up

    def trying(model: ServedModel) -> None:
        tried.append(model.version)
        take_up(model)

    def looking() -> ServedModel:
        looks.release()
        return shelf()

    monkeypatch.setattr(pool, "_take_up", trying)
    monkeypatch.setattr(pool, "_find", looking)
    shelf.model = ServedModel(version="v8", folder=tmp_path / "none", models=models_folder())
    for _ in range(5):
        looks.acquire()
    assert tried == ["v8"]
    pool._retry_at = 0.0
    soon(lambda: tried == ["v8", "v8"])
    shutil.copytree(INSTALLED.folder, tmp_path / "whole")
    shelf.model = ServedModel(version="v9", folder=tmp_path / "whole", models=models_folder())
    soon(lambda: pool.model is not None and pool.model["version"] == "v9")


def test_without_a_model_the_server_does_not_start() -> None:
    """The error is the registry's or the model's."""
    shelf = Shelf()
    shelf.model = ModelMissing("there is none")
    with (
        closing(CaptionPool(find=shelf, threads=0, waiting=1, most_pixels=1000)) as pool,
        pytest.raises(ModelMissing),
    ):
        pool.start()
    assert pool.model is None


def test_after_the_end_nothing_is_taken_on(shelf: Shelf) -> None:
    """A closed pool refuses."""
    pool = CaptionPool(find=shelf, threads=1, waiting=1, most_pixels=1000)
    pool.close()
    with pytest.raises(ModelServerBusy):
        pool.submit(picture(), deadline=later(), drawn=False)


def test_every_metric_is_told(pool: CaptionPool) -> None:
    """With its help, before the first picture too."""
    told = pool.metrics()
    assert all(f"# HELP {metric.name} " in told and f"\n{metric.name}" in told for metric in METRICS)
