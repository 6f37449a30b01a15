"""What each step of an artwork does, on which fields and files of the artwork, and with which roles' backends.

    poem -> mood -> painting -> enlarge -> style -> caption -> words -> finish

A step is a function from an artwork in progress to a changed one; its files are written into the context's folder.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from auria_bot.domain.artwork import ArtworkFile, ArtworkInProgress, Haiku
from auria_bot.domain.mood import find_mood
from auria_bot.domain.pipeline import STEPS, provenance_name
from auria_bot.errors import NoGoodPicture, StepFailed
from auria_bot.files import sha256_of
from auria_bot.services.studio.plan import Plan, derive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from PIL.Image import Image

    from auria_bot.domain import interfaces
    from auria_bot.domain.artwork import Style
    from auria_bot.domain.mood import Mood
    from auria_bot.execution.work_unit import Report

__all__ = ["PictureRejected", "StepContext", "StepWork", "cache_key", "work_of"]


class PictureRejected(Exception):
    """The safety filter rejected the restyled picture: paint another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """What a step works with besides the artwork."""

    plan: Plan
    folder: Path  # with the artwork's files
    backend: Callable[[str], Any]  # role -> its backend
    poems: Sequence[Haiku]  # to avoid: the newest first; those of earlier artworks of the run included
    styles: Sequence[str]  # style keys, likewise
    fingerprints: Sequence[str]  # likewise
    report: Report | None = None  # takes what there is to see so far; None where nobody watches


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWork:
    """What a step does, and what its result depends on besides the backends of its roles."""

    run: Callable[[ArtworkInProgress, StepContext], ArtworkInProgress]
    fields: tuple[str, ...] = ()  # of the artwork
    files: tuple[str, ...] = ()  # kinds of the artwork's files
    cache_inputs: Callable[[StepContext], Any] = lambda _: None  # of the context, JSON-able


def work_of(step: str) -> StepWork:
    """What the step of that name does.

    Raises:
        StepFailed: there is no such step.
    """
    if step not in _WORK:
        raise StepFailed(f"no step named {step!r}; known: {', '.join(_WORK)}")
    return _WORK[step]


