"""The corpus from Reddit: `corpus refresh` and `corpus login`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.terminal.console import note
from auria_bot.errors import AuriaError, ChannelError, InputError, NotFound
from auria_bot.execution.parent_watch import report
from auria_bot.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auria_bot.bootstrap.application import Application
    from auria_bot.services.corpus.deletion_check import CheckResult
    from auria_bot.services.corpus.reddit_sync import SyncResult

__all__ = ["login", "refresh"]

_KINDS = ("new",)


def refresh(
    subreddit: Annotated[
        list[str] | None, typer.Option("--subreddit", "-r", help="Which; those of the settings by default.")
    ] = None,
    listing: Annotated[
        list[str] | None, typer.Option("--listing", "-l", help="new, top or search; may be repeated. new by default.")
    ] = None,
    time: Annotated[
        list[str] | None, typer.Option("--time", "-t", help="For top and search: hour, day, week, month, year or all.")
    ] = None,
    since: Annotated[
        str, typer.Option("--since", help="Search by slices of time, from this day (2024-01-31) on.")
    ] = "",
    until: Annotated[str, typer.Option("--until", help="With --since: to the end of this day; today by default.")] = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=0, help="The most posts of a listing; 0 for all it has.")
    ] = 0,
    look: Annotated[
        bool, typer.Option("--look/--no-look", help="Look whether known posts still stand; deleted ones are forgotten.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and judge, keep nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read what is new on Reddit, and forget what was deleted there.

    It goes on where the last time stopped, also where it was interrupted; running it again does no harm. Without an application of yours on
    Reddit it cannot begin: auria corpus login.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.terminal.console import print_json

    with app_context() as app:
        names = [
            one.strip().removeprefix("/").removeprefix("r/") for one in subreddit or app.settings.corpus.subreddits
        ]
        jobs = _jobs(app, listing or _KINDS, time or (), since, until)
        done = _Done()
        _read(app, names, [partial(job, limit=limit, dry_run=dry_run) for job in jobs], done, look=look and not dry_run)
        meter = app.reddit.meter
        report(_summary(done))
        if as_json:
            print_json(
                {
                    "listings": [_json(one) for one in done.found],
                    "looked": _looked_json(done.looked),
                    "dry_run": dry_run,
                    "requests": meter.requests,
                    "repeated": meter.repeated,
                    "waited": round(meter.waited, 1),
                    "remaining": meter.remaining,
                    "problems": [redacted(str(one)) for one in done.problems],
                }
            )
        else:
            _print(done, dry_run=dry_run)
            note(f"{meter.requests} requests{_left(meter.remaining)}")
    if len(done.problems) > 1:
        raise type(done.problems[0])("; ".join(map(str, done.problems)))
    if done.problems:
        raise done.problems[0]


@dataclass(slots=True)
class _Done:
    """What was read before the end, or before something stopped it."""

    found: list[SyncResult] = field(default_factory=list)
    looked: CheckResult | None = None
    problems: list[AuriaError] = field(default_factory=list)


def _read(
    app: Application, names: Sequence[str], jobs: Sequence[Callable[..., SyncResult]], done: _Done, *, look: bool
) -> None:
    """Read every listing of every subreddit; one that is not there stops no other, a Reddit that is not there stops all."""
    with _following(app) as tell:
        for name in dict.fromkeys(names):
            for job in jobs:
                try:
                    done.found.append(job(name, tell=lambda one: tell(_words(one))))
                except NotFound as error:
                    done.problems.append(error)
                    break
                except ChannelError as error:
                    done.problems.append(error)
                    return
        if look:
            try:
                done.looked = app.vigil.look(
                    requests=app.settings.corpus.reddit.check_requests,
                    tell=lambda one: tell(f"known posts: {one.posts:,} looked at, {one.deleted:,} deleted"),
                )
            except ChannelError as error:
                done.problems.append(error)


def _jobs(
    app: Application, kinds: Sequence[str], times: Sequence[str], since: str, until: str
) -> list[Callable[..., SyncResult]]:
    """What is to be done with each subreddit.

    Raises:
        InputError: an option cannot be what it is.
    """
    from auria_bot.corpus.sources.listing import listings

    if since or until:
        if not since:
            raise InputError("--until needs --since")
        begin, end = _day(since, "--since"), (_day(until, "--until") + 86_400 if until else app.clock().timestamp())
        if begin >= end:
            raise InputError(f"--since {since} comes after --until {until or 'today'}")

        def sliced(name: str, *, limit: int, dry_run: bool, tell: Any) -> SyncResult:  # noqa: ARG001 - a stretch has its own end
            return app.gleaner.glean_slices(name, since=begin, until=float(int(end)), dry_run=dry_run, tell=tell)

        return [sliced]

    def walked(one: Any) -> Callable[..., SyncResult]:
        return lambda name, limit, dry_run, tell: app.gleaner.glean(name, one, limit=limit, dry_run=dry_run, tell=tell)

    searches = app.settings.corpus.reddit.search_terms
    found = [one for kind in dict.fromkeys(kinds) for one in listings(kind, times=times, searches=searches)]
    return [walked(one) for one in found]


def _day(text: str, option: str) -> float:
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise InputError(f"{option} takes a day such as 2024-01-31, not {text[:40]!r}") from None


def _following(app: Application) -> Any:
    """Follow what is read: a line that changes on a terminal, else a line for each wait."""
    from auria_bot.cli.terminal.progress import Watching

    meter = app.reddit.meter
    watched = Watching(lambda words: f"{words}   {meter.requests} requests{_left(meter.remaining)}")
    meter.tell = lambda seconds, why: watched.pause(f"{why}: waiting {seconds:.0f} s")
    return watched


def _left(remaining: int | None) -> str:
    return "" if remaining is None else f", {max(0, remaining)} left in this window"


def _words(one: SyncResult) -> str:
    return f"r/{one.subreddit} {one.listing}: {one.posts:,} posts, {one.report.fresh:,} new poems"


def _summary(done: _Done) -> str:
    new = sum(found.report.fresh for found in done.found)
    checked = f"; {done.looked.posts:,} known posts checked, {done.looked.deleted:,} deleted" if done.looked else ""
    return f"{new:,} new poems{checked}"


def _print(done: _Done, *, dry_run: bool) -> None:
    from auria_bot.cli.terminal.console import out, table

    found, looked = done.found, done.looked
    rows = []
    for one in found:
        counts = one.report
        new = counts.kept if dry_run else counts.fresh
        rows.append(
            (
                f"r/{one.subreddit}",
                one.listing,
                f"{one.posts:,}",
                f"{counts.kept:,}",
                f"{new:,}",
                f"{counts.removed:,}",
                _state(one, dry_run=dry_run),
            )
        )
    columns = ("subreddit", "listing", "posts", "poems", "would be kept" if dry_run else "new", "removed", "")
    if rows:
        out().print(table("", columns, rows))
    for one in found:
        if one.gap:
            note(
                f"r/{one.subreddit} {one.listing}: more was posted since the last time than the listing holds; run this more often, and"
                " fill the gap from a dump: auria corpus import FILE"
            )
        for name in one.full:
            note(f"r/{one.subreddit}: the {name} holds more than a search gives; some of it is missing")
    if looked is not None and not looked.posts and looked.finished:
        note("no known post is due to be looked at")
    elif looked is not None:
        more = "" if looked.finished else "; the next run goes on"
        gone = f"{looked.deleted:,} deleted, {looked.buried:,} verses forgotten"
        note(f"{looked.posts:,} known posts looked at: {gone}{more}")
        if looked.doubted:
            note("Reddit did not know most of some hundred posts; that is doubted, and nothing was forgotten for it")


def _state(one: SyncResult, *, dry_run: bool) -> str:
    said = ["went on with an interrupted walk"] if one.resumed else []
    said += [] if one.finished or dry_run else ["not at its end: the next run goes on"]
    said += ["a gap"] if one.gap else []
    said += [f"{one.bad} could not be read"] if one.bad else []
    return ", ".join(said)


def _json(one: SyncResult) -> dict[str, Any]:
    return {
        "subreddit": one.subreddit,
        "listing": one.listing,
        "posts": one.posts,
        "unreadable": one.bad,
        "resumed": one.resumed,
        "new_poems": one.report.fresh,
        "finished": one.finished,
        "gap": one.gap,
        "full": list(one.full),
        **one.report.to_json(),
    }


def _looked_json(looked: CheckResult | None) -> dict[str, Any] | None:
    if looked is None:
        return None
    return {
        "posts": looked.posts,
        "requests": looked.requests,
        "deleted": looked.deleted,
        "missing": looked.missing,
        "buried": looked.buried,
        "doubted": looked.doubted,
        "finished": looked.finished,
    }


def login(
    secrets: Annotated[str, typer.Option("--secrets", help="Where to keep them: file or keyring.")] = "file",
    no_check: Annotated[bool, typer.Option("--no-check", help="Keep them without trying them.")] = False,
) -> None:
    """Take the id and secret of your application on Reddit, try them, and keep them.

    Make one of the kind "script" at https://www.reddit.com/prefs/apps. They are asked for without showing them; never give them on the command line.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.publishing.channel_setup import TrialSecrets
    from auria_bot.corpus.sources.reddit import Reddit
    from auria_bot.redaction import register_secret

    if secrets not in {"file", "keyring"}:
        raise InputError(f"--secrets cannot be {secrets[:40]!r}; known: file, keyring")
    if not sys.stdin.isatty():
        raise InputError(
            "nobody is there to answer; set AURIA_SECRET_REDDIT_CLIENT_ID and AURIA_SECRET_REDDIT_CLIENT_SECRET instead"
        )
    with app_context() as app:
        vault = app.vault("reddit", place=secrets)
        try:
            said = {
                name: register_secret(str(typer.prompt(f"Reddit's {words}", hide_input=True, err=True)).strip())
                for name, words in (
                    ("client_id", "client id (under the application's name)"),
                    ("client_secret", "client secret"),
                )
            }
        except typer.Abort:
            raise KeyboardInterrupt from None
        offered = TrialSecrets(said, vault)
        if not no_check:
            note("trying them ...")
            Reddit(app.reddit.access, offered).check()
        offered.keep(place=secrets)
    typer.echo("Reddit is set up; read it with: auria corpus refresh")
