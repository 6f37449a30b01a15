"""What a film is asked to be, and how it is prepared: its model, its key frames, its walk and its colours."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot import __version__
from auria_bot.errors import NotFound, UsageError
from auria_bot.files import sha256_of
from auria_bot.services.films.poem_film import POOL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from fractions import Fraction

    import numpy as np
    from numpy.typing import NDArray

    from auria_bot.art.films.film_frames import FilmFrames, PictureEnlarger
    from auria_bot.art.films.generator import FilmGenerator
    from auria_bot.art.films.palette import Palette
    from auria_bot.art.films.sound import Spoken
    from auria_bot.art.films.video_writer import VideoFormat
    from auria_bot.art.films.walk import Walk
    from auria_bot.art.films.water_flow import WaterFlow
    from auria_bot.art.stylists.style_bank import BankedPainting, StyleBank
    from auria_bot.domain.artwork import Style
    from auria_bot.services.films.poem_film import PoemGuide

__all__ = ["MOST_KEYS", "OWN_FLOW", "PREFIX", "FilmPlanner", "FilmRequest", "PlannedFilm"]

MOST_KEYS = 400
"""Most key frames of a film, and of a sheet to choose from."""

MOST_SECONDS = 4 * 3600
_KEY_SECONDS = 4.0  # from one key frame to the next, where their number is not given
OWN_FLOW = "own"
"""The flow that comes with a film model, learnt from its footage."""

PREFIX = "film-"
"""Begins the name of a film model's folder."""

_STROKES = "oil"  # the mode of the stylist that paints with strokes
_SHARE = 0.85  # how far colours move towards a painting's


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmRequest:
    """What a film should be."""

    seconds: Fraction
    rate: Fraction  # frames a second
    size: tuple[int, int]  # width and height in pixels
    seed: int
    loop: bool = False  # the last frame leads to the first
    truncation: float = 0.8  # 1: all the variety of the model; 0: its mean frame
    keys: tuple[int, ...] = ()  # numbers of the sheet of that seed, from 1; () chooses by the length
    moving: bool = True  # noise moves
    flow: str = ""  # OWN_FLOW, or a video as whose water that of the film flows; "": it stands
    mood: str | None = None
    style: str | None = None  # a painting whose colours the film takes
    strokes: bool = False  # painted with oil, by the hand of the painting
    music: Path | None = None
    poem: tuple[str, ...] = ()  # three lines that lead the film, see poem_film
    voice: bool = False  # the poem is read aloud


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFilm:
    """A film that can be rendered."""

    name: str  # of the model
    form: VideoFormat
    frames: FilmFrames
    plan: Mapping[str, Any]  # everything that decides about the content, ready for JSON
    metadata: Mapping[str, str]  # what the file says of itself
    music: Path | None
    spoken: tuple[Spoken, ...] = ()  # what is read aloud
    strokes: Style | None = None  # by whose hand its frames are painted


