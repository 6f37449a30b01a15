"""Channels at the operator's desk."""

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


def test_a_channel_is_paused_checked_and_resumed(application: Application) -> None:
    """The journal says who, and the page why."""
    browser = signed_in(application, "eve")
    send(browser, "/desk/channels/fake/pause", reason="a holiday")
    assert (journal(application).who, journal(application).action) == ("eve", "pause")
    page = browser.get("/desk/channels").text
    assert "a holiday" in page
    assert 'action="/desk/channels/fake/resume"' in page
    assert send(browser, "/desk/channels/folder/check").status_code == 200
    assert send(browser, "/desk/channels/fake/resume").headers["location"].startswith("/desk/channels?done=resumed")
    assert application.publisher.paused() == ()
    assert send(browser, "/desk/channels/nowhere/check").status_code == 422
    assert send(signed_in(application, "vera"), "/desk/channels/fake/pause").status_code == 403


def test_the_last_error_of_a_channel_stands_there_until_something_works(application: Application) -> None:
    """With the post it happened to."""
    application.channels["fake"]().plan("refused", "ok")
    application.review.approve([1, 2], channels=["fake"])
    application.publisher.publish([1])
    browser = signed_in(application)
    assert "/desk/posts/1" in browser.get("/desk/channels").text
    application.clock.advance(minutes=1)
    application.publisher.publish([2])
    assert "/desk/posts/1" not in browser.get("/desk/channels").text
