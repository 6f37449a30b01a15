"""One daemon leads; when its heartbeat stops, another does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import DatabaseUnreachable
from auria_bot.services.schedule.leader_election import HEARTBEAT, LENGTH, NAME, LeaderElection, own_name

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeClock


def leader(house: Application, clock: FakeClock, name: str) -> LeaderElection:
    """A daemon's leadership, whose steady clock is the fake one too."""
    return LeaderElection(store=house.store, clock=clock, holder=name, monotonic=lambda: clock().timestamp())


def test_a_second_waits_until_the_first_is_gone(house: Application, clock: FakeClock):
    """While the heart of the first beats, the second stays second; then it takes over within 13 seconds."""
    first, second = leader(house, clock, "a"), leader(house, clock, "b")
    assert first.heartbeat()
    for _ in range(5):
        clock.advance(seconds=HEARTBEAT)
        assert first.heartbeat()
        assert not second.heartbeat()
    waited = 0.0
    while not second.heartbeat():
        clock.advance(seconds=HEARTBEAT)
        waited += HEARTBEAT
    assert waited <= 13
    assert first.lease is None
    assert second.current() == second.lease
    assert (second.lease.holder, second.lease.fencing, second.lease.name) == ("b", 2, NAME)
    assert not first.heartbeat()


def test_one_who_lets_go_is_followed_at_once(house: Application, clock: FakeClock):
    """And letting go twice does no harm."""
    first, second = leader(house, clock, "a"), leader(house, clock, "b")
    first.heartbeat()
    first.release()
    first.release()
    assert first.lease is None
    assert second.heartbeat()


def test_a_daemon_without_a_database_is_no_leader_after_a_while(house: Application, clock: FakeClock):
    """It may work on until the lease runs out, and leads again when the database is back."""
    first = leader(house, clock, "a")
    first.heartbeat()
    whole, first.store = first.store, Away()
    clock.advance(seconds=HEARTBEAT)
    with pytest.raises(DatabaseUnreachable):
        first.heartbeat()
    assert first.lease is not None
    clock.advance(seconds=LENGTH.total_seconds())
    assert first.lease is None
    first.store = whole
    assert first.heartbeat()
    assert first.lease.fencing == 1


@pytest.mark.parametrize(("second", "leads"), [(1.0, True), (LENGTH.total_seconds(), False)])
def test_an_answer_that_takes_too_long_makes_no_leader(
    house: Application, clock: FakeClock, second: float, leads: bool
):
    """The lease counts from before the question; it is asked once more, and that answer counts."""
    late = LENGTH.total_seconds()
    ticks = iter([0.0, late, late, late + second])
    slow = LeaderElection(store=house.store, clock=clock, holder="a", length=LENGTH, monotonic=lambda: next(ticks))
    assert slow.heartbeat() is leads


def test_names_are_unlike():
    """Two of one process too."""
    assert own_name() != own_name()
    assert timedelta(seconds=HEARTBEAT) < LENGTH / 3 + timedelta(seconds=1)


class Away:
    """A database that does not answer."""

    def begin(self):
        """Never begins."""
        raise DatabaseUnreachable

    read = begin
