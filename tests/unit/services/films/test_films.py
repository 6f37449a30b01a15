"""Tests of auria_bot.services.films.films."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.films import video
from auria_bot.art.films.video_writer import FORMATS
from auria_bot.errors import InputError, InvalidTransition, NotFound
from auria_bot.services.films import films
from auria_bot.services.films.film_plan import FilmRequest
from auria_bot.services.films.films import FilmLibrary, estimate, render
from auria_bot.services.films.segments import Segments
from tests.scenarios.film_measures import steps
from tests.scenarios.films import planner

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.domain.artwork import Style

pytestmark = pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")

REQUEST = FilmRequest(seconds=Fraction(3), rate=Fraction(10), size=(96, 54), seed=5, loop=True)
SHORT = replace(REQUEST, seconds=Fraction(1, 2))


def ignore(_done: int, _all: int) -> None:
    """Progress that nobody looks at."""


class Stopped(Exception):
    """Stands for a kill."""


def test_a_film_is_made_once_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its poster, and with how it was made in the file itself; the parts are gone."""
    import av

    monkeypatch.setattr(films, "SEGMENT", 10)
    library, plan = FilmLibrary(tmp_path), planner(tmp_path / "models").plan("drawn", REQUEST, FORMATS[".mp4"])
    seen: list[tuple[int, int]] = []
    made, known = render(library, plan, lambda done, total: seen.append((done, total)))
    assert not known
    assert seen[-1] == (30, 30)
    assert made.label.startswith("drawn-")
    assert sorted(path.name for path in made.path.parent.iterdir()) == ["film.json", "film.mp4", "poster.jpg"]
    with av.open(str(made.path)) as opened:
        assert json.loads(opened.metadata["comment"])["seed"] == 5
        assert sum(1 for _ in opened.decode(video=0)) == 30
    again, known = render(library, plan, ignore)
    assert known
    assert again == made
    assert [film.label for film in library.all()] == [made.label]
    library.remove(made.label)
    assert library.all() == ()


@pytest.mark.parametrize("suffix", list(FORMATS))
@pytest.mark.parametrize("moment", [3, 10, 17, 30])
def test_an_interrupted_film_goes_on_and_has_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, moment: int
) -> None:
    """Whether it stopped within a segment, between two, or before they were joined."""
    monkeypatch.setattr(films, "SEGMENT", 10)
    plan = planner(tmp_path / "models").plan("drawn", REQUEST, FORMATS[suffix])
    whole, _ = render(FilmLibrary(tmp_path / "a"), plan, ignore)

    def stop(done: int, _all: int) -> None:
        if done == moment:
            raise Stopped

    library = FilmLibrary(tmp_path / "b")
    with pytest.raises(Stopped):
        render(library, plan, stop)
    assert library.all() == ()
    first: list[int] = []
    resumed, _ = render(library, plan, lambda done, _all: first.append(done))
    assert first[0] == (moment - 1) // 10 * 10
    assert resumed.path.read_bytes() == whole.path.read_bytes()
    assert resumed.poster.read_bytes() == whole.poster.read_bytes()


def test_what_killed_calls_left_of_a_film_is_removed(tmp_path: Path) -> None:
    """Half a file that was being joined goes with the next call; segments of a finished film go, too."""
    library = FilmLibrary(tmp_path / "home")
    plan = planner(tmp_path / "models").plan("drawn", replace(REQUEST, seconds=Fraction(1)), FORMATS[".mp4"])
    folder = library.folder(films._label(plan))
    folder.mkdir(parents=True)
    (folder / ".new-film.mp4-00aa11bb.mp4").write_bytes(b"half")
    render(library, plan, ignore)
    (folder / "parts").mkdir()
    (folder / "parts" / "00000.segment").write_bytes(b"whole")
    render(library, plan, ignore)
    assert {path.name for path in folder.iterdir()} == {"film.json", "film.mp4", "poster.jpg"}


def test_other_options_make_another_film(tmp_path: Path) -> None:
    """Beside the first."""
    library, maker = FilmLibrary(tmp_path), planner(tmp_path / "models")
    request = replace(REQUEST, seconds=Fraction(1))
    for one in (request, replace(request, seed=6)):
        render(library, maker.plan("drawn", one, FORMATS[".mp4"]), ignore)
    assert len(library.all()) == 2


def test_an_estimate_writes_nothing_and_is_near(tmp_path: Path) -> None:
    """The size is within a factor of three."""
    library, plan = FilmLibrary(tmp_path), planner(tmp_path / "models").plan("drawn", REQUEST, FORMATS[".mp4"])
    found = estimate(plan)
    assert library.all() == ()
    assert found.seconds > 0
    made, _ = render(library, plan, ignore)
    facts: Any = made.facts
    assert facts["bytes"] / 3 < found.bytes < facts["bytes"] * 3


