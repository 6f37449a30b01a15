"""Diagnostics: `doctor` and `config`."""

from __future__ import annotations

import typer

from auria_bot.cli.app import Json
from auria_bot.cli.terminal.console import counted, echo, note, out, print_json, state_text
from auria_bot.settings.locations import shipped

__all__ = ["config", "doctor"]


def doctor(as_json: Json = False) -> None:
    """Check the installation, and say how to fix what is wrong.

    Checks settings, disk, database, models by their hashes, backends, device, clock, cluster, storage and channels,
    and changes nothing.
    """
    from auria_bot.bootstrap.application import doctor as examiner

    findings = list(examiner().examine())
    if as_json:
        print_json([one.to_json() for one in findings])
    else:
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True, style="bold")
        grid.add_column(overflow="fold")
        for one in findings:
            message = Text(one.words)
            if one.advice:
                message.append(f"\n→ {one.advice}", style="bold")
            grid.add_row(state_text(one.state), one.name, message)
        out().print(grid)
    if bad := [one for one in findings if one.state == "bad"]:
        note(f"Error: {len(bad)} of {counted(len(findings), 'check')} failed: {', '.join(one.name for one in bad)}")
        raise typer.Exit(bad[0].exit_code)


def config(as_json: Json = False) -> None:
    """Show every setting in force, without secrets.

    Settings come from auria.toml in Auria's home, or from the file that AURIA_CONFIG names instead, and from
    environment variables such as AURIA_STUDIO__COUNT=3, which override it. The shipped config/auria.toml explains each.
    """
    from auria_bot.settings.editing import as_toml
    from auria_bot.settings.loading import load

    settings = load()
    value = settings.to_json()
    for conflict in settings.channel_conflicts:
        note(conflict)
    if as_json:
        print_json(value)
        return
    echo(as_toml(value).rstrip())
    note(f"each setting is explained in {shipped('config') / 'auria.toml'}; yours go into {value['home']}/auria.toml")
