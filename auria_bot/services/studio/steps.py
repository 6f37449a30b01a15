"""The steps of an artwork, in order: what each reads, which roles work on it, and what it makes.

    poem -> mood -> painting -> enlarge -> style -> caption -> words -> finish

A step is a function from a sketch to a changed sketch; its pictures are written into the sketch's folder. Knows
the roles as Protocols. Does not know processes, saving or deadlines.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from auria_bot.domain.mood import find_mood
from auria_bot.errors import NoGoodPicture, StepFailed
from auria_bot.files import sha256_of
from auria_bot.services.studio.plan import derive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from auria_bot.domain import interfaces
    from auria_bot.domain.artwork import ArtworkInProgress
    from auria_bot.domain.haiku import Haiku
    from auria_bot.domain.mood import Mood
    from auria_bot.services.studio.plan import Plan

__all__ = ["PICTURES", "STEPS", "PictureDropped", "Step", "StepContext", "key_of", "step_named"]

PICTURES = frozenset({"painting", "enlarged", "styled"})
"""The fields of a sketch that name a picture a later step reads."""


class PictureDropped(Exception):
    """The gate dropped the restyled picture: paint another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """What lies before a step: the plan, the makers, the sketch's folder and what was made lately."""

    plan: Plan
    folder: Path
    maker: Callable[[str], Any]  # role -> maker
    poems: Sequence[Haiku]  # the newest first; those of earlier sketches of the run included
    styles: Sequence[str]  # likewise
    known: Sequence[str]  # fingerprints, likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the studio."""

    name: str
    roles: tuple[str, ...]  # the first one's interpreter runs the step
    reads: tuple[str, ...]  # fields of the sketch that the result depends on
    past: Callable[[StepContext], Any]  # what else it depends on, JSON-able
    work: Callable[[ArtworkInProgress, StepContext], ArtworkInProgress]


