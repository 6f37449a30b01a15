"""Diagnostics: `doctor`, `config` and `db`."""

from __future__ import annotations

from typing import Annotated

import typer

from auria_bot.cli.terminal.console import note

__all__ = ["config", "database", "doctor"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

database = typer.Typer(
    help="The database: its schema, backups, and whether it is whole.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


def doctor(as_json: Json = False) -> None:
    """Examine everything and say what to do.

    Looks at settings, disk, database, models by their hashes, backends, device, clock and channels, and changes nothing.
    """
    from auria_bot.cli.operations.health_checks import examine
    from auria_bot.cli.terminal.console import out, print_json, state_text

    findings = list(examine())
    if as_json:
        print_json([{"name": one.name, "state": one.state, "words": one.words, "next": one.advice} for one in findings])
    else:
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True, style="bold")
        grid.add_column(overflow="fold")
        for one in findings:
            words = Text(one.words)
            if one.advice:
                words.append(f"\n→ {one.advice}", style="bold")
            grid.add_row(state_text(one.state), one.name, words)
        out().print(grid)
    bad = [one for one in findings if one.state == "bad"]
    if bad:
        note(f"Error: {len(bad)} of {len(findings)} examinations failed: {', '.join(one.name for one in bad)}")
        raise typer.Exit(bad[0].exit_code)


def config(
    as_json: Json = False,
) -> None:
    """Show every setting in force, without secrets.

    Settings come from auria.toml in Auria's home, from the file that AURIA_CONFIG names, and from environment
    variables such as AURIA_STUDIO__COUNT=3; the later wins. The shipped config/auria.toml explains each.
    """
    from auria_bot.cli.terminal.console import print_json
    from auria_bot.settings.editing import as_toml
    from auria_bot.settings.loading import load
    from auria_bot.settings.locations import shipped

    value = load().to_json()
    if as_json:
        print_json(value)
        return
    typer.echo(as_toml(value).rstrip())
    note(f"each setting is explained in {shipped('config') / 'auria.toml'}; yours go into {value['home']}/auria.toml")


@database.command("upgrade")
def upgrade() -> None:
    """Bring the database's schema up to date; the other commands do so by themselves."""
    from auria_bot.settings.loading import load
    from auria_bot.store import migrate

    typer.echo(f"the database has schema {migrate.upgrade(load().database_url)}, the newest")


@database.command("current")
def current(as_json: Json = False) -> None:
    """Show the version of the database's schema, and the newest there is."""
    from auria_bot.cli.operations.health_checks import schema_version
    from auria_bot.cli.terminal.console import print_json
    from auria_bot.settings.loading import load
    from auria_bot.store.schema import HEAD

    found = schema_version(load())
    if as_json:
        print_json({"current": found, "newest": HEAD})
    else:
        typer.echo(f"{found or 'none yet'} (the newest is {HEAD})")
