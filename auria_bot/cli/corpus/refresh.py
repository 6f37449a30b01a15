"""The corpus from Reddit: `corpus refresh` and `corpus login`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.app import Json, app_context
from auria_bot.cli.terminal.console import counted, echo, note, out, print_json, table
from auria_bot.cli.terminal.progress import Watching
from auria_bot.cli.terminal.prompts import TerminalPrompts
from auria_bot.errors import InputError, UsageError
from auria_bot.execution.parent_watch import report
from auria_bot.redaction import register_secret

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.services.corpus.deletion_check import CheckResult
    from auria_bot.services.corpus.reddit_sync import SyncResult
    from auria_bot.services.corpus.refresh import RefreshResult

__all__ = ["login", "refresh"]


def refresh(
    subreddit: Annotated[
        list[str] | None, typer.Option("--subreddit", "-r", help="May be repeated. Default: those of the settings.")
    ] = None,
    listing: Annotated[
        list[str] | None, typer.Option("--listing", "-l", help="new, top or search; may be repeated. Default: new.")
    ] = None,
    time: Annotated[
        list[str] | None, typer.Option("--time", "-t", help="For top and search: hour, day, week, month, year or all.")
    ] = None,
    since: Annotated[str, typer.Option("--since", help="Search by slices of time from this day (2024-01-31) on.")] = "",
    until: Annotated[str, typer.Option("--until", help="With --since: to the end of this day. Default: today.")] = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=0, help="At most this many posts of a listing; 0 for all.")
    ] = 0,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Check known posts, and forget those deleted on Reddit.")
    ] = True,
    look: Annotated[bool | None, typer.Option("--look/--no-look", hidden=True)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and filter, store nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Read new posts from Reddit, and forget those deleted there.

    Continues where the last run stopped, also when that was interrupted; repeating it does no harm. Needs an
    application on Reddit: auria corpus login.
    """
    from auria_bot.services.corpus.refresh import RefreshRequest, meter_json

    with app_context() as app:
        request = RefreshRequest(
            subreddits=subreddit or app.settings.corpus.subreddits,
            listings=listing or ("new",),
            times=time or (),
            since=since,
            until=until,
            limit=limit,
            check=check if look is None else look,
            dry_run=dry_run,
        )
        service = app.reddit_refresh
        service.plan(request)
        with _watching(app) as show:
            done = service.run(request, synced=lambda one: show(_synced(one)), checked=lambda one: show(_checked(one)))
        meter = app.reddit.meter
    report(_summary(done))
    if as_json:
        print_json(done.to_json() | {"dry_run": dry_run} | meter_json(meter))
    else:
        _print_result(done, dry_run=dry_run)
        note(f"{counted(meter.requests, 'request')}{_remaining(meter.remaining)}")
    if error := done.error():
        raise error


def _watching(app: Application) -> Watching:
    """Show the progress: a line that changes on a terminal, otherwise a line for each wait."""
    meter = app.reddit.meter
    watching = Watching(
        lambda message: f"{message}   {counted(meter.requests, 'request')}{_remaining(meter.remaining)}"
    )
    meter.tell = lambda seconds, why: watching.pause(f"{why}: waiting {seconds:.0f} s")
    return watching


def _remaining(remaining: int | None) -> str:
    return "" if remaining is None else f", {max(0, remaining)} left in this window"


def _synced(one: SyncResult) -> str:
    return f"r/{one.subreddit} {one.listing}: {counted(one.posts, 'post')}, {counted(one.report.fresh, 'new poem')}"


def _checked(one: CheckResult) -> str:
    return f"known posts: {one.posts:,} checked, {one.deleted:,} deleted"


def _summary(done: RefreshResult) -> str:
    """The result in one line, for the daemon's schedule."""
    new = sum(one.report.fresh for one in done.synced)
    return f"{counted(new, 'new poem')}{f'; {_checked(done.checked)}' if done.checked else ''}"


def _print_result(done: RefreshResult, *, dry_run: bool) -> None:
    rows = []
    for one in done.synced:
        found = one.report
        new = found.kept if dry_run else found.fresh
        counts = (f"{count:,}" for count in (one.posts, found.kept, new, found.removed))
        rows.append((f"r/{one.subreddit}", one.listing, *counts, _remarks(one, dry_run=dry_run)))
    columns = ("subreddit", "listing", "posts", "poems", "would be kept" if dry_run else "new", "removed", "")
    if rows:
        out().print(table("", columns, rows))
    for one in done.synced:
        if one.gap:
            note(
                f"r/{one.subreddit} {one.listing}: more was posted since the last run than the listing shows;"
                " refresh more often, and fill the gap from a dump: auria corpus import FILE"
            )
        for name in one.full:
            note(f"r/{one.subreddit}: the {name} has more than a search returns; some posts are missing")
    if done.checked is not None:
        _print_check(done.checked)


def _print_check(checked: CheckResult) -> None:
    from auria_bot.corpus.sources.reddit import INFO_BATCH

    if not checked.posts and checked.finished:
        note("no known post is due to be checked")
        return
    more = "" if checked.finished else "; the next run continues"
    gone = f"{checked.deleted:,} deleted, {counted(checked.buried, 'verse')} forgotten"
    note(f"{counted(checked.posts, 'known post')} checked: {gone}{more}")
    if checked.doubted:
        note(
            f"Reddit's answers about {counted(checked.doubted, 'batch', 'batches')} of up to {INFO_BATCH} known posts"
            " are in doubt: it knew of less than half, or one could not be read; no post of these was forgotten for"
            " being unknown, and the next checks ask again"
        )


def _remarks(one: SyncResult, *, dry_run: bool) -> str:
    remarks = ["continued an interrupted run"] if one.resumed else []
    remarks += [] if one.finished or dry_run else ["not finished: the next run continues"]
    remarks += ["a gap"] if one.gap else []
    remarks += [f"{one.bad} unreadable"] if one.bad else []
    return ", ".join(remarks)


def login(
    secrets: Annotated[str, typer.Option("--secrets", help="Where to store them: file or keyring.")] = "file",
    no_check: Annotated[bool, typer.Option("--no-check", help="Store them without trying them.")] = False,
) -> None:
    """Store the credentials of your application on Reddit, after trying them.

    Create one of the kind "script" at https://www.reddit.com/prefs/apps. Its id and secret are asked for without
    echo; never give them on the command line.
    """
    from auria_bot.services.corpus.refresh import store_credentials

    if secrets not in {"file", "keyring"}:
        raise UsageError(f"invalid value {secrets[:40]!r} for --secrets; known: file, keyring")
    with app_context() as app:
        store = app.secret_store("reddit", place=secrets)
        if "environment" in {store.where("client_id"), store.where("client_secret")}:
            names = " and ".join(store.variable(name) for name in ("client_id", "client_secret"))
            raise InputError(f"the credentials come from the environment; unset {names} to store others")
        prompts = TerminalPrompts()
        if not prompts.interactive:
            raise UsageError(
                "there is no terminal to answer at; set AURIA_SECRET_REDDIT_CLIENT_ID and"
                " AURIA_SECRET_REDDIT_CLIENT_SECRET instead"
            )
        answers = {
            name: register_secret(prompts.ask(f"Reddit's {question}", hidden=True))
            for name, question in (
                ("client_id", "client id (under the application's name)"),
                ("client_secret", "client secret"),
            )
        }
        if not no_check:
            note("trying them ...")
        store_credentials(app.reddit, store, answers, place=secrets, check=not no_check)
    echo("Reddit is set up; read it: auria corpus refresh")
