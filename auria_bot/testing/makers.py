"""Fakes of the studio's roles: deterministic, without models.

Each takes `seconds`, the time of every call, and `faults`, a table from a search text to a fault. The text is looked
for in what a call is about (its seed, or the path of its picture, such as "/02/" for the second artwork of a run); ""
is always found. Faults: "raise", "crash" (exit at once), "segfault", "hang", "memory" (allocate without end),
"memory-error", "blank" (painters: a picture that the safety filter rejects).
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.domain.artwork import FORM, ArtworkInProgress, Haiku, Style
from auria_bot.domain.interfaces import ArtworkTexts, Painting, SafetyResult, Verse
from auria_bot.domain.mood import MOODS, Mood
from auria_bot.errors import PictureError, UnknownName
from auria_bot.files import atomic_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from PIL import Image

__all__ = [
    "FakeCaptioner",
    "FakeEnlarger",
    "FakeExporter",
    "FakeMoodReader",
    "FakePainter",
    "FakePoet",
    "FakeSafetyFilter",
    "FakeStylist",
    "FakeTextWriter",
]

_FIRST = (
    "lanterns on the hill",
    "rain begins again",
    "a heron takes off",
    "the last train at dusk",
    "moonlight on the quay",
    "snow on the haystack",
    "a kite without wind",
    "steam over the soup",
)
_SECOND = (
    "the river carries the light",
    "somebody whistles a tune",
    "a dog waits beside the gate",
    "the pond keeps every ripple",
    "her umbrella turns outward",
    "the baker counts out his coins",
    "an old song through the window",
    "my shadow gets there before",
)
_THIRD = (
    "under the bare trees",
    "nobody looks up",
    "into the long night",
    "the first star appears",
    "as soft as ashes",
    "all the way back home",
    "between two small waves",
    "and then it is spring",
)


def _digest(*words: object) -> int:
    text = "\x1f".join(str(word) for word in words)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


class _Maker:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """How a fake behaves."""

        seconds: float = 0.0  # that every call takes
        faults: dict[str, str] = field(default_factory=dict)  # search text to fault; see the module
        repaired: str = ""  # a file: once it exists, no more faults happen
        leanings: dict[str, float] = field(default_factory=dict)  # the stylist takes the heaviest painting, by key

    def __init__(self, config: Config, models: Path) -> None:
        self.config = config
        self.folder = models

    def models(self) -> Mapping[str, str]:
        """A made-up model, with the hash of its name."""
        name = type(self).__name__
        return {name.lower(): hashlib.sha256(name.encode()).hexdigest()}

    def _act(self, about: object) -> str:
        """Take the time, and cause the fault that applies; return the name of one that the caller must cause."""
        time.sleep(self.config.seconds)
        if self.config.repaired and Path(self.config.repaired).exists():
            return ""
        for text, fault in self.config.faults.items():
            if text in str(about):
                return _cause(fault)
        return ""


def _cause(fault: str) -> str:
    if fault == "raise":
        raise RuntimeError("the fake was told to fail")
    if fault == "crash":
        os.write(2, b"the fake was told to crash\n")
        os._exit(3)
    if fault == "segfault":
        signal.raise_signal(signal.SIGSEGV)
    if fault == "hang":
        while True:
            time.sleep(60.0)
    if fault == "memory":
        kept = []
        while True:
            kept.append(bytearray(os.urandom(1) * (16 << 20)))
    if fault == "memory-error":
        raise MemoryError
    return fault


class FakePoet(_Maker):
    """Combines lines whose syllables were counted by hand."""

    def compose(
        self,
        *,
        seed: int,
        count: int = 1,
        theme: str | None = None,
        mood: Mood | None = None,
        recent: Sequence[Haiku] = (),
    ) -> tuple[Verse, ...]:
        """Write `count` different haiku that are not among the recent ones."""
        self._act(seed)
        avoided, verses, number = {haiku.lines for haiku in recent}, list[Verse](), 0
        while len(verses) < count:
            draw = _digest(seed, theme, mood.name if mood else "", number)
            lines = (_FIRST[draw % 8], _SECOND[draw // 8 % 8], _THIRD[draw // 64 % 8])
            number += 1
            if lines not in avoided or number > 4096:
                avoided.add(lines)
                verses.append(Verse(haiku=Haiku(lines=lines, syllables=FORM), score=1.0 / number))
        return tuple(verses)


class FakeMoodReader(_Maker):
    """Derives the mood from the poem's letters."""

    def read(self, haiku: Haiku) -> tuple[tuple[Mood, float], ...]:
        """Every mood with its share, the nearest first."""
        self._act(haiku.text)
        weights = {name: 1 + _digest(haiku.text, name) % 1000 for name in MOODS}
        total = sum(weights.values())
        shares = [(MOODS[name], weight / total) for name, weight in weights.items()]
        return tuple(sorted(shares, key=lambda share: (-share[1], share[0].name)))


class FakePainter(_Maker):
    """Paints stripes of two colours that the seed and the poem choose."""

    def paint(
        self, haiku: Haiku, *, seed: int, count: int, folder: Path, mood: Mood | None = None, theme: str | None = None
    ) -> tuple[Painting, ...]:
        """Paint `count` candidates as PNG files in `folder`, the best first."""
        fault = self._act(f"{seed} {folder}/")
        made = []
        for number in range(count):
            draw = _digest(haiku.text, seed, number, mood.name if mood else "", theme)
            path = folder / f"{number:02d}.png"
            _save(_stripes(0 if fault == "blank" else draw), path)
            traits = (draw % 7 - 3.0, draw % 5 - 2.0)
            made.append(Painting(path=path, score=1.0 - number / count, traits=traits))
        return tuple(made)


