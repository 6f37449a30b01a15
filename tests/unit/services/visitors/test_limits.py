"""How many artworks visitors may ask for."""

from __future__ import annotations

from auria_bot.errors import VisitorRefused
from auria_bot.services.visitors.limits import DailyLimits
from auria_bot.testing import FakeClock


def refusal(limits: DailyLimits, address: str) -> str:
    """Why an address may not ask; "" if it may."""
    try:
        limits.take(address)
    except VisitorRefused as error:
        return error.reason
    return ""


def test_an_address_has_its_share_of_a_day() -> None:
    """The next day is a new one."""
    clock = FakeClock()
    limits = DailyLimits(per_address=2, per_day=10, clock=clock)
    assert [refusal(limits, "203.0.113.7") for _ in range(3)] == ["", "", "address"]
    assert refusal(limits, "203.0.113.8") == ""
    clock.advance(hours=24)
    assert refusal(limits, "203.0.113.7") == ""


def test_all_visitors_together_have_theirs() -> None:
    """However many addresses they come from; nothing more is remembered."""
    limits = DailyLimits(per_address=2, per_day=3, clock=FakeClock())
    reasons = [refusal(limits, f"203.0.113.{number}") for number in range(50)]
    assert reasons == ["", "", ""] + ["day"] * 47
    assert len(limits._counts) == 3


def test_no_address_is_kept() -> None:
    """Only hashes with a salt that nobody knows."""
    limits = DailyLimits(per_address=1, per_day=9, clock=FakeClock())
    limits.take("203.0.113.7")
    assert b"203" not in b"".join(limits._counts)
