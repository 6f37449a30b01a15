"""Making artworks, and new versions of drafts: `make`, `restyle` and `repaint`."""

from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.app import DraftId, Json, app_context
from auria_bot.cli.studio.drafts import print_summary
from auria_bot.cli.terminal.console import counted, note, out, print_json
from auria_bot.cli.terminal.progress import following
from auria_bot.domain.artwork import LONGEST_THEME
from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.errors import AuriaError, InputError, NotFound, UsageError
from auria_bot.execution.parent_watch import report
from auria_bot.services.serialization import draft_json, run_json
from auria_bot.services.studio.review import kept_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.draft import Draft
    from auria_bot.services.studio.studio import RunResult

__all__ = ["make", "repaint", "restyle"]

FreshWords = Annotated[
    bool, typer.Option("--fresh-words", help="Write all texts anew. Default: those you edited are kept.")
]
StyleName = Annotated[
    str | None, typer.Option("--style", help="An artist, or a painting's key or title (see auria styles list).")
]
Strength = Annotated[
    float | None, typer.Option("--strength", min=0.0, max=1.0, help="Of the style. Default: the mood's.")
]
_ENGLISH_POETS = frozenset({"word-lstm"})  # the sentence encoder gives them letters and unknown words of other scripts
Mode = Annotated[
    str | None,
    typer.Option(
        "--mode",
        help="oil, watercolour or ink: stroke by stroke; painterly: by a network; photorealistic: colours only.",
    ),
]


