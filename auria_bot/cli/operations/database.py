"""The database and the disk: `db` with its commands, and `tidy`."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.app import Json, Limit, app_context, command_group, draft_option
from auria_bot.cli.terminal.console import (
    counted,
    echo,
    newest,
    note,
    print_json,
    print_result,
    print_rows,
    single_line,
    when,
)
from auria_bot.cli.terminal.progress import counting
from auria_bot.errors import StoreError
from auria_bot.execution.parent_watch import report
from auria_bot.services.operations.backup_contents import NOT_INCLUDED, holdings
from auria_bot.services.serialization import journal_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.services.operations.database import BackupResult, RestoreResult

__all__ = ["database", "tidy"]


database = command_group(no_args_is_help=True)


def tidy(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be deleted.")] = False,
    as_json: Json = False,
) -> None:
    """Delete old pictures of rejected drafts, unfinished runs and crash logs.

    Also databases that a restore kept aside 30 days ago, and lines of rejected verse (corpus.keep_rejected_days).
    Published, approved and waiting drafts are never touched, and texts stay. The ages are set under [maintenance].
    """
    with app_context() as app:
        done = app.maintenance.tidy(dry_run=dry_run)
    message = "nothing is old enough to delete"
    if done.pictures or done.runs or done.logs or done.aside or done.texts or done.staging:
        message = (
            f"{'would free' if dry_run else 'freed'} {done.size / 1e6:.1f} MB: pictures of"
            f" {counted(len(done.pictures), 'rejected draft')}, {counted(len(done.runs), 'unfinished run')},"
            f" {counted(len(done.logs), 'crash log')}"
            + (f", {counted(len(done.aside), 'database')} kept by a restore" if done.aside else "")
            + (f"; deleted the lines of {counted(done.texts, 'rejected verse')}" if done.texts else "")
        )
    print_result(asdict(done), message, as_json=as_json)
    if as_json:
        note(message)
    failures = [f"not deleted: {failure}" for failure in done.failed]
    for line in failures:
        note(line)
    report("; ".join([message, *failures]))


@database.command("upgrade")
def upgrade() -> None:
    """Upgrade the database's schema; other commands do so automatically."""
    from auria_bot.services.operations.database import upgrade_schema
    from auria_bot.settings.loading import load

    echo(f"the database has schema {upgrade_schema(load())}, the newest")


@database.command("current")
def current(as_json: Json = False) -> None:
    """Show the version of the database's schema, and the newest one."""
    from auria_bot.services.operations.database import schema_versions
    from auria_bot.settings.loading import load

    found, newest = schema_versions(load())
    value = {"current": found, "newest": newest}
    print_result(value, f"{found or 'none yet'} (the newest is {newest})", as_json=as_json)


@database.command("backup")
def backup(
    folder: Annotated[Path | None, typer.Argument(help="Where. Default: the folder of backups.")] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Count the state as sound although drafts or pictures are missing.")
    ] = False,
    scheduled: Annotated[bool, typer.Option("--scheduled", hidden=True)] = False,
    as_json: Json = False,
) -> None:
    """Back up database and files while everything runs; in the default folder, old backups are deleted.

    Included: the database (drafts, posts, corpus, ratings, journal), the drafts' pictures on the disk, the artworks
    that visitors of the live studio keep, pictures kept with a rating, and of trained models every version's record
    and which was put in service. Of their files, those of the versions in service (maintenance.backup_models).

    Not included: settings, secrets, the desk's operators and the keys of programs, footage, films, training records,
    models that came with the program, a registry on a server, pictures in a bucket (storage.pictures), of which only
    the presence is checked. Copy auria.toml and secrets/ yourself.

    Backups made with this command are kept as many days as daily ones, the one last restored from until another is
    restored. A backup of a state with faults replaces no sound one.
    """
    shown = sys.stderr.isatty() and not as_json
    with app_context() as app, counting("backing up", shown=shown) as progress:
        done = app.database_administration.back_up(
            folder.expanduser().absolute() if folder else None, by_hand=not scheduled, trust=trust, progress=progress
        )
    made = done.backup
    message = f"{made.folder}: {counted(len(made.files), 'file')}, {made.size / 1e6:.1f} MB"
    deleted = f"; deleted: {', '.join(place.name for place in done.deleted)}" if done.deleted else ""
    problem = f"; {done.problem}" if done.problem else ""
    report(f"{message}{deleted}{problem}")
    if as_json:
        print_json(
            {
                "folder": made.folder,
                "bytes": made.size,
                "files": len(made.files),
                "holds": holdings(made.files),
                "gone": done.deleted,
                "problem": done.problem,
                "elsewhere": done.elsewhere,
            }
        )
        note(message)
    else:
        _print_backup(done, message)
    if made.faults:
        note(
            f"the state has faults, so this backup replaces no other: {done.problem}; older ones: auria db backups;"
            " if it is as it should be: auria db backup --trust"
        )
    elif done.problem:
        note(done.problem)


def _print_backup(done: BackupResult, message: str) -> None:
    """What a backup holds, what it does not, and which older ones it replaced."""
    made = done.backup
    echo(f"{message}; to restore it: auria db restore {shlex.quote(str(made.folder))}")
    echo(f"it holds the database and {_holdings(holdings(made.files))}; not {NOT_INCLUDED}")
    if done.elsewhere:
        echo(
            f"pictures in {done.elsewhere} are not in it, and stay there; let the storage keep versions of them,"
            " or copy them to this disk: auria storage move --back"
        )
    for place in done.deleted:
        echo(f"deleted the old backup {place}")


