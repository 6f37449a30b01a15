"""Database and disk: `tidy`, and of `db` its backups and its memory: `backup`, `backups`, `restore`, `check`, `journal`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.app_context import app_context
from auria_bot.cli.operations.doctor import database
from auria_bot.cli.terminal.console import note
from auria_bot.execution.parent_watch import report

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application

__all__ = ["database", "tidy"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def tidy(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False, as_json: Json = False
) -> None:
    """Take away what is old: rejected drafts' pictures, broken-off runs, crash logs.

    What is out, approved or waits is never touched, and words stay. How old is set under [upkeep].
    """
    from dataclasses import asdict

    from auria_bot.bootstrap import operations
    from auria_bot.cli.terminal.console import print_json

    with app_context() as app:
        done = operations.upkeep(app).tidy(dry_run=dry_run)
    words = "nothing is old enough to go"
    if done.pictures or done.runs or done.logs or done.staging:
        words = (
            f"{'would free' if dry_run else 'freed'} {done.size / 1e6:.1f} MB: {len(done.pictures)} rejected drafts' pictures,"
            f" {len(done.runs)} broken-off runs, {len(done.logs)} crash logs"
        )
    if as_json:
        print_json(asdict(done))
        note(words)
    else:
        typer.echo(words)
    left = [f"left: {failure}" for failure in done.failed]
    for line in left:
        note(line)
    report("; ".join([words, *left]))


@database.command("backup")
def backup(
    folder: Annotated[Path | None, typer.Argument(help="Where; the folder of backups when not given.")] = None,
    as_json: Json = False,
) -> None:
    """Copy database and pictures while everything goes on; in the usual folder, old backups go.

    Secrets and settings are not copied.
    """
    from auria_bot.bootstrap import operations
    from auria_bot.cli.terminal.console import print_json

    with app_context() as app:
        keeper = operations.backups(app)
        made = keeper.make(folder.expanduser().absolute() if folder else None)
        gone = () if folder else keeper.rotate()
        with app.store.begin() as unit:
            unit.journal.note("backup", details=str(made.folder), at=app.clock())
    words = f"{made.folder}: {len(made.files)} files, {made.size / 1e6:.1f} MB"
    report(words)
    if as_json:
        print_json({"folder": made.folder, "bytes": made.size, "files": len(made.files), "gone": gone})
        note(words)
    else:
        typer.echo(f"{words}; put back by: auria db restore {shlex.quote(str(made.folder))}")


@database.command("backups")
def backups(as_json: Json = False) -> None:
    """List the backups, the newest first."""
    from auria_bot.bootstrap import operations
    from auria_bot.cli.terminal.console import print_json

    with app_context() as app:
        found = operations.backups(app).list()
    if as_json:
        print_json([{"folder": one.folder, "made_at": one.made_at.isoformat(), "bytes": one.size} for one in found])
        return
    for one in found:
        typer.echo(f"{one.folder}  {len(one.files)} files, {one.size / 1e6:.1f} MB")
    if not found:
        note("there is no backup yet; auria db backup makes one")


@database.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="A backup's folder, or a file in it.")],
    force: Annotated[bool, typer.Option("--force", help="Although the database holds something.")] = False,
    as_json: Json = False,
) -> None:
    """Put a backup back, once every file of it is seen to be whole.

    What the database held is saved beside it before. End the daemon first. What may have gone out after the backup was made is not sent
    again by itself: posts that waited need attention, and approved drafts want to be approved anew.
    """
    from dataclasses import asdict

    from auria_bot.bootstrap import operations
    from auria_bot.cli.terminal.console import print_json
    from auria_bot.errors import InvalidTransition
    from auria_bot.services.publishing.restore_review import RESTORE, hold_back

    with app_context() as app:
        if holder := _leader(app):
            raise InvalidTransition(f"a daemon is at work: {holder}; end it first, then restore")
        done = operations.backups(app).restore(file.expanduser().absolute(), force=force)
        with app.store.begin() as unit:  # opening it brings an older schema up to date
            unit.journal.note(RESTORE, details=str(done.backup.folder), at=app.clock())
        doubts = hold_back(app.store, app.clock, as_of=done.backup.made_at)
        by_itself = app.settings.schedule.approve_after > 0
    if as_json:
        print_json(
            {"folder": done.backup.folder, "pictures": done.pictures, "aside": done.aside, "doubts": asdict(doubts)}
        )
        return
    aside = f"; what was there is in {done.aside}" if done.aside else ""
    typer.echo(f"restored the state of {done.backup.made_at:%Y-%m-%d %H:%M} UTC, and {done.pictures} pictures{aside}")
    if doubts.posts:
        note(
            f"posts that may have gone out since need your word ({len(doubts.posts)}): auria posts --state needs_attention"
        )
    if doubts.drafts:
        note(
            f"drafts that were approved are not any more ({len(doubts.drafts)}); reject what went out since: auria review"
        )
    if by_itself:
        note(
            "schedule.approve_after does not hold for the drafts that are there now, for they may have gone out since: auria review"
        )


def _leader(app: Application) -> str:
    """The name of a daemon that is at work on the database; "" where there is none, or where nobody can tell."""
    from contextlib import closing, suppress

    from auria_bot.bootstrap import application
    from auria_bot.cli.operations.health_checks import schema_version
    from auria_bot.errors import AuriaError
    from auria_bot.services.schedule.leader_election import NAME
    from auria_bot.store.schema import HEAD

    # Another app: this one's store is to be opened when the backup is in its place.
    with suppress(AuriaError), closing(application.build(app.settings)) as other:
        if schema_version(app.settings) == HEAD:
            with other.store.read() as unit:
                lease = unit.leases.get(NAME)
            if lease is not None and lease.until > other.clock():
                return lease.holder
    return ""


@database.command("check")
def check(as_json: Json = False) -> None:
    """Look whether database and pictures are whole; exit code 7 when not."""
    from auria_bot.bootstrap import operations
    from auria_bot.cli.terminal.console import print_json
    from auria_bot.errors import StoreError

    with app_context() as app:
        faults = operations.upkeep(app).check()
    if as_json:
        print_json({"faults": faults})
    else:
        typer.echo("\n".join(faults) or "database and pictures are whole")
    if faults:
        raise typer.Exit(StoreError.exit_code)


@database.command("journal")
def journal(
    draft: Annotated[
        int | None, typer.Option("--draft", metavar="ID", help="Only what was done to this draft.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """Show who did what and when: decisions on drafts and posts, pauses, backups, what was tidied away.

    What the daemon does stands there too, under the name of the user whom she runs as.
    """
    from auria_bot.cli.studio.views import single_line
    from auria_bot.cli.terminal.console import out, print_json, table, when

    with app_context() as app:
        with app.store.read() as unit:
            if draft is not None:
                unit.drafts.get(draft)
            lines = unit.journal.list(draft_id=draft, limit=limit)
        zone = app.settings.time_zone
    if as_json:
        print_json(
            [
                {
                    "id": line.id,
                    "at": line.at.isoformat(),
                    "who": line.who,
                    "action": line.action,
                    "draft_id": line.draft_id,
                    "words": line.details,
                }
                for line in lines
            ]
        )
        return
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
    if rows:
        out().print(table("", ("when", "who", "what", "draft", "words"), rows))
    else:
        note("nothing was done yet")
