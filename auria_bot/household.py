"""Joins what keeps house: backups, upkeep, notices and health, of an application that `bootstrap` built.

Nothing is opened or imported before it is used; `health` and `notices` of the daemon bring neither a model nor Apprise with them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.errors import AuriaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from auria_bot.bootstrap import Application
    from auria_bot.services.alarm import Alarm
    from auria_bot.services.backups import Backups
    from auria_bot.services.caretaker import Caretaker
    from auria_bot.services.health import Health
    from auria_bot.services.herald import AppriseHerald
    from auria_bot.services.notices import Notices
    from auria_bot.services.upkeep import Upkeep
    from auria_bot.settings import Settings
    from auria_bot.store.dump import Dump
    from auria_bot.store.unit_of_work import Unit

__all__ = ["addresses", "alarm", "backups", "caretaker", "expiring", "health", "herald", "notices", "upkeep"]

_SOON = timedelta(days=7)  # before a token's end; by then it should have been renewed


def backups(house: Application) -> Backups:
    """Copies of the house; the database need not be whole, nor there."""
    from auria_bot.services.backups import Backups  # noqa: PLC0415 - imported on use, as all here

    chosen = house.settings.upkeep
    folder = house.settings.home / chosen.backups.expanduser()
    return Backups(
        home=house.settings.home, folder=folder, database=_dump(house.settings), clock=house.clock, daily=chosen.daily,
        weekly=chosen.weekly,
    )  # fmt: skip


def upkeep(house: Application) -> Upkeep:
    """What keeps house."""
    from auria_bot.services.upkeep import Upkeep  # noqa: PLC0415

    chosen = house.settings.upkeep
    return Upkeep(
        home=house.settings.home, store=house.store, pictures=house.pictures, workspace=house.workspace,
        database=_dump(house.settings), clock=house.clock, rejected_days=chosen.rejected_days,
        runs_days=chosen.runs_days, least_free=chosen.free_mb * 1_000_000,
    )  # fmt: skip


def addresses(settings: Settings) -> tuple[str, ...]:
    """Where the operator is told; each holds secrets."""
    return tuple(address.get_secret_value() for address in settings.notify.addresses)


def herald(settings: Settings) -> AppriseHerald | None:
    """Who says notices; None where the operator gave no address."""
    from auria_bot.services.herald import AppriseHerald  # noqa: PLC0415

    known = addresses(settings)
    return AppriseHerald(known) if known else None


def notices(house: Application) -> Notices:
    """What the operator is told."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from auria_bot.services.herald import LogHerald  # noqa: PLC0415
    from auria_bot.services.notices import Notices, Sources  # noqa: PLC0415

    sources = Sources(
        stock=house.errands.stock, room=upkeep(house).room, overdue=health(house).overdue,
        missed=house.agenda.asked, expiring=lambda: expiring(house), picture=house.pictures.path,
    )  # fmt: skip
    return Notices(
        store=house.store, herald=herald(house.settings) or LogHerald(), clock=house.clock,
        zone=ZoneInfo(house.settings.time_zone), sources=sources, quiet=house.settings.notify.quiet,
    )  # fmt: skip


def health(house: Application) -> Health:
    """How the house is."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from auria_bot import __version__  # noqa: PLC0415
    from auria_bot.services.health import Health  # noqa: PLC0415

    chosen = house.settings
    return Health(
        store=_Late(house), clock=house.clock, rules=chosen.schedule.rules(chosen.channels), zone=ZoneInfo(chosen.time_zone),
        patience=timedelta(seconds=chosen.daemon.deadline), version=__version__,
    )  # fmt: skip


def caretaker(house: Application, program: Sequence[str]) -> Caretaker:
    """The daemon's eye on the house."""
    from auria_bot.services.beacon import Beacon  # noqa: PLC0415
    from auria_bot.services.caretaker import Caretaker  # noqa: PLC0415

    address = house.settings.health.address
    beacon = Beacon(health(house), address) if address else None
    return Caretaker(lookout=lambda: notices(house), beacon=beacon, program=program)


def alarm(settings: Settings, program: Sequence[str]) -> Alarm:
    """What is told when nothing else works."""
    from auria_bot.services.alarm import Alarm  # noqa: PLC0415

    return Alarm(addresses=addresses(settings), program=program)


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


class _Late:
    """The database, opened when it is asked: health is told also while it is away."""

    def __init__(self, house: Application) -> None:
        self._house = house

    def read(self) -> AbstractContextManager[Unit]:
        """A view of one moment."""
        return self._house.store.read()


def _addresses(settings: Settings) -> list[str]:
    return [address.get_secret_value() for address in settings.notify.addresses]


def _dump(settings: Settings) -> Dump:
    from auria_bot.store.dump import Dump  # noqa: PLC0415

    programs: Path | None = settings.upkeep.programs
    return Dump(settings.database_url, programs=programs)
