"""The unattended part: `daemon` and `schedule`."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.terminal.console import note
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from rich.text import Text

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.job_schedule import JobRun, ScheduledTime

__all__ = ["daemon", "schedule"]

_DAYS = 7  # that are shown, before and after
_OFTEN = 12  # times a day; a job with more is done all day long


def daemon(
    once: Annotated[
        bool, typer.Option("--once", help="Do what is due now and come back, for a cron job: every 15 minutes, say.")
    ] = False,
) -> None:
    """Do everything by herself, day after day, until told to stop.

    She makes drafts ahead of time, posts what you approved at its hour, looks after posts whose fate is unknown, and counts what followers
    do. Only one daemon works; a second waits, and takes over within 15 seconds. SIGTERM lets what is under way finish, SIGHUP reads
    the settings again.
    """
    from auria_bot import telemetry
    from auria_bot.daemon import Daemon
    from auria_bot.settings import loading

    read = loading.load()
    telemetry.set_up(level=read.logging.level, form=read.logging.format)
    one = Daemon(load=loading.load)
    if once:
        one.once()
    else:
        one.run()


def schedule(
    run: Annotated[
        str | None, typer.Option("--run", metavar="JOB", help="Make up for this job's missed time, as it asks.")
    ] = None,
    skip: Annotated[str | None, typer.Option("--skip", metavar="JOB", help="Let this job's missed time go.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what the daemon does in the coming week, and what it did.

    Times are those of your clock (time_zone). Of jobs that are done all day long, only the next time is shown; --json tells every time.
    """
    from auria_bot.cli.app_context import app_context

    if run is not None and skip is not None:
        raise InputError("give either --run JOB or --skip JOB")
    with app_context() as house:
        if run is not None or skip is not None:
            decided = house.agenda.decide(run or skip or "", run=run is not None)
            with house.store.begin() as unit:
                words = f"{decided.slot.job} of {decided.slot.name}: {decided.words}"
                unit.journal.note("catch up" if run is not None else "let go", details=words, at=house.clock())
            note(f"{decided.slot.job} of {decided.slot.name}: {decided.words}")
            return
        coming, history = house.agenda.coming(days=_DAYS), house.agenda.history(days=_DAYS)
        if as_json:
            _print_json(house, coming, history)
        else:
            _print_tables(house, coming, history)


def _print_json(house: Application, coming: tuple[ScheduledTime, ...], history: tuple[JobRun, ...]) -> None:
    from auria_bot.cli.terminal.console import print_json
    from auria_bot.services.schedule.leader_election import NAME

    stock = house.errands.stock()
    with house.store.read() as unit:
        lease, done_at = unit.leases.get(NAME), unit.job_runs.done_at()
    print_json(
        {
            "time_zone": house.settings.time_zone,
            "daemon": lease
            and {"holder": lease.holder, "heartbeat": lease.heartbeat.isoformat(), "until": lease.until.isoformat()},
            "stock": {"made": stock.made, "approved": stock.approved, "per_day": stock.per_day, "low": stock.is_low},
            "coming": [{"job": slot.job, "slot": slot.name, "due": slot.due.isoformat()} for slot in coming],
            "ran": [_claim_json(claim) for claim in history],
            "last_done": {job: at.isoformat() for job, at in done_at.items()},
        }
    )


def _claim_json(claim: JobRun) -> dict[str, Any]:
    times = {"started_at": claim.started_at, "ended_at": claim.ended_at, "again_at": claim.again_at}
    return {
        "job": claim.slot.job,
        "slot": claim.slot.name,
        "due": claim.slot.due.isoformat(),
        "state": str(claim.state),
        "tries": claim.tries,
        "words": claim.words,
        **{name: at and at.isoformat() for name, at in times.items()},
    }


def _print_tables(house: Application, coming: tuple[ScheduledTime, ...], history: tuple[JobRun, ...]) -> None:
    from auria_bot.cli.terminal.console import out, table

    zone = house.settings.time_zone
    often = {rule.job for rule in house.agenda.rules.values() if len(rule.at) > _OFTEN}
    out().print(table(f"The coming week, by the clock of {zone}", ("day", "jobs"), _days(coming, often, zone)))
    last: dict[str, JobRun] = {}
    for claim in history:  # the last due first
        last.setdefault(claim.slot.job, claim)
    if last:
        done = Counter(claim.slot.job for claim in history if claim.state == "done")
        rows = [(job, *_told(one, zone, str(done[job]))) for job, one in last.items()]
        columns = ("job", "last due", "done", "state", "what came of it")
        out().print(table("The last week: each job's last time, and how often it was done", columns, rows))
    undone = [
        one
        for one in history
        if one.state not in ({"done", "skipped"} if one.slot.job in often else {"done"})
        and one is not last[one.slot.job]
    ]
    if undone:
        rows = [(one.slot.job, *_told(one, zone)) for one in undone]
        out().print(table("And what went otherwise", ("job", "due", "state", "what came of it"), rows))
    _print_notes(house, history)


def _days(coming: tuple[ScheduledTime, ...], often: set[str], zone: str) -> list[tuple[str, str]]:
    """A row for each day, then one for the jobs that are done all day long."""
    from zoneinfo import ZoneInfo

    days: dict[str, list[str]] = {}
    next_of: dict[str, str] = {}
    for slot in coming:
        local = slot.due.astimezone(ZoneInfo(zone))
        if slot.job in often:
            next_of.setdefault(slot.job, f"{slot.job} (next at {local:%H:%M})")
        else:
            days.setdefault(f"{local:%a %d %b}", []).append(f"{local:%H:%M} {slot.job}")
    rows = [(day, ", ".join(jobs)) for day, jobs in days.items()]
    return [*rows, ("all day long", ", ".join(next_of.values()))] if next_of else rows


def _told(claim: JobRun, zone: str, *more: str) -> tuple[str | Text, ...]:
    """What is shown of a slot, after its job."""
    from auria_bot.cli.studio.views import single_line
    from auria_bot.cli.terminal.console import state_text, when

    return (when(claim.slot.due, zone), *more, state_text(str(claim.state)), single_line(claim.words, 300))


def _print_notes(house: Application, history: tuple[JobRun, ...]) -> None:
    """What the operator should know or do."""
    from auria_bot.services.schedule.leader_election import NAME

    for claim in history:
        if claim.state == "asked":
            job = shlex.quote(claim.slot.job)
            note(f"{claim.slot.job} of {claim.slot.name} was missed: auria schedule --run {job}, or --skip {job}")
    known, planned = set(house.settings.channels), house.settings.schedule.channels
    for name in sorted(planned.keys() - known):
        note(
            f"schedule.channels has times for {name!r}, which is no channel; known: {', '.join(sorted(known)) or 'none'}"
        )
    stock = house.errands.stock()
    note(f"{stock.made} drafts wait for review, {stock.approved} approved ones for their hour")
    if stock.is_low and stock.made:
        note("days will pass without a post unless you approve some: auria review")
    elif stock.is_low:
        note("there is none to approve yet; the daemon makes some, or: auria make")
    with house.store.read() as unit:
        lease = unit.leases.get(NAME)
    if lease is None or lease.until <= house.clock():
        note("no daemon is running: auria daemon")
    else:
        note(f"the daemon is {lease.holder}")
