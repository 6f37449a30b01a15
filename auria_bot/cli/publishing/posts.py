"""What became of posts: `posts`, `posts show` and `posts resolve`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.terminal.console import note
from auria_bot.errors import InputError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import Console

    from auria_bot.domain.post import Attempt, Post

__all__ = ["list_posts", "posts", "resolve", "show"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

posts = typer.Typer(help="List posts: where each draft went, or why not.", add_completion=False, rich_markup_mode=None)


@posts.callback(invoke_without_command=True)
def list_posts(
    context: typer.Context,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="waiting, sending, unknown, sent, failed or needs_attention; may be repeated."),
    ] = None,
    draft: Annotated[int | None, typer.Option("--draft", metavar="ID", help="Only those of this draft.")] = None,
    as_json: Json = False,
) -> None:
    """List posts: where each draft went, or why not."""
    if context.invoked_subcommand is not None:
        return
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.studio.views import post_json, post_table
    from auria_bot.cli.terminal.console import out, print_json
    from auria_bot.domain.post import PostState

    known = {str(one) for one in PostState}
    for name in state or ():
        if name not in known:
            raise UnknownName(f"no state named {name[:40]!r}; known: {', '.join(sorted(known))}")
    with app_context() as app:
        found = app.publisher.posts([PostState(name) for name in state or ()], draft_id=draft)
        if as_json:
            with app.store.read() as unit:
                print_json([post_json(post, unit.posts.attempts(post.id)) for post in found])
        elif found:
            out().print(post_table(found, app.settings.time_zone))
        else:
            note("there is no such post; publish what is approved: auria publish")


@posts.command()
def show(
    post_id: Annotated[int, typer.Argument(metavar="ID", help="The post; auria posts lists them.")],
    as_json: Json = False,
) -> None:
    """Show a post: its words, and every attempt with its times, its outcome and what the platform said."""
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.studio.views import post_json
    from auria_bot.cli.terminal.console import out, print_json

    with app_context() as app:
        post, attempts = app.publisher.post(post_id)
        if as_json:
            print_json(post_json(post, attempts))
        else:
            _page(post, attempts, out(), app.settings.time_zone)


@posts.command()
def resolve(
    post_id: Annotated[int, typer.Argument(metavar="ID", help="The post; auria posts lists them.")],
    sent: Annotated[str | None, typer.Option("--sent", metavar="URL", help="It is out, at this address.")] = None,
    identifier: Annotated[
        str,
        typer.Option(
            "--id", help="With --sent: the platform's own number of it, where the address does not end in it."
        ),
    ] = "",
    not_sent: Annotated[bool, typer.Option("--not-sent", help="It is surely not out; it is sent again.")] = False,
    give_up: Annotated[bool, typer.Option("--give-up", help="It is not to be sent any more.")] = False,
    as_json: Json = False,
) -> None:
    """Say what became of a post that Auria cannot bring to an end by herself."""
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.studio.views import post_json, post_table
    from auria_bot.cli.terminal.console import out, print_json

    said = [name for name, given in (("sent", sent is not None), ("not-sent", not_sent), ("give-up", give_up)) if given]
    if len(said) != 1:
        raise InputError(f"auria posts resolve {post_id} takes one of --sent URL, --not-sent and --give-up")
    with app_context() as app:
        post = app.publisher.decide(post_id, said[0], url=sent or "", identifier=identifier)
        if as_json:
            print_json(post_json(post))
        else:
            out().print(post_table([post], app.settings.time_zone))
            if said == ["not-sent"]:
                note("auria publish sends it now")


def _page(post: Post, attempts: Sequence[Attempt], console: Console, zone: str) -> None:
    """Print all that an operator wants to know of a post."""
    from rich.text import Text

    from auria_bot.cli.studio.views import single_line
    from auria_bot.cli.terminal.console import fact_sheet, state_text, table, when

    receipt = post.receipt
    facts = [
        (
            "post",
            Text.assemble(f"{post.id}, ", state_text(post.state), f", of draft {post.draft_id} on {post.channel}"),
        ),
        ("what now", Text(single_line(post.message, 1000))),
        ("due", Text("" if receipt else when(post.due, zone))),
        ("out since", Text(when(receipt.at, zone) if receipt else "")),
        ("gone since", Text(when(post.vanished_at, zone))),
        ("where", Text(single_line(receipt.url, 500) if receipt else "")),
        ("cost", Text(f"${receipt.cost:.3f}" if receipt and receipt.cost else "")),
        ("text", Text("\n".join(single_line(line, 1000) for line in post.text.splitlines()))),
        ("alt text", Text(single_line(post.alt_text, 2000))),
        ("picture", Text(single_line(post.picture, 1000))),
    ]
    console.print(fact_sheet(facts))
    if not attempts:
        note("nothing was tried yet")
        return
    rows = [
        (
            str(one.number),
            _second(one.started_at, zone),
            _second(one.sending_at, zone),
            _second(one.ended_at, zone),
            state_text(str(one.outcome or "open")),
            single_line(one.message, 500),
        )
        for one in attempts
    ]
    console.print(table("", ("try", "begun", "sending", "ended", "outcome", "what was said"), rows))


def _second(moment: datetime | None, zone: str) -> str:
    """A moment in the operator's time zone, to the second."""
    from zoneinfo import ZoneInfo

    return "" if moment is None else moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
