"""The command `auria film`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from auria_bot.art.films import video
from auria_bot.bootstrap.films import FilmServices
from tests.exhibited import publish
from tests.scenarios.films import planner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auria_bot.bootstrap.application import Application

SHORT = ("--seconds", "1", "--fps", "10", "--size", "96x54")


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application's one film model is drawn by arithmetic."""
    made = planner(tmp_path / "film-models")
    monkeypatch.setattr(FilmServices, "film_planner", made)


@pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")
@pytest.mark.usefixtures("drawn")
def test_a_film_is_made_listed_and_removed(home: Path, auria: Callable[..., tuple[int, str, str]]) -> None:
    """The first word may be the model's name; the second call finds what the first made."""
    code, shown, errors = auria("film", "drawn", *SHORT, "--seed", "5", "--loop", "--json")
    assert code == 0, errors
    made = json.loads(shown)
    assert made["made"]
    assert made["frames"] == 10
    assert "of 10 frames" in errors
    assert str(home) in made["file"]
    code, shown, errors = auria("film", "make", "drawn", *SHORT, "--seed", "5", "--loop")
    assert code == 0, errors
    assert "10 frames of 96 x 54 pixels" in shown
    assert "was there already" in errors
    assert made["film"] in auria("film", "list")[1]
    assert json.loads(auria("film", "list", "--json")[1])[0]["seed"] == 5
    assert auria("film", "remove", made["film"])[1] == "removed 1 film\n"
    assert json.loads(auria("film", "list", "--json")[1]) == []


@pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")
@pytest.mark.usefixtures("drawn")
def test_a_dry_run_says_how_long_and_how_large(home: Path, auria: Callable[..., tuple[int, str, str]]) -> None:
    """And makes no film."""
    code, shown, errors = auria("film", "drawn", *SHORT, "--dry-run")
    assert code == 0, errors
    assert "10 frames: about" in shown
    assert json.loads(auria("film", "drawn", *SHORT, "--dry-run", "--json")[1])["plan"]["frames"] == 10
    assert not (home / "films").exists()


@pytest.mark.usefixtures("drawn")
def test_key_frames_are_picked_from_a_sheet(
    home: Path, auria: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    """The sheet's numbers are named in the next command."""
    code, shown, errors = auria("film", "pick", "drawn", "--seed", "5", "-n", "6", "-o", str(tmp_path / "sheet.jpg"))
    assert code == 0, errors
    assert "6 key frames" in shown
    assert "auria film drawn --seed 5 --keys 1,2,3" in errors
    assert (tmp_path / "sheet.jpg").is_file()
    assert auria("film", "models")[1] == "drawn\n"


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("oils",), "there are: drawn"),
        (("drawn", "--size", "large"), "write it as 1920x1080"),
        (("drawn", "--seconds", "0"), "is no number above 0"),
        (("drawn", "--fps", "25/0"), "is no number above 0"),
        (("drawn", "--keys", "1,x"), "write them as 3,7,12"),
        (("drawn", "--format", "avi"), "must end in .mp4 or .webm"),
    ],
)
def test_what_cannot_be_made_is_refused(
    home: Path, auria: Callable[..., tuple[int, str, str]], options: tuple[str, ...], words: str
) -> None:
    """With a sentence."""
    code, _, errors = auria("film", *options)
    assert code == (5 if options == ("oils",) else 2)
    assert words in errors


def test_a_pickle_is_not_imported(tmp_path: Path, auria: Callable[..., tuple[int, str, str]]) -> None:
    """The message says what to do with it elsewhere."""
    pytest.importorskip("torch")
    (tmp_path / "network.pkl").write_bytes(b"cos\nsystem\n")
    code, _, errors = auria("film", "import", str(tmp_path / "network.pkl"), "--name", "sea")
    assert code != 0
    assert "safetensors.torch.save_file" in " ".join(errors.split())


@pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")
def test_a_film_becomes_a_draft(
    application: Application,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    auria: Callable[..., tuple[int, str, str]],
) -> None:
    """With --draft, or afterwards; it is shown and listed as a film."""
    monkeypatch.setattr(FilmServices, "film_planner", planner(tmp_path / "film-models"))
    code, shown, errors = auria("film", "drawn", *SHORT, "--draft", "--poem", "one / two / three", "--json")
    assert code == 0, errors
    made = json.loads(shown)
    again = json.loads(auria("film", "draft", made["film"], "--json")[1])
    assert again["draft"] == made["draft"]
    assert "draft 1: one / two / three" in auria("film", "draft", made["film"])[1]
    shown = auria("show", "1", "--picture", "none")[1]
    assert "drawn: 1 s, 96x54, 10 frames a second, no sound" in shown
    assert str(application.pictures.root / f"film-{made['film']}" / "film.mp4") in shown.replace("\n", "")
    assert "film: one" in auria("drafts")[1]
    assert json.loads(auria("show", "1", "--json")[1])["film"]["seconds"] == 1.0
    assert auria("film", "draft", "none")[0] == 5
    assert "name one with --poem" in auria("film", "drawn", *SHORT, "--voice")[2]


@pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")
def test_a_draft_leads_a_film_and_is_read_in_it(
    application: Application,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    auria: Callable[..., tuple[int, str, str]],
) -> None:
    """The film's own draft has the same poem, and its alt text says that a voice reads it."""
    monkeypatch.setattr(FilmServices, "film_planner", planner(tmp_path / "film-models"))
    draft = publish(application)
    size = ("--seconds", "8", "--fps", "2", "--size", "96x54")
    code, shown, errors = auria("film", "drawn", *size, "--poem", str(draft), "--voice", "--draft", "--json")
    assert code == 0, errors
    made = json.loads(shown)
    assert made["poem"][0] == "old pond number 1"
    artwork = application.review.draft(made["draft"]).artwork
    assert artwork.haiku.lines == tuple(made["poem"])
    assert artwork.film is not None
    assert artwork.film.sound
    assert "A film of 8 seconds without music" in artwork.alt_text
    assert "A voice reads this haiku: old pond number 1 / " in artwork.alt_text
