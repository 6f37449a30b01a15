"""Engagement and moods at the operator's desk."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.engagement import Audience
from tests.engaged import add_sent
from tests.operators import signed_in, with_operators

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """An application with two drafts to review and three operators."""
    return with_operators(tmp_path)


def test_engagement_is_shown_with_plots(application: Application) -> None:
    """Followers, weeks, moods and times, for a period and a channel."""
    at = application.clock() - timedelta(days=10)
    with application.store.begin() as unit:
        unit.samples.add_audience("fake", Audience(at=at, followers=100))
        unit.samples.add_audience("fake", Audience(at=at + timedelta(days=5), followers=140))
        add_sent(unit, 20, at=at, likes=7, age=timedelta(days=7), mood="stormy")
    browser = signed_in(application, "vera")
    page = browser.get("/desk/engagement").text
    assert page.count("<svg") >= 3
    assert "fake 140" in page
    assert "stormy" in page
    assert "7 points" in page
    assert "stormy" not in browser.get("/desk/engagement?channel=fake&period=30d").text.partition("stormy")[0]
    assert browser.get("/desk/engagement?channel=nonsense&period=nonsense").status_code == 200


def test_nothing_published_is_said(application: Application) -> None:
    """Instead of empty plots."""
    browser = signed_in(application)
    assert "Nothing was published in this period." in browser.get("/desk/engagement").text
    assert "Nothing was measured yet" in browser.get("/desk/moods").text


def test_moods_are_shown_with_their_chances(application: Application) -> None:
    """As `auria moods` shows them."""
    at = application.clock() - timedelta(days=10)
    with application.store.begin() as unit:
        unit.samples.add_audience("fake", Audience(at=at, followers=100))
        for number, likes in ((20, 30), (21, 2)):
            add_sent(unit, number, at=at, likes=likes, age=timedelta(days=8), mood="stormy" if likes > 9 else "shy")
    page = signed_in(application).get("/desk/moods").text
    chance = {one.name: one.chance for one in application.preferences.preferences().moods}
    assert f"{100 * chance['stormy']:.1f} %" in page
