"""The words that go with a picture: alt text for those who cannot see it, and the text of the post.

Alt text answers, in the order in which somebody who cannot see the picture would ask: what does it show, in which colours; what is
its mood, in whose manner is it painted; what is it painted for. What it shows is what the captioner surely sees; where the captioner
is not sure, or sees the kind of scene that the painter set out to paint, the painter's own words for it. It claims no people, animals or made things unless told that the
painter paints them, because a captioner finds them in any brush stroke. Knows sketches and words; does not open pictures.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auria_bot.art.captioners.colour_words import NAMED
from auria_bot.art.captioners.vocabulary_mask import FLOWERS, UNCERTAIN, kinds, tells_of_others
from auria_bot.art.hashtags import Hashtags
from auria_bot.corpus.language.content_filter import faults
from auria_bot.corpus.language.words import words
from auria_bot.domain.interfaces import Words
from auria_bot.errors import InputError, TextRejected

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auria_bot.domain.artwork import ArtworkInProgress, Style
    from auria_bot.domain.haiku import Haiku

__all__ = ["MOST_CHARACTERS", "PlainTextWriter", "alt_text"]

MOST_CHARACTERS: Final = 1000  # of alt text: the least that any of the platforms takes
_MOST_TITLE = 120  # characters of a painting's title or a painter's name
_MISLEADING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class PlainTextWriter:
    """Writes plain words in a fixed order."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """How it writes."""

        signature: str = "— Auria"  # the line under the poem
        hashtags: int = 5  # at most so many, the constant one included; 0 for none
        others: bool = False  # believe captions that tell of people, animals and made things

    def __init__(self, config: Config, models: Path) -> None:
        """Prepare; the hashtags' vectors under `models` are loaded when first needed."""
        self._config = config
        self._hashtags = Hashtags(models / "hashtags")

    def models(self) -> Mapping[str, str]:
        """The table of hashtags, by the hash of its checksums."""
        return {"hashtags": self._hashtags.version()}

    def write(self, sketch: ArtworkInProgress) -> Words:
        """Words for a sketch that has its haiku, and what it has of caption, mood and style.

        Raises:
            InputError: the sketch has no haiku.
            TextRejected: the haiku holds words that must not be published.
        """
        if sketch.haiku is None:
            raise InputError("a sketch without a haiku has no words to go with it")
        wrong = faults(sketch.haiku.text, names=False)
        if wrong:
            raise TextRejected(f"the haiku must not be published: {'; '.join(wrong)}")
        described = alt_text(
            haiku=sketch.haiku,
            caption=sketch.caption,
            subject=sketch.subject or "",
            mood=sketch.mood,
            style=sketch.style,
            theme=sketch.theme,
            others=self._config.others,
        )
        return Words(alt_text=described, post_text=self._post_text(sketch.haiku, sketch.mood))

    def _post_text(self, haiku: Haiku, mood: str | None) -> str:
        lines = [haiku.text, ""]
        if signature := _clean(self._config.signature):
            lines.append(signature)
        if tags := self._hashtags.choose(haiku, mood=mood, most=self._config.hashtags):
            lines.append(" ".join(tags))
        return "\n".join(lines).rstrip()


def alt_text(
    *,
    haiku: Haiku,
    caption: str | None,
    mood: str | None,
    style: Style | None,
    theme: str | None = None,
    subject: str = "",
    others: bool = False,
) -> str:
    """Alt text of at most MOST_CHARACTERS, in whole sentences.

    Args:
        haiku: the poem the picture was painted for.
        caption: the captioner's sentence; distrusted where it tells of people, animals or made things.
        mood: a mood's name.
        style: the painting whose manner it was restyled in.
        theme: what the operator asked for.
        subject: what the painter set out to paint; "" when it did not tell.
        others: trust such a caption.
    """
    about = {*words(" ".join(haiku.lines)), *words(theme or "")}
    sentences = [f"A digital painting of {_subject(caption, about, intended=subject, others=others)}."]
    if manner := _manner(style):
        sentences.append(f"Its mood is {mood}; it is {manner}." if mood else f"It is {manner}.")
    elif mood:
        sentences.append(f"Its mood is {mood}.")
    sentences.append(f"It was painted for this haiku: {_spoken(haiku)}")
    while len(" ".join(sentences)) > MOST_CHARACTERS and len(sentences) > 1:
        sentences.pop(1 if len(sentences) > 2 else 0)
    return " ".join(sentences)[:MOST_CHARACTERS]


def _subject(caption: str | None, about: set[str], *, intended: str, others: bool) -> str:
    """What the picture shows, as it follows "a painting of"; the measured colours stay where the rest is not believed.

    Flowers are believed only where the poem or the theme speaks of them: brush strokes look like petals.
    """
    intended = "" if faults(intended, names=False) else _clean(intended)
    said = _clean(caption or "").rstrip(".!… ")
    if not said or faults(said, names=False):
        return intended or UNCERTAIN
    shown, comma, colours = said.rpartition(", in ")
    measured = bool(comma) and all(
        part.strip() in NAMED for part in colours.replace(" and ", ",").split(",") if part.strip()
    )
    if not measured:
        shown, colours = said, ""
    unasked_flowers = FLOWERS & set(words(shown)) and not FLOWERS & about
    if not others and (tells_of_others(shown) or unasked_flowers):
        shown = UNCERTAIN
    if intended and (shown.lower() == UNCERTAIN or kinds(shown) & kinds(intended) or not kinds(shown)):
        shown = intended
    shown = f"{shown[0].lower()}{shown[1:]}" if shown[:2].istitle() else shown
    return f"{shown}, in {colours}" if colours else shown


def _manner(style: Style | None) -> str:
    """In whose manner, e.g. `in the manner of “The Wave” by Gustave Courbet, 1870`; "" when that cannot be said decently."""
    if style is None:
        return ""
    title, artist, year = (_cut(_clean(part)) for part in (style.title, style.byline, style.year))
    title = title.replace("“", "").replace("”", "").replace('"', "")
    named = f"“{title}”" if title else "an untitled painting"
    if artist:
        named += f" {artist}"
    if year:
        named += f", {year}"
    if faults(named, names=False):
        return ""
    return f"with colours taken from {named}" if style.mode == "photorealistic" else f"in the manner of {named}"


def _spoken(haiku: Haiku) -> str:
    """The poem in one line as a voice should read it: a pause at each line's end and no slashes."""
    lines = [_clean(line) for line in haiku.lines]
    paused = [line if line[-1:] in ",.;:!?—" else f"{line}," for line in lines[:-1]]
    last = lines[-1] if lines[-1][-1:] in ".!?…" else f"{lines[-1]}."
    return " ".join((*paused, last))


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_TITLE else f"{text[: _MOST_TITLE - 1].rsplit(' ', 1)[0]}…"


def _clean(text: str) -> str:
    """One line of composed characters without any that cannot be seen."""
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(
        " " if letter in "\n\t\r" else letter
        for letter in composed
        if letter in "\n\t\r" or unicodedata.category(letter) not in _MISLEADING
    )
    return " ".join(kept.split())
