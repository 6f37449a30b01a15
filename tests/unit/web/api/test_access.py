"""Keys, scopes and limits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.settings.web import WebSettings
from tests.exhibited import visitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application


def test_published_artworks_need_no_key_and_the_rest_does(application: Application) -> None:
    """The answer says how a key is sent."""
    client = visitor(application)
    assert client.get("/api/v1/artworks").status_code == 200
    refused = client.get("/api/v1/drafts")
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert "auria keys add" in refused.json()["detail"]


def test_a_key_does_what_its_scopes_say(client_of: Callable[..., TestClient]) -> None:
    """One that reads decides nothing, and one that decides reads nothing."""
    reader, decider, maker = client_of("read"), client_of("decide"), client_of("make")
    decision = {"action": "reject", "reason": "too dark"}
    assert reader.get("/api/v1/drafts").status_code == 200
    refused = reader.post("/api/v1/drafts/4/decisions", json=decision)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:auria:problem:not-permitted")
    assert decider.get("/api/v1/drafts").status_code == 403
    assert decider.post("/api/v1/drafts/4/decisions", json=decision).status_code == 200
    assert maker.post("/api/v1/drafts/4/decisions", json=decision).status_code == 403
    assert decider.post("/api/v1/runs", json={}).status_code == 403


def test_an_ended_key_is_refused(application: Application) -> None:
    """Whether it was revoked, has expired or never was."""
    revoked = application.api_keys.add("one", ["read"])
    expired = application.api_keys.add("two", ["read"], expires_at=application.clock() + timedelta(days=1))
    application.api_keys.revoke("one")
    application.clock.advance(days=2)
    client = visitor(application)
    for key in (revoked, expired, "auria_" + "x" * 43, "nonsense"):
        assert client.get("/api/v1/drafts", headers={"Authorization": f"Bearer {key}"}).status_code == 401


def test_wrong_keys_are_slowed_and_a_right_one_is_not(application: Application) -> None:
    """Who guesses keeps nobody at the same address out."""
    right = application.api_keys.add("bot", ["read"])
    client = visitor(application)
    codes = [client.get("/api/v1/drafts", headers={"Authorization": f"Bearer wrong{n}"}) for n in range(12)]
    assert [answer.status_code for answer in codes] == [401] * 10 + [429] * 2
    assert int(codes[-1].headers["retry-after"]) >= 1
    assert client.get("/api/v1/drafts", headers={"Authorization": f"Bearer {right}"}).status_code == 200


def test_each_key_has_its_own_calls(application: Application) -> None:
    """The headers count them down, and the answer says how long to wait."""
    web = WebSettings(api_calls=2)
    application.settings = application.settings.model_copy(update={"web": web})
    keys = [application.api_keys.add(name, ["read"]) for name in ("one", "two")]
    client = visitor(application)
    one, two = ({"Authorization": f"Bearer {key}"} for key in keys)
    answers = [client.get("/api/v1/drafts", headers=one) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[0].headers["ratelimit-limit"] == "2"
    assert answers[2].headers["retry-after"] == "30"
    assert client.get("/api/v1/drafts", headers=two).status_code == 200
