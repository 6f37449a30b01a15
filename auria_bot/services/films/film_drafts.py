"""Films as drafts: a finished film becomes an artwork with a poem, pictures of its first frame, texts and the video.

Such a draft is listed, reviewed, approved, published and shown as others are. Its pictures are made by the exporter's
means, so that they say how they came about; frames from all over the film pass the safety filter.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from auria_bot.corpus.language import syllables
from auria_bot.domain.artwork import FILM, Artwork, ArtworkFile, ArtworkInProgress, FilmFacts, Haiku, Style
from auria_bot.errors import InputError, StepFailed
from auria_bot.files import file_lock, scratch_folder, sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from PIL import Image

    from auria_bot.art.stylists.style_bank import StyleBank
    from auria_bot.domain.draft import Draft
    from auria_bot.domain.interfaces import Clock, MoodReader, Poet, SafetyFilter, TextWriter
    from auria_bot.services.films.films import Film
    from auria_bot.store.files import Pictures
    from auria_bot.store.unit_of_work import Store

__all__ = ["FilmDrafts", "FilmRoles", "poem_of"]

log = logging.getLogger(__name__)

_JUDGED = 5  # frames that pass the safety filter
_SIDE = 1080  # pixels of the short side of the pictures, at most
_MOST_BYTES = 950_000  # of a JPEG, as the exporter's
_MOST_LINE = 100  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmRoles:
    """The backends that a film needs on its way to a draft."""

    poet: Poet
    mood_reader: MoodReader
    text_writer: TextWriter
    safety_filter: SafetyFilter


def poem_of(text: str) -> Haiku:
    """A poem that the operator gives: three lines, separated by line breaks or "/".

    Raises:
        InputError: it has not three lines, one is empty or too long, or it is not UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:  # as Python reads arguments in another coding
        raise InputError("the poem is not UTF-8; write it in a terminal that uses UTF-8") from None
    lines = [line.strip() for line in text.replace("/", "\n").splitlines() if line.strip()]
    if len(lines) != 3 or max(map(len, lines)) > _MOST_LINE:
        raise InputError(
            f"a poem has three lines of at most {_MOST_LINE} characters, separated by / or line breaks; this has"
            f" {len(lines)}"
        )
    first, second, third = lines
    one, two, three = (min(syllables.text_counts(line), default=0) for line in lines)
    return Haiku(lines=(first, second, third), syllables=(one, two, three))


class FilmDrafts:
    """Makes drafts of films.

    Args:
        roles: makes the backends, on first use.
        bank: reads the style bank.
    """

    def __init__(
        self,
        *,
        store: Store,
        pictures: Pictures,
        clock: Clock,
        roles: Callable[[], FilmRoles],
        bank: Callable[[], StyleBank],
    ) -> None:
        self._store, self._pictures, self._clock = store, pictures, clock
        self._roles, self._bank = roles, bank

    def poem(self, wanted: str) -> Haiku:
        """The poem that is meant by a draft's number, or by its own text.

        Raises:
            NotFound: there is no such draft.
            InputError: it is not a poem of three lines.
        """
        if wanted.strip().isdecimal():
            with self._store.read() as unit:
                return unit.drafts.get(int(wanted)).artwork.haiku
        return poem_of(wanted)

    def add(self, film: Film, poem: Haiku | None = None) -> Draft:
        """Make a draft of a finished film; a film that is a draft already gives that one.

        Args:
            poem: that it is shown with; None: the one that led the film, else the poet writes one about the model's
                name.

        Raises:
            StepFailed: a frame must not be published.
            TextRejected: the poem must not be published.
            InputError: the film cannot be read, or is another artwork's.
            BackendMissing: PyAV is not installed.
        """
        folder = f"film-{film.label}"
        with file_lock(film.path.parent / ".draft.lock"), scratch_folder() as scratch:
            with self._store.read() as unit:
                known = unit.drafts.find(folder)
            if known is not None:
                return known
            artwork, sources = self._artwork(film, poem, scratch)
            self._pictures.remove(folder)  # of a call that was killed before there was a draft, maybe with another poem
            kept = self._pictures.keep(folder, sources)
            sha256 = sha256_of(kept / artwork.files["post"].name)
            with self._store.begin() as unit:
                draft = unit.drafts.add(artwork, folder=folder, picture_sha256=sha256, made_at=self._clock())
        log.info("A film waits for review", extra={"draft": draft.id, "film": film.label})
        return draft

    def _artwork(self, film: Film, poem: Haiku | None, scratch: Path) -> tuple[Artwork, dict[str, Path]]:
        """The finished artwork, and the source of each of its files by name."""
        roles, plan = self._roles(), film.facts
        seed, name = int(plan["seed"]), str(plan["model"])
        if poem is None and plan.get("poem"):
            poem = poem_of("\n".join(plan["poem"]))
        if poem is None:
            poem = roles.poet.compose(seed=seed, theme=name.replace("-", " "))[0].haiku
        facts = _facts(film)
        frames = _frames_across(film, facts.seconds)
        nudity, fingerprint = self._judged(roles.safety_filter, frames, scratch)
        mood = str(plan.get("mood") or roles.mood_reader.read(poem)[0][0].name)
        artwork = ArtworkInProgress(
            key=film.label,
            seed=seed,
            mood=mood,
            mood_source="given" if plan.get("mood") else "read",
            haiku=poem,
            subject=name.replace("-", " "),
            style=self._style(str(plan.get("painting", "")), str(plan.get("strokes", "photorealistic"))),
            nudity=nudity,
            fingerprint=fingerprint,
            caption=_caption(name, frames[0]),
            models=((f"film:stylegan2:{name}", str(plan["model_sha256"])),),
            film=facts,
        )
        artwork = artwork.evolve(alt_text=_alt_text(artwork, plan))
        artwork = artwork.evolve(post_text=roles.text_writer.write(artwork).post_text)
        sources = _write_pictures(artwork, frames[0], scratch) | {film.path.name: film.path}
        kinds = {
            "painting": "full.png",
            "full": "full.png",
            "post": "post.jpg",
            "card": "card.jpg",
            FILM: film.path.name,
        }
        files = {kind: _described(file, sources[file]) for kind, file in kinds.items()}
        return Artwork.finished(artwork.evolve(files=files)), sources

    def _judged(self, judge: SafetyFilter, frames: list[Image.Image], scratch: Path) -> tuple[float, str]:
        """The highest nudity score of the frames, and the first one's fingerprint."""
        results = []
        for number, frame in enumerate(frames):
            path = scratch / f"frame-{number}.png"
            frame.save(path)
            results.append(judge.judge(path))
            if not results[-1].passed:
                raise StepFailed(
                    f"the film must not be published: in frame {number + 1} of {len(frames)}, {results[-1].reason}"
                )
        return max(result.nudity for result in results), results[0].fingerprint

    def _style(self, key: str, mode: str) -> Style:
        """The painting whose colours, and maybe strokes, the film took."""
        if not key:
            return Style(key="", title="", artist="", year="", mode="photorealistic")
        painting = self._bank().find(key)
        return Style(key=painting.key, title=painting.title, artist=painting.artist, year=painting.year, mode=mode)