def _holdings(holds: Mapping[str, int]) -> str:
    """What a backup holds, in words."""
    parts = [
        f"pictures of {counted(holds['drafts'], 'draft')}",
        counted(holds["visitors"], "visitor's work", "visitors' works"),
        counted(holds["ratings"], "rating picture"),
        f"{counted(holds['versions'], 'version')} of models ({holds['version_files']} with files)",
    ]
    return ", ".join(parts)


@database.command("backups")
def backups(as_json: Json = False) -> None:
    """List the backups, newest first."""
    with app_context() as app:
        found = app.backups.list()
    if as_json:
        print_json(
            [
                {
                    "folder": one.folder,
                    "made_at": one.made_at.isoformat(),
                    "bytes": one.size,
                    "holds": holdings(one.files),
                    "by_hand": one.by_hand,
                    "faults": one.faults,
                }
                for one in found
            ]
        )
        return
    for one in found:
        remarks = (", by hand" if one.by_hand else "") + (f", faults: {'; '.join(one.faults)}" if one.faults else "")
        echo(f"{one.folder}  {counted(len(one.files), 'file')}, {one.size / 1e6:.1f} MB{remarks}")
    if not found:
        note("there is no backup yet; make one: auria db backup")


@database.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="A backup's folder, or a file in it.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite a database that is not empty.")] = False,
    as_json: Json = False,
) -> None:
    """Restore a backup, after verifying every file of it.

    The content of the database is saved beside it first, for 30 days. Stop the daemon before. What was forgotten after
    the backup was made is forgotten again. What may have been published after
    the backup was made is not published again automatically: waiting posts need attention, and approved drafts must
    be approved again.

    Files that the backup does not hold stay as they are. A trained version that was in service, and whose files are
    neither in the backup nor here, is taken out of service. A kept artwork that its visitor deleted since stays deleted
    in this home. Restart the web server and the model server afterwards.
    """
    with app_context() as app:
        done = app.database_administration.restore(file.expanduser().absolute(), force=force)
        approves_automatically = app.settings.schedule.approve_after > 0
    restored, held = done.restored, done.held
    if as_json:
        print_json(
            {
                "folder": restored.backup.folder,
                "pictures": restored.pictures,
                "holds": holdings(restored.files),
                "out_of_service": done.lost,
                "aside": restored.aside,
                "forgotten": done.forgotten,
                "remembers": done.remembers,
                "doubts": asdict(held),
            }
        )
        return
    _print_restored(done, approves_automatically=approves_automatically)


def _print_restored(done: RestoreResult, *, approves_automatically: bool) -> None:
    """What was restored, and what the operator decides on again."""
    restored, held = done.restored, done.held
    aside = f"; the previous content is in {restored.aside}" if restored.aside else ""
    others = len(restored.files) - restored.pictures
    brought = counted(restored.pictures, "picture") + (f", {counted(others, 'other file')}" if others else "")
    echo(f"restored the state of {restored.backup.made_at:%Y-%m-%d %H:%M} UTC, and {brought}{aside}")
    if done.elsewhere:
        note(f"pictures in {done.elsewhere} were left as they are; whether all are there: auria db check")
    if done.lost:
        note(
            f"{', '.join(done.lost)}: the files are not there, so the version before is in service; train again, or"
            " back up with maintenance.backup_models"
        )
    if done.forgotten:
        echo(f"{counted(done.forgotten, 'verse')} that had been forgotten since was deleted again")
    if not done.remembers and restored.aside:
        note("the damaged database could not tell what it had forgotten; newer backups did, as far as they knew")
    if held.posts:
        count = counted(len(held.posts), "post")
        note(f"{count} may have been published since, decide on them: auria posts --state needs_attention")
    if held.drafts:
        count = counted(len(held.drafts), "approved draft")
        note(f"{count} must be approved again; reject what was published since: auria review")
    if approves_automatically:
        note(
            "schedule.approve_after does not apply to the restored drafts, which may have been published since:"
            " auria review"
        )


@database.command("check")
def check(as_json: Json = False) -> None:
    """Check the integrity of database and pictures; the exit code is 7 when something is wrong."""
    with app_context() as app:
        faults = app.maintenance.check()
    print_result({"faults": faults}, *(faults or ["database and pictures are intact"]), as_json=as_json)
    if faults:
        raise typer.Exit(StoreError.exit_code)


@database.command("journal")
def journal(
    draft: Annotated[int | None, draft_option("Only what was done to this draft.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show who did what and when, newest first: decisions on drafts and posts, pauses, backups, deletions.

    What the daemon does is listed too, under the name of the user it runs as.
    """
    with app_context() as app:
        lines = newest(app.database_administration.journal(draft_id=draft, limit=limit + 1), limit)
        zone = app.settings.time_zone
    columns, values = ("when", "who", "action", "draft", "details"), [journal_json(line) for line in lines]
    rows = [
        (
            when(line.at, zone),
            single_line(line.who),
            line.action,
            str(line.draft_id or ""),
            single_line(line.details, 300),
        )
        for line in lines
    ]
    print_rows(columns, rows, values, as_json=as_json, empty="the journal is empty")