def key_of(step: Step, sketch: ArtworkInProgress, desk: StepContext) -> str:
    """The SHA-256 of all that a step's result depends on: inputs, pictures' bytes, options, models, choices."""
    given = sketch.to_json()
    content = {
        "step": step.name,
        "inputs": {
            name: sha256_of(desk.folder / given[name]) if name in PICTURES and given[name] else given[name]
            for name in step.reads
        },
        "past": step.past(desk),
        "makers": {role: _identity(role, desk) for role in step.roles},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _identity(role: str, desk: StepContext) -> list[Any]:
    models = dict(desk.maker(role).models())
    tool = desk.plan.tools[role]
    return [tool.name, tool.options, desk.plan.offers, models]


def _signed(sketch: ArtworkInProgress, desk: StepContext, *names: str) -> ArtworkInProgress:
    """The sketch with the models of these roles in its provenance."""
    models = dict(sketch.models)
    for role in names:
        for name, sha256 in cast("Mapping[str, str]", desk.maker(role).models()).items():
            models[f"{role}:{desk.plan.tools[role].name}:{name}"] = sha256
    return sketch.evolve(models=tuple(sorted(models.items())))


def _mood(sketch: ArtworkInProgress) -> Mood | None:
    return find_mood(sketch.mood) if sketch.mood else None


def _poem_of(sketch: ArtworkInProgress) -> Haiku:
    if sketch.haiku is None:
        raise StepFailed("the sketch has no poem")
    return sketch.haiku


def _picture(desk: StepContext, name: str | None) -> Path:
    if not name:
        raise StepFailed("the sketch has no picture")
    return desk.folder / name


def _poem(sketch: ArtworkInProgress, desk: StepContext) -> ArtworkInProgress:
    """Write the poem."""
    poet: interfaces.Poet = desk.maker("poet")
    verses = poet.compose(
        seed=derive(sketch.seed, "poem"), count=1, theme=sketch.theme, mood=_mood(sketch), recent=tuple(desk.poems)
    )
    if not verses:
        raise StepFailed("the poet wrote nothing; try another theme or seed")
    return _signed(sketch.evolve(haiku=verses[0].haiku), desk, "poet")


def _feel(sketch: ArtworkInProgress, desk: StepContext) -> ArtworkInProgress:
    """Read the mood from the poem where none was given or drawn."""
    if sketch.mood is not None:
        return sketch
    reader: interfaces.MoodReader = desk.maker("mood-reader")
    mood, _ = reader.read(_poem_of(sketch))[0]
    return _signed(sketch.evolve(mood=mood.name, mood_source="read"), desk, "mood-reader")


def _paint(sketch: ArtworkInProgress, desk: StepContext) -> ArtworkInProgress:
    """Paint candidates, the best first, until the gate lets one pass.

    Fingerprints are of restyled pictures, which the run's other sketches do not have yet: those are kept apart by the
    step that restyles.
    """
    painter: interfaces.Painter = desk.maker("painter")
    gate: interfaces.SafetyFilter = desk.maker("gate")
    rejected = list(sketch.rejected)
    while len(rejected) < desk.plan.rounds * desk.plan.candidates:
        folder = desk.folder / "candidates"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        paintings = painter.paint(
            _poem_of(sketch),
            seed=derive(sketch.seed, "painting", len(rejected)),
            count=desk.plan.candidates,
            folder=folder,
            mood=_mood(sketch),
            theme=sketch.theme,
        )
        before = len(rejected)
        for painting in paintings:
            verdict = gate.judge(painting.path, known=desk.plan.known)
            if verdict.passed:
                painting.path.replace(desk.folder / "painting.png")
                shutil.rmtree(folder, ignore_errors=True)
                changed = sketch.evolve(
                    painting="painting.png",
                    painting_score=round(float(painting.score), 6),
                    subject=painting.subject,
                    nudity=round(float(verdict.nudity), 6),
                    rejected=tuple(rejected),
                )
                return _signed(changed, desk, "painter", "gate")
            rejected.append(f"painting: {verdict.reason}")
        if len(rejected) == before:
            raise StepFailed("the painter painted nothing")
    shutil.rmtree(desk.folder / "candidates", ignore_errors=True)
    raise NoGoodPicture(f"the gate dropped all {len(rejected)} pictures, at last: {rejected[-1]}")


def _enlarge(sketch: ArtworkInProgress, desk: StepContext) -> ArtworkInProgress:
    """Enlarge the painting to the size it is restyled at."""
    enlarger: interfaces.Enlarger = desk.maker("enlarger")
    enlarger.enlarge(_picture(desk, sketch.painting), desk.folder / "enlarged.png", size=desk.plan.size)
    return _signed(sketch.evolve(enlarged="enlarged.png"), desk, "enlarger")


def _restyle(sketch: ArtworkInProgress, desk: StepContext) -> ArtworkInProgress:
    """Restyle the picture; where the gate drops it, try one more style, then ask for another painting."""
    stylist: interfaces.Stylist = desk.maker("stylist")
    gate: interfaces.SafetyFilter = desk.maker("gate")
    mood = _mood(sketch)
    if mood is None:
        raise StepFailed("the sketch has no mood")
    source = _picture(desk, sketch.enlarged)
    avoid, reason = tuple(desk.styles), ""
    for attempt in range(1 if sketch.wanted_style else 2):
        seed = derive(sketch.seed, "style", attempt)
        chosen = stylist.choose(
            mood=mood, haiku=_poem_of(sketch), picture=source, seed=seed, recent=avoid, wanted=sketch.wanted_style
        )
        style = replace(chosen, mode="photorealistic") if sketch.style_mode == "photorealistic" else chosen
        stylist.restyle(source, desk.folder / "styled.png", style=style, seed=seed)
        verdict = gate.judge(desk.folder / "styled.png", known=tuple(desk.known))
        if verdict.passed:
            changed = sketch.evolve(
                style=style,
                styled="styled.png",
                fingerprint=verdict.fingerprint,
                nudity=round(max(float(verdict.nudity), sketch.nudity or 0.0), 6),
            )
            return _signed(changed, desk, "stylist", "gate")
        reason = verdict.reason
        avoid = (chosen.key, *avoid)
    raise PictureDropped(f"restyled: {reason}")


def _caption(sketch: ArtworkInProgress, desk: StepContext) -> ArtworkInProgress:
    """Describe the picture as it was before the brush strokes: so it is most like the photos captioners learn from."""
    captioner: interfaces.Captioner = desk.maker("captioner")
    caption = captioner.describe(_picture(desk, sketch.enlarged))
    return _signed(sketch.evolve(caption=caption), desk, "captioner")


def _write(sketch: ArtworkInProgress, desk: StepContext) -> ArtworkInProgress:
    """Write the alt text and the post's text."""
    scribe: interfaces.TextWriter = desk.maker("scribe")
    words = scribe.write(sketch)
    return _signed(sketch.evolve(alt_text=words.alt_text, post_text=words.post_text), desk, "scribe")


def _finish(sketch: ArtworkInProgress, desk: StepContext) -> ArtworkInProgress:
    """Make the files that are kept, posted and looked at."""
    finisher: interfaces.Exporter = desk.maker("finisher")
    signed = _signed(sketch, desk, "finisher")
    files = finisher.finish(signed, _picture(desk, sketch.styled), desk.folder)
    names = {name: getattr(files, name).relative_to(desk.folder).as_posix() for name in ("full", "post", "card")}
    return signed.evolve(**names)


def _nothing(_: StepContext) -> None:
    """Nothing beside what is read."""


_POEM = ("haiku", "mood", "theme", "seed")

STEPS = (
    Step(
        name="poem",
        roles=("poet",),
        reads=("seed", "theme", "mood"),
        work=_poem,
        past=lambda desk: [list(poem.lines) for poem in desk.poems],
    ),
    Step(name="mood", roles=("mood-reader",), reads=("haiku", "mood"), past=_nothing, work=_feel),
    Step(
        name="painting",
        roles=("painter", "gate"),
        reads=_POEM,
        work=_paint,
        past=lambda desk: [desk.plan.candidates, desk.plan.rounds, list(desk.plan.known)],
    ),
    Step(name="enlarge", roles=("enlarger",), reads=("painting",), past=lambda desk: desk.plan.size, work=_enlarge),
    Step(
        name="style",
        roles=("stylist", "gate"),
        work=_restyle,
        reads=("enlarged", "haiku", "mood", "seed", "wanted_style", "style_mode", "nudity"),
        past=lambda desk: [list(desk.styles), list(desk.known)],
    ),
    Step(name="caption", roles=("captioner",), reads=("enlarged",), past=_nothing, work=_caption),
    Step(
        name="words",
        roles=("scribe",),
        past=_nothing,
        work=_write,
        reads=("haiku", "mood", "theme", "style", "subject", "caption", "seed"),
    ),
    Step(
        name="finish",
        roles=("finisher",),
        past=_nothing,
        work=_finish,
        reads=(
            "haiku",
            "mood",
            "mood_source",
            "theme",
            "style",
            "styled",
            "caption",
            "alt_text",
            "post_text",
            "seed",
            "models",
        ),
    ),
)
"""Every step, in order."""


def step_named(name: str) -> Step:
    """The step of that name.

    Raises:
        StepFailed: there is none.
    """
    for step in STEPS:
        if step.name == name:
            return step
    raise StepFailed(f"no step named {name!r}; known: {', '.join(step.name for step in STEPS)}")
