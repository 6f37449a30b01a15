"""Making artworks: `make` and `sheet`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.terminal.console import note
from auria_bot.domain.haiku import LONGEST_THEME
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
            help='A mood (see auria moods); "read": from the poem; "draw": any. Else the poem, or what was loved, decides.',
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

    She writes a poem, paints it, restyles the picture in a mood and finds the words that go with it.
    """
    from auria_bot.cli.app_context import app_context

    _agree(
        {"theme": theme, "season": season, "mood": mood, "seed": seed, "style": style, "count": count}, resume, discard
    )
    words = _theme(theme)
    with app_context() as app:
        if season is not None:
            words = _seasonal(app, season, seed)
        if discard is not None:
            _discard(app, discard, as_json=as_json)
            return
        try:
            made = (
                _resume(app)
                if resume
                else [_new(app, count, words, mood, seed, style, mode, seasonal=season is not None)]
            )
        except KeyboardInterrupt:
            note("interrupted; every finished step is kept: auria make --resume")
            raise
        _tell_made(app, made, as_json=as_json)


def _agree(wishes: Mapping[str, object], resume: bool, discard: str | None) -> None:
    """Make sure that the options go together.

    Raises:
        InputError: two of them do not.
    """
    given = [name for name, value in wishes.items() if value is not None]
    if resume and given:
        raise InputError(f"--resume takes the wishes from the interrupted run; leave out --{given[0]}")
    if discard is not None and (given or resume):
        raise InputError(f"--discard makes nothing; leave out --{[*given, 'resume'][0]}")
    if {"theme", "season"} <= set(given):
        raise InputError("--season finds a theme itself; leave out --theme or --season")


def _new(
    app: Application,
    count: int | None,
    theme: str | None,
    mood: str | None,
    seed: int | None,
    style: str | None,
    mode: str,
    *,
    seasonal: bool,
) -> RunResult:
    """Make something new, followed on stderr."""
    from auria_bot.cli.terminal.progress import following

    number = count or app.settings.studio.count
    with following(number) as tell:
        return app.studio.make(
            count=number, theme=theme, mood=mood, seed=seed, style=style, mode=mode, seasonal=seasonal, progress=tell
        )


def _seasonal(app: Application, season: str, seed: int | None) -> str:
    """A theme out of the season words; the same seed finds the same one.

    Raises:
        UnknownName: there is no such season.
    """
    import secrets

    from auria_bot.cli.corpus.verses import season_named
    from auria_bot.corpus.language.season_words import theme_in

    name = season_named(season, app.settings.hemisphere, app.clock().date())
    found = theme_in(name, seed=secrets.randbits(32) if seed is None else seed)
    note(f"the theme is {found!r}, of {name}")
    return found


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
    """Take up every unfinished run, one after another; what cannot be finished does not stop the next."""
    from auria_bot.cli.terminal.progress import following

    made: list[RunResult] = []
    first: AuriaError | None = None
    for run in app.studio.unfinished():
        note(f"going on with run {run.run}: {run.finished} of {run.count} artworks were finished")
        try:
            with following(run.count) as tell:
                made.extend(app.studio.resume(run.run, progress=tell))
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
        InvalidTransition: another process is at work on it.
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
                            "sketch": bad.sketch,
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
                picture=app.pictures.path(draft.folder, draft.artwork.post),
                poem=draft.artwork.haiku.lines,
                caption=f"{draft.id} · {draft.artwork.mood} · {draft.artwork.style.credit}",
            )
            for draft in drafts
        ]
        contact_sheet.write(frames, target)
    typer.echo(f"contact sheet: {target.absolute()}")
