"""Times are UTC in and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from auria_bot.store.schema import UtcTime

DIALECTS = [sqlite.dialect(), postgresql.dialect()]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_nothing_stays_nothing(dialect):
    """A missing time is missing on both sides."""
    assert UtcTime().process_bind_param(None, dialect) is None
    assert UtcTime().process_result_value(None, dialect) is None


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_moment_is_the_same_moment(dialect):
    """A time in any zone comes back as the same moment in UTC."""
    moment = datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=-7)))
    back = UtcTime().process_result_value(UtcTime().process_bind_param(moment, dialect), dialect)
    assert back == moment
    assert back.tzinfo is UTC


def test_a_session_in_another_zone_gives_utc():
    """PostgreSQL may answer in the session's zone."""
    moment = datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=5)))
    assert UtcTime().process_result_value(moment, postgresql.dialect()).isoformat() == "2026-03-28T21:30:00+00:00"
