"""The corpus: `corpus import`, `stats`, `sample`, `export`, `version`, `versions`, `diff` and `drop`."""

from __future__ import annotations

import secrets
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.app import Json, app_context, command_group, existing
from auria_bot.cli.corpus import corpus_view, rejected
from auria_bot.cli.corpus import refresh as reddit
from auria_bot.cli.corpus.corpus_view import change_lines, report_lines, verse_lines, version_rows
from auria_bot.cli.terminal.console import counted, echo, note, out, print_json, print_result, print_rows
from auria_bot.cli.terminal.progress import reading
from auria_bot.cli.terminal.prompts import require_confirmation
from auria_bot.corpus.language.season_words import season_named
from auria_bot.corpus.verses import described
from auria_bot.errors import InputError, UsageError
from auria_bot.services.serialization import change_json, corpus_version_json

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.services.corpus.corpus_import import ImportReport

__all__ = [
    "compare",
    "corpus",
    "drop",
    "export",
    "import_files",
    "print_report",
    "sample",
    "stats",
    "version",
    "versions",
]


corpus = command_group(no_args_is_help=True)
corpus.command()(reddit.refresh)
corpus.command()(reddit.login)
corpus.command()(rejected.rejected)
corpus.command()(rejected.accept)
corpus.command()(rejected.forget)


