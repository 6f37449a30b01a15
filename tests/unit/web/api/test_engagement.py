"""Engagement, moods and styles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.domain.engagement import Engagement
from auria_bot.domain.mood import MOODS

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application


def test_engagement_is_added_up_and_listed_by_post(client: TestClient) -> None:
    """Of one channel or of all, since then or ever."""
    found = client.get("/api/v1/engagement").json()
    assert (found["total"]["posts"], found["channels"][0]["name"]) == (3, "folder")
    assert client.get("/api/v1/engagement", params={"since": "2030-01-01T00:00:00Z"}).json()["total"]["posts"] == 0
    assert client.get("/api/v1/engagement", params={"channel": "nowhere"}).status_code == 404
    posts = client.get("/api/v1/engagement/posts", params={"channel": "folder"}).json()["items"]
    assert [one["draft"] for one in posts] == [3, 2, 1]


def test_every_mood_has_its_chance(client: TestClient) -> None:
    """By name, or the likeliest first."""
    names = [one["name"] for one in client.get("/api/v1/moods").json()["items"]]
    assert names == sorted(MOODS)
    chances = [one["chance"] for one in client.get("/api/v1/moods", params={"order": "chance"}).json()["items"]]
    assert chances == sorted(chances, reverse=True)


def test_paintings_that_were_used_are_named(application: Application, client: TestClient) -> None:
    """Once their artworks were measured."""
    assert client.get("/api/v1/styles").json()["items"] == []
    application.clock.advance(days=30)
    with application.store.begin() as unit:
        for post in (1, 2, 3):
            unit.samples.add(post, Engagement(at=application.clock(), likes=post))
    found = client.get("/api/v1/styles").json()["items"]
    assert [(one["key"], one["title"]) for one in found] == [("style-0", "The Wave 0"), ("style-1", "The Wave 1")]