def make(
    count: Annotated[int | None, typer.Option("--count", "-n", min=1, max=1000, help="How many artworks.")] = None,
    theme: Annotated[str | None, typer.Option("--theme", "-t", help='The theme; "-" reads it from stdin.')] = None,
    season: Annotated[
        str | None,
        typer.Option(
            "--season",
            help='Take the theme from the words of a season: spring, summer, autumn, winter, "new year", or now.',
        ),
    ] = None,
    mood: Annotated[
        str | None,
        typer.Option(
            "--mood",
            "-m",
            help='A mood (see auria moods); "read": from the poem; "draw": at random. '
            "Default: inferred from the poem or from engagement.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", "-s", help="The same seed makes the same artwork.")] = None,
    style: StyleName = None,
    strength: Strength = None,
    mode: Mode = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue runs that were interrupted or failed; start no new one."),
    ] = False,
    discard: Annotated[
        str | None,
        typer.Option("--discard", metavar="RUN", help='Discard an unfinished run, or "all" of them; drafts stay.'),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make artworks, each a draft for review.

    Each gets a poem, a painting of it, a version restyled in a mood, and the texts for publishing.
    """
    given = {"season": season, "mood": mood, "seed": seed, "style": style, "strength": strength}
    _check_options({"theme": theme, **given, "count": count}, resume, discard)
    request = ArtworkRequest(
        theme=_theme(theme), season=season, mood=mood, style=style, strength=strength, mode=mode, seed=seed
    )
    with app_context() as app:
        if discard is not None:
            _discard(app, discard, as_json=as_json)
            return
        try:
            made = _resume(app) if resume else [_new(app, replace(request, count=count or app.settings.studio.count))]
        except KeyboardInterrupt:
            note("interrupted; finished steps are kept, to continue: auria make --resume")
            raise
        _print_made(app, made, as_json=as_json)


def _check_options(options: Mapping[str, object], resume: bool, discard: str | None) -> None:
    """Make sure that the options can be combined.

    Raises:
        InputError: two of them cannot.
    """
    given = [name for name, value in options.items() if value is not None]
    if resume and given:
        raise UsageError(f"--resume takes the request from the interrupted run; leave out --{given[0]}")
    if discard is not None and (given or resume):
        raise UsageError(f"--discard makes nothing; leave out --{[*given, 'resume'][0]}")
    if {"theme", "season"} <= set(given):
        raise UsageError("--season chooses the theme; leave out --theme or --season")


def _new(app: Application, request: ArtworkRequest) -> RunResult:
    """Start a run, with its progress on stderr."""
    with app.worker_ahead():
        if request.season is not None:
            request = app.studio.with_theme(request)
            note(f"the theme is {request.theme!r} ({request.season})")
        with following(request.count) as progress:
            return app.studio.make(request, progress=progress)


def _theme(given: str | None) -> str | None:
    """The theme from the command line or from stdin, without surplus white space.

    Raises:
        InputError: it is empty, too long or has invisible characters.
    """
    if given is None:
        return None
    # One character too many tells that it is too long; the rest of ten megabytes is never read.
    text = sys.stdin.buffer.read(8 * LONGEST_THEME).decode("utf-8", errors="replace") if given == "-" else given
    text = " ".join(text.split(None)) if len(text) <= 8 * LONGEST_THEME else text
    if len(text) > LONGEST_THEME:
        raise InputError(
            f"the theme is longer than {LONGEST_THEME} characters; a few words are best:"
            " auria make --theme 'first snow'"
        )
    if not text:
        raise InputError("the theme is empty; without --theme the poem chooses its own")
    if bad := next((char for char in text if not char.isprintable()), None):
        raise InputError(f"the theme holds the invisible character U+{ord(bad):04X}; write it without")
    return text


def _resume(app: Application) -> list[RunResult]:
    """Continue every unfinished run; one that cannot be finished does not stop the others."""
    made: list[RunResult] = []
    first: AuriaError | None = None
    for run in app.studio.unfinished():
        try:
            if run.problem:
                raise InputError(run.problem)
            note(f"continuing run {run.run}: {run.finished} of {counted(run.count, 'artwork')} finished")
            with following(run.count) as progress:
                made.extend(
                    app.studio.resume(run.run, progress=progress, skipped=lambda error: note(f"skipped: {error}"))
                )
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
    """Discard one unfinished run, or all.

    Raises:
        NotFound: there is no such run.
        InvalidTransition: another process is working on it.
    """
    unfinished = [one.run for one in app.studio.unfinished()]
    if run != "all" and run not in unfinished:
        raise NotFound(f"no unfinished run {run[:60]!r}; there are: {', '.join(unfinished) or 'none'}")
    discarded = unfinished if run == "all" else [run]
    for name in discarded:
        app.studio.discard(name)
    if as_json:
        print_json({"discarded": discarded})
    else:
        note(f"discarded {', '.join(discarded)}" if discarded else "nothing is unfinished")


def _print_made(app: Application, made: Sequence[RunResult], *, as_json: bool) -> None:
    """Print the results of runs.

    Raises:
        AuriaError: some artworks failed; the finished drafts are printed first.
    """
    failures = [failure for one in made for failure in one.failures]
    count, seconds = sum(len(one.drafts) for one in made), sum(one.seconds for one in made)
    report(f"made {count} in {seconds:.1f} s" if count else "nothing is unfinished")
    unread = {one.run: _unread_themes(one, poet=app.settings.poet.backend) for one in made}
    for said in dict.fromkeys(said for run in unread.values() for said in run):
        note(said)
    if as_json:
        print_json([run_json(one, app.pictures) | {"notes": unread[one.run]} for one in made])
    else:
        console = out()
        for draft in (draft for one in made for draft in one.drafts):
            print_summary(app, draft, console)
        if count:
            note(f"made {count} in {seconds:.1f} s; review them: auria review")
        elif not failures:
            note("nothing is unfinished; start a new run: auria make")
    if failures:
        stuck = ", ".join(one.run for one in made if one.failures)
        note(f"try again: auria make --resume; or discard: auria make --discard RUN (unfinished: {stuck})")
        for failure in failures[1:]:
            note(f"Error: {failure.to_error()}")
        raise failures[0].to_error()


def _unread_themes(run: RunResult, *, poet: str) -> list[str]:
    """A sentence for each theme of which the poet can read no word, where that is known of the poet."""
    themes = dict.fromkeys(draft.artwork.theme for draft in run.drafts if draft.artwork.theme)
    return [
        f"the theme {theme!r} could not be used for the poem: the poet reads English, and it has no word in Latin"
        " letters; it is only kept with the draft"
        for theme in themes
        if poet in _ENGLISH_POETS and not re.search("[A-Za-z]", unicodedata.normalize("NFKD", theme))
    ]


def restyle(
    draft_id: DraftId,
    style: StyleName = None,
    strength: Strength = None,
    mood: Annotated[str | None, typer.Option("--mood", "-m", help="Another mood (see auria moods).")] = None,
    mode: Mode = None,
    seed: Annotated[int | None, typer.Option("--seed", "-s", help="The same seed makes the same artwork.")] = None,
    fresh_words: FreshWords = False,
    as_json: Json = False,
) -> None:
    """Make a new version of a draft in another style.

    Poem, painting and the texts that you edited stay the same. The new version replaces the draft, which is rejected;
    auria approve chooses it again.
    """
    request = ArtworkRequest(style=style, strength=strength, mood=mood, mode=mode, seed=seed)
    with app_context() as app:
        with following(1) as progress:
            new = app.review.restyle(draft_id, request, fresh_words=fresh_words, progress=progress)
        _print_new(app, draft_id, new, as_json=as_json)


def repaint(
    draft_id: DraftId,
    seed: Annotated[int | None, typer.Option("--seed", "-s", help="The same seed makes the same artwork.")] = None,
    fresh_words: FreshWords = False,
    as_json: Json = False,
) -> None:
    """Make a new version of a draft with another picture.

    The poem and the text that you edited stay the same, the alt text is new. The new version replaces the draft, which
    is rejected; auria approve chooses it again.
    """
    with app_context() as app:
        with following(1) as progress:
            request = ArtworkRequest(seed=seed)
            new = app.review.repaint(draft_id, request, fresh_words=fresh_words, progress=progress)
        _print_new(app, draft_id, new, as_json=as_json)


def _print_new(app: Application, old: int, new: Draft, *, as_json: bool) -> None:
    """Print a new version of a draft."""
    if as_json:
        print_json(draft_json(new, app.pictures))
        return
    print_summary(app, new, out())
    if kept := kept_words(app.review.draft(old), new):
        note(f"kept as you edited it: {', '.join(kept)}; to write all anew: --fresh-words")
    note(
        f"draft {new.id} replaces draft {old}; look at it: auria show {new.id}; choose the other: auria approve {old};"
        f" keep both: auria undo {old}"
    )