@corpus.command("import")
def import_files(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", callback=existing, help="Files, or folders written by `datasets`.")
    ],
    subreddit: Annotated[
        list[str] | None,
        typer.Option("--subreddit", "-r", help='Of a dump only these; "all" for all. Default: those of the settings.'),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="WHAT=FIELD",
            help="The field with text, id, author, created, score, licence or collection.",
        ),
    ] = None,
    licence: Annotated[
        str, typer.Option("--licence", help="The licence of the texts, when the file does not say.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and filter everything, store nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Import verse from files: Reddit dumps and listings, text, CSV, JSON lines, Arrow, Parquet.

    Dumps are .ndjson, plain, .gz or .zst. Bad lines are counted and skipped. An import may be repeated; repeating one
    that was interrupted finishes it.
    """
    fields = _mapping(mapping or ())
    results: list[dict[str, Any]] = []
    with app_context() as app:
        wanted = tuple(subreddit or app.settings.corpus.subreddits)
        for file in files:
            kept = () if "all" in wanted else wanted
            report = _import_file(app, file, subreddits=kept, mapping=fields, licence=licence, dry_run=dry_run)
            results.append({"file": str(file), **report.to_json()})
            if not as_json:
                print_report(file.name, report, dry_run=dry_run)
            if not report.tally.wanted and report.tally.lines > report.tally.bad and "all" not in wanted:
                note(
                    f"no post in it is of {', '.join(f'r/{name}' for name in wanted)}; to read every subreddit:"
                    f" auria corpus import {shlex.quote(str(file))} --subreddit all"
                )
    if as_json:
        print_json(results)
    elif not dry_run and any(one["new"] for one in results):
        note("inspect the corpus: auria corpus stats    make a version to train on: auria corpus version")


def _import_file(app: Application, file: Path, **options: Any) -> ImportReport:
    """Import one file, with its progress on stderr."""
    from auria_bot.services.corpus.corpus_import import ImportReport

    report = ImportReport()
    try:
        with reading(file) as progress:
            app.corpus_importer.import_file(
                file,
                tell=lambda done: progress(done, f"{report.tally.lines:,} lines, {report.kept:,} poems"),
                report=report,
                **options,
            )
    except KeyboardInterrupt:
        note("interrupted; what was read is kept, and the same command finishes the import")
        raise
    except InputError:
        if report.tally.lines:
            note(f"{report.tally.lines:,} lines were read before the error, {report.kept:,} poems among them")
        raise
    return report


def _mapping(given: list[str] | tuple[str, ...]) -> dict[str, str]:
    """The fields that `--map` names.

    Raises:
        InputError: a mapping is not WHAT=FIELD.
    """
    found = {}
    for one in given:
        what, equals, name = one.partition("=")
        if not (what and equals and name):
            raise UsageError(f"--map takes WHAT=FIELD, such as text=poem, not {one[:60]!r}")
        found[what.strip()] = name.strip()
    return found


def print_report(name: str, report: ImportReport, *, dry_run: bool = False) -> None:
    """Print the result of an import in a few lines."""
    out().print(*report_lines(name, report, dry_run=dry_run), sep="\n")


@corpus.command()
def stats(as_json: Json = False) -> None:
    """Show what the corpus contains: size, forms, years, subreddits, seasons, what was rejected and why."""
    with app_context() as app:
        counts, known = app.corpus_importer.counts(), app.version_builder.list()
    if as_json:
        print_json({**counts, "versions": [corpus_version_json(one) for one in known]})
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
    """Show random verses."""
    with app_context() as app:
        wanted = season_named(season, app.clock().date(), hemisphere=app.settings.hemisphere) if season else None
        if form not in {None, "575", "free"}:
            raise UsageError(f"invalid value {form!r:.40} for --form; known: 575, free")
        found = app.corpus_importer.sample(
            count, season=wanted, form=form, seed=secrets.randbits(32) if seed is None else seed
        )
    if as_json:
        print_json([described(item) for item in found])
        return
    if not found:
        note("there is no such verse; inspect the corpus: auria corpus stats")
    console = out()
    for item in found:
        for line in verse_lines(item):
            console.print(line)


@corpus.command()
def export(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The suffix gives the format: .jsonl, .jsonl.gz, .jsonl.zst, .csv or .txt."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Export every kept verse to a file.

    The verses belong to their authors: use them for reading and training, do not publish them.
    """
    with app_context() as app:
        count = app.version_builder.export(file)
    value = {"file": str(file.absolute()), "verses": count}
    print_result(value, f"{counted(count, 'verse')}: {file.absolute()}", as_json=as_json)


@corpus.command()
def version(as_json: Json = False) -> None:
    """Make a version: an immutable file of every kept verse that the rules allow, without near-duplicates."""
    note("selecting verses; a few hundred thousand take minutes")
    with app_context() as app:
        before = {one.name for one in app.version_builder.list()}
        made = app.version_builder.make()
        path = app.version_builder.file(made)
    if as_json:
        print_json({**corpus_version_json(made), "path": str(path), "is_new": made.name not in before})
        return
    if made.name in before:
        echo(f"nothing changed since version {made.name}, {counted(made.verses, 'verse')}")
    else:
        echo(f"version {made.name}: {counted(made.verses, 'verse')}")
        for reason, count in made.settings.get("left_out", {}).items():
            echo(f"  left out: {count:,} {reason}")
    echo(str(path))
    note("train on it: auria train poet --corpus newest")


@corpus.command()
def versions(as_json: Json = False) -> None:
    """List the versions, newest first."""
    with app_context() as app:
        known = app.version_builder.list()
        there = {one.name for one in known if app.version_builder.has_file(one)}
        zone = app.settings.time_zone
    columns, rows = ("version", "made", "verses", "5-7-5", "left out", ""), version_rows(known, there, zone)
    values = [{**corpus_version_json(one), "is_there": one.name in there} for one in known]
    print_rows(columns, rows, values, as_json=as_json, empty="there is no version yet; make one: auria corpus version")


@corpus.command("diff")
def compare(
    before: Annotated[str, typer.Argument(metavar="A", help="A version, or the end of its name.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The version it is compared with.")] = "newest",
    as_json: Json = False,
) -> None:
    """Compare two versions: verses added and removed."""
    with app_context() as app:
        names = app.version_builder.find(before).name, app.version_builder.find(after).name
        change = app.version_builder.compare(*names)
    if as_json:
        print_json(change_json(names, change))
    else:
        out().print(*change_lines(names, change), sep="\n")


@corpus.command()
def drop(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The version, or the end of its name.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Delete a version's file; its name stays listed."""
    with app_context() as app:
        one = app.version_builder.find(name)
        question = f"Delete the {counted(one.verses, 'verse')} of {one.name}?"
        if not yes and not require_confirmation(question, f"auria corpus drop {shlex.quote(one.name)} --yes"):
            raise InputError(f"{one.name} was not deleted")
        app.version_builder.drop(one.name)
    echo(f"{one.name} is deleted")
