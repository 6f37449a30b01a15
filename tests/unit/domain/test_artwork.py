"""Artworks in progress, finished ones, and their JSON."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest

from auria_bot.domain.artwork import (
    KEPT_FILES,
    Artwork,
    ArtworkFile,
    ArtworkInProgress,
    FilmFacts,
    Haiku,
    Style,
    stored_name,
)
from auria_bot.errors import InputError, StepFailed

STYLE = Style(key="hokusai-1", title="Mount Fuji", artist="Hokusai", year="1830", strength=0.5)
ARTWORK = ArtworkInProgress(
    key="000",
    seed=7,
    mood="serene",
    mood_source="read",
    style=STYLE,
    nudity=0.01,
    fingerprint="0" * 16,
    haiku=Haiku(lines=("a", "b", "c"), syllables=(5, 7, 5)),
    caption="a lake",
    alt_text="A lake.",
    post_text="a",
    files={
        "painting": ArtworkFile.named("painting.png", sha256="a" * 64, size=10),
        "styled": ArtworkFile.named("styled.png", sha256="b" * 64, size=20),
        "full": ArtworkFile.named("full.png", sha256="c" * 64, size=30),
        "post": ArtworkFile.named("post.jpg", sha256="d" * 64, size=40),
        "card": ArtworkFile.named("card.jpg", sha256="e" * 64, size=50),
    },
    models=(("poet:x", "ab"),),
    rejected=("blank",),
    seconds=(("poem", 0.5),),
)


def test_an_artwork_in_progress_survives_json() -> None:
    """It comes back from real JSON text as it was, and tolerates fields of the future."""
    assert ArtworkInProgress.from_json(json.loads(json.dumps(ARTWORK.to_json()))) == ARTWORK
    assert ArtworkInProgress.from_json({**ARTWORK.to_json(), "hologram": "h.bin"}) == ARTWORK


def test_a_finished_artwork_survives_json() -> None:
    """It keeps everything but the bookkeeping and the files that only later steps read."""
    artwork = Artwork.finished(ARTWORK)
    assert artwork.theme == ""
    assert tuple(artwork.files) == KEPT_FILES
    assert Artwork.from_json(json.loads(json.dumps(artwork.to_json()))) == artwork


def test_artworks_of_an_earlier_version_are_read() -> None:
    """Each picture's name was a field of its own; nothing of it is lost, and what was not recorded is empty."""
    old = {name: value for name, value in Artwork.finished(ARTWORK).to_json().items() if name != "files"}
    old |= {"painting": "painting.png", "full": "full.png", "post": "post.jpg", "card": "card.jpg"}
    artwork = Artwork.from_json(json.loads(json.dumps(old)))
    assert artwork.files["post"] == ArtworkFile(name="post.jpg", media_type="image/jpeg", sha256="", size=0)
    assert {kind: file.name for kind, file in artwork.files.items()} == {kind: old[kind] for kind in KEPT_FILES}
    assert Artwork.from_json(artwork.to_json()) == artwork
    half = ArtworkInProgress.from_json({"key": "01", "seed": 1, "painting": "painting.png", "enlarged": None})
    assert list(half.files) == ["painting"]


@pytest.mark.parametrize(
    "name", [f.name for f in fields(Artwork) if f.name not in {"seed", "theme", "models", "files", "film"}]
)
def test_an_unfinished_artwork_names_what_is_missing(name: str) -> None:
    """Whatever field is missing is named."""
    with pytest.raises(StepFailed, match=rf"\b{name} missing"):
        Artwork.finished(ARTWORK.evolve(**{name: None}))


@pytest.mark.parametrize("kind", KEPT_FILES)
def test_an_unfinished_artwork_names_the_file_that_is_missing(kind: str) -> None:
    """Files that only later steps read may be missing."""
    files = {name: file for name, file in ARTWORK.files.items() if name not in {kind, "styled"}}
    with pytest.raises(StepFailed, match=rf"finished: {kind} missing"):
        Artwork.finished(ARTWORK.evolve(files=files))


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.png", "image/png"), ("a.JPG", "image/jpeg"), ("a.mp4", "video/mp4"), ("a", "application/octet-stream")],
)
def test_the_media_type_follows_from_the_name(name: str, media_type: str) -> None:
    """What is not known is bytes."""
    assert ArtworkFile.named(name).media_type == media_type


def test_credit_names_the_painting() -> None:
    """The credit gives title, artist and, where known, the year."""
    assert STYLE.credit == "after “Mount Fuji” by Hokusai, 1830"
    assert Style(key="k", title="T", artist="A", year="").credit == "after “T” by A"
    assert Style(key="k", title="T", artist="", year="1900").credit == "after “T”, 1900"


@pytest.mark.parametrize(
    ("artist", "byline"),
    [
        ("Attributed to Pieter Boel", "attributed to Pieter Boel"),
        ("Workshop of Diego Velázquez", "by the workshop of Diego Velázquez"),
        ("Follower of Antonis Mor", "by a follower of Antonis Mor"),
        ("After Jacobo Bassano", "after Jacobo Bassano"),
        ("J. Cornelisz. (Netherlandish, c. 1470) / or Workshop of J. Cornelisz.", "by J. Cornelisz."),
    ],
)
def test_a_museums_doubt_reads_as_a_sentence(artist: str, byline: str) -> None:
    """Nothing is "by Attributed to" anybody."""
    assert Style(key="k", title="T", artist=artist, year="").byline == byline


POEM = Haiku(
    lines=("first frost on the pond", "a crow settles on the fence", "and the fence settles"),
    syllables=(5, 7, 5),
)


def test_round_trip() -> None:
    """A haiku comes back from JSON as it was."""
    assert Haiku.from_json(POEM.to_json()) == POEM


def test_forms() -> None:
    """Text is three lines, str is one."""
    assert POEM.text.count("\n") == 2
    assert str(POEM).count(" / ") == 2


@pytest.mark.parametrize(
    "value", [{}, {"lines": ["a", "b"], "syllables": [1, 1]}, {"lines": ["a", "b", "c"], "syllables": [1]}]
)
def test_from_json_refuses_what_is_no_haiku(value: dict[str, object]) -> None:
    """Anything but three lines with three counts is refused."""
    with pytest.raises(InputError, match="three lines"):
        Haiku.from_json(value)


def test_the_name_of_a_stored_file_is_found_in_every_version() -> None:
    """Earlier ones kept it in a field of its own; a file that is not there has no name."""
    now, earlier = {"files": {"full": {"name": "full.png"}}}, {"full": "old.png"}
    assert [stored_name(one, "full") for one in (now, earlier)] == ["full.png", "old.png"]
    assert [stored_name(one, "card") for one in (now, earlier)] == ["", ""]


def test_a_film_is_summed_up_in_words() -> None:
    """Length, size, rate and whether it has sound."""
    film = FilmFacts(model="film-waves", seconds=30.0, width=1920, height=1080, rate=25.0, sound=False)
    assert film.summary == "30 s, 1920x1080, 25 frames a second, no sound"
    odd = replace(film, seconds=1.25, rate=29.97, sound=True)
    assert odd.summary == "1.25 s, 1920x1080, 29.97 frames a second, with sound"
