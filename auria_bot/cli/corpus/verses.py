"""The corpus of verse: `corpus import`, `forget`, `stats`, `sample`, `export`, `version`, `versions`, `diff` and `drop`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.corpus import refresh as reddit
from auria_bot.cli.terminal.console import note
from auria_bot.errors import InputError, NotFound

if TYPE_CHECKING:
    from auria_bot.corpus.versions import CorpusVersion
    from auria_bot.services.corpus.corpus_import import ImportReport

__all__ = [
    "compare",
    "corpus",
    "drop",
    "edition_json",
    "export",
    "forget",
    "import_files",
    "print_report",
    "sample",
    "stats",
    "version",
    "versions",
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

corpus = typer.Typer(
    help="The verse that Auria learns from: import, look at it, forget, make versions.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
corpus.command()(reddit.refresh)
corpus.command()(reddit.login)


@corpus.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files, or folders of `datasets`.")],
    subreddit: Annotated[
        list[str] | None,
        typer.Option(
            "--subreddit", "-r", help='Of a dump only these; "all" for all; those of the settings by default.'
        ),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="WHAT=FIELD", help="Which field is text, id, author, created, score, licence, collection."
        ),
    ] = None,
    licence: Annotated[str, typer.Option("--licence", help="The texts' licence, where the file does not say.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and judge everything, keep nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Take verse out of files: Reddit dumps and listings, text, CSV, JSON lines, Arrow, Parquet.

    Dumps are .ndjson, plain, .gz or .zst. Bad lines are counted and stop nothing; an import may be repeated, and one that was stopped is
    finished by repeating it.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.terminal.console import print_json
    from auria_bot.cli.terminal.progress import reading
    from auria_bot.services.corpus.corpus_import import ImportReport

    fields = _mapping(mapping or ())
    for file in files:
        if not file.exists():
            raise NotFound(f"no file {file}")
    told: list[dict[str, Any]] = []
    with app_context() as app:
        wanted = tuple(subreddit or app.settings.corpus.subreddits)
        for file in files:
            report = ImportReport()
            try:
                with reading(file) as tell:
                    app.librarian.import_file(
                        file,
                        subreddits=() if "all" in wanted else wanted,
                        mapping=fields,
                        licence=licence,
                        dry_run=dry_run,
                        tell=lambda done, tell=tell, report=report: tell(
                            done, f"{report.tally.lines:,} lines, {report.kept:,} poems"
                        ),  # type: ignore[misc]
                        report=report,
                    )
            except KeyboardInterrupt:
                note("stopped; what was read is kept, and the same command finishes it")
                raise
            told.append({"file": str(file), **report.to_json()})
            if not as_json:
                print_report(file.name, report, dry_run=dry_run)
    if as_json:
        print_json(told)
    elif not dry_run and any(one["new"] for one in told):
        note("see what is there: auria corpus stats    make a version to train on: auria corpus version")


def _mapping(given: list[str] | tuple[str, ...]) -> dict[str, str]:
    """The fields that `--map` names.

    Raises:
        InputError: one is not WHAT=FIELD.
    """
    found = {}
    for one in given:
        what, equals, name = one.partition("=")
        if not (what and equals and name):
            raise InputError(f"--map takes WHAT=FIELD, such as text=poem, not {one[:60]!r}")
        found[what.strip()] = name.strip()
    return found


def print_report(name: str, report: ImportReport, *, dry_run: bool = False) -> None:
    """Say what came of reading, in a few lines."""
    from auria_bot.cli.corpus.corpus_view import report_lines
    from auria_bot.cli.terminal.console import out

    console = out()
    for line in report_lines(name, report, dry_run=dry_run):
        console.print(line)


@corpus.command()
def forget(
    what: Annotated[
        list[str], typer.Argument(metavar="ID|AUTHOR...", help="A post's id or address, u/NAME, or a verse's digest.")
    ],
    as_json: Json = False,
) -> None:
    """Forget posts, authors or verses, for good.

    What was forgotten is never taken again, wherever it is met.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.terminal.console import print_json

    with app_context() as app:
        gone = {one: app.librarian.forget(one) for one in what}
        older = [one.name for one in app.press.list() if app.press.lies(one)]
    if as_json:
        print_json({"forgotten": gone, "versions": older})
        return
    for one, count in gone.items():
        typer.echo(f"{one}: {count} verse{'' if count == 1 else 's'} forgotten; it will not be taken again")
    if sum(gone.values()) and older:
        note(
            f"versions made before may hold it: {', '.join(older[:4])}; auria corpus version, then auria corpus drop NAME"
        )


@corpus.command()
def stats(as_json: Json = False) -> None:
    """Tell what the corpus holds: size, forms, years, subreddits, seasons, what was rejected and why."""
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.corpus import corpus_view
    from auria_bot.cli.terminal.console import out, print_json

    with app_context() as app:
        counts, known = app.librarian.counts(), app.press.list()
    if as_json:
        print_json({**counts, "versions": [edition_json(one) for one in known]})
    elif not counts["state"]:
        note("the corpus is empty; fill it with: auria corpus import FILE")
    else:
        console = out()
        console.print(corpus_view.overview(counts, known, width=console.width))


