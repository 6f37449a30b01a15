"""Measuring what is out: on both databases, with channels that fail in every way."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.engagement import AGES, Audience, Engagement
from auria_bot.errors import ChannelError, DiskError, NotFound, SettingsError, Throttled, Unauthorised
from auria_bot.services.engagement.tracker import MeasurementResult, MeasurementRound, Tracker
from tests.engaged import add_sent

if TYPE_CHECKING:
    from auria_bot.domain.post import Receipt
    from auria_bot.store.unit_of_work import Store
    from auria_bot.testing import FakeClock

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


class TrackedPlatforms:
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
def platforms(store: Store, clock: FakeClock) -> TrackedPlatforms:
    """The tracker on each kind of database."""
    return TrackedPlatforms(store, clock)


def test_what_is_due_is_measured_once(platforms: TrackedPlatforms):
    """A post due for three missed times is asked for once, one that is too young not at all; then nothing is due."""
    old, young = platforms.post(1, age=5 * DAY), platforms.post(2, age=timedelta(minutes=5))
    visit = platforms.visit(platforms.tracker.measure())
    assert (visit.posts, visit.calls, visit.left, visit.followers) == (1, 2, 0, 101)
    assert visit.next_at == platforms.clock() + timedelta(minutes=10)
    assert (platforms.samples(old), platforms.samples(young)) == (1, 0)
    assert platforms.visit(platforms.tracker.measure()).calls == 0
    platforms.clock.advance(minutes=10)
    platforms.tracker.measure()
    assert (platforms.samples(old), platforms.samples(young)) == (1, 1)


def test_a_year_costs_twenty_two_calls_a_post(platforms: TrackedPlatforms):
    """Looked at twice around each of its ages, and long afterwards, a post is asked for as often as its timetable says."""
    number, begun = platforms.post(1, age=timedelta(0)), platforms.clock()
    for age in (*AGES, AGES[-1] + 10 * DAY, AGES[-1] + 900 * DAY):
        for share in (0.99, 1.05):
            platforms.clock.now = max(begun + share * age, platforms.clock.now)
            platforms.tracker.measure(["fake"])
    assert platforms.fake.calls.count("receipt-1") == platforms.samples(number) == len(AGES) == 22


def test_followers_are_counted_once_a_day(platforms: TrackedPlatforms):
    """At every channel, whether or not it has posts; not again within the day."""
    for hours in (0, 1, 22, 1, 23):
        platforms.clock.advance(hours=hours)
        platforms.tracker.measure()
    assert platforms.fake.calls == ["followers"] * 3
    with platforms.store.read() as unit:
        assert {name: len(rows) for name, rows in unit.samples.followers().items()} == {"fake": 3, "other": 3}


def test_how_far_a_measurement_is_can_be_followed(platforms: TrackedPlatforms):
    """Over all channels: what is due is counted once, and a channel begins where the one before ends."""
    for number, channel in ((1, "fake"), (2, "fake"), (3, "other")):
        platforms.post(number, age=5 * DAY, channel=channel)
    told: list[tuple[int, int, str]] = []
    platforms.tracker.measure(progress=lambda *progress: told.append(progress))
    assert list(dict.fromkeys(told)) == [(0, 3, "fake"), (1, 3, "fake"), (2, 3, "other")]


def test_only_the_channels_asked_for(platforms: TrackedPlatforms):
    """Others are neither asked nor told of."""
    done = platforms.tracker.measure(["other"])
    assert [visit.channel for visit in done.results] == ["other"]
    assert platforms.fake.calls == []


def test_a_paused_channel_is_left_alone(platforms: TrackedPlatforms):
    """It is not asked, and that is no failure."""
    platforms.post(1, age=DAY)
    with platforms.store.begin() as unit:
        unit.channels.pause("fake", reason="rest", by="me", at=platforms.clock())
    done = platforms.tracker.measure()
    assert (platforms.fake.calls, platforms.other.calls, done.problems) == ([], ["followers"], ())
    assert "auria channels resume fake" in platforms.visit(done).message
    assert platforms.visit(done).left == 1


def test_the_youngest_come_first_and_the_budget_holds(platforms: TrackedPlatforms):
    """Four calls a day are four calls a day, over rounds and restarts; the rest follows a day later."""
    ages = (3 * DAY, timedelta(hours=2), 9 * DAY, 40 * DAY)
    posts = [platforms.post(number, age=age) for number, age in enumerate(ages, 1)]
    tracker = platforms.build(calls=4)
    visit = platforms.visit(tracker.measure(["fake"]))
    assert (visit.posts, visit.calls, visit.left, visit.failed) == (3, 4, 1, False)
    assert "budget of 4 calls for 24 hours" in visit.message
    assert [platforms.samples(post) for post in posts] == [1, 1, 1, 0]
    assert platforms.visit(platforms.build(calls=4).measure(["fake"])).calls == 0
    platforms.clock.advance(hours=25)
    assert platforms.visit(tracker.measure(["fake"])).calls == 4
    assert [platforms.samples(post) for post in posts] == [2, 2, 1, 1]


def test_money_is_a_budget_too(platforms: TrackedPlatforms):
    """At a tenth of a cent a call, a third of a cent buys three calls, and the cost is told."""
    for number in range(1, 6):
        platforms.post(number, age=number * DAY)
    visit = platforms.visit(platforms.build(dollars=0.003, prices={"fake": 0.001}).measure())
    assert visit.calls == 3
    assert visit.cost == pytest.approx(0.003)
    assert "$0.003, at $0.001 a call" in visit.message


def test_failed_calls_are_paid_for(platforms: TrackedPlatforms):
    """A call that brings nothing uses up the budget like any other."""
    for number in range(1, 4):
        platforms.post(number, age=number * DAY)
    platforms.fake.faults["receipt-1"] = ChannelError("no counts today")
    tracker = platforms.build(calls=5)
    assert platforms.visit(tracker.measure(["fake"])).calls == 4
    assert platforms.visit(tracker.measure(["fake"])).calls == 1
    assert platforms.visit(tracker.measure(["fake"])).calls == 0


def test_a_throttled_channel_rests_until_then(platforms: TrackedPlatforms):
    """No call before the time it named, and the other channel is measured all the same."""
    platforms.post(1, age=DAY)
    platforms.post(2, age=DAY, channel="other")
    platforms.fake.faults["followers"] = Throttled("too fast", until=platforms.clock() + timedelta(hours=2))
    done = platforms.tracker.measure()
    assert (platforms.visit(done).message, done.problems) == (
        "it asks to wait until 2026-11-21 11:00 UTC: too fast",
        (),
    )
    assert platforms.visit(done, "other").posts == 1
    platforms.fake.faults.clear()
    platforms.clock.advance(hours=1)
    assert "2026-11-21 11:00" in platforms.visit(platforms.tracker.measure()).message
    assert platforms.fake.calls == ["followers"]
    platforms.clock.advance(hours=1)
    assert platforms.visit(platforms.tracker.measure()).posts == 1


def test_a_throttled_channel_that_names_no_time_rests_a_while(platforms: TrackedPlatforms):
    """A quarter of an hour."""
    platforms.post(1, age=DAY)
    platforms.fake.faults["receipt-1"] = Throttled("too fast")
    platforms.tracker.measure()
    platforms.clock.advance(minutes=14)
    platforms.tracker.measure()
    assert platforms.fake.calls == ["followers", "receipt-1"]
    platforms.clock.advance(minutes=1)
    platforms.tracker.measure()
    assert platforms.fake.calls == ["followers", "receipt-1", "receipt-1"]


@pytest.mark.parametrize(
    ("asked", "rests"),
    [(timedelta(days=-9), timedelta(minutes=1)), (timedelta(seconds=1), timedelta(minutes=1)), (40 * DAY, DAY)],
)
def test_a_throttled_channel_rests_between_a_minute_and_a_day(
    platforms: TrackedPlatforms, asked: timedelta, rests: timedelta
):
    """However long it asks for: a time that makes no sense stops no measurement for good."""
    platforms.post(1, age=2 * DAY)
    platforms.fake.faults["receipt-1"] = Throttled("too fast", until=platforms.clock() + asked)
    platforms.tracker.measure(["fake"])
    platforms.fake.faults.clear()
    platforms.clock.now += rests - timedelta(seconds=1)
    assert platforms.visit(platforms.tracker.measure(["fake"])).posts == 0
    platforms.clock.now += timedelta(seconds=1)
    assert platforms.visit(platforms.tracker.measure(["fake"])).posts == 1


def test_bad_credentials_end_the_visit(platforms: TrackedPlatforms):
    """One call, and the operator is told; the other channel goes on."""
    for number in range(1, 4):
        platforms.post(number, age=number * DAY)
    platforms.fake.faults["receipt-1"] = Unauthorised("the token has ended; auria channels add fake")
    done = platforms.tracker.measure()
    assert done.problems == ("fake: the credentials are not accepted: the token has ended; auria channels add fake",)
    assert platforms.fake.calls == ["followers", "receipt-1"]
    assert not platforms.visit(done, "other").failed


@pytest.mark.parametrize("fault", [ChannelError("HTTP 502"), RuntimeError("a bug"), SettingsError("no such thing")])
def test_one_bad_post_spoils_no_other(platforms: TrackedPlatforms, fault: Exception):
    """Whatever is raised for it, the rest is measured, and the failure told."""
    posts = [platforms.post(number, age=number * DAY) for number in range(1, 4)]
    platforms.fake.faults["receipt-2"] = fault
    done = platforms.tracker.measure(["fake"])
    assert [platforms.samples(post) for post in posts] == [1, 0, 1]
    assert platforms.visit(done).failed
    assert platforms.visit(done).left == 1
    assert str(fault) in done.problems[0]
    assert f"post {posts[1]}" in done.problems[0]


def test_a_channel_that_only_fails_is_left_for_later(platforms: TrackedPlatforms):
    """Three failures in a row are enough."""
    for number in range(1, 9):
        platforms.post(number, age=number * DAY)
    platforms.fake.faults[""] = ChannelError("HTTP 502")
    done = platforms.tracker.measure(["fake"])
    assert len(platforms.fake.calls) == 4
    assert "the rest was skipped" in done.problems[0]
    assert platforms.visit(done).left == 8


def test_missing_followers_do_not_hide_the_posts(platforms: TrackedPlatforms):
    """Posts are measured though followers cannot be counted, even where the platform calls the account not found."""
    platforms.post(1, age=DAY)
    platforms.fake.faults["followers"] = NotFound("no such account")
    visit = platforms.visit(platforms.tracker.measure(["fake"]))
    assert (visit.posts, visit.followers, visit.failed) == (1, None, True)
    assert "its followers could not be counted: no such account" in visit.message


def test_a_channel_that_cannot_be_built_is_told(platforms: TrackedPlatforms):
    """The other is measured."""

    def broken() -> Any:
        raise SettingsError("channels.bad: no such option")

    tracker = Tracker(
        store=platforms.store, channels={"bad": broken, "other": lambda: platforms.other}, clock=platforms.clock
    )
    done = tracker.measure()
    assert done.problems == ("bad: channels.bad: no such option",)
    assert platforms.visit(done, "other").calls == 1


def test_a_vanished_post_is_told_once(platforms: TrackedPlatforms):
    """Its counts stay, it is not asked for again, and its neighbours are."""
    gone, there = platforms.post(1, age=DAY), platforms.post(2, age=2 * DAY)
    platforms.tracker.measure()
    platforms.clock.advance(days=3)
    platforms.fake.faults["receipt-1"] = NotFound("deleted")
    assert [post.post_id for post in platforms.tracker.measure().vanished] == [gone]
    platforms.clock.advance(days=30)
    assert platforms.tracker.measure().vanished == ()
    assert platforms.fake.calls.count("receipt-1") == 2
    assert (platforms.samples(gone), platforms.samples(there)) == (1, 3)


def test_a_vanished_post_can_be_asked_for_again(platforms: TrackedPlatforms):
    """When it is there again, it is measured from then on."""
    gone = platforms.post(1, age=DAY)
    platforms.fake.faults["receipt-1"] = NotFound("deleted")
    platforms.tracker.measure()
    assert platforms.tracker.measure(vanished=True).vanished == ()
    platforms.fake.faults.clear()
    assert platforms.visit(platforms.tracker.measure(vanished=True)).posts == 1
    platforms.clock.advance(days=2)
    assert platforms.visit(platforms.tracker.measure()).posts == 1
    assert platforms.samples(gone) == 2


def test_a_clean_sweep_is_doubted(platforms: TrackedPlatforms):
    """When none of three posts is found, nothing is recorded, unless told to: it may be the wrong account."""
    for number in range(1, 6):
        platforms.post(number, age=number * DAY)
    platforms.fake.faults[""] = NotFound("unknown")
    done = platforms.tracker.measure(["fake"])
    assert done.vanished == ()
    assert "is it still the same account?" in done.problems[0]
    assert len(platforms.fake.calls) == 4
    assert len(platforms.tracker.measure(["fake"], vanished=True).vanished) == 5


def test_the_disk_is_not_the_channels_fault(platforms: TrackedPlatforms, monkeypatch: pytest.MonkeyPatch):
    """A count that cannot be saved ends the round with the store's own error."""
    platforms.post(1, age=DAY)

    def full(*_: object) -> None:
        raise DiskError("the disk is full")

    monkeypatch.setattr("auria_bot.store.engagement.Samples.add", full)
    with pytest.raises(DiskError):
        platforms.tracker.measure()


def test_no_secret_is_told(platforms: TrackedPlatforms):
    """What a client library says in its anger is masked before anybody sees it."""
    platforms.post(1, age=DAY)
    platforms.fake.faults["receipt-1"] = RuntimeError("GET https://me:hunter2secret@example.invalid/ -> 500")
    done = platforms.tracker.measure(["fake"])
    assert "hunter2secret" not in f"{done}{done.problems}"
    assert "RuntimeError: GET https://me:***@example.invalid/" in platforms.visit(done).message


def test_a_preview_asks_nobody(platforms: TrackedPlatforms):
    """It says what would be done, within the budget, and why the rest would not."""
    for number in range(1, 5):
        platforms.post(number, age=number * DAY)
    with platforms.store.begin() as unit:
        unit.channels.pause("other", reason="rest", by="me", at=platforms.clock())
    fake, other = platforms.build(calls=3).preview()
    assert (fake.posts, fake.calls, fake.left) == (2, 3, 2)
    assert "budget" in fake.message
    assert (other.posts, other.calls) == (0, 0)
    assert platforms.fake.calls == []
    (whole,) = platforms.tracker.preview(["fake"])
    assert (whole.posts, whole.calls, whole.left, whole.message) == (4, 5, 0, "")
