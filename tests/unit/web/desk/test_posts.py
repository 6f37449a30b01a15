"""Posts at the operator's desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.post import PostState
from tests.operators import journal, send, signed_in, with_operators

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """An application with two drafts to review and three operators."""
    return with_operators(tmp_path)


@pytest.fixture
def unclear(application: Application) -> Application:
    """The same, with a post whose outcome nobody knows."""
    application.channels["fake"]().plan("lost")
    application.review.approve([1], channels=["fake"])
    application.publisher.publish()
    return application


def test_posts_that_need_a_decision_come_first(unclear: Application) -> None:
    """With what happened, and every attempt."""
    browser = signed_in(unclear)
    assert "outcome unknown" in browser.get("/desk/posts").text
    page = browser.get("/desk/posts/1").text
    assert "unclear" in page
    assert "It is not published; send it again" in page
    assert browser.get("/desk/posts?draft=1").status_code == 200
    assert browser.get("/desk/posts?group=sent").status_code == 200
    assert browser.get("/desk/posts/99").status_code == 404


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"decision": "sent", "url": "https://example.org/7"}, PostState.SENT),
        ({"decision": "not-sent"}, PostState.WAITING),
    ],
)
def test_a_decision_is_recorded_with_who_made_it(
    unclear: Application, fields: dict[str, str], state: PostState
) -> None:
    """As `auria posts resolve` records it."""
    answer = send(signed_in(unclear, "eve"), "/desk/posts/1/decide", **fields)
    assert answer.headers["location"] == "/desk/posts/1?done=decided&of=1"
    assert unclear.publisher.post(1)[0].state is state
    assert (journal(unclear).who, journal(unclear).action) == ("eve", f"post {fields['decision']}")


def test_a_decision_that_is_not_possible_is_refused_on_the_page(unclear: Application) -> None:
    """An address is missing, the state does not allow it, or there is no such decision."""
    browser = signed_in(unclear)
    assert send(browser, "/desk/posts/1/decide", decision="sent").status_code == 422
    assert send(browser, "/desk/posts/1/decide", decision="withdrawn").status_code == 409
    assert send(browser, "/desk/posts/1/decide", decision="<b>").status_code == 422
    assert send(browser, "/desk/posts/1/time", date="2026-11-25", time="10:00").status_code == 409


def test_a_form_that_is_malformed_is_refused_with_what_is_wrong(unclear: Application) -> None:
    """Without what was sent; a path that names nothing is not found."""
    browser = signed_in(unclear)
    answer = send(browser, "/desk/posts/1/decide", decision="sent", url="x" * 2001)
    assert answer.status_code == 422
    assert "url: String should have at most 2000 characters" in answer.text
    assert "xxx" not in answer.text
    assert send(browser, "/desk/posts/x/decide", decision="sent").status_code == 404
    assert unclear.publisher.post(1)[0].state is PostState.UNKNOWN


def test_a_post_is_published_timed_and_withdrawn(application: Application) -> None:
    """Each with the operator's name; what is deleted is gone from its channel."""
    application.review.approve([1, 2], channels=["folder"])
    browser = signed_in(application)
    assert send(browser, "/desk/posts/publish").headers["location"] == "/desk/posts?done=published&of=2"
    assert send(browser, "/desk/posts/publish").headers["location"].startswith("/desk/posts?done=published.none")
    assert "It is deleted on folder" in browser.get("/desk/posts/1").text
    assert send(browser, "/desk/posts/1/withdraw").headers["location"].startswith("/desk/posts/1?done=withdrawn")
    assert application.publisher.post(1)[0].state is PostState.WITHDRAWN
    assert (journal(application).who, journal(application).action) == ("ada", "withdraw")
    assert send(browser, "/desk/posts/1/withdraw").status_code == 409


def test_a_waiting_post_gets_its_time(application: Application) -> None:
    """Another one, or now."""
    application.review.approve([1], channels=["fake"])
    application.post_creator.schedule()
    browser = signed_in(application)
    send(browser, "/desk/posts/1/time", date="2026-11-25", time="18:30")
    assert f"{application.publisher.post(1)[0].timed_at:%d %H:%M}" == "25 18:30"
    send(browser, "/desk/posts/1/time", time="now")
    assert application.publisher.post(1)[0].due == application.clock()


def test_viewers_see_posts_without_decisions(unclear: Application) -> None:
    """And the routes refuse them."""
    browser = signed_in(unclear, "vera")
    assert "/decide" not in browser.get("/desk/posts/1").text
    for path in ("/desk/posts/1/decide", "/desk/posts/1/time", "/desk/posts/1/withdraw", "/desk/posts/publish"):
        assert send(browser, path, decision="not-sent").status_code == 403
