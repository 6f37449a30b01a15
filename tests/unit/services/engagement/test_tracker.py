"""Measuring what is out: on both databases, with channels that fail in every way."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.engagement import AGES, Audience, Engagement
from auria_bot.errors import ChannelError, DiskError, NotFound, SettingsError, Throttled, Unauthorised
from auria_bot.services.engagement.tracker import MeasurementResult, MeasurementRound, Tracker
from auria_bot.testing import FakeClock
from tests.engaged import add_sent

if TYPE_CHECKING:
    from auria_bot.domain.post import Receipt
    from auria_bot.store.unit_of_work import Store

DAY = timedelta(days=1)


class Platform:
    """As much of a channel as is measured: it counts calls, and fails where it is told to."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.calls = clock, list[str]()
        self.faults: dict[str, BaseException] = {}  # by a receipt's id, or "followers", or "" for every post

    def measure(self, receipt: Receipt) -> Engagement:
        self._answer(receipt.id, "")
        return Engagement(at=self.clock(), likes=len(self.calls))

    def audience(self) -> Audience:
        self._answer("followers")
        return Audience(at=self.clock(), followers=100 + len(self.calls))

    def _answer(self, *names: str) -> None:
        self.calls.append(names[0])
        for name in names:
            if name in self.faults:
                raise self.faults[name]


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


