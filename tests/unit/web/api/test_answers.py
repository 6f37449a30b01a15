"""Entity tags and cursors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import InputError
from auria_bot.web.api.answers import cursor_of, cursor_values, place_before
from tests.exhibited import publish

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application


def test_an_unchanged_read_is_answered_without_its_content(client: TestClient) -> None:
    """And with it again once it changed."""
    tag = client.get("/api/v1/drafts/4").headers["etag"]
    same = client.get("/api/v1/drafts/4", headers={"If-None-Match": f'"other", W/{tag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    client.post("/api/v1/drafts/4/decisions", json={"action": "reject"})
    assert client.get("/api/v1/drafts/4", headers={"If-None-Match": tag}).status_code == 200


def test_a_decision_on_what_changed_meanwhile_is_refused(client: TestClient) -> None:
    """The client asked for that with the tag of what it read."""
    tag = client.get("/api/v1/drafts/4").headers["etag"]
    client.post("/api/v1/drafts/4/decisions", json={"action": "edit", "text": "other words"})
    late = client.post("/api/v1/drafts/4/decisions", json={"action": "approve"}, headers={"If-Match": tag})
    assert (late.status_code, late.json()["type"]) == (412, "urn:auria:problem:precondition-failed")
    tag = client.get("/api/v1/drafts/4").headers["etag"]
    assert (
        client.post("/api/v1/drafts/4/decisions", json={"action": "approve"}, headers={"If-Match": tag}).json()["state"]
        == "approved"
    )


@pytest.mark.parametrize("path", ["/api/v1/drafts", "/api/v1/posts", "/api/v1/artworks", "/api/v1/engagement/posts"])
def test_pages_hold_every_row_once_while_rows_are_added(
    application: Application, client: TestClient, path: str
) -> None:
    """A new one stands before the first page, and moves no other."""
    everything = client.get(path).json()["items"]
    first = client.get(path, params={"limit": 2}).json()
    publish(application, 9)
    found, cursor = list(first["items"]), first["next"]
    while cursor:
        page = client.get(path, params={"limit": 2, "cursor": cursor}).json()
        found, cursor = found + page["items"], page["next"]
    assert found == everything
    assert len(everything) in {3, 5}


def test_a_cursor_of_another_list_is_refused(client: TestClient) -> None:
    """Also one that is none."""
    assert cursor_values("", (int,)) is None
    assert cursor_values(cursor_of(7), (int,)) == [7]
    assert place_before(cursor_of(10**30)) == 2**63 - 1
    for wrong in (cursor_of("7"), cursor_of(1, 2), "x", "bm8"):
        with pytest.raises(InputError, match="cursor"):
            cursor_values(wrong, (int,))
        assert client.get("/api/v1/drafts", params={"cursor": wrong}).status_code == 422