class FilmPlanner:
    """Prepares films.

    Args:
        models: the folder of trained models.
        enlarger: makes the enlarger, with the SHA-256 of its model.
    """

    def __init__(
        self,
        models: Path,
        *,
        load: Callable[[Path], FilmGenerator],
        enlarger: Callable[[], tuple[PictureEnlarger, str]],
        bank: Callable[[], StyleBank],
        poems: PoemGuide,
    ) -> None:
        self._models, self._load, self._enlarger, self._bank = models, load, enlarger, bank
        self._poems = poems

    def names(self) -> tuple[str, ...]:
        """The names of the film models."""
        found = self._models.glob(f"{PREFIX}*/config.json")
        return tuple(sorted(path.parent.name.removeprefix(PREFIX) for path in found))

    def model(self, name: str) -> FilmGenerator:
        """A film model.

        Raises:
            NotFound: there is none of that name.
            ModelError: it cannot be used.
        """
        names = self.names()
        if name not in names:
            known = f"there are: {', '.join(names)}" if names else "train one: auria train film"
            raise NotFound(f"no film model named {name[:40]!r}; {known}")
        return self._load(self._models / f"{PREFIX}{name}")

    def sheet(self, name: str, *, seed: int, count: int, truncation: float) -> NDArray[np.uint8]:
        """(count, height, width, 3) key frames of a seed; that of number n is the same in every sheet."""
        maker = self.model(name)
        return maker.frames(maker.map(maker.latents(seed, count), truncation), seed)

    def plan(self, name: str, request: FilmRequest, form: VideoFormat) -> PlannedFilm:
        """Prepare a film: measure its walk, and choose its colours.

        Raises:
            NotFound: there is no such model.
            UnknownName: there is no such mood or painting.
            InputError: the length, the keys, the music or the size cannot be had, or the poem is too long to be read.
            BackendMissing: the voice is not installed.
        """
        from auria_bot.art.films.film_frames import FilmFrames, Timing
        from auria_bot.art.films.sound import FilmSound
        from auria_bot.art.films.video_writer import require_size

        require_size(request.size)
        count = _frame_count(request)
        if request.music is not None:
            FilmSound(request.music, seconds=request.seconds)  # refuses what holds no sound
        maker = self.model(name)
        flow = self._flow(name, request.flow)
        chosen, noted = self._led(name, request)
        numbers = _key_numbers(chosen)
        walk = _walk(maker, request, numbers)
        painting = self._painting(request, walk)
        enlarger, enlarger_sha256 = self._enlarger()
        timing = Timing(frames=count, rate=request.rate, size=request.size)
        frames = FilmFrames(
            maker,
            walk,
            timing,
            noise=request.seed,
            moving=request.moving,
            flow=flow,
            palette=_palette(walk, painting),
            enlarger=enlarger,
        )
        shares = walk.key_shares if request.poem and not request.keys else None
        recitation = self._poems.recitation(request.poem, shares, timing.seconds) if request.voice else None
        plan = {
            "model": name,
            "model_sha256": maker.sha256,
            "enlarger_sha256": enlarger_sha256,
            **_requested(request, form),
            "keys": list(numbers),
            "frames": count,
            "painting": painting.key if painting is not None else "",
            **({"flow_sha256": flow.sha256} if flow else {}),
            **noted,
            **(recitation.record if recitation else {}),
        }
        return PlannedFilm(
            name=name,
            form=form,
            frames=frames,
            plan=plan,
            metadata=_metadata(name, plan, painting),
            music=request.music,
            spoken=recitation.lines if recitation else (),
            strokes=_strokes(request, painting),
        )

    def _flow(self, name: str, wanted: str) -> WaterFlow | None:
        """How the water flows: as comes with the model, or as in a video.

        Raises:
            NotFound: none comes with the model.
            InputError: the video cannot be read, or nothing in it moves.
        """
        from auria_bot.art.films.water_flow import WaterFlow

        if wanted != OWN_FLOW:
            return WaterFlow.learn(Path(wanted)) if wanted else None
        path = self._models / f"{PREFIX}{name}" / "flow.json"
        if not path.is_file():
            raise NotFound(f"the film model {name} has no flow of its own; name a video of water: --flow FILE")
        return WaterFlow.read(path)

    def _led(self, name: str, request: FilmRequest) -> tuple[FilmRequest, dict[str, Any]]:
        """The request with the key frames of its poem, where it names no others, and what the plan says of that."""
        if not request.poem:
            return request, {}
        record: dict[str, Any] = {"poem": list(request.poem)}
        if request.keys:
            return request, record
        sheet = self.sheet(name, seed=request.seed, count=POOL, truncation=request.truncation)
        keys, record["matcher_sha256"] = self._poems.keys(sheet, request.poem, loop=request.loop)
        return replace(request, keys=keys), record

    def _painting(self, request: FilmRequest, walk: Walk) -> BankedPainting | None:
        """The painting whose colours the film takes: as named, else one that suits the mood and the film's colours."""
        from auria_bot.art.colour import ColourDistribution
        from auria_bot.art.stylists.choice import find_painting

        colours = ColourDistribution.of(walk.colours, marginals=False)
        return find_painting(
            self._bank, style=request.style or "", mood=request.mood or "", colours=colours, seed=request.seed
        )


