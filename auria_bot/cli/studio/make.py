"""Making artworks: `make` and `sheet`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.terminal.console import note
from auria_bot.domain.haiku import LONGEST_THEME
from auria_bot.domain.request import ArtworkRequest
from auria_bot.errors import AuriaError, InputError, NotFound
from auria_bot.execution.parent_watch import report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.draft import Draft
    from auria_bot.services.studio.studio import RunResult

__all__ = ["make", "print_draft", "sheet"]


def make(
    count: Annotated[int | None, typer.Option("--count", "-n", min=1, max=1000, help="How many artworks.")] = None,
    theme: Annotated[
        str | None, typer.Option("--theme", "-t", help='What they are about; "-" reads it from stdin.')
    ] = None,
    season: Annotated[
        str | None,
        typer.Option(
            "--season", help='Words of a season as the theme: spring, summer, autumn, winter, "new year", or now.'
        ),
    ] = None,
    mood: Annotated[
        str | None,
        typer.Option(
            "--mood",
            "-m",
            help='A mood (see auria moods); "read": from the poem; "draw": any. Default: from engagement or the poem.',
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", "-s", help="The same seed makes the same artwork.")] = None,
    style: Annotated[
        str | None, typer.Option("--style", help="A painting's key or title (see auria styles list).")
    ] = None,
    mode: Annotated[str, typer.Option("--mode", help="painterly, or photorealistic: colours only.")] = "painterly",
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the runs that were interrupted or failed; make nothing new."),
    ] = False,
    discard: Annotated[
        str | None,
        typer.Option("--discard", metavar="RUN", help='Give up an unfinished run, or "all" of them; drafts stay.'),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make artworks, each a draft for review.

    Each gets a poem, a painting of it, a version restyled in a mood, and the texts for publishing.
    """
    from auria_bot.cli.app_context import app_context

    _check_options(
        {"theme": theme, "season": season, "mood": mood, "seed": seed, "style": style, "count": count}, resume, discard
    )
    request = ArtworkRequest(theme=_theme(theme), season=season, mood=mood, style=style, mode=mode, seed=seed)
    with app_context() as app:
        if discard is not None:
            _discard(app, discard, as_json=as_json)
            return
        try:
            made = _resume(app) if resume else [_new(app, replace(request, count=count or app.settings.studio.count))]
        except KeyboardInterrupt:
            note("interrupted; every finished step is kept: auria make --resume")
            raise
        _tell_made(app, made, as_json=as_json)


def _check_options(options: Mapping[str, object], resume: bool, discard: str | None) -> None:
    """Make sure that the options can be combined.

    Raises:
        InputError: two of them cannot.
    """
    given = [name for name, value in options.items() if value is not None]
    if resume and given:
        raise InputError(f"--resume takes the request from the interrupted run; leave out --{given[0]}")
    if discard is not None and (given or resume):
        raise InputError(f"--discard makes nothing; leave out --{[*given, 'resume'][0]}")
    if {"theme", "season"} <= set(given):
        raise InputError("--season chooses the theme; leave out --theme or --season")


def _new(app: Application, request: ArtworkRequest) -> RunResult:
    """Make something new, with its progress on stderr."""
    from auria_bot.cli.terminal.progress import following

    if request.season is not None:
        request = app.studio.with_theme(request)
        note(f"the theme is {request.theme!r}, of {request.season}")
    with following(request.count) as report:
        return app.studio.make(request, progress=report)


def _theme(given: str | None) -> str | None:
    """The theme, from the command line or from stdin, in a form that is safe to print and to set."""
    if given is None:
        return None
    # One character too many tells that it is too long; the rest of ten megabytes is never read.
    text = sys.stdin.buffer.read(8 * LONGEST_THEME).decode("utf-8", errors="replace") if given == "-" else given
    text = " ".join(text.split(None)) if len(text) <= 8 * LONGEST_THEME else text
    if len(text) > LONGEST_THEME:
        raise InputError(
            f"the theme is longer than {LONGEST_THEME} characters; a few words are best: auria make --theme 'first snow'"
        )
    if not text:
        raise InputError("the theme is empty; leave --theme out and she finds her own")
    if bad := next((char for char in text if not char.isprintable()), None):
        raise InputError(f"the theme holds the invisible character U+{ord(bad):04X}; write it without")
    return text


