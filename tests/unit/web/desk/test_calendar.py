"""The calendar at the operator's desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.operators import journal, send, signed_in, with_operators

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """An application with two drafts to review and three operators."""
    return with_operators(tmp_path)


def test_an_approved_draft_is_moved_to_another_day(application: Application) -> None:
    """Its posts get that time; the journal says who moved it, and the page shows it there."""
    application.review.approve([1], channels=["fake"])
    browser = signed_in(application)
    assert "/desk/drafts/1" in browser.get("/desk/calendar").text
    answer = send(browser, "/desk/calendar/move", draft=1, date="2026-11-25", time="18:30")
    assert answer.headers["location"].startswith("/desk/calendar?month=2026-11&done=moved")
    (post,) = application.publisher.posts()
    assert f"{post.timed_at:%Y-%m-%d %H:%M}" == "2026-11-25 18:30"
    assert (journal(application).who, journal(application).action) == ("ada", "post time")
    assert send(browser, "/desk/calendar/move", post=post.id, date="2026-12-24", time="08:00").status_code == 303
    assert f'href="/desk/posts/{post.id}"' in browser.get("/desk/calendar?month=2026-12").text
    assert f'href="/desk/posts/{post.id}"' not in browser.get("/desk/calendar?month=2026-11").text


def test_what_cannot_be_moved_says_why(application: Application) -> None:
    """The past, no time, and a draft that is not approved."""
    application.review.approve([1], channels=["fake"])
    browser = signed_in(application)
    past = send(browser, "/desk/calendar/move", draft=1, date="2020-01-01", time="10:00")
    assert (past.status_code, "is past" in past.text) == (422, True)
    assert send(browser, "/desk/calendar/move", draft=1, date="soon", time="").status_code == 422
    assert send(browser, "/desk/calendar/move", draft=2, date="2026-11-25", time="10:00").status_code == 409
    assert application.publisher.posts() == ()


def test_any_month_is_shown_and_viewers_move_nothing(application: Application) -> None:
    """A month that is none is this one."""
    application.review.approve([1], channels=["fake"])
    browser = signed_in(application, "vera")
    assert "November 2026" in browser.get("/desk/calendar?month=nonsense").text
    assert "February 2028" in browser.get("/desk/calendar?month=2028-02").text
    assert "/desk/calendar/move" not in browser.get("/desk/calendar").text
    assert send(browser, "/desk/calendar/move", draft=1, date="2026-11-25").status_code == 403
