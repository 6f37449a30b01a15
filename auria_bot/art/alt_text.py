"""Write the alt text and the text of a post.

Alt text says in this order: what the picture shows and in which colours; its mood and whose manner it is painted in;
the haiku. The captioner is believed where it is confident; otherwise, or where it sees the same kind of scene, the
painter's subject is used. People, animals and made things are not claimed unless the option `others` is set, because a
captioner sees them in any brush stroke.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auria_bot.art.captioners.vocabulary import FLOWERS, NAMED, UNCERTAIN, non_nature_words, scene_kinds
from auria_bot.art.hashtags import Hashtags
from auria_bot.corpus.language.content_filter import faults
from auria_bot.corpus.language.words import words
from auria_bot.domain.interfaces import ArtworkTexts
from auria_bot.errors import InputError, TextRejected

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auria_bot.domain.artwork import ArtworkInProgress, Haiku, Style

__all__ = ["MOST_CHARACTERS", "PlainTextWriter", "alt_text"]

MOST_CHARACTERS: Final = 1000  # of alt text: the lowest limit of all platforms
_MOST_TITLE = 120  # characters of a painting's title or a painter's name
_MISLEADING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class PlainTextWriter:
    """Writes plain sentences in a fixed order."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        signature: str = "— Auria"  # the line under the poem
        hashtags: int = 5  # most hashtags, #haiku included; 0 for none
        others: bool = False  # trust captions that mention people, animals and made things

    def __init__(self, config: Config, models: Path) -> None:
        """Keep the settings; the hashtags' vectors under `models` are loaded on first use."""
        self._config = config
        self._hashtags = Hashtags(models / "hashtags")

    def models(self) -> Mapping[str, str]:
        """SHA-256 of the table of hashtags."""
        return {"hashtags": self._hashtags.version()}

    def write(self, artwork: ArtworkInProgress) -> ArtworkTexts:
        """Write the texts of an artwork that has its haiku and, where known, caption, mood and style.

        Raises:
            InputError: the artwork has no haiku.
            TextRejected: the haiku contains words that must not be published.
        """
        if artwork.haiku is None:
            raise InputError("the artwork has no haiku yet; no text can be written")
        wrong = faults(artwork.haiku.text, names=False)
        if wrong:
            raise TextRejected(f"the haiku must not be published: {'; '.join(wrong)}")
        described = alt_text(
            haiku=artwork.haiku,
            caption=artwork.caption,
            subject=artwork.subject or "",
            mood=artwork.mood,
            style=artwork.style,
            theme=artwork.theme,
            others=self._config.others,
        )
        return ArtworkTexts(alt_text=described, post_text=self._post_text(artwork.haiku, artwork.mood))

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
        caption: the captioner's sentence; not trusted where it mentions people, animals or made things.
        mood: a mood's name.
        subject: what the painter set out to paint; "" when unknown.
        others: trust captions that mention people, animals and made things.
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
    """What the picture shows, as it follows "a painting of"; measured colours are kept where the rest is not trusted.

    Flowers are trusted only where the poem or the theme mentions them: brush strokes look like petals.
    """
    intended = "" if faults(intended, names=False) else _clean(intended)
    caption_text = _clean(caption or "").rstrip(".!… ")
    if not caption_text or faults(caption_text, names=False):
        return intended or UNCERTAIN
    shown, comma, colours = caption_text.rpartition(", in ")
    measured = bool(comma) and all(
        part.strip() in NAMED for part in colours.replace(" and ", ",").split(",") if part.strip()
    )
    if not measured:
        shown, colours = caption_text, ""
    unasked_flowers = FLOWERS & set(words(shown)) and not FLOWERS & about
    if not others and (non_nature_words(shown) or unasked_flowers):
        shown = UNCERTAIN
    if intended and (
        shown.lower() == UNCERTAIN or scene_kinds(shown) & scene_kinds(intended) or not scene_kinds(shown)
    ):
        shown = intended
    shown = f"{shown[0].lower()}{shown[1:]}" if shown[:2].istitle() else shown
    return f"{shown}, in {colours}" if colours else shown


def _manner(style: Style | None) -> str:
    """The style, e.g. `in the manner of “The Wave” by Gustave Courbet, 1870`; "" when it must not be published."""
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
    """The poem on one line as a screen reader should read it: a pause at the end of each line, no slashes."""
    lines = [_clean(line) for line in haiku.lines]
    paused = [line if line[-1:] in ",.;:!?—" else f"{line}," for line in lines[:-1]]
    last = lines[-1] if lines[-1][-1:] in ".!?…" else f"{lines[-1]}."
    return " ".join((*paused, last))


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_TITLE else f"{text[: _MOST_TITLE - 1].rsplit(' ', 1)[0]}…"


def _clean(text: str) -> str:
    """One line of composed characters without invisible ones."""
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(
        " " if letter in "\n\t\r" else letter
        for letter in composed
        if letter in "\n\t\r" or unicodedata.category(letter) not in _MISLEADING
    )
    return " ".join(kept.split())
