"""A scheduled time occurs once a local day, across clock changes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from auria_bot.domain.job_schedule import (
    CatchUp,
    JobRun,
    JobRunState,
    JobSchedule,
    ScheduledTime,
    instant,
    moment,
    offset,
    times,
)
from auria_bot.errors import InputError

NEW_YORK = ZoneInfo("America/New_York")
ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia")
NIGHT = times(("01:30", "02:30", "23:59"))


@pytest.mark.parametrize("zone", ZONES)
def test_every_local_day_has_each_slot_once(zone: str):
    """Over a year, each local day has each scheduled time once, and none is due before the one before it."""
    rule, here = JobSchedule(job="make", at=NIGHT), ZoneInfo(zone)
    moment = instant(date(2026, 1, 1), time(0), here) - timedelta(seconds=1)
    end = instant(date(2027, 1, 1), time(0), here) - timedelta(seconds=1)
    found = []
    while moment < end:
        found += rule.slots(moment, later := min(moment + timedelta(hours=13), end), here)
        moment = later
    counted = Counter(slot.name for slot in found)
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    assert counted == dict.fromkeys((f"{day}T{at:%H:%M}" for day in days for at in NIGHT), 1)
    dues = [slot.due for slot in found]
    assert dues == sorted(dues)


def test_a_gap_s_slot_is_at_the_first_instant_after_it():
    """02:30 does not exist on the day of spring's leap; 03:00 does."""
    assert instant(date(2026, 3, 8), time(2, 30), NEW_YORK) == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    howe = ZoneInfo("Australia/Lord_Howe")  # leaps half an hour, 02:00 to 02:30
    assert instant(date(2026, 10, 4), time(2, 10), howe) == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
    assert instant(date(2026, 10, 4), time(2, 30), howe) == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)


def test_a_fold_s_slot_is_at_the_first_of_two():
    """01:30 comes twice when clocks fall back."""
    assert instant(date(2026, 11, 1), time(1, 30), NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_a_day_that_was_left_out_has_no_slots():
    """Apia went from the 29th to the 31st of December 2011."""
    apia = ZoneInfo("Pacific/Apia")
    midnight = datetime(2011, 12, 30, 10, 0, tzinfo=UTC)
    assert instant(date(2011, 12, 30), time(12), apia) == midnight
    days = (midnight - timedelta(days=2), midnight + timedelta(days=2))
    found = [slot.name for slot in JobSchedule(job="make", at=times(("12:00",))).slots(*days, apia)]
    assert found == ["2011-12-28T12:00", "2011-12-29T12:00", "2011-12-31T12:00", "2012-01-01T12:00"]


def test_jitter_is_drawn_once():
    """Jitter is within its bound, the same for the same scheduled time and different for another."""
    hour = timedelta(hours=1)
    drawn = [offset("publish x", f"2026-11-{day:02}T18:00", hour) for day in range(1, 31)]
    assert all(timedelta(0) <= one < hour for one in drawn)
    assert len(set(drawn)) > 25
    assert drawn[0] == offset("publish x", "2026-11-01T18:00", hour)
    assert offset("publish x", "2026-11-01T18:00", timedelta(0)) == timedelta(0)


def test_jitter_over_midnight_loses_no_slot():
    """A run that jitter moves past midnight still belongs to its own day."""
    rule = JobSchedule(job="publish x", at=times(("23:59",)), jitter=timedelta(hours=3))
    start = datetime(2026, 6, 1, tzinfo=UTC)
    found = [
        slot.name
        for hour in range(240)
        for slot in rule.slots(start + timedelta(hours=hour), start + timedelta(hours=hour + 1), ZoneInfo("UTC"))
    ]
    assert Counter(found) == {f"2026-06-{day:02}T23:59": 1 for day in range(1, 10)} | (
        {"2026-05-31T23:59": 1} if "2026-05-31T23:59" in found else {}
    ) | ({"2026-06-10T23:59": 1} if "2026-06-10T23:59" in found else {})


def test_days_of_the_week():
    """A weekly job runs on its day, and is found a week ahead; one without times never is."""
    rule = JobSchedule(job="refresh", at=times(("05:00",)), days=frozenset({6}))
    sunday = rule.next(datetime(2026, 11, 22, 5, 0, tzinfo=UTC), ZoneInfo("UTC"))
    assert sunday == ScheduledTime(job="refresh", name="2026-11-29T05:00", due=datetime(2026, 11, 29, 5, tzinfo=UTC))
    assert JobSchedule(job="refresh", at=()).next(datetime(2026, 11, 22, tzinfo=UTC), ZoneInfo("UTC")) is None


def test_times_are_read():
    """Single ones, and one of every hour; each once, sorted."""
    assert times(("18:30", "4:05", "18:30")) == (time(4, 5), time(18, 30))
    assert times(("*:15",)) == tuple(time(hour, 15) for hour in range(24))
    for wrong in ("24:00", "6pm", "12:60", ""):
        with pytest.raises(InputError, match="HH:MM"):
            times((wrong,))


def test_a_claim_changes_into_another():
    """The old one stays as it is."""
    claim = JobRun(
        slot=ScheduledTime(job="make", name="2026-11-21T04:00", due=datetime(2026, 11, 21, 4, tzinfo=UTC)),
        state=JobRunState.RUNNING,
    )
    assert claim.evolve(state=JobRunState.DONE).state is JobRunState.DONE
    assert claim.state is JobRunState.RUNNING
    assert CatchUp("ask") is CatchUp.ASK


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", datetime(2026, 11, 28, 23, 30, tzinfo=UTC)),
        ("18:30", datetime(2026, 11, 28, 23, 30, tzinfo=UTC)),
        ("2026-11-29 07:05", datetime(2026, 11, 29, 12, 5, tzinfo=UTC)),
        ("2026-11-29T07:05+01:00", datetime(2026, 11, 29, 6, 5, tzinfo=UTC)),
        ("2026-11-29T07:05:30Z", datetime(2026, 11, 29, 7, 5, 30, tzinfo=UTC)),
        ("2026-03-08 02:30", datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
        ("2026-11-01 01:30", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
    ],
)
def test_an_operator_s_time_is_local_or_has_an_offset(text: str, expected: datetime):
    """Skipped by the clocks, it is the first instant after the gap; occurring twice, the first time."""
    assert moment(text, now=datetime(2026, 11, 28, 23, 30, tzinfo=UTC), zone=NEW_YORK) == expected


@pytest.mark.parametrize("text", ["", "noon", "25:00", "2026-13-01", "9999-12-31T23:59-23:00"])
def test_what_is_no_time_is_refused(text: str):
    """With the forms that are understood."""
    with pytest.raises(InputError, match="is not a time; write now, 18:30"):
        moment(text, now=datetime(2026, 11, 28, tzinfo=UTC), zone=NEW_YORK)