def test_a_film_that_is_being_made_is_neither_made_nor_removed(tmp_path: Path) -> None:
    """The other command is told to wait."""
    library, plan = FilmLibrary(tmp_path), planner(tmp_path / "models").plan("drawn", REQUEST, FORMATS[".mp4"])
    label = films._label(plan)
    with Segments.open(library.folder(label) / "parts", plan.plan):
        with pytest.raises(InvalidTransition):
            render(library, plan, ignore)
        with pytest.raises(InvalidTransition):
            library.remove(label)


def test_a_name_that_is_no_film_is_refused(tmp_path: Path) -> None:
    """A path is no label."""
    library = FilmLibrary(tmp_path)
    with pytest.raises(InputError, match="is no film"):
        library.find("../secrets")
    with pytest.raises(NotFound, match="no film"):
        library.remove("waves-12345678")


def test_a_film_whose_file_is_gone_is_made_again(tmp_path: Path) -> None:
    """Its record alone is no film."""
    library, plan = FilmLibrary(tmp_path), planner(tmp_path / "models").plan("drawn", SHORT, FORMATS[".mp4"])
    made, _ = render(library, plan, ignore)
    content = made.path.read_bytes()
    made.path.unlink()
    assert library.all() == ()
    assert library.find(made.label) is None
    again, known = render(library, plan, ignore)
    assert (again.path.read_bytes(), known) == (content, False)


def test_a_folder_that_somebody_deletes_meanwhile_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The film is not said to be there."""
    library, plan = FilmLibrary(tmp_path), planner(tmp_path / "models").plan("drawn", SHORT, FORMATS[".mp4"])
    monkeypatch.setattr(Segments, "remove", lambda _: shutil.rmtree(library.folder(films._label(plan))))
    with pytest.raises(NotFound, match="was removed while the film was made"):
        render(library, plan, ignore)


class Painter:
    """A stylist that paints a frame's mean colour, with noise of its own in every call."""

    def __init__(self) -> None:
        self.count = 0

    def painted(self, picture: Image.Image, style: Style, *, size: tuple[int, int], seed: int) -> Image.Image:
        """Noise about the mean of the picture."""
        self.count += 1
        rng = np.random.default_rng(int(np.asarray(picture, np.int64).sum()) + seed)
        mean = np.asarray(picture, np.float64).mean(axis=(0, 1))
        return Image.fromarray(np.clip(rng.normal(mean, 40, (size[1], size[0], 3)), 0, 255).astype(np.uint8))


def test_strokes_stay_over_the_seam_of_a_loop_and_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last frame leads to the first as any frame to the next; an interrupted film goes on with the same bytes."""
    monkeypatch.setattr(films, "SEGMENT", 10)
    request = replace(REQUEST, strokes=True, style="The Starry Night", moving=False, seconds=Fraction(2))
    monkeypatch.setattr(films, "_AHEAD", 12)
    plan = planner(tmp_path / "models").plan("drawn", request, FORMATS[".mp4"])
    assert plan.plan["strokes"] == "oil"
    stylist: Any = Painter
    whole, _ = render(FilmLibrary(tmp_path / "a"), plan, ignore, stylist)
    found = steps(whole.path, loop=True)
    assert found[-1] < 1.3 * found[:-1].max()

    def stop(done: int, _all: int) -> None:
        if done == 17:
            raise Stopped

    library = FilmLibrary(tmp_path / "b")
    with pytest.raises(Stopped):
        render(library, plan, stop, stylist)
    assert render(library, plan, ignore, stylist)[0].path.read_bytes() == whole.path.read_bytes()


def test_strokes_of_a_film_that_does_not_loop_begin_on_bare_canvas(tmp_path: Path) -> None:
    """Nothing is painted before its first frame."""
    request = replace(REQUEST, strokes=True, style="The Starry Night", loop=False, moving=False, seconds=Fraction(1))
    plan = planner(tmp_path / "models").plan("drawn", request, FORMATS[".mp4"])
    painters = list[Painter]()

    def stylist() -> Any:
        painters.append(Painter())
        return painters[0]

    render(FilmLibrary(tmp_path / "films"), plan, ignore, stylist)
    assert len(painters) == 1
    assert painters[0].count == plan.frames.timing.frames


def test_strokes_need_a_painting(tmp_path: Path) -> None:
    """Which the message says how to name."""
    with pytest.raises(InputError, match="--style"):
        planner(tmp_path).plan("drawn", replace(REQUEST, strokes=True), FORMATS[".mp4"])
