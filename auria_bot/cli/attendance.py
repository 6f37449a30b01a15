"""The unattended part: `daemon` and `schedule`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.console import note
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from auria_bot.bootstrap import Application
    from auria_bot.domain.slots import Claim, Slot

__all__ = ["daemon", "schedule"]

_DAYS = 7


def daemon(
    once: Annotated[
        bool, typer.Option("--once", help="Do what is due now and come back, as a cron job may want it.")
    ] = False,
) -> None:
    """Do everything by herself, day after day, until told to stop.

    She makes drafts ahead of time, posts what you approved at its hour, looks after posts whose fate is unknown, and counts what followers
    do. Only one daemon works; a second waits, and takes over within 15 seconds. SIGTERM lets what is under way finish, SIGHUP reads
    the settings again.
    """
    from auria_bot import settings, telemetry
    from auria_bot.daemon import Daemon

    read = settings.load()
    telemetry.set_up(level=read.logging.level, form=read.logging.format)
    one = Daemon(load=settings.load)
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

    Times are those of your clock. Of jobs that are done all day long, only the next time is shown.
    """
    from auria_bot.cli.house import opened

    if run is not None and skip is not None:
        raise InputError("give either --run JOB or --skip JOB")
    with opened() as house:
        if run is not None or skip is not None:
            decided = house.agenda.decide(run or skip or "", run=run is not None)
            note(f"{decided.slot.job} of {decided.slot.name}: {decided.words}")
            return
        coming, history = house.agenda.coming(days=_DAYS), house.agenda.history(days=_DAYS)
        if as_json:
            _print_json(house, coming, history)
        else:
            _print_tables(house, coming, history)


def _print_json(house: Application, coming: tuple[Slot, ...], history: tuple[Claim, ...]) -> None:
    from auria_bot.cli.console import print_json
    from auria_bot.services.leadership import NAME

    stock = house.errands.stock()
    with house.store.read() as unit:
        lease, done_at = unit.leases.get(NAME), unit.slots.done_at()
    print_json({
        "time_zone": house.settings.time_zone,
        "daemon": lease and {"holder": lease.holder, "heartbeat": lease.heartbeat.isoformat(), "until": lease.until.isoformat()},
        "stock": {"made": stock.made, "approved": stock.approved, "per_day": stock.per_day, "low": stock.is_low},
        "coming": [{"job": slot.job, "slot": slot.name, "due": slot.due.isoformat()} for slot in coming],
        "ran": [_claim_json(claim) for claim in history],
        "last_done": {job: at.isoformat() for job, at in done_at.items()},
    })  # fmt: skip


def _claim_json(claim: Claim) -> dict[str, Any]:
    times = {"started_at": claim.started_at, "ended_at": claim.ended_at, "again_at": claim.again_at}
    return {
        "job": claim.slot.job, "slot": claim.slot.name, "due": claim.slot.due.isoformat(), "state": str(claim.state),
        "tries": claim.tries, "words": claim.words, **{name: at and at.isoformat() for name, at in times.items()},
    }  # fmt: skip


def _print_tables(house: Application, coming: tuple[Slot, ...], history: tuple[Claim, ...]) -> None:
    from auria_bot.cli.console import out, state_text, table, when
    from auria_bot.cli.views import single_line
    from auria_bot.services.leadership import NAME

    zone = house.settings.time_zone
    often = {rule.job for rule in house.agenda.rules.values() if len(rule.at) > 12}
    shown: list[Slot] = []
    seen: set[str] = set()
    for slot in coming:
        if slot.job not in often or slot.job not in seen:
            shown.append(slot)
        seen.add(slot.job)
    rows = [
        (when(slot.due, zone), slot.job, "and so on, all day" if slot.job in often else _weekday(slot))
        for slot in shown
    ]
    out().print(table("The coming week", ("when", "job", "day"), rows))
    ran = [claim for claim in history if claim.slot.job not in often or claim.state not in {"done", "skipped"}]
    if ran:
        told = [
            (when(one.slot.due, zone), one.slot.job, state_text(str(one.state)), single_line(one.words, 300))
            for one in ran
        ]
        out().print(table("The last week", ("due", "job", "state", "what came of it"), told))
    stock = house.errands.stock()
    note(
        f"{stock.made} drafts wait for review, {stock.approved} approved ones for their hour"
        + ("; approve some, or days will pass without a post: auria review" if stock.is_low else "")
    )
    with house.store.read() as unit:
        lease = unit.leases.get(NAME)
    if lease is None or lease.until <= house.clock():
        note("no daemon is running: auria daemon")
    else:
        note(f"the daemon is {lease.holder}")


def _weekday(slot: Slot) -> str:
    from datetime import datetime

    return datetime.fromisoformat(slot.name).strftime("%A")