def _walk(maker: FilmGenerator, request: FilmRequest, numbers: Sequence[int]) -> Walk:
    """The walk through these frames of the seed's sheet, numbered from 1."""
    from auria_bot.art.films.walk import Walk

    styles = maker.map(maker.latents(request.seed, max(numbers)), request.truncation)
    still = maker.noise(request.seed)
    keys = styles[[number - 1 for number in numbers]]
    return Walk.through(keys, lambda w: maker.frames(w, still), closed=request.loop)


def _requested(request: FilmRequest, form: VideoFormat) -> dict[str, Any]:
    """What the plan repeats of a request."""
    return {
        "program": __version__,
        "seed": request.seed,
        "truncation": request.truncation,
        "loop": request.loop,
        "moving": request.moving,
        "mood": request.mood or "",
        "rate": str(request.rate),
        "size": list(request.size),
        "format": form.suffix[1:],
        "music_sha256": sha256_of(request.music) if request.music is not None else "",
        **({"strokes": _STROKES} if request.strokes else {}),
    }


def _frame_count(request: FilmRequest) -> int:
    """How many frames a film has; its rate and length are as asked for."""
    if not 1 <= request.rate <= 120:
        raise UsageError(f"a film cannot have {float(request.rate):g} frames a second; 1 to 120 are possible")
    if not 0 < request.seconds <= MOST_SECONDS:
        raise UsageError(f"a film cannot take {float(request.seconds):g} seconds; up to {MOST_SECONDS:,} are possible")
    return max(2, round(request.seconds * request.rate))


def _key_numbers(request: FilmRequest) -> tuple[int, ...]:
    """The numbers of the key frames, from 1."""
    least = 3 if request.loop else 2
    numbers = request.keys or tuple(range(1, max(least, min(round(float(request.seconds) / _KEY_SECONDS), 60)) + 1))
    if len(numbers) < least:
        raise UsageError(f"a film needs at least {least} key frames{' to loop' if request.loop else ''}")
    if len(numbers) > MOST_KEYS or not all(1 <= number <= MOST_KEYS for number in numbers):
        raise UsageError(f"key frames have numbers from 1 to {MOST_KEYS}, and there are {MOST_KEYS} at most")
    if any(first == second for first, second in itertools.pairwise(numbers)):
        raise UsageError("a key frame cannot follow itself; name each of two neighbours differently")
    return numbers


def _strokes(request: FilmRequest, painting: BankedPainting | None) -> Style | None:
    """By whose hand the frames are painted."""
    from auria_bot.domain.artwork import Style

    if not request.strokes:
        return None
    if painting is None:
        raise UsageError("strokes are laid by the hand of a painting; name one with --style, or a mood with --mood")
    return Style(
        key=painting.key, title=painting.title, artist=painting.artist, year=painting.year, mode=_STROKES, strength=0.6
    )


def _palette(walk: Walk, painting: BankedPainting | None) -> Palette | None:
    from auria_bot.art.films.palette import Palette

    return None if painting is None else Palette.between(walk.colours, painting.colours, share=_SHARE)


def _metadata(name: str, plan: Mapping[str, Any], painting: BankedPainting | None) -> dict[str, str]:
    """What the file says of itself; nothing of the operator's: no path and no time."""
    from auria_bot.art.exporters.exporter import CREATOR, SOURCE_TYPE

    poem = f", led by a haiku: {' / '.join(plan['poem'])}" if "poem" in plan else ""
    how = "in the colours and by the hand of" if "strokes" in plan else "in the colours of"
    after = f", {how} {painting.title}" if painting is not None else ""
    record = {
        "software": f"auria_bot {__version__}",
        "digital_source_type": SOURCE_TYPE,
        **{key: value for key, value in plan.items() if value not in ("", None) and key != "program"},
    }
    return {
        "title": f"Auria: {name}, seed {plan['seed']}",
        "artist": CREATOR,
        "description": f"A walk through a film model of {name}, made by a trained model{after}{poem}.",
        "comment": json.dumps(record, sort_keys=True),
    }