class House:
    """A tracker of two platforms, and hands to prepare them."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self.store, self.clock = store, clock
        self.fake, self.other = Platform(clock), Platform(clock)
        self.tracker = self.build()

    def build(self, **options: Any) -> Tracker:
        made: dict[str, Any] = {"fake": lambda: self.fake, "other": lambda: self.other}
        return Tracker(store=self.store, channels=made, clock=self.clock, **options)

    def post(self, number: int, *, age: timedelta, channel: str = "fake") -> int:
        with self.store.begin() as unit:
            return add_sent(unit, number, at=self.clock() - age, channel=channel).id

    def visit(self, done: MeasurementRound, name: str = "fake") -> MeasurementResult:
        return next(visit for visit in done.results if visit.channel == name)

    def samples(self, post_id: int) -> int:
        with self.store.read() as unit:
            return len(unit.samples.history(post_id))


@pytest.fixture
def house(store: Store, clock: FakeClock) -> House:
    """The tracker on each kind of database."""
    return House(store, clock)


def test_what_is_due_is_measured_once(house: House):
    """A post due for three missed times is asked for once, one that is too young not at all; then nothing is due."""
    old, young = house.post(1, age=5 * DAY), house.post(2, age=timedelta(minutes=5))
    visit = house.visit(house.tracker.measure())
    assert (visit.posts, visit.calls, visit.left, visit.followers) == (1, 2, 0, 101)
    assert visit.next_at == house.clock() + timedelta(minutes=10)
    assert (house.samples(old), house.samples(young)) == (1, 0)
    assert house.visit(house.tracker.measure()).calls == 0
    house.clock.advance(minutes=10)
    house.tracker.measure()
    assert (house.samples(old), house.samples(young)) == (1, 1)


def test_a_year_costs_twenty_two_calls_a_post(house: House):
    """Looked at twice around each of its ages, and long afterwards, a post is asked for as often as its timetable says."""
    number, begun = house.post(1, age=timedelta(0)), house.clock()
    for age in (*AGES, AGES[-1] + 10 * DAY, AGES[-1] + 900 * DAY):
        for share in (0.99, 1.05):
            house.clock.now = max(begun + share * age, house.clock.now)
            house.tracker.measure(["fake"])
    assert house.fake.calls.count("receipt-1") == house.samples(number) == len(AGES) == 22


def test_followers_are_counted_once_a_day(house: House):
    """At every channel, whether or not it has posts; not again within the day."""
    for hours in (0, 1, 22, 1, 23):
        house.clock.advance(hours=hours)
        house.tracker.measure()
    assert house.fake.calls == ["followers"] * 3
    with house.store.read() as unit:
        assert {name: len(rows) for name, rows in unit.samples.followers().items()} == {"fake": 3, "other": 3}


def test_only_the_channels_asked_for(house: House):
    """Others are neither asked nor told of."""
    done = house.tracker.measure(["other"])
    assert [visit.channel for visit in done.results] == ["other"]
    assert house.fake.calls == []


def test_a_paused_channel_is_left_alone(house: House):
    """It is not asked, and that is no failure."""
    house.post(1, age=DAY)
    with house.store.begin() as unit:
        unit.channels.pause("fake", reason="rest", by="me", at=house.clock())
    done = house.tracker.measure()
    assert (house.fake.calls, house.other.calls, done.problems) == ([], ["followers"], ())
    assert "auria channels resume fake" in house.visit(done).message
    assert house.visit(done).left == 1


def test_the_youngest_come_first_and_the_budget_holds(house: House):
    """Four calls a day are four calls a day, over rounds and restarts; the rest follows a day later."""
    ages = (3 * DAY, timedelta(hours=2), 9 * DAY, 40 * DAY)
    posts = [house.post(number, age=age) for number, age in enumerate(ages, 1)]
    tracker = house.build(calls=4)
    visit = house.visit(tracker.measure(["fake"]))
    assert (visit.posts, visit.calls, visit.left, visit.failed) == (3, 4, 1, False)
    assert "budget of 4 calls for 24 hours" in visit.message
    assert [house.samples(post) for post in posts] == [1, 1, 1, 0]
    assert house.visit(house.build(calls=4).measure(["fake"])).calls == 0
    house.clock.advance(hours=25)
    assert house.visit(tracker.measure(["fake"])).calls == 4
    assert [house.samples(post) for post in posts] == [2, 2, 1, 1]


def test_money_is_a_budget_too(house: House):
    """At a tenth of a cent a call, a third of a cent buys three calls, and the cost is told."""
    for number in range(1, 6):
        house.post(number, age=number * DAY)
    visit = house.visit(house.build(dollars=0.003, prices={"fake": 0.001}).measure())
    assert visit.calls == 3
    assert visit.cost == pytest.approx(0.003)
    assert "$0.003, at $0.001 a call" in visit.message


def test_failed_calls_are_paid_for(house: House):
    """A call that brings nothing uses up the budget like any other."""
    for number in range(1, 4):
        house.post(number, age=number * DAY)
    house.fake.faults["receipt-1"] = ChannelError("no counts today")
    tracker = house.build(calls=5)
    assert house.visit(tracker.measure(["fake"])).calls == 4
    assert house.visit(tracker.measure(["fake"])).calls == 1
    assert house.visit(tracker.measure(["fake"])).calls == 0


def test_a_throttled_channel_rests_until_then(house: House):
    """No call before the time it named, and the other channel is measured all the same."""
    house.post(1, age=DAY)
    house.post(2, age=DAY, channel="other")
    house.fake.faults["followers"] = Throttled("too fast", until=house.clock() + timedelta(hours=2))
    done = house.tracker.measure()
    assert (house.visit(done).message, done.problems) == ("it asks to wait until 2026-11-21 11:00 UTC: too fast", ())
    assert house.visit(done, "other").posts == 1
    house.fake.faults.clear()
    house.clock.advance(hours=1)
    assert "2026-11-21 11:00" in house.visit(house.tracker.measure()).message
    assert house.fake.calls == ["followers"]
    house.clock.advance(hours=1)
    assert house.visit(house.tracker.measure()).posts == 1


def test_a_throttled_channel_that_names_no_time_rests_a_while(house: House):
    """A quarter of an hour."""
    house.post(1, age=DAY)
    house.fake.faults["receipt-1"] = Throttled("too fast")
    house.tracker.measure()
    house.clock.advance(minutes=14)
    house.tracker.measure()
    assert house.fake.calls == ["followers", "receipt-1"]
    house.clock.advance(minutes=1)
    house.tracker.measure()
    assert house.fake.calls == ["followers", "receipt-1", "receipt-1"]


def test_bad_credentials_end_the_visit(house: House):
    """One call, and the operator is told; the other channel goes on."""
    for number in range(1, 4):
        house.post(number, age=number * DAY)
    house.fake.faults["receipt-1"] = Unauthorised("the token has ended; auria channels add fake")
    done = house.tracker.measure()
    assert done.problems == ("fake: the credentials are not accepted: the token has ended; auria channels add fake",)
    assert house.fake.calls == ["followers", "receipt-1"]
    assert not house.visit(done, "other").failed


@pytest.mark.parametrize("fault", [ChannelError("HTTP 502"), RuntimeError("a bug"), SettingsError("no such thing")])
def test_one_bad_post_spoils_no_other(house: House, fault: Exception):
    """Whatever is raised for it, the rest is measured, and the failure told."""
    posts = [house.post(number, age=number * DAY) for number in range(1, 4)]
    house.fake.faults["receipt-2"] = fault
    done = house.tracker.measure(["fake"])
    assert [house.samples(post) for post in posts] == [1, 0, 1]
    assert house.visit(done).failed
    assert house.visit(done).left == 1
    assert str(fault) in done.problems[0]
    assert f"post {posts[1]}" in done.problems[0]


def test_a_channel_that_only_fails_is_left_for_later(house: House):
    """Three failures in a row are enough."""
    for number in range(1, 9):
        house.post(number, age=number * DAY)
    house.fake.faults[""] = ChannelError("HTTP 502")
    done = house.tracker.measure(["fake"])
    assert len(house.fake.calls) == 4
    assert "the rest was skipped" in done.problems[0]
    assert house.visit(done).left == 8


def test_missing_followers_do_not_hide_the_posts(house: House):
    """Posts are measured though followers cannot be counted, even where the platform calls the account not found."""
    house.post(1, age=DAY)
    house.fake.faults["followers"] = NotFound("no such account")
    visit = house.visit(house.tracker.measure(["fake"]))
    assert (visit.posts, visit.followers, visit.failed) == (1, None, True)
    assert "its followers could not be counted: no such account" in visit.message


def test_a_channel_that_cannot_be_built_is_told(house: House):
    """The other is measured."""

    def broken() -> Any:
        raise SettingsError("channels.bad: no such option")

    tracker = Tracker(store=house.store, channels={"bad": broken, "other": lambda: house.other}, clock=house.clock)
    done = tracker.measure()
    assert done.problems == ("bad: channels.bad: no such option",)
    assert house.visit(done, "other").calls == 1


def test_a_vanished_post_is_told_once(house: House):
    """Its counts stay, it is not asked for again, and its neighbours are."""
    gone, there = house.post(1, age=DAY), house.post(2, age=2 * DAY)
    house.tracker.measure()
    house.clock.advance(days=3)
    house.fake.faults["receipt-1"] = NotFound("deleted")
    assert [post.post_id for post in house.tracker.measure().vanished] == [gone]
    house.clock.advance(days=30)
    assert house.tracker.measure().vanished == ()
    assert house.fake.calls.count("receipt-1") == 2
    assert (house.samples(gone), house.samples(there)) == (1, 3)


def test_a_vanished_post_can_be_asked_for_again(house: House):
    """When it is there again, it is measured from then on."""
    gone = house.post(1, age=DAY)
    house.fake.faults["receipt-1"] = NotFound("deleted")
    house.tracker.measure()
    assert house.tracker.measure(vanished=True).vanished == ()
    house.fake.faults.clear()
    assert house.visit(house.tracker.measure(vanished=True)).posts == 1
    house.clock.advance(days=2)
    assert house.visit(house.tracker.measure()).posts == 1
    assert house.samples(gone) == 2


def test_a_clean_sweep_is_doubted(house: House):
    """When none of three posts is found, nothing is recorded, unless told to: it may be the wrong account."""
    for number in range(1, 6):
        house.post(number, age=number * DAY)
    house.fake.faults[""] = NotFound("unknown")
    done = house.tracker.measure(["fake"])
    assert done.vanished == ()
    assert "is it still the same account?" in done.problems[0]
    assert len(house.fake.calls) == 4
    assert len(house.tracker.measure(["fake"], vanished=True).vanished) == 5


def test_the_disk_is_not_the_channels_fault(house: House, monkeypatch: pytest.MonkeyPatch):
    """A count that cannot be saved ends the round with the store's own error."""
    house.post(1, age=DAY)

    def full(*_: object) -> None:
        raise DiskError("the disk is full")

    monkeypatch.setattr("auria_bot.store.engagement.Samples.add", full)
    with pytest.raises(DiskError):
        house.tracker.measure()


def test_no_secret_is_told(house: House):
    """What a client library says in its anger is masked before anybody sees it."""
    house.post(1, age=DAY)
    house.fake.faults["receipt-1"] = RuntimeError("GET https://me:hunter2secret@example.invalid/ -> 500")
    done = house.tracker.measure(["fake"])
    assert "hunter2secret" not in f"{done}{done.problems}"
    assert "RuntimeError: GET https://me:***@example.invalid/" in house.visit(done).message


def test_a_preview_asks_nobody(house: House):
    """It says what would be done, within the budget, and why the rest would not."""
    for number in range(1, 5):
        house.post(number, age=number * DAY)
    with house.store.begin() as unit:
        unit.channels.pause("other", reason="rest", by="me", at=house.clock())
    fake, other = house.build(calls=3).preview()
    assert (fake.posts, fake.calls, fake.left) == (2, 3, 2)
    assert "budget" in fake.message
    assert (other.posts, other.calls) == (0, 0)
    assert house.fake.calls == []
    (whole,) = house.tracker.preview(["fake"])
    assert (whole.posts, whole.calls, whole.left, whole.message) == (4, 5, 0, "")