def _resume(app: Application) -> list[RunResult]:
    """Go on with every unfinished run; one that cannot be finished does not stop the others."""
    from auria_bot.cli.terminal.progress import following

    made: list[RunResult] = []
    first: AuriaError | None = None
    for run in app.studio.unfinished():
        try:
            if run.problem:
                raise InputError(run.problem)
            note(f"going on with run {run.run}: {run.finished} of {run.count} artworks were finished")
            with following(run.count) as report:
                made.extend(app.studio.resume(run.run, progress=report))
        except AuriaError as error:
            if first is not None:
                note(f"also: {first}")
            first = error
    if first is not None and not made:
        raise first
    if first is not None:
        note(f"one run is still unfinished: {first}")
    return made


def _discard(app: Application, run: str, *, as_json: bool) -> None:
    """Give up one unfinished run, or all.

    Raises:
        NotFound: there is no such run.
        InvalidTransition: another process is working on it.
    """
    from auria_bot.cli.terminal.console import print_json

    unfinished = [one.run for one in app.studio.unfinished()]
    if run != "all" and run not in unfinished:
        raise NotFound(f"no unfinished run {run[:60]!r}; there are: {', '.join(unfinished) or 'none'}")
    given_up = unfinished if run == "all" else [run]
    for one in given_up:
        app.studio.discard(one)
    if as_json:
        print_json({"discarded": given_up})
    else:
        note(f"gave up {', '.join(given_up)}" if given_up else "nothing is unfinished")


def _tell_made(app: Application, made: Sequence[RunResult], *, as_json: bool) -> None:
    """Print what runs came to; an artwork that failed makes the exit code that of its error.

    Raises:
        AuriaError: some artworks failed; the drafts that came about are printed first.
    """
    from auria_bot.cli.studio.views import draft_json
    from auria_bot.cli.terminal.console import out, print_json

    failures = [failure for one in made for failure in one.failures]
    count, seconds = sum(len(one.drafts) for one in made), sum(one.seconds for one in made)
    report(f"made {count} in {seconds:.1f} s" if count else "nothing is unfinished")
    if as_json:
        print_json(
            [
                {
                    "run": one.run,
                    "seed": one.seed,
                    "seconds": round(one.seconds, 3),
                    "peak_bytes": one.peak_bytes,
                    "steps": dict(one.steps),
                    "drafts": [draft_json(draft, app.pictures) for draft in one.drafts],
                    "failures": [
                        {
                            "sketch": bad.artwork,
                            "step": bad.step,
                            "error": bad.error,
                            "message": bad.message,
                            "log": bad.log,
                        }
                        for bad in one.failures
                    ],
                }
                for one in made
            ]
        )
    else:
        console = out()
        for draft in (draft for one in made for draft in one.drafts):
            print_draft(app, draft, console)
        if count:
            note(f"made {count} in {seconds:.1f} s; now look at them: auria review")
        elif not failures:
            note("nothing is unfinished; make something new: auria make")
    if failures:
        stuck = ", ".join(one.run for one in made if one.failures)
        note(f"try again: auria make --resume; or give up: auria make --discard RUN (unfinished: {stuck})")
        for failure in failures[1:]:
            note(f"Error: {failure.to_error()}")
        raise failures[0].to_error()


def print_draft(app: Application, draft: Draft, console: Console) -> None:
    """Print a new draft in a few lines: what it is, its poem, and where its picture lies."""
    from rich.text import Text

    from auria_bot.cli.studio.views import picture_of

    art = draft.artwork
    console.print(Text.assemble((f"draft {draft.id}", "bold"), f"  {art.mood}, {art.style.credit}, seed {art.seed}"))
    for line in art.haiku.lines:
        console.print(Text(f"    {line}", style="italic"))
    console.print(Text(f"    {picture_of(app.pictures, draft, 'post')}", style="dim"), soft_wrap=True)


def sheet(
    target: Annotated[Path, typer.Argument(help="The JPEG to write.")],
    ids: Annotated[
        list[int] | None, typer.Argument(help="Drafts, by their numbers; the newest twelve by default.")
    ] = None,
) -> None:
    """Write a contact sheet: drafts and their poems on one page."""
    from auria_bot.art.exporters import contact_sheet
    from auria_bot.cli.app_context import app_context
    from auria_bot.errors import NotFound

    with app_context() as app:
        drafts = [app.review.draft(one) for one in ids] if ids else list(app.review.drafts(limit=12))[::-1]
        if not drafts:
            raise NotFound("there is no draft yet; make one: auria make")
        frames = [
            contact_sheet.Frame(
                picture=app.pictures.path(draft.folder, draft.artwork.files["post"].name),
                poem=draft.artwork.haiku.lines,
                caption=f"{draft.id} · {draft.artwork.mood} · {draft.artwork.style.credit}",
            )
            for draft in drafts
        ]
        contact_sheet.write(frames, target)
    typer.echo(f"contact sheet: {target.absolute()}")
