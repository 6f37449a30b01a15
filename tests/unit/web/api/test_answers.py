"""Entity tags and cursors."""

from __future__ import annotations

import errno
import math
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.errors import DiskError, NotFound
from auria_bot.services.accounts import idempotency
from auria_bot.web.api.answers import cursor_of, cursor_values, place_before
from tests.exhibited import publish

if TYPE_CHECKING:
    from pathlib import Path

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


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_cursor_with_no_number_is_refused(client: TestClient, number: float) -> None:
    """JSON of Python's reads them; no list gives such a cursor."""
    for path in ("/api/v1/artworks", "/api/v1/engagement/posts"):
        refused = client.get(path, params={"cursor": cursor_of(number, 1)})
        assert (refused.status_code, "cursor" in refused.json()["detail"]) == (404, True)


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
        with pytest.raises(NotFound, match="cursor"):
            cursor_values(wrong, (int,))
        assert client.get("/api/v1/drafts", params={"cursor": wrong}).status_code == 404


def test_a_repeated_request_is_carried_out_once(application: Application, client: TestClient) -> None:
    """The repetition gets the first answer; the same key with another content is refused."""
    headers = {"Idempotency-Key": "a7"}
    decision = {"action": "reject", "reason": "too dark"}
    first = client.post("/api/v1/drafts/4/decisions", json=decision, headers=headers)
    again = client.post("/api/v1/drafts/4/decisions", json=decision, headers=headers)
    assert (again.status_code, again.json(), again.headers["etag"]) == (200, first.json(), first.headers["etag"])
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert [entry.action for entry in application.review.journal(4)].count("reject") == 1
    for path, content in (("4", {"action": "reject"}), ("5", decision)):
        assert client.post(f"/api/v1/drafts/{path}/decisions", json=content, headers=headers).status_code == 422


def test_a_request_whose_answer_cannot_be_kept_is_answered_and_carried_out_once(
    application: Application, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk became full meanwhile; the repetition gets the first answer."""
    write = idempotency.write_json

    def full(path: Path, value: dict[str, Any], **options: Any) -> None:
        if value["answer"] is not None:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, value, **options)

    monkeypatch.setattr(idempotency, "write_json", full)
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "a9"}, "json": {"action": "reject"}}
    first, again = (client.post("/api/v1/drafts/4/decisions", **sent) for _ in range(2))
    assert (first.status_code, first.json()["state"]) == (200, "rejected")
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert [entry.action for entry in application.review.journal(4)].count("reject") == 1


def test_a_request_that_failed_is_answered_though_it_cannot_be_forgotten(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk became read-only meanwhile: its own error is told."""

    def read_only(*_: object) -> None:
        raise DiskError("the disk is read-only")

    monkeypatch.setattr(idempotency.AnsweredRequests, "abandon", read_only)
    sent: dict[str, Any] = {"headers": {"Idempotency-Key": "a8"}}
    wrong = {"action": "approve", "channels": ["nowhere"]}
    assert client.post("/api/v1/drafts/4/decisions", json=wrong, **sent).status_code == 422


def test_a_request_that_failed_is_corrected_with_its_key(client: TestClient) -> None:
    """Nothing was changed by it."""
    headers = {"Idempotency-Key": "a8"}
    wrong, right = {"action": "approve", "channels": ["nowhere"]}, {"action": "approve", "channels": ["fake"]}
    assert client.post("/api/v1/drafts/4/decisions", json=wrong, headers=headers).status_code == 422
    assert client.post("/api/v1/drafts/4/decisions", json=right, headers=headers).status_code == 200
