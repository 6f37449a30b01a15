"""The schedule's settings become rules."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from pydantic import ValidationError

from auria_bot.domain.job_schedule import CatchUp
from auria_bot.settings.sections import JobSettings, PostingSettings, ScheduleSettings


def test_every_channel_posts_once_a_day_by_default() -> None:
    """At six; jobs that are off or not wanted have no rule."""
    rules = {rule.job: rule for rule in ScheduleSettings().rules(["folder", "x"])}
    assert set(rules) == {"make", "reconcile", "measure", "publish folder", "publish x", "backup", "tidy", "digest"}
    assert rules["publish x"].at == (time(18),)
    assert rules["publish x"].catch_up is CatchUp.SKIP
    assert rules["make"].catch_up is CatchUp.RUN
    assert len(rules["reconcile"].at) == 96


def test_what_the_operator_wishes() -> None:
    """A channel may have other times, and drafts may be approved without a word."""
    own = PostingSettings(at=("9:00", "21:00"), days=("sat", "sun"), jitter=30)
    chosen = ScheduleSettings(channels={"x": own}, approve_after=12, make=JobSettings(), digest=JobSettings(), grace=5)
    rules = {rule.job: rule for rule in chosen.rules(["x"])}
    assert set(rules) == {"approve", "reconcile", "measure", "publish x", "backup", "tidy"}
    assert rules["publish x"].days == {5, 6}
    assert rules["publish x"].jitter == timedelta(minutes=30)
    assert rules["publish x"].grace == timedelta(minutes=5)


def test_a_time_must_be_one() -> None:
    """The message says how times are written."""
    with pytest.raises(ValidationError, match='such as "18:30"'):
        JobSettings(at=("25:00",))