@corpus.command()
def sample(
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1000, help="How many.")] = 5,
    season: Annotated[
        str | None, typer.Option("--season", help='spring, summer, autumn, winter, "new year", or now.')
    ] = None,
    form: Annotated[str | None, typer.Option("--form", help="575 or free.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", "-s", help="The same seed shows the same verses.")] = None,
    as_json: Json = False,
) -> None:
    """Show some verses by chance."""
    import secrets

    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.corpus.corpus_view import verse_lines
    from auria_bot.cli.terminal.console import out, print_json
    from auria_bot.corpus.language.season_words import season_named
    from auria_bot.corpus.versions import described

    with app_context() as app:
        wanted = season_named(season, app.clock().date(), hemisphere=app.settings.hemisphere) if season else None
        if form not in {None, "575", "free"}:
            raise InputError(f"--form cannot be {form!r:.40}; known: 575, free")
        found = app.librarian.sample(
            count, season=wanted, form=form, seed=secrets.randbits(32) if seed is None else seed
        )
    if as_json:
        print_json([described(piece) for piece in found])
        return
    if not found:
        note("there is no such verse; see what is there: auria corpus stats")
    console = out()
    for piece in found:
        for line in verse_lines(piece):
            console.print(line)


@corpus.command()
def export(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Its name says the form: .jsonl, .jsonl.gz, .jsonl.zst, .csv or .txt."),
    ],
) -> None:
    """Write everything that is kept into a file.

    The verses belong to their poets: they may be read, and learned from, but not published.
    """
    from auria_bot.cli.app_context import app_context

    with app_context() as app:
        count = app.press.export(file)
    typer.echo(f"{count:,} verses: {file.absolute()}")


@corpus.command()
def version(as_json: Json = False) -> None:
    """Make a version: everything kept that the rules allow, without near-duplicates, in a file that never changes."""
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.terminal.console import print_json

    note("choosing verses; a few hundred thousand take minutes")
    with app_context() as app:
        before = {one.name for one in app.press.list()}
        made = app.press.make()
        path = app.press.file(made)
    if as_json:
        print_json({**edition_json(made), "path": str(path), "is_new": made.name not in before})
        return
    if made.name in before:
        typer.echo(f"nothing changed since version {made.name}, {made.verses:,} verses")
    else:
        typer.echo(f"version {made.name}: {made.verses:,} verses")
        for reason, count in made.settings.get("left_out", {}).items():
            typer.echo(f"  left out: {count:,} {reason}")
    typer.echo(str(path))
    note("train on it with: auria train poet --corpus newest")


@corpus.command()
def versions(as_json: Json = False) -> None:
    """List the versions, the newest first."""
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.corpus.corpus_view import version_table
    from auria_bot.cli.terminal.console import out, print_json

    with app_context() as app:
        known = app.press.list()
        there = {one.name for one in known if app.press.lies(one)}
        zone = app.settings.time_zone
    if as_json:
        print_json([{**edition_json(one), "is_there": one.name in there} for one in known])
    elif known:
        out().print(version_table(known, there, zone))
    else:
        note("there is no version yet; make one: auria corpus version")


@corpus.command("diff")
def compare(
    before: Annotated[str, typer.Argument(metavar="A", help="A version, or the end of its name.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The version it is compared with.")] = "newest",
    as_json: Json = False,
) -> None:
    """Tell what came and what went between two versions."""
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.corpus.corpus_view import change_lines
    from auria_bot.cli.terminal.console import out, print_json

    with app_context() as app:
        names = app.press.find(before).name, app.press.find(after).name
        change = app.press.compare(*names)
    if as_json:
        print_json(
            {
                "before": names[0],
                "after": names[1],
                "added": change.added,
                "removed": change.removed,
                "same": change.same,
                "came": [list(lines) for lines in change.came],
                "went": [list(lines) for lines in change.went],
            }
        )
        return
    console = out()
    for line in change_lines(names, change):
        console.print(line)


@corpus.command()
def drop(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The version, or the end of its name.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a version's file; its name stays known."""
    from auria_bot.cli.app_context import app_context

    with app_context() as app:
        one = app.press.find(name)
        if not yes:
            if not sys.stdin.isatty():
                raise InputError(f"say that you mean it: auria corpus drop {one.name} --yes")
            typer.confirm(f"remove the {one.verses:,} verses of {one.name}?", abort=True)
        app.press.drop(one.name)
    typer.echo(f"{one.name} is removed")


def edition_json(one: CorpusVersion) -> dict[str, Any]:
    """A version for programs."""
    return {
        "name": one.name,
        "made_at": one.made_at.isoformat(),
        "verses": one.verses,
        "sha256": one.sha256,
        **one.settings,
    }
