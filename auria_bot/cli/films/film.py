"""`auria film`: films made by walks through a film model."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from auria_bot.cli.app import Json, app_context, command_group, existing
from auria_bot.cli.terminal.console import counted, echo, note, print_json, print_result, print_rows
from auria_bot.cli.terminal.progress import making_frames
from auria_bot.domain.pipeline import SEEDS
from auria_bot.errors import NotFound, UsageError
from auria_bot.services.films.film_plan import OWN_FLOW, FilmRequest
from auria_bot.services.films.films import estimate, render
from auria_bot.services.films.key_sheet import write_key_sheet
from auria_bot.services.films.model_import import import_model as imported

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.draft import Draft
    from auria_bot.services.films.film_plan import PlannedFilm
    from auria_bot.services.films.films import Film

__all__ = ["film"]


class _FilmCommands(TyperGroup):
    """The commands of `auria film`; any other first word is a model's name, of which a film is made."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["make", *args]
        return super().resolve_command(ctx, args)


film = command_group(cls=_FilmCommands, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The film model, as auria film models lists them.")]
Seed = Annotated[int, typer.Option("--seed", "-s", min=0, max=SEEDS - 1, help="Decides the key frames and the noise.")]
Truncation = Annotated[
    float, typer.Option("--truncation", min=0.0, max=1.5, help="1: all the model's variety; less: nearer to its mean.")
]


def _flowing(given: str) -> str:
    """What --flow was given; a video must be there."""
    if given and given != OWN_FLOW:
        existing(given)
    return given


Mood = Annotated[str | None, typer.Option("--mood", "-m", help="Take the colours of a painting that suits this mood.")]
Flow = Annotated[
    str,
    typer.Option(
        "--flow", callback=_flowing, help="Let the water flow: own, as in the model's footage, or a video, as in that."
    ),
]
Keys = Annotated[
    str | None,
    typer.Option("--keys", help="The key frames, as 3,7,12: numbers of the sheet that auria film pick writes."),
]
Strokes = Annotated[bool, typer.Option("--strokes", help="Paint it with oil, by the hand of that painting.")]
Music = Annotated[
    Path | None,
    typer.Option("--music", callback=existing, help="A file that is heard: repeated, cut and faded to the length."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Make a few frames, and say how long it would take and how large it is.")
]
AsDraft = Annotated[bool, typer.Option("--draft", help="Put it among the drafts, to be reviewed and published.")]
Poem = Annotated[
    str | None,
    typer.Option(
        "--poem", help="The poem it is shown with, as 'one / two / three' or a draft's number. Default: a new one."
    ),
]
LeadingPoem = Annotated[
    str | None,
    typer.Option(
        "--poem",
        help="A draft's number, or 'one / two / three': the film goes from line to line, by the frames that fit best.",
    ),
]

_SIZE = re.compile(r"(\d{1,5})\s*x\s*(\d{1,5})")
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?|\d{1,9}/(?!0+\Z)\d{1,9}")


@film.command("make")
def make(
    name: Name,
    seconds: Annotated[str, typer.Option("--seconds", help="How long it is.")] = "30",
    fps: Annotated[str, typer.Option("--fps", help="Frames a second, as 25 or 30000/1001.")] = "25",
    size: Annotated[str, typer.Option("--size", help="Width and height in pixels.")] = "1920x1080",
    seed: Seed = 1,
    keys: Keys = None,
    loop: Annotated[bool, typer.Option("--loop", help="The last frame leads to the first.")] = False,
    truncation: Truncation = 0.8,
    noise: Annotated[bool, typer.Option("--moving/--still", help="Whether noise moves as waves do.")] = True,
    flow: Flow = "",
    mood: Mood = None,
    style: Annotated[str | None, typer.Option("--style", help="Take the colours of this painting.")] = None,
    strokes: Strokes = False,
    music: Music = None,
    poem: LeadingPoem = None,
    voice: Annotated[bool, typer.Option("--voice", help="Have the poem read aloud; needs auria-bot[voice].")] = False,
    draft: AsDraft = False,
    form: Annotated[str, typer.Option("--format", help="mp4 (H.264) or webm (VP9).")] = "mp4",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Make a film of a model.

    It is kept in the home with a poster. An interrupted call goes on where it stopped; what was made already with the
    same options is not made again. With --poem it begins and ends at the frame that fits the poem best, and passes its
    lines; --keys takes precedence. With --draft it becomes a draft, which channels that take films publish. Needs
    auria-bot[films].
    """
    from auria_bot.art.films.video_writer import format_of

    if voice and poem is None:
        raise UsageError("--voice reads a poem aloud; name one with --poem")
    request = FilmRequest(
        seconds=_number(seconds, "--seconds"),
        rate=_number(fps, "--fps"),
        size=_size(size),
        seed=seed,
        loop=loop,
        truncation=truncation,
        keys=_numbers(keys),
        moving=noise,
        flow=flow,
        mood=mood,
        style=style,
        strokes=strokes,
        music=music,
        voice=voice,
    )
    with app_context() as app:
        if poem is not None:
            request = replace(request, poem=app.film_drafts.poem(poem).lines)
        planned = app.film_planner.plan(name, request, format_of(Path(f"film.{form.lower()}")))
        if dry_run:
            _estimate(app, planned, as_json=as_json)
        else:
            _render(app, planned, draft=draft, as_json=as_json)


@film.command("pick")
def pick(
    name: Name,
    seed: Seed = 1,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=400, help="How many key frames.")] = 40,
    truncation: Truncation = 0.8,
    target: Annotated[
        Path | None, typer.Option("--out", "-o", help="The JPEG file. Default: NAME-keys-SEED.jpg.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a sheet of numbered key frames to choose from.

    The numbers hold for every film of that seed: auria film NAME --seed 5 --keys 3,7,12.
    """
    path = target or Path(f"{name}-keys-{seed}.jpg")
    with app_context() as app:
        write_key_sheet(app.film_planner, name, path, seed=seed, count=count, truncation=truncation)
    value = {"file": str(path.absolute()), "seed": seed, "frames": count}
    print_result(value, f"{path.absolute()}: {counted(count, 'key frame')}", as_json=as_json)
    if not as_json:
        note(f"choose some in their order: auria film {name} --seed {seed} --keys 1,2,3")


@film.command("models")
def list_models(as_json: Json = False) -> None:
    """List the film models."""
    with app_context() as app:
        names = app.film_planner.names()
    print_result(list(names), *names, as_json=as_json)
    if not (names or as_json):
        note("no film model yet; train one: auria train film")


@film.command("import")
def import_model(
    source: Annotated[
        Path, typer.Argument(metavar="FILE", help="The weights (state dict of G_ema) as safetensors; not a pickle.")
    ],
    name: Annotated[str, typer.Option("--name", help="What the model is called from then on.")],
    as_json: Json = False,
) -> None:
    """Import a generator of NVIDIA's stylegan2-ada-pytorch as a film model.

    Sizes are inferred from the weights. Models for labels, and StyleGAN3, cannot be imported. Needs auria-bot[torch].
    """
    with app_context() as app:
        version = imported(source, name, known=app.film_planner.names(), registry=app.model_registry)
    if as_json:
        print_json({"name": name, "model": version.model, "version": version.name})
        return
    echo(f"imported as the film model {name} ({version.model}, version {version.name})")
    note(f"look at it: auria film pick {name}")


@film.command("draft")
def make_draft(
    label: Annotated[str, typer.Argument(metavar="FILM", help="As auria film list shows it.")],
    poem: Poem = None,
    as_json: Json = False,
) -> None:
    """Make a draft of a finished film: with a poem, a poster and alt text, to be reviewed and published."""
    with app_context() as app:
        made = app.films.find(label)
        if made is None:
            raise NotFound(f"no film {label[:60]!r}; auria film list shows them")
        added = app.film_drafts.add(made, app.film_drafts.poem(poem) if poem is not None else None)
        if as_json:
            print_json({"draft": added.id, **_summary(made)})
        else:
            _tell_draft(added)


@film.command("list")
def list_films(as_json: Json = False) -> None:
    """List the finished films, newest first."""
    with app_context() as app:
        films = app.films.all()
    rows = ((one.label, _described(one), str(one.facts["seed"]), str(one.path)) for one in films)
    empty = "no film yet; make one: auria film NAME"
    print_rows(("film", "", "seed", "file"), rows, [_summary(one) for one in films], as_json=as_json, empty=empty)


@film.command("remove")
def remove(
    labels: Annotated[list[str], typer.Argument(metavar="FILM", help="As auria film list shows them.")],
    as_json: Json = False,
) -> None:
    """Remove films, or what interrupted calls left of them."""
    with app_context() as app:
        for label in dict.fromkeys(labels):
            app.films.remove(label)
    print_result({"removed": labels}, f"removed {counted(len(labels), 'film')}", as_json=as_json)


def _number(text: str, option: str) -> Fraction:
    """A positive number.

    Raises:
        UsageError: it is none.
    """
    found = Fraction(text) if _NUMBER.fullmatch(text) else Fraction(0)
    if found <= 0:
        raise UsageError(f"{option} {text[:20]!r} is no number above 0; write it as 25, 12.5 or 30000/1001")
    return found


def _size(text: str) -> tuple[int, int]:
    """A width and height in pixels.

    Raises:
        UsageError: it is none.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"--size {text[:20]!r} is no width and height; write it as 1920x1080")
    return int(found[1]), int(found[2])


def _numbers(text: str | None) -> tuple[int, ...]:
    """Numbers separated by commas.

    Raises:
        UsageError: something else.
    """
    parts = [part.strip() for part in text.split(",")] if text is not None else []
    for part in parts:
        if not (part.isascii() and part.isdecimal() and len(part) < 6):
            raise UsageError(f"--keys {part[:20]!r} is no key frame's number; write them as 3,7,12")
    return tuple(int(part) for part in parts)


def _estimate(app: Application, planned: PlannedFilm, *, as_json: bool) -> None:
    found, plan = estimate(planned, lambda: app.video_stylist), planned.plan
    value = {"seconds": round(found.seconds, 1), "bytes": found.bytes, "plan": dict(plan)}
    minutes = f"{found.seconds / 60:.0f} min" if found.seconds > 90 else f"{found.seconds:.0f} s"
    line = f"{counted(plan['frames'], 'frame')}: about {minutes} to make, about {found.bytes / 1e6:.1f} MB"
    print_result(value, line, as_json=as_json)


def _tell_draft(added: Draft) -> None:
    echo(f"draft {added.id}: {added.artwork.haiku}")
    note(f"review it: auria show {added.id}, auria approve {added.id}")


def _render(app: Application, planned: PlannedFilm, *, draft: bool, as_json: bool) -> None:
    with making_frames() as progress:
        made, known = render(app.films, planned, progress, lambda: app.video_stylist)
    added = app.film_drafts.add(made) if draft else None
    if as_json:
        print_json({"made": not known, **_summary(made), **({"draft": added.id} if added else {})})
        return
    if known:
        note("this film was there already")
    echo(f"{made.path}: {_described(made)}")
    if added is not None:
        _tell_draft(added)


def _described(made: Film) -> str:
    facts = made.facts
    width, height = facts["size"]
    return f"{counted(facts['frames'], 'frame')} of {width} x {height} pixels, {facts['bytes'] / 1e6:.1f} MB"


def _summary(made: Film) -> dict[str, Any]:
    return {**made.facts, "film": made.label, "file": str(made.path), "poster": str(made.poster)}
