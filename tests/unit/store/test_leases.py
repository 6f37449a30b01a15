"""A lease has one holder at a time, and its number grows whenever it changes hands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auria_bot.store.unit_of_work import Store

LENGTH = timedelta(seconds=10)


def test_one_holder_at_a_time(store: Store):
    """A second waits until the first lets go; what the first then does is refused."""
    now = datetime.now(UTC)
    with store.begin() as unit:
        assert unit.leases.get("daemon") is None
        first = unit.leases.take("daemon", holder="a", length=LENGTH, now=now)
        assert (first.holder, first.fencing) == ("a", 1)
        assert first.until - first.heartbeat == LENGTH
        assert unit.leases.take("daemon", holder="b", length=LENGTH, now=now) is None
        assert unit.leases.holds(first)
        renewed = unit.leases.renew(first, length=LENGTH, now=now + timedelta(seconds=3))
        assert renewed.fencing == 1
        assert renewed.until >= first.until
        assert unit.leases.release(first)
        second = unit.leases.take("daemon", holder="b", length=LENGTH, now=now)
        assert (second.holder, second.fencing) == ("b", 2)
        assert not unit.leases.holds(first)
        assert unit.leases.renew(first, length=LENGTH, now=now) is None
        assert not unit.leases.release(first)
        assert unit.leases.get("daemon") == second


def test_a_lease_that_ran_out_is_free(store: Store):
    """Its holder may renew it as long as nobody took it."""
    now = datetime.now(UTC)
    with store.begin() as unit:
        first = unit.leases.take("daemon", holder="a", length=timedelta(0), now=now)
        assert unit.leases.renew(first, length=timedelta(0), now=now) is not None
        later = now + timedelta(seconds=1)
        assert unit.leases.take("daemon", holder="b", length=LENGTH, now=later).fencing == 2
        assert unit.leases.renew(first, length=LENGTH, now=later) is None


def test_a_lease_from_a_clock_that_was_ahead_is_free(store: Store):
    """Nobody can hold one for longer than its length."""
    now = datetime.now(UTC)
    with store.begin() as unit:
        unit.leases.take("daemon", holder="a", length=timedelta(days=400), now=now)
        assert unit.leases.take("daemon", holder="b", length=LENGTH, now=now).holder == "b"


def test_machines_whose_clocks_differ_agree(store: Store):
    """On PostgreSQL the server's clock counts, not the caller's."""
    now = datetime.now(UTC)
    with store.begin() as unit:
        unit.leases.take("daemon", holder="a", length=LENGTH, now=now)
        other = unit.leases.take("daemon", holder="b", length=LENGTH, now=now + timedelta(seconds=15))
        is_server_s = not store.url.startswith("sqlite")
        assert (other is None) is is_server_s
