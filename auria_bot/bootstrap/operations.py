"""Joins what keeps house: backups, upkeep, notices and health, of an application that `bootstrap` built.

Nothing is opened or imported before it is used; `health` and `notices` of the daemon bring neither a model nor Apprise with them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.errors import AuriaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.services.operations.backups import Backups
    from auria_bot.services.operations.health_monitor import HealthMonitor
    from auria_bot.services.operations.health_report import Health
    from auria_bot.services.operations.maintenance import Maintenance
    from auria_bot.services.operations.notices import Notices
    from auria_bot.services.operations.notifier import AppriseNotifier
    from auria_bot.services.operations.outage_alerts import OutageAlerter
    from auria_bot.settings.schema import Settings
    from auria_bot.store.dump import Dump

__all__ = ["addresses", "alarm", "backups", "caretaker", "expiring", "health", "herald", "notices", "upkeep"]

_SOON = timedelta(days=7)  # before a token's end; by then it should have been renewed


def backups(house: Application) -> Backups:
    """Copies of the house; the database need not be whole, nor there."""
    from auria_bot.services.operations.backups import Backups

    chosen = house.settings.maintenance
    folder = house.settings.home / chosen.backup_folder.expanduser()
    return Backups(
        home=house.settings.home,
        folder=folder,
        database=_dump(house.settings),
        clock=house.clock,
        daily=chosen.daily_backups,
        weekly=chosen.weekly_backups,
    )


def upkeep(house: Application) -> Maintenance:
    """What keeps house."""
    from auria_bot.services.operations.maintenance import Maintenance

    chosen = house.settings.maintenance
    return Maintenance(
        home=house.settings.home,
        store=house.store,
        pictures=house.pictures,
        workspace=house.runs,
        database=_dump(house.settings),
        clock=house.clock,
        rejected_days=chosen.rejected_days,
        runs_days=chosen.unfinished_days,
        least_free=chosen.min_free_mb * 1_000_000,
    )


def addresses(settings: Settings) -> tuple[str, ...]:
    """Where the operator is told; each holds secrets."""
    return tuple(address.get_secret_value() for address in settings.notify.addresses)


def herald(settings: Settings) -> AppriseNotifier | None:
    """Who says notices; None where the operator gave no address."""
    from auria_bot.services.operations.notifier import AppriseNotifier

    known = addresses(settings)
    return AppriseNotifier(known) if known else None


def notices(house: Application) -> Notices:
    """What the operator is told."""
    from zoneinfo import ZoneInfo

    from auria_bot.services.operations.notices import Notices, Sources
    from auria_bot.services.operations.notifier import LogNotifier

    sources = Sources(
        inventory=house.job_planner.inventory,
        disk_space=upkeep(house).disk_space,
        overdue=health(house).overdue,
        missed=house.job_scheduler.asked,
        expiring=lambda: expiring(house),
        picture=house.pictures.path,
    )
    return Notices(
        store=house.store,
        notifier=herald(house.settings) or LogNotifier(),
        clock=house.clock,
        zone=ZoneInfo(house.settings.time_zone),
        sources=sources,
        muted=house.settings.notify.muted,
    )


def health(house: Application) -> Health:
    """How the house is."""
    from zoneinfo import ZoneInfo

    from auria_bot import __version__
    from auria_bot.services.operations.health_report import Health

    chosen = house.settings
    return Health(
        store=lambda: house.store,
        clock=house.clock,
        schedules=chosen.schedule.rules(chosen.channels),
        zone=ZoneInfo(chosen.time_zone),
        patience=timedelta(seconds=chosen.daemon.job_timeout),
        version=__version__,
    )


def caretaker(house: Application, program: Sequence[str]) -> HealthMonitor:
    """The daemon's eye on the house."""
    from auria_bot.services.operations.health_monitor import HealthMonitor
    from auria_bot.services.operations.health_server import HealthServer

    address = house.settings.health.address
    server = HealthServer(health(house), address) if address else None
    return HealthMonitor(notices=lambda: notices(house), server=server, program=program)


def alarm(settings: Settings, program: Sequence[str]) -> OutageAlerter:
    """What is told when nothing else works."""
    from auria_bot.services.operations.outage_alerts import OutageAlerter

    return OutageAlerter(addresses=addresses(settings), program=program)


def expiring(house: Application) -> Mapping[str, str]:
    """The date on which the token of each channel ends, where that is soon; channels that cannot tell are left out."""
    found = {}
    for name, channel in house.channels.items():
        try:
            ends = getattr(channel(), "expires", lambda: None)()
        except AuriaError:
            continue  # it is told elsewhere what is wrong with it
        if ends is not None and ends - house.clock() < _SOON:
            found[name] = f"{ends:%Y-%m-%d}"
    return found


def _addresses(settings: Settings) -> list[str]:
    return [address.get_secret_value() for address in settings.notify.addresses]


def _dump(settings: Settings) -> Dump:
    from auria_bot.store.dump import Dump

    programs: Path | None = settings.maintenance.postgres_programs
    return Dump(settings.database_url, programs=programs)
