"""Drafts and the decisions on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application


def decide(client: TestClient, draft: int, **decision: object) -> object:
    """The answer to a decision."""
    return client.post(f"/api/v1/drafts/{draft}/decisions", json=decision)


def test_drafts_are_listed_by_state_and_shown_without_paths_of_the_server(
    application: Application, client: TestClient
) -> None:
    """Their pictures are at an address."""
    found = client.get("/api/v1/drafts", params={"state": ["made"]}).json()["items"]
    assert [one["id"] for one in found] == [5, 4]
    assert str(application.settings.home) not in str(found)
    picture = client.get(found[0]["picture"])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    known = client.get(found[0]["picture"], headers={"If-None-Match": picture.headers["etag"]})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", picture.headers["etag"])
    for part in ("bytes=0-9", "bytes=99999999-", "bytes=x"):  # it comes as a whole
        assert client.get(found[0]["picture"], headers={"Range": part}).content == picture.content
    assert client.get("/api/v1/drafts", params={"state": "lost"}).status_code == 422


def test_each_decision_is_carried_out_and_journalled_by_the_keys_name(client: TestClient) -> None:
    """Approve, undo, edit and reject, each once."""
    assert decide(client, 4, action="approve", channels=["fake"]).json()["channels"] == ["fake"]
    assert decide(client, 4, action="undo").json()["state"] == "made"
    edited = decide(client, 4, action="edit", text="a quiet pond", channel_texts={"fake": "a pond"}).json()
    assert (edited["text"], edited["channel_texts"]) == ("a quiet pond", {"fake": "a pond"})
    rejected = decide(client, 4, action="reject", reason="too dark").json()
    assert (rejected["state"], rejected["reason"]) == ("rejected", "too dark")
    entries = client.get("/api/v1/drafts/4/decisions", params={"limit": 100}).json()["items"]
    assert {"approve", "undo", "edit", "reject"} <= {entry["action"] for entry in entries}
    assert entries[0]["who"] == "key:bot-read-decide-make"


def test_what_cannot_be_decided_says_why(client: TestClient) -> None:
    """The state forbids it, the channel is unknown, or the text must not be published."""
    assert decide(client, 1, action="reject").status_code == 409
    assert decide(client, 4, action="undo").status_code == 409
    unknown = decide(client, 4, action="approve", channels=["nowhere"])
    assert (unknown.status_code, unknown.json()["type"]) == (422, "urn:auria:problem:unknown-name")
    assert decide(client, 4, action="edit", text="a fucking pond").json()["type"] == "urn:auria:problem:text-rejected"
    assert decide(client, 4, action="edit").status_code == 422
    assert decide(client, 4, action="edit", text="a\u0000b\u202e").json()["text"] == "ab"
    assert decide(client, 4, action="burn").status_code == 422


def test_previews_say_how_each_channel_would_publish_it(client: TestClient) -> None:
    """With what the text takes of the channel's limit."""
    found = client.get("/api/v1/drafts/4/previews").json()["items"]
    assert {one["channel"] for one in found} == {"folder", "fake"}
    assert all(one["characters"] > 0 for one in found)