def cache_key(step: str, artwork: ArtworkInProgress, context: StepContext) -> str:
    """The SHA-256 of everything that a step's result depends on: fields, files' bytes, options, models, recent work."""
    work, fields = work_of(step), artwork.to_json()
    roles = next(item.roles for item in STEPS if item.name == step)
    content = {
        "step": step,
        "fields": {name: fields[name] for name in work.fields},
        "files": {kind: sha256_of(_path(artwork, context, kind)) for kind in work.files if kind in artwork.files},
        "context": work.cache_inputs(context),
        "backends": {role: _identity(role, context) for role in roles},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _identity(role: str, context: StepContext) -> list[Any]:
    models, plan = dict(context.backend(role).models()), context.plan
    shared = {name: value for name, value in plan.shared_options.items() if name not in {"banks", "cache"}}
    banks = [Path(bank).name for bank in plan.shared_options.get("banks", ())]  # elsewhere on another machine
    return [plan.backends[role].name, plan.backends[role].options, shared, banks, models]


def _with_models(artwork: ArtworkInProgress, context: StepContext, *roles: str) -> ArtworkInProgress:
    models = dict(artwork.models)
    for role in roles:
        for name, sha256 in cast("Mapping[str, str]", context.backend(role).models()).items():
            models[f"{provenance_name(role)}:{context.plan.backends[role].name}:{name}"] = sha256
    return artwork.evolve(models=tuple(sorted(models.items())))


def _with_files(artwork: ArtworkInProgress, **paths: Path) -> ArtworkInProgress:
    files = {
        kind: ArtworkFile.named(path.name, sha256=sha256_of(path), size=path.stat().st_size)
        for kind, path in paths.items()
    }
    return artwork.evolve(files={**artwork.files, **files})


def _mood(artwork: ArtworkInProgress) -> Mood | None:
    return find_mood(artwork.mood) if artwork.mood else None


def _haiku(artwork: ArtworkInProgress) -> Haiku:
    if artwork.haiku is None:
        raise StepFailed("the artwork has no poem")
    return artwork.haiku


def _path(artwork: ArtworkInProgress, context: StepContext, kind: str) -> Path:
    if kind not in artwork.files:
        raise StepFailed(f"the artwork has no {kind} picture")
    return context.folder / artwork.files[kind].name


def _write_poem(artwork: ArtworkInProgress, context: StepContext) -> ArtworkInProgress:
    poet: interfaces.Poet = context.backend("poet")
    verses = poet.compose(
        seed=derive(artwork.seed, "poem"),
        count=1,
        theme=artwork.theme,
        mood=_mood(artwork),
        recent=tuple(context.poems),
    )
    if not verses:
        raise StepFailed("the poet wrote nothing; try another theme or seed")
    return _with_models(artwork.evolve(haiku=verses[0].haiku), context, "poet")


def _read_mood(artwork: ArtworkInProgress, context: StepContext) -> ArtworkInProgress:
    if artwork.mood is not None:
        return artwork
    reader: interfaces.MoodReader = context.backend("mood_reader")
    mood, _ = reader.read(_haiku(artwork))[0]
    return _with_models(artwork.evolve(mood=mood.name, mood_source="read"), context, "mood_reader")


def _paint(artwork: ArtworkInProgress, context: StepContext) -> ArtworkInProgress:
    """Paint candidates, the best first, until one passes the safety filter.

    Fingerprints are of restyled pictures, which the run's other artworks do not have yet: the style step keeps those
    apart.
    """
    painter: interfaces.Painter = context.backend("painter")
    safety_filter: interfaces.SafetyFilter = context.backend("safety_filter")
    rejected, scratch = list(artwork.rejected), context.folder / "candidates"
    while len(rejected) < context.plan.rounds * context.plan.candidates:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        paintings = painter.paint(
            _haiku(artwork),
            seed=derive(artwork.seed, "painting", len(rejected)),
            count=context.plan.candidates,
            folder=scratch,
            mood=_mood(artwork),
            theme=artwork.theme,
        )
        before = len(rejected)
        for painting in paintings:
            result = safety_filter.judge(painting.path, known=context.plan.fingerprints)
            if result.passed:
                path = painting.path.replace(context.folder / "painting.png")
                shutil.rmtree(scratch, ignore_errors=True)
                changed = artwork.evolve(
                    painting_score=round(float(painting.score), 6),
                    subject=painting.subject,
                    traits=tuple(round(float(trait), 3) for trait in painting.traits),
                    nudity=round(float(result.nudity), 6),
                    rejected=tuple(rejected),
                )
                return _with_models(_with_files(changed, painting=path), context, "painter", "safety_filter")
            rejected.append(f"painting: {result.reason}")
        if len(rejected) == before:
            raise StepFailed("the painter painted nothing")
    shutil.rmtree(scratch, ignore_errors=True)
    raise NoGoodPicture(f"the safety filter rejected all {len(rejected)} pictures, the last one: {rejected[-1]}")


def _enlarge(artwork: ArtworkInProgress, context: StepContext) -> ArtworkInProgress:
    enlarger: interfaces.Enlarger = context.backend("enlarger")
    target = context.folder / "enlarged.png"
    enlarger.enlarge(_path(artwork, context, "painting"), target, size=context.plan.size)
    return _with_models(_with_files(artwork, enlarged=target), context, "enlarger")


def _restyle(artwork: ArtworkInProgress, context: StepContext) -> ArtworkInProgress:
    """Restyle the picture; where the safety filter rejects it, try one more style, then ask for another painting."""
    stylist: interfaces.Stylist = context.backend("stylist")
    safety_filter: interfaces.SafetyFilter = context.backend("safety_filter")
    mood = _mood(artwork)
    if mood is None:
        raise StepFailed("the artwork has no mood")
    source, target = _path(artwork, context, "enlarged"), context.folder / "styled.png"
    avoided, reason = tuple(context.styles), ""
    for attempt in range(1 if artwork.wanted_style else 2):
        seed = derive(artwork.seed, "style", attempt)
        chosen = stylist.choose(
            mood=mood, haiku=_haiku(artwork), picture=source, seed=seed, recent=avoided, wanted=artwork.wanted_style
        )
        style = replace(chosen, mode=artwork.style_mode) if artwork.style_mode else chosen
        if artwork.wanted_strength is not None:
            style = replace(style, strength=artwork.wanted_strength)
        _apply(stylist, source, target, style=style, seed=derive(artwork.seed, "strokes"), context=context)
        result = safety_filter.judge(target, known=tuple(context.fingerprints))
        if result.passed:
            changed = artwork.evolve(
                style=style,
                fingerprint=result.fingerprint,
                nudity=round(max(float(result.nudity), artwork.nudity or 0.0), 6),
            )
            return _with_models(_with_files(changed, styled=target), context, "stylist", "safety_filter")
        reason = result.reason
        avoided = (chosen.key, *avoided)
    raise PictureRejected(f"restyled: {reason}")


def _apply(stylist: Any, source: Path, target: Path, *, style: Style, seed: int, context: StepContext) -> None:
    """Restyle a picture; where somebody watches, and the stylist can, each layer is reported as it is laid.

    Layers are of a picture that passed the safety filter before it was restyled.
    """
    if context.report is None or not getattr(stylist, "shows_layers", False):
        stylist.restyle(source, target, style=style, seed=seed)
        return
    report = context.report

    def show(picture: Image, number: int, count: int) -> None:
        path = context.folder / f"layer-{number}.jpg"
        picture.save(path, "JPEG", quality=80)
        report({"layer": number, "layers": count}, {"layer": ArtworkFile.named(path.name, size=path.stat().st_size)})

    stylist.restyle(source, target, style=style, seed=seed, on_layer=show)


def _caption(artwork: ArtworkInProgress, context: StepContext) -> ArtworkInProgress:
    """Describe the picture before it was restyled: captioners learn from photographs, which it resembles most then."""
    captioner: interfaces.Captioner = context.backend("captioner")
    caption = captioner.describe(_path(artwork, context, "enlarged"))
    return _with_models(artwork.evolve(caption=caption), context, "captioner")


def _write_texts(artwork: ArtworkInProgress, context: StepContext) -> ArtworkInProgress:
    writer: interfaces.TextWriter = context.backend("text_writer")
    texts = writer.write(artwork)
    return _with_models(artwork.evolve(alt_text=texts.alt_text, post_text=texts.post_text), context, "text_writer")


def _export(artwork: ArtworkInProgress, context: StepContext) -> ArtworkInProgress:
    exporter: interfaces.Exporter = context.backend("exporter")
    artwork = _with_models(artwork, context, "exporter")
    return _with_files(artwork, **exporter.export(artwork, _path(artwork, context, "styled"), context.folder))


_WORK = {
    "poem": StepWork(
        run=_write_poem,
        fields=("seed", "theme", "mood"),
        cache_inputs=lambda context: [list(poem.lines) for poem in context.poems],
    ),
    "mood": StepWork(run=_read_mood, fields=("haiku", "mood")),
    "painting": StepWork(
        run=_paint,
        fields=("haiku", "mood", "theme", "seed"),
        cache_inputs=lambda context: [context.plan.candidates, context.plan.rounds, list(context.plan.fingerprints)],
    ),
    "enlarge": StepWork(run=_enlarge, files=("painting",), cache_inputs=lambda context: context.plan.size),
    "style": StepWork(
        run=_restyle,
        fields=("haiku", "mood", "seed", "wanted_style", "wanted_strength", "style_mode", "nudity"),
        files=("enlarged",),
        cache_inputs=lambda context: [list(context.styles), list(context.fingerprints)],
    ),
    "caption": StepWork(run=_caption, files=("enlarged",)),
    "words": StepWork(run=_write_texts, fields=("haiku", "mood", "theme", "style", "subject", "caption", "seed")),
    "finish": StepWork(
        run=_export,
        fields=("haiku", "mood", "mood_source", "theme", "style", "caption", "alt_text", "post_text", "seed", "models"),
        files=("styled",),
    ),
}
