"""Alt text and post text: correct, readable aloud, within the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auria_bot.art.alt_text import MOST_CHARACTERS, PlainTextWriter, alt_text
from auria_bot.corpus.language.content_filter import faults
from auria_bot.corpus.language.words import models_folder
from auria_bot.domain.artwork import ArtworkInProgress, Haiku, Style
from auria_bot.domain.mood import MOODS
from auria_bot.errors import InputError, TextRejected

if TYPE_CHECKING:
    from pathlib import Path

HAIKU = Haiku(lines=("glaciers groaning", "blue light under the silence", "of a thousand years"), syllables=(5, 7, 5))
STYLE = Style(key="wave", title="The Wave", artist="Gustave Courbet", year="1870")


def test_alt_text_says_what_how_and_why_in_this_order() -> None:
    """Subject and colours come first, then mood and style, then the poem without slashes."""
    assert alt_text(
        haiku=HAIKU, caption="A rocky headland near the sea, in dark blue and cream.", mood="awed", style=STYLE
    ) == (
        "A digital painting of a rocky headland near the sea, in dark blue and cream. "
        "Its mood is awed; it is in the manner of “The Wave” by Gustave Courbet, 1870. "
        "It was painted for this haiku: glaciers groaning, blue light under the silence, of a thousand years."
    )


@pytest.mark.parametrize("caption", ["A man in a red shirt", "Two dogs run near the sea", "A tent under a clear sky"])
def test_people_animals_and_things_are_not_claimed(caption: str) -> None:
    """A caption that mentions them is not trusted; the measured colours are."""
    described = alt_text(haiku=HAIKU, caption=f"{caption}, in dark blue and gold.", mood=None, style=None)
    assert described.startswith("A digital painting of a scene from nature, in dark blue and gold. It was")
    assert "man" not in described
    assert "in a red shirt" not in alt_text(haiku=HAIKU, caption=caption, mood=None, style=None)


def test_flowers_are_believed_where_the_poem_speaks_of_them() -> None:
    """A sunflower is left out for a poem on glaciers and kept for a theme of flowers."""
    told = [
        alt_text(haiku=HAIKU, caption="A sunflower, in gold.", mood=None, style=None, theme=t)
        for t in (None, "Sunflowers")
    ]
    assert told[0].startswith("A digital painting of a scene from nature, in gold.")
    assert told[1].startswith("A digital painting of a sunflower, in gold.")


@pytest.mark.parametrize(
    ("caption", "shown"),
    [
        ("A scene from nature, in gold.", "a lake in moonlight, in gold"),  # the captioner is not confident
        ("A seashore near the water, in gold.", "a lake in moonlight, in gold"),  # the same kind of scene
        ("A mountain with a misty sky, in gold.", "a mountain with a misty sky, in gold"),  # another kind of scene
        ("Two dogs, in gold.", "a lake in moonlight, in gold"),
        (None, "a lake in moonlight"),
    ],
)
def test_the_painters_subject_counts_unless_the_captioner_sees_another_kind_of_scene(
    caption: str | None, shown: str
) -> None:
    """The subject replaces an uncertain caption or one of the same kind of scene."""
    told = alt_text(haiku=HAIKU, caption=caption, mood=None, style=None, subject="a lake in moonlight")
    assert told.startswith(f"A digital painting of {shown}. ")


def test_a_subject_that_must_not_be_published_is_left_out() -> None:
    """A subject with a link is replaced by the uncertain description."""
    told = alt_text(haiku=HAIKU, caption=None, mood=None, style=None, subject="see https://x.example.com")
    assert told.startswith("A digital painting of a scene from nature. ")


def test_an_operator_may_believe_such_captions() -> None:
    """With `others`, a caption that mentions people is trusted."""
    described = alt_text(haiku=HAIKU, caption="A man near the sea", mood=None, style=None, others=True)
    assert described.startswith("A digital painting of a man near the sea.")


@pytest.mark.parametrize("caption", [None, "", "  . ", "see http://x.example.com now"])
def test_without_a_usable_caption_nothing_is_made_up(caption: str | None) -> None:
    """No caption, an empty one or one with a link gives the uncertain description."""
    assert alt_text(haiku=HAIKU, caption=caption, mood=None, style=None).startswith(
        "A digital painting of a scene from nature. "
    )


def test_photorealistic_style_credits_colours_only() -> None:
    """In photorealistic mode only the colours come from the painting."""
    style = Style(key="k", title="Dawn", artist="", year="", mode="photorealistic")
    assert "it is with colours taken from “Dawn”." in alt_text(haiku=HAIKU, caption=None, mood="still", style=style)


def test_ends_of_lines_become_pauses() -> None:
    """A line's own mark is kept; otherwise a comma is added, and at the end a full stop."""
    poem = Haiku(lines=("first snow —", "who goes there?", "no one!"), syllables=(2, 3, 2))
    assert alt_text(haiku=poem, caption=None, mood=None, style=None).endswith(
        "haiku: first snow — who goes there? no one!"
    )


