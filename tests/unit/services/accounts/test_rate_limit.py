"""How often somebody may call."""

from __future__ import annotations

import pytest

from auria_bot.services.accounts.rate_limit import RateLimit, network_of


class Seconds:
    """Seconds that pass when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_full_bucket_is_used_up_and_fills_evenly() -> None:
    """Six calls a minute: six at once, then one every ten seconds."""
    seconds = Seconds()
    limit = RateLimit(calls=6, period=60, seconds=seconds)
    assert [limit.take("ada").remaining for _ in range(6)] == [5, 4, 3, 2, 1, 0]
    refused = limit.take("ada")
    assert (refused.is_allowed, refused.wait, refused.reset, refused.limit) == (False, 10, 60, 6)
    seconds.now += 9.5
    assert limit.take("ada").wait == 1
    seconds.now += 0.5
    assert limit.take("ada").is_allowed
    seconds.now += 10_000
    assert limit.take("ada").remaining == 5


def test_everybody_has_a_bucket() -> None:
    """One who calls too often keeps nobody else out."""
    limit = RateLimit(calls=1, seconds=Seconds())
    assert limit.take("ada").is_allowed
    assert not limit.take("ada").is_allowed
    assert limit.take("bob").is_allowed


def test_who_called_longest_ago_is_forgotten_first() -> None:
    """So memory is bounded, whoever calls."""
    limit = RateLimit(calls=1, seconds=Seconds(), most_remembered=2)
    for who in ("ada", "bob", "ada", "cleo"):
        limit.take(who)
    assert not limit.take("ada").is_allowed
    assert limit.take("bob").is_allowed
    assert len(limit._buckets) == 2


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_network_of_ipv6_counts_as_one_caller(address: str, network: str) -> None:
    """A household has more addresses than a limit could count."""
    assert network_of(address) == network
