"""Posts: `posts`, `posts show`, `posts at`, `posts withdraw` and `posts resolve`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auria_bot.cli.app import (
    Json,
    Limit,
    OnChannels,
    app_context,
    check_states,
    command_group,
    draft_option,
    is_called_alone,
)
from auria_bot.cli.terminal.console import (
    counted,
    fact_sheet,
    newest,
    note,
    out,
    print_json,
    single_line,
    state_text,
    table,
    when,
)
from auria_bot.cli.terminal.prompts import require_confirmation
from auria_bot.domain.job_schedule import moment
from auria_bot.domain.post import PostState
from auria_bot.errors import ChannelError, InputError, UsageError
from auria_bot.services.serialization import post_json, withdrawal_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.domain.post import Attempt, Post
    from auria_bot.services.publishing.withdrawal import WithdrawalPlan

__all__ = ["list_posts", "post_table", "post_time", "posts", "resolve", "show", "withdraw"]

Id = Annotated[int, typer.Argument(metavar="ID", help="The post; auria posts lists them.")]

posts = command_group()


@posts.command("list")
@posts.callback(invoke_without_command=True)
def list_posts(
    context: typer.Context,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            help="waiting, sending, unknown, sent, failed, needs_attention, cancelled, withdrawing or withdrawn; may be"
            " repeated.",
        ),
    ] = None,
    draft: Annotated[int | None, draft_option("Only those of this draft.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List posts: the state of each draft on each channel."""
    if not is_called_alone(context):
        return
    check_states(state, set(map(str, PostState)))
    with app_context() as app:
        chosen = [PostState(name) for name in state or ()]
        found = newest(app.publisher.posts(chosen, draft_id=draft, limit=limit + 1), limit)
        if as_json:
            attempts = app.publisher.attempts([post.id for post in found])
            print_json([post_json(post, attempts[post.id]) for post in found])
        elif found:
            out().print(post_table(found, app.settings.time_zone))
        else:
            note(f"there is no {'such ' if state or draft else ''}post; publish approved drafts: auria publish")


@posts.command()
def show(post_id: Id, as_json: Json = False) -> None:
    """Show a post: its text, and every attempt with its times, its outcome and the platform's answer."""
    with app_context() as app:
        post, attempts = app.publisher.post(post_id)
        if as_json:
            print_json(post_json(post, attempts))
        else:
            _print_post(post, attempts, out(), app.settings.time_zone)