_TEXT = st.text(max_size=400)


@settings(max_examples=60, deadline=None)
@given(_TEXT, _TEXT, _TEXT, _TEXT, st.sampled_from(sorted(MOODS)))
def test_alt_text_is_short_visible_and_decent(caption: str, title: str, artist: str, line: str, mood: str) -> None:
    """Whatever captions and titles contain, the text fits, is one line, and has no invisible characters."""
    poem = Haiku(lines=(HAIKU.lines[0], HAIKU.lines[1], HAIKU.lines[2]), syllables=(5, 7, 5))
    described = alt_text(
        haiku=poem, caption=caption, mood=mood, style=Style(key="k", title=title, artist=artist, year=line)
    )
    assert 0 < len(described) <= MOST_CHARACTERS
    assert "\n" not in described
    assert not faults(described.replace("haiku", "poem"), names=False)
    assert described.endswith("of a thousand years.")


def test_a_very_long_title_is_cut_at_a_word() -> None:
    """Titles and names keep to 120 characters each."""
    described = alt_text(
        haiku=HAIKU, caption=None, mood="still", style=Style(key="k", title="wave " * 90, artist="N. N.", year="")
    )
    assert "wave…” by N. N." in described


def _writer(**options: object) -> PlainTextWriter:
    return PlainTextWriter(PlainTextWriter.Config(**options), models_folder())  # type: ignore[arg-type]


def test_post_text_is_poem_signature_and_tags() -> None:
    """Three lines, an empty one, the signature, then at most five hashtags with #haiku first."""
    words = _writer().write(
        ArtworkInProgress(key="k", seed=1, haiku=HAIKU, mood="awed", style=STYLE, caption="a glacier")
    )
    lines = words.post_text.split("\n")
    assert lines[:5] == [*HAIKU.lines, "", "— Auria"]
    tags = lines[5].split()
    assert tags[0] == "#haiku"
    assert 2 <= len(tags) <= 5
    assert "#Glacier" in tags
    assert all(tag[0] == "#" and tag[1:].isalnum() for tag in tags)
    assert len(words.post_text) <= 300
    assert words.alt_text.startswith("A digital painting of a glacier.")


def test_signature_and_tags_can_be_left_out() -> None:
    """With neither there is the poem alone."""
    artwork = ArtworkInProgress(key="k", seed=1, haiku=HAIKU)
    assert _writer(signature="", hashtags=0).write(artwork).post_text == HAIKU.text
    assert _writer(signature="A.\nB", hashtags=1).write(artwork).post_text == f"{HAIKU.text}\n\nA. B\n#haiku"


def test_an_artwork_without_a_poem_is_refused() -> None:
    """An artwork without a haiku raises InputError."""
    with pytest.raises(InputError):
        _writer().write(ArtworkInProgress(key="k", seed=1))


def test_an_unfit_poem_is_refused() -> None:
    """A link in a poem raises TextRejected."""
    poem = Haiku(lines=("come and see", "www.example.com", "now"), syllables=(3, 7, 1))
    with pytest.raises(TextRejected, match="link"):
        _writer().write(ArtworkInProgress(key="k", seed=1, haiku=poem))


def test_the_hashtag_table_is_named() -> None:
    """Provenance names the hash of the hashtags' checksums."""
    assert {name: len(digest) for name, digest in _writer().models().items()} == {"hashtags": 64}


def test_the_shipped_models_folder_is_not_needed_before_use(tmp_path: Path) -> None:
    """Construction reads nothing."""
    PlainTextWriter(PlainTextWriter.Config(), tmp_path)