def _frames_across(film: Film, seconds: float) -> list[Image.Image]:
    """The first frame, and some more at about even distances.

    Raises:
        InputError: it holds none that can be read.
        BackendMissing: PyAV is not installed.
    """
    from auria_bot.art.films.video import require_video

    require_video()
    import av
    from PIL import Image

    found = []
    try:
        with av.open(str(film.path), options={"protocol_whitelist": "file"}) as container:
            for number in range(_JUDGED):
                container.seek(round(seconds * 1_000_000 * number / _JUDGED))
                found.append(Image.fromarray(next(container.decode(video=0)).to_ndarray(format="rgb24")))
    except (av.FFmpegError, OSError, StopIteration, IndexError) as error:
        raise InputError(f"the film {film.label} cannot be read ({error}); make it again") from None
    return found


def _facts(film: Film) -> FilmFacts:
    plan = film.facts
    width, height = plan["size"]
    rate = Fraction(str(plan["rate"]))
    return FilmFacts(
        model=str(plan["model"]),
        seconds=round(float(plan["frames"] / rate), 3),
        width=int(width),
        height=int(height),
        rate=round(float(rate), 3),
        sound=bool(plan.get("music_sha256") or plan.get("voice")),
    )


def _caption(name: str, frame: Image.Image) -> str:
    from auria_bot.art.captioners.vocabulary import join_names, name_colours

    colours = join_names([colour for colour, _ in name_colours(frame)])
    return f"{name.replace('-', ' ')}, in {colours}" if colours else name.replace("-", " ")


def _alt_text(artwork: ArtworkInProgress, plan: Mapping[str, Any]) -> str:
    """What the film shows, for who cannot see it, and what is heard, for who cannot hear it."""
    seconds = artwork.film.seconds if artwork.film else 0.0
    length = f"{seconds:.3g} second{'' if seconds == 1 else 's'}"
    sound = "with music" if plan.get("music_sha256") else "without music" if plan.get("voice") else "without sound"
    sentences = [
        (
            f"A film of {length} {sound}: {artwork.caption} where it begins, painted by a trained model; one view"
            " slowly changes into the next."
        ),
        f"Its mood is {artwork.mood}.",
        f"{'A voice reads' if plan.get('voice') else 'It is shown with'} this haiku: {artwork.haiku}",
    ]
    if artwork.style is not None and artwork.style.key:
        taken = "colours and strokes" if plan.get("strokes") else "colours"
        sentences.insert(1, f"Its {taken} are taken from a painting, {artwork.style.title}.")
    return " ".join(sentences)[:1000]


def _write_pictures(artwork: ArtworkInProgress, frame: Image.Image, folder: Path) -> dict[str, Path]:
    """Write the first frame as PNG and JPEG, and the card with the poem."""
    from auria_bot.art.exporters.card import card
    from auria_bot.art.exporters.exporter import jpeg_within, png_chunks
    from auria_bot.art.pictures import save_picture, write_bytes

    small = frame.copy()
    small.thumbnail((_SIDE * 16 // 9, _SIDE * 16 // 9))
    files = {name: folder / name for name in ("full.png", "post.jpg", "card.jpg")}
    save_picture(small, files["full.png"], pnginfo=png_chunks(artwork), compress_level=2)
    write_bytes(files["post.jpg"], jpeg_within(small, _MOST_BYTES, artwork))
    lines = artwork.haiku.lines if artwork.haiku else ()
    poem = card(small, lines, artwork.style.credit if artwork.style else "", mood=artwork.mood or "")
    write_bytes(files["card.jpg"], jpeg_within(poem, _MOST_BYTES, artwork))
    return files


def _described(name: str, source: Path) -> ArtworkFile:
    return ArtworkFile.named(name, sha256=sha256_of(source), size=source.stat().st_size)