class FakeSafetyFilter(_Maker):
    """Rejects pictures of one colour, broken ones, and those whose fingerprint is known."""

    def judge(self, picture: Path, *, known: Sequence[str] = ()) -> SafetyResult:
        """Judge a picture against the fingerprints of earlier ones."""
        self._act(picture)
        try:
            image = _open(picture)
        except PictureError:
            return SafetyResult(passed=False, reason="the picture is broken", nudity=0.0, fingerprint="0" * 16)
        fingerprint = f"{_digest(image.resize((8, 8)).tobytes()):016x}"
        reason = ""
        if image.getcolors(1) is not None:
            reason = "the picture is blank"
        elif fingerprint in known:
            reason = "the picture is a near-duplicate"
        return SafetyResult(passed=not reason, reason=reason, nudity=0.01, fingerprint=fingerprint)


class FakeEnlarger(_Maker):
    """Enlarges without interpolation, and never beyond 96 pixels, to be quick."""

    def enlarge(self, source: Path, target: Path, *, size: int) -> None:
        """Write `source` as PNG."""
        self._act(source)
        image = _open(source)
        side = min(size, 96)
        _save(image.resize((side * image.width // min(image.size), side * image.height // min(image.size))), target)


class FakeStylist(_Maker):
    """Tints pictures in the manner of twelve paintings that do not exist."""

    def choose(
        self,
        *,
        mood: Mood,
        haiku: Haiku,
        picture: Path,
        seed: int,
        recent: Sequence[str] = (),
        wanted: str | None = None,
    ) -> Style:
        """Choose a painting.

        Raises:
            UnknownName: `wanted` is none of the twelve, which are called fake-00 to fake-11.
        """
        self._act(f"{seed} {picture}")
        keys = [f"fake-{number:02d}" for number in range(12)]
        if wanted is not None and wanted not in keys:
            raise UnknownName(f"no style named {wanted[:40]!r}; known: {', '.join(keys)}")
        weights = self.config.leanings
        order = sorted(keys, key=lambda key: (-weights.get(key, 1.0), _digest(seed, mood.name, haiku.text, key)))
        fresh = [key for key in order if key not in recent[:11]]
        key = wanted or (fresh or order)[0]
        return Style(
            key=key, title=f"Study No. {int(key[-2:]) + 1}", artist="A. N. Other", year="1901", strength=mood.strength
        )

    shows_layers = True

    def restyle(
        self,
        source: Path,
        target: Path,
        *,
        style: Style,
        seed: int,
        on_layer: Callable[[Image.Image, int, int], None] | None = None,
    ) -> None:
        """Write `source`, tinted, as PNG of the same size, in two layers."""
        self._act(f"{seed} {source}")
        image = _open(source)
        tinted = _tinted(image, style, seed)
        if on_layer is not None:
            on_layer(image, 1, 2)
            on_layer(tinted, 2, 2)
        _save(tinted, target)

    def painted(self, picture: Image.Image, style: Style, *, size: tuple[int, int], seed: int) -> Image.Image:
        """The picture, tinted, at a size."""
        self._act(f"{seed} {style.key}")
        return _tinted(picture.resize(size), style, seed)


class FakeCaptioner(_Maker):
    """Names the picture's mean colour."""

    def describe(self, picture: Path) -> str:
        """One sentence on what the picture shows."""
        self._act(picture)
        red, green, blue = (int(value) for value in _pixel(_open(picture).resize((1, 1))))
        return f"Broad stripes, on the whole #{red:02x}{green:02x}{blue:02x}."


class FakeTextWriter(_Maker):
    """Combines what is known."""

    def write(self, artwork: ArtworkInProgress) -> ArtworkTexts:
        """Words for an artwork that has its haiku, mood, style and caption."""
        self._act(f"{artwork.seed} {artwork.key}")
        poem = artwork.haiku.text if artwork.haiku else ""
        credit = artwork.style.credit if artwork.style else ""
        alt_text = f"{artwork.caption} In the manner {credit}. Poem: {poem.replace(chr(10), ' / ')}."
        return ArtworkTexts(alt_text=alt_text, post_text=f"{poem}\n\n— Auria\n#haiku #{artwork.mood}")


class FakeExporter(_Maker):
    """Saves the picture three times."""

    def export(self, artwork: ArtworkInProgress, picture: Path, folder: Path) -> Mapping[str, Path]:
        """Write full.png, post.jpg and card.jpg into `folder`."""
        self._act(f"{artwork.seed} {picture}")
        image = _open(picture)
        files = {"full": folder / "full.png", "post": folder / "post.jpg", "card": folder / "card.jpg"}
        for path in files.values():
            _save(image, path)
        return files


def _stripes(draw: int) -> Image.Image:
    from PIL import Image

    colours = [tuple(draw // 256 ** (3 * side + part) % 256 for part in range(3)) for side in range(2)]
    image = Image.new("RGB", (32, 40), colours[0])
    for top in range(0, 40, 4 + draw % 7):
        image.paste(colours[1], (0, top, 32, top + 2))
    return image


def _open(path: Path) -> Image.Image:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError):
        raise PictureError(f"{path} is not a readable picture") from None


def _pixel(image: Image.Image) -> tuple[int, int, int]:
    red, green, blue = image.tobytes()
    return red, green, blue


def _save(image: Image.Image, path: Path) -> None:
    with atomic_path(path, mode=None, durable=False) as scratch:
        image.save(scratch, format="PNG" if path.suffix == ".png" else "JPEG")


def _tinted(image: Image.Image, style: Style, seed: int) -> Image.Image:
    from PIL import Image

    draw = _digest(style.key, style.mode, seed)
    tint = Image.new("RGB", image.size, (draw % 256, draw // 256 % 256, draw // 65536 % 256))
    return Image.blend(image, tint, 0.3 * style.strength)
