"""The unattended loop, what it did and will do, and its notifications: `daemon`, `schedule` and `notify`."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from auria_bot.cli.app import Json, app_context, command_group
from auria_bot.cli.terminal.console import (
    counted,
    note,
    out,
    print_json,
    print_result,
    print_rows,
    single_line,
    state_text,
    table,
    when,
)
from auria_bot.domain.notice import Notice
from auria_bot.domain.post import PostState
from auria_bot.errors import BackendMissing, InputError, UsageError
from auria_bot.execution import parent_watch
from auria_bot.services.operations.monitoring import AppriseNotifier
from auria_bot.services.serialization import (
    inventory_json,
    job_run_json,
    leader_json,
    notice_json,
    post_json,
    scheduled_json,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.job_schedule import JobRun, ScheduledTime
    from auria_bot.domain.post import Post

__all__ = ["daemon", "notify", "schedule"]

_DAYS = 7  # shown before and after now
_FREQUENT = 12  # times a day; of a job with more, only the next time is shown
_LINE_ENDS = re.compile(r"\s*\n\s*")


def daemon(
    once: Annotated[
        bool, typer.Option("--once", help="Run what is due now and return, for a cron job: every 15 minutes, say.")
    ] = False,
    web: Annotated[
        bool,
        typer.Option("--web", help="Keep the web server (auria web) running, too; it is started again if it ends."),
    ] = False,
) -> None:
    """Run the scheduled jobs, day after day, until told to stop.

    The daemon makes drafts ahead of time, publishes approved ones at their hour, resolves posts of unknown outcome, and
    counts what followers do. Only one daemon works; a second waits, and takes over within 15 seconds. SIGTERM lets
    running jobs finish, SIGHUP reads the settings again.
    """
    from auria_bot import telemetry
    from auria_bot.daemon import Daemon
    from auria_bot.settings import loading

    if web and once:
        raise UsageError("give either --once or --web; with a cron job, run the web server by itself: auria web")
    if web and (missing := _missing_packages()):
        raise BackendMissing(
            f"the web server needs packages that are not installed ({', '.join(missing)}): pip install 'auria-bot[web]'"
        )
    settings = loading.load()
    telemetry.set_up(level=settings.logging.level, form=settings.logging.format)
    process = Daemon(load=loading.load, web=web)
    if once:
        process.once()
    else:
        process.run()


def _missing_packages() -> list[str]:
    """The packages of the extra `web` that are not there; none is imported, for the daemon stays small."""
    return [name for name in ("argon2", "fastapi", "jinja2", "uvicorn") if importlib.util.find_spec(name) is None]


def schedule(
    run: Annotated[
        str | None, typer.Option("--run", metavar="JOB", help="Make up for this job's missed time, as it asks.")
    ] = None,
    skip: Annotated[str | None, typer.Option("--skip", metavar="JOB", help="Skip this job's missed time.")] = None,
    as_json: Json = False,
) -> None:
    """Show what the daemon will do in the coming week, and what it did.

    Times are in your time zone (time_zone). Of jobs that run all day long, only the next time is shown; --json lists
    every time.
    """
    if run is not None and skip is not None:
        raise UsageError("give either --run JOB or --skip JOB")
    with app_context() as app:
        if run is not None or skip is not None:
            decided = app.job_scheduler.decide(run or skip or "", run=run is not None)
            note(f"{decided.slot.job} of {decided.slot.name}: {decided.summary}")
            return
        upcoming, history = app.job_scheduler.upcoming(days=_DAYS), app.job_scheduler.history(days=_DAYS)
        if as_json:
            _print_json(app, upcoming, history)
        else:
            _print_tables(app, upcoming, history)


def _print_json(app: Application, upcoming: Sequence[ScheduledTime], history: Sequence[JobRun]) -> None:
    print_json(
        {
            "time_zone": app.settings.time_zone,
            "daemon": leader_json(app.job_scheduler.leader()),
            "stock": inventory_json(app.job_planner.inventory()),
            "coming": [scheduled_json(time) for time in upcoming],
            "posts": [post_json(post) for post in _timed(app)],
            "ran": [job_run_json(run) for run in history],
            "last_done": {job: at.isoformat() for job, at in app.job_scheduler.last_done().items()},
        }
    )


def _print_tables(app: Application, upcoming: Sequence[ScheduledTime], history: Sequence[JobRun]) -> None:
    zone = app.settings.time_zone
    frequent = {schedule.job for schedule in app.job_scheduler.schedules.values() if len(schedule.at) > _FREQUENT}
    out().print(table(f"The coming week, {zone}", ("day", "jobs"), _days(upcoming, frequent, zone, _timed(app))))
    last: dict[str, JobRun] = {}
    for run in history:  # the latest first
        last.setdefault(run.slot.job, run)
    if last:
        done = Counter(run.slot.job for run in history if run.state == "done")
        rows = [(job, *_cells(run, zone, str(done[job]))) for job, run in last.items()]
        columns = ("job", "last due", "done", "state", "result")
        out().print(table("The last week: each job's last run, and how many were done", columns, rows))
    undone = [
        run
        for run in history
        if run.state not in ({"done", "skipped"} if run.slot.job in frequent else {"done"})
        and run is not last[run.slot.job]
    ]
    if undone:
        rows = [(run.slot.job, *_cells(run, zone)) for run in undone]
        out().print(table("Other runs that were not done", ("job", "due", "state", "result"), rows))
    _print_notes(app, history)


def _timed(app: Application) -> list[Post]:
    """The waiting posts that have a time of their own, the next one first."""
    return sorted(
        (post for post in app.publisher.posts({PostState.WAITING}) if post.timed_at), key=lambda post: post.due
    )


def _days(
    upcoming: Sequence[ScheduledTime], frequent: set[str], zone: str, timed: Sequence[Post]
) -> list[tuple[str, str]]:
    """A row for each day, with jobs and posts of their own time, then one for the jobs that run all day long."""
    days: dict[str, list[str]] = {}
    next_times: dict[str, str] = {}
    events = [(scheduled.due, scheduled.job) for scheduled in upcoming]
    events += [(post.due, f"post {post.id} on {post.channel}") for post in timed]
    for due, name in sorted(events):
        local = due.astimezone(ZoneInfo(zone))
        if name in frequent:
            next_times.setdefault(name, f"{name} (next at {local:%H:%M})")
        else:
            days.setdefault(f"{local:%a %d %b}", []).append(f"{local:%H:%M} {name}")
    rows = [(day, ", ".join(jobs)) for day, jobs in days.items()]
    return [*rows, ("all day long", ", ".join(next_times.values()))] if next_times else rows


def _cells(run: JobRun, zone: str, *more: str) -> tuple[str | Text, ...]:
    """The cells of a run's row after the job's name."""
    return (when(run.slot.due, zone), *more, state_text(str(run.state)), single_line(run.summary, 300))


def _print_notes(app: Application, history: Sequence[JobRun]) -> None:
    """What the operator should know or do."""
    for run in history:
        if run.state == "asked":
            job = shlex.quote(run.slot.job)
            note(f"{run.slot.job} of {run.slot.name} was missed: auria schedule --run {job}, or --skip {job}")
    known, planned = set(app.settings.channels), app.settings.schedule.channels
    for name in sorted(planned.keys() - known):
        note(
            f"schedule.channels has times for {name!r}, which is no channel;"
            f" known: {', '.join(sorted(known)) or 'none'}"
        )
    stock = app.job_planner.inventory()
    note(f"drafts that wait for review: {stock.made}; approved ones that wait for their time: {stock.approved}")
    if stock.is_low and stock.made:
        note("days will pass without a post unless you approve some: auria review")
    elif stock.is_low:
        note("there is none to approve yet; the daemon makes some, or: auria make")
    lease = app.job_scheduler.leader()
    if lease is None or not app.job_scheduler.is_led():
        note("no daemon is running: auria daemon")
    else:
        note(f"the daemon is {lease.holder}")


notify = command_group(no_args_is_help=True)


@notify.command("test")
def check_addresses(as_json: Json = False) -> None:
    """Send a test notification to every address of notify.addresses."""
    with app_context() as app:
        notifier = app.notifier
        if notifier is None:
            raise InputError("there is no address to test; set notify.addresses, or AURIA_NOTIFY__ADDRESSES")
        names = notifier.check()
        message = "This is a test: Auria will notify you here when something needs you."
        result = notifier.send(Notice(kind="test", subject="test", title="Test notification", body=message))
    states = {name: "failed" if name in result.failed else "sent" for name in names}
    print_result(states, *(f"{name}: {state}" for name, state in states.items()), as_json=as_json)
    if result.failed:
        note(f"Error: {len(result.failed)} of {len(names)} failed; check the address and the network")
        raise typer.Exit(1)


@notify.command("list")
def list_notices(as_json: Json = False) -> None:
    """List the notices whose occasion lasts, and the digests, the latest first."""
    with app_context() as app:
        found, zone = app.notices.open(), app.settings.time_zone
    rows = [
        (
            str(one.id),
            when(one.at, zone),
            one.notice.title,
            single_line(_LINE_ENDS.sub(" / ", one.notice.body), 300),
        )
        for one in found
    ]
    columns, values = ("id", "when", "notice", "what to do"), [notice_json(one) for one in found]
    print_rows(columns, rows, values, as_json=as_json, empty="there is no notice")


@notify.command("dismiss")
def dismiss(
    numbers: Annotated[list[int], typer.Argument(metavar="ID", help="Numbers of notices, see auria notify list.")],
    as_json: Json = False,
) -> None:
    """Dismiss notices: they are neither listed nor sent until their occasion has ended and comes again."""
    with app_context() as app:
        dismissed = [app.notices.dismiss(number) for number in numbers]
    values = [{"kind": one.kind, "subject": one.subject, "title": one.title} for one in dismissed]
    print_result(values, *(f"dismissed: {one.title}" for one in dismissed), as_json=as_json)


@notify.command("send")
def send(as_json: Json = False) -> None:
    """Find what the operator and webhooks should know, and send it; the daemon does so automatically."""
    with app_context() as app:
        notices = app.notices
        new, sent = notices.update(), notices.send()
        how = "sent" if app.notifier else "logged, as notify.addresses is empty"
        if app.settings.web.webhooks:
            new, sent = new + app.webhooks.update(), sent + app.webhooks.send()
    print_result({"new": new, "sent": sent}, f"{new} new, {sent} {how}", as_json=as_json)


notify.command("say", hidden=True)(send)  # its earlier name


@notify.command("digest")
def digest() -> None:
    """Send a summary of the last 24 hours, once a day."""
    with app_context() as app:
        notices = app.notices
        new = notices.add_digest()
        digest_state = "a new digest" if new else "the digest of today was already sent"
        how = "sent" if app.notifier else "logged, as notify.addresses is empty"
        result = f"{digest_state}, {counted(notices.send(), 'notice')} {how}"
    note(result)
    parent_watch.report(result)


@notify.command("relay", hidden=True)
def relay() -> None:
    """Send the notice on stdin to the addresses on stdin; for a daemon whose settings or database fail."""
    try:
        given = json.load(sys.stdin)
        notice, delivered = Notice(**given["notice"]), [str(key) for key in given["delivered"]]
        addresses = [str(address) for address in given["addresses"]]
    except (ValueError, KeyError, TypeError):
        raise InputError("the notice on stdin cannot be read; test the addresses with: auria notify test") from None
    result = AppriseNotifier(addresses).send(notice, skip=delivered)
    parent_watch.send({"delivered": result.delivered, "failed": result.failed})
    if result.failed:
        raise typer.Exit(1)