@posts.command("at")
def post_time(
    post_id: Id,
    time: Annotated[
        list[str],
        typer.Argument(
            metavar="TIME", help="now, 18:30, 2026-11-28 18:30 in your time zone, or ISO 8601 with an offset."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Give a waiting post its own time; a cancelled post is queued again.

    The daemon publishes it within a quarter of an hour of that time, auria publish at any time after it.
    """
    with app_context() as app:
        zone = app.settings.time_zone
        post = app.publisher.decisions.set_time(post_id, moment(" ".join(time), now=app.clock(), zone=ZoneInfo(zone)))
        if as_json:
            print_json(post_json(post))
        else:
            out().print(post_table([post], zone))


@posts.command()
def withdraw(
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="ID", help="Posts, by their numbers in auria posts.")
    ] = None,
    draft: Annotated[int | None, draft_option("All posts of this draft.")] = None,
    channel: OnChannels = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: Json = False,
) -> None:
    """Withdraw posts: delete what is published, and cancel what is not published yet.

    Nothing deleted can be brought back. Where a platform lets no program delete, its answer says how to do it by
    hand. What cannot be finished now goes on with the next auria publish.
    """
    if not ids and draft is None:
        raise UsageError("name the posts to withdraw, or a draft with --draft ID; auria posts lists them")
    with app_context() as app:
        plans = app.publisher.withdrawal.plan(ids or (), draft_id=draft, channels=channel or ())
        if dry_run:
            if as_json:
                print_json([withdrawal_json(plan) for plan in plans])
            else:
                out().print(_plan_table(plans))
            return
        if any(plan.action != "none" for plan in plans) and not yes:
            out(error=True).print(_plan_table(plans))
            numbers = " ".join(str(plan.post.id) for plan in plans)
            question = f"Withdraw {counted(len(plans), 'post')}? What is deleted cannot be brought back."
            if not require_confirmation(question, f"auria posts withdraw {numbers} --yes"):
                raise InputError("nothing was withdrawn")
        done = app.publisher.withdraw(plans)
        if as_json:
            attempts = app.publisher.attempts([post.id for post in done.posts])
            print_json([post_json(post, attempts[post.id]) for post in done.posts])
        elif done.posts:
            out().print(post_table(done.posts, app.settings.time_zone))
    if done.problems:
        raise ChannelError("\n".join(done.problems))


def _plan_table(plans: Sequence[WithdrawalPlan]) -> Table:
    """What would be done with each post, one a row."""
    rows = []
    for plan in plans:
        where = plan.post.receipt.url if plan.post.receipt else ""
        rows.append(
            (
                str(plan.post.id),
                plan.post.channel,
                state_text(plan.post.state),
                plan.action,
                single_line(plan.problem or where, 300),
            )
        )
    return table("", ("id", "channel", "state", "action", "where or why not"), rows)


@posts.command()
def resolve(
    post_id: Id,
    sent: Annotated[str | None, typer.Option("--sent", metavar="URL", help="It is published, at this address.")] = None,
    identifier: Annotated[
        str,
        typer.Option("--id", help="With --sent: the platform's id of it, when the address does not end in it."),
    ] = "",
    not_sent: Annotated[bool, typer.Option("--not-sent", help="It is not published; it is sent again.")] = False,
    give_up: Annotated[bool, typer.Option("--give-up", help="Do not send it any more.")] = False,
    withdrawn: Annotated[
        bool, typer.Option("--withdrawn", help="It was published, and you deleted it on the platform.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Decide the outcome of a post that needs attention, or say that a published one is deleted."""
    chosen = {"sent": sent is not None, "not-sent": not_sent, "give-up": give_up, "withdrawn": withdrawn}
    given = [name for name, is_given in chosen.items() if is_given]
    if len(given) != 1:
        raise UsageError(
            f"auria posts resolve {post_id} takes one of --sent URL, --not-sent, --give-up and --withdrawn"
        )
    with app_context() as app:
        post = app.publisher.decisions.decide(post_id, given[0], url=sent or "", identifier=identifier)
        if as_json:
            print_json(post_json(post))
            return
        out().print(post_table([post], app.settings.time_zone))
    if given == ["not-sent"]:
        note("send it now: auria publish")


def post_table(found: Sequence[Post], zone: str) -> Table:
    """Posts, one a row."""
    rows = []
    for post in found:
        due = f"{'at' if post.timed_at else 'due'} {when(post.due, zone)}"
        at = when(post.receipt.at, zone) if post.receipt else due
        what = post.receipt.url if post.receipt and post.state == "sent" else post.message
        rows.append(
            (str(post.id), str(post.draft_id), post.channel, state_text(post.state), at, single_line(what, 300))
        )
    return table("", ("id", "draft", "channel", "state", "when", "where or why"), rows)


def _print_post(post: Post, attempts: Sequence[Attempt], console: Console, zone: str) -> None:
    receipt = post.receipt
    state = Text.assemble(f"{post.id}, ", state_text(post.state), f", of draft {post.draft_id} on {post.channel}")
    facts = [
        ("post", state),
        ("next step", Text(single_line(post.message, 1000))),
        ("due", Text("" if receipt else when(post.due, zone))),
        ("own time", Text(when(post.timed_at, zone))),
        ("published", Text(when(receipt.at, zone) if receipt else "")),
        ("vanished", Text(when(post.vanished_at, zone))),
        ("address", Text(single_line(receipt.url, 500) if receipt else "")),
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
            str(one.action),
            when(one.started_at, zone, seconds=True),
            when(one.sending_at, zone, seconds=True),
            when(one.ended_at, zone, seconds=True),
            state_text(str(one.outcome or "open")),
            single_line(one.message, 500),
        )
        for one in attempts
    ]
    console.print(table("", ("attempt", "action", "started", "sending", "ended", "outcome", "answer"), rows))
