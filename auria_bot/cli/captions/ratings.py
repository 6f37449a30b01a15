"""`auria ratings`: what visitors and programs thought of captions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from auria_bot.cli.app import COMMANDS, Json, Limit, app_context, command_group, is_called_alone
from auria_bot.cli.terminal.console import counted, echo, newest, note, print_rows

__all__ = ["ratings"]

ratings = command_group(help=COMMANDS["ratings"][1], invoke_without_command=True)


@ratings.command("list")
@ratings.callback()
def list_ratings(
    context: typer.Context,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List ratings, the newest first; the kept pictures are in the folder ratings of the home."""
    if not is_called_alone(context):
        return
    with app_context() as app:
        found = newest(app.caption_ratings.recent(limit=limit + 1), limit)
    columns = ("id", "date", "source", "model", "stars", "caption", "better", "picture")
    rows = (
        (
            str(one.id),
            f"{one.at:%Y-%m-%d}",
            one.source,
            one.model_version,
            "*" * (one.stars or 0),
            one.caption,
            one.correction,
            "kept" if one.picture else "",
        )
        for one in found
    )
    values = [asdict(one) | {"at": one.at.isoformat()} for one in found]
    empty = "no caption was rated yet; the page /captions of the web site asks for ratings: captions.page = true"
    print_rows(columns, rows, values, as_json=as_json, empty=empty)
    if found and not as_json:
        note("train on those with pictures: auria train captioner --with-ratings")


@ratings.command("remove")
def remove(ids: Annotated[list[int], typer.Argument(metavar="ID", help="Ids of ratings.")]) -> None:
    """Remove ratings, and the pictures that only they keep."""
    with app_context() as app:
        for one in ids:
            app.caption_ratings.remove(one)
    echo(f"removed {counted(len(ids), 'rating')}")
