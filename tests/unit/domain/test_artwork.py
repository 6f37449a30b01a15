"""Sketches grow into artworks."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from auria_bot.domain.artwork import Artwork, ArtworkInProgress, Style
from auria_bot.domain.haiku import Haiku
from auria_bot.errors import StepFailed

STYLE = Style(key="hokusai-1", title="Mount Fuji", artist="Hokusai", year="1830", strength=0.5)
SKETCH = ArtworkInProgress(
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
    painting="painting.png",
    full="full.png",
    post="post.jpg",
    card="card.jpg",
    models=(("poet:x", "ab"),),
    rejected=("blank",),
    seconds=(("poem", 0.5),),
)


def test_sketch_survives_json() -> None:
    """A sketch comes back from real JSON text as it was, and tolerates fields of the future."""
    assert ArtworkInProgress.from_json(json.loads(json.dumps(SKETCH.to_json()))) == SKETCH
    assert ArtworkInProgress.from_json({**SKETCH.to_json(), "hologram": "h.bin"}) == SKETCH


def test_finished_sketch_becomes_an_artwork_and_survives_json() -> None:
    """An artwork takes everything over but the bookkeeping."""
    artwork = Artwork.from_sketch(SKETCH)
    assert artwork.theme == ""
    assert Artwork.from_json(json.loads(json.dumps(artwork.to_json()))) == artwork


@pytest.mark.parametrize("name", [f.name for f in fields(Artwork) if f.name not in {"seed", "theme", "models"}])
def test_unfinished_sketch_names_what_is_missing(name: str) -> None:
    """Whatever is missing is named."""
    with pytest.raises(StepFailed, match=rf"\b{name} missing"):
        Artwork.from_sketch(SKETCH.evolve(**{name: None}))


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
