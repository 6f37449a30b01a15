"""What the services ask of the store is what the store offers: the same methods, with the same parameters."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.services import ports
from auria_bot.services.schedule import timesheet
from auria_bot.store.unit_of_work import Store, Unit

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


def _methods(role: type) -> dict[str, Any]:
    return {name: member for name, member in vars(role).items() if inspect.isfunction(member) and name[0] != "_"}


def _parts() -> dict[str, type]:
    """Each part of a unit of work by its name in `ports.Unit`, with the Protocol that its annotation names."""
    return {
        name: getattr(ports, inspect.signature(member.fget).return_annotation)
        for name, member in vars(ports.Unit).items()
        if isinstance(member, property)
    }


@pytest.mark.parametrize("name", _parts())
def test_a_unit_of_work_offers_every_part(house: Application, name: str) -> None:
    """Each method takes what the services hand over."""
    with house.store.read() as unit:
        assert isinstance(unit, Unit)
        part = getattr(unit, name)
    for method, asked in _methods(_parts()[name]).items():
        offered = inspect.signature(getattr(type(part), method)).parameters
        for parameter in inspect.signature(asked).parameters.values():
            assert parameter.name in offered, f"{name}.{method} does not take {parameter.name}"
            assert parameter.kind == offered[parameter.name].kind, f"{name}.{method} takes {parameter.name} otherwise"
            assert parameter.default == offered[parameter.name].default, f"{name}.{method}: {parameter.name}"


@pytest.mark.parametrize(("name", "role"), [("slots", timesheet.Slots), ("leases", timesheet.Leases)])
def test_a_timesheet_is_kept(house: Application, name: str, role: type) -> None:
    """Slots and leases offer what the daemon's services ask."""
    with house.store.read() as unit:
        part = getattr(unit, name)
    for method, asked in _methods(role).items():
        offered = inspect.signature(getattr(type(part), method)).parameters
        assert inspect.signature(asked).parameters.keys() <= offered.keys()
    assert {"slots", "leases", "drafts", "posts"} <= vars(timesheet.Unit).keys()
    assert _methods(timesheet.Timesheet).keys() <= vars(Store).keys()


def test_store_pictures_and_clock(house: Application, tmp_path: Path) -> None:
    """They offer what is asked of them, too."""
    for role, offered in ((ports.Store, Store), (ports.Pictures, type(house.pictures))):
        assert _methods(role).keys() <= vars(offered).keys()
    assert house.clock().tzinfo is not None
