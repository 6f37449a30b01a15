"""Tests of auria_bot.store.postgres; what errors become is tested with the engine."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, make_url, text

from auria_bot.errors import StoreError
from auria_bot.store.engine import connect, current, upgrade


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_every_text_is_refused_at_once(postgres, encoding: str):
    """The sentence names the encoding and how to create a right one, before anything is read or written."""
    url = make_url(postgres()).difference_update_query(["options"])
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(
            f"CREATE DATABASE in_{encoding.lower()} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
        )
    admin.dispose()
    other = url.set(database=f"in_{encoding.lower()}").render_as_string(hide_password=False)
    for use in (current, upgrade):
        with pytest.raises(StoreError, match=rf"encoding {encoding}.*ENCODING 'UTF8'"):
            use(other)


def test_a_session_s_settings_are_the_program_s_own(postgres):
    """Dates of another style and time zone, which a role may set, change no value."""
    url = make_url(postgres())
    odd = "-c datestyle=German,DMY -c intervalstyle=sql_standard -c timezone=Asia/Tokyo -c bytea_output=escape -c client_encoding=latin1"
    engine = connect(url.update_query_dict({"options": f"{url.query['options']} {odd}"}))
    moment = datetime(2026, 2, 1, 12, tzinfo=UTC)
    with engine.begin() as connection:
        seen = connection.execute(text("SELECT CAST(:at AS timestamptz), current_setting('timezone')"), {"at": moment})
        assert tuple(seen.one()) == (moment, "UTC")
        assert connection.execute(text("SELECT :text"), {"text": "\u53e4\u6c60"}).scalar_one() == "\u53e4\u6c60"
        assert connection.execute(text("SELECT extract(month FROM CAST('2026-02-01' AS date))")).scalar_one() == 2
    engine.dispose()
