"""Posts and the decisions on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.post import PostState
from auria_bot.services.publishing.withdrawal import Withdrawal, WithdrawalPlan

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def waiting(application: Application) -> int:
    """A post that waits."""
    application.review.approve([4], channels=["fake"])
    (post,), problems = application.post_creator.schedule([4])
    assert not problems
    return post.id


def test_posts_are_listed_by_state_and_shown_with_their_attempts(client: TestClient, waiting: int) -> None:
    """Without the path of the picture."""
    assert [one["id"] for one in client.get("/api/v1/posts").json()["items"]] == [waiting, 3, 2, 1]
    found = client.get("/api/v1/posts", params={"state": "sent", "draft": 2}).json()["items"]
    assert [(one["draft"], one["receipt"]["url"]) for one in found] == [(2, "https://example.org/2")]
    detail = client.get("/api/v1/posts/2").json()
    assert [(one["number"], one["outcome"]) for one in detail["attempts"]] == [(1, "sent")]
    assert "picture" not in detail
    assert client.get("/api/v1/posts/99").status_code == 404


def test_every_state_can_be_asked_for(client: TestClient) -> None:
    """The document names them all."""
    for state in PostState:
        assert client.get("/api/v1/posts", params={"state": str(state)}).status_code == 200


def test_a_waiting_post_is_moved_cancelled_and_queued_again(client: TestClient, waiting: int) -> None:
    """By time, and by withdrawal."""
    path = f"/api/v1/posts/{waiting}"
    moved = client.put(f"{path}/time", json={"at": "2030-01-31T18:30:00+01:00"}).json()
    assert (moved["due"], moved["timed_at"]) == ("2030-01-31T17:30:00Z", "2030-01-31T17:30:00Z")
    withdrawn = client.post(f"{path}/withdrawal")
    assert (withdrawn.status_code, withdrawn.json()["state"]) == (202, "cancelled")
    assert client.post(f"{path}/withdrawal").status_code == 409
    assert client.put(f"{path}/time", json={"at": "2030-01-31T18:30:00Z"}).json()["state"] == "waiting"
    assert client.put(f"{path}/time", json={"at": "2020-01-31T18:30:00Z"}).status_code == 422
    assert client.put(f"{path}/time", json={"at": "2030-01-31T18:30:00"}).status_code == 422
    assert client.put(f"{path}/time", json={"at": 1_900_000_000}).status_code == 422
    for beyond in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):  # of the years that UTC has
        assert client.put(f"{path}/time", json={"at": beyond}).status_code == 422
        assert client.get("/api/v1/engagement", params={"since": beyond}).status_code == 422


def test_an_outcome_is_settled_and_journalled(application: Application, client: TestClient, waiting: int) -> None:
    """A post that is given up fails; one whose state forbids it is left alone."""
    path = f"/api/v1/posts/{waiting}"
    assert client.post(f"{path}/outcome", json={"decision": "give-up"}).json()["state"] == "failed"
    assert client.post(f"{path}/outcome", json={"decision": "sent", "url": "https://example.org/4"}).status_code == 409
    assert application.publisher.post(waiting)[0].state is PostState.FAILED
    entry = application.review.journal(4)[0]
    assert (entry.action, entry.who) == ("post give-up", "key:bot-read-decide-make")


def test_a_post_that_changed_meanwhile_is_not_decided_on(client: TestClient, waiting: int) -> None:
    """The client asked for that with the tag of what it read."""
    path = f"/api/v1/posts/{waiting}"
    tag = client.get(path).headers["etag"]
    later = {"at": "2030-01-31T18:30:00Z"}
    assert client.put(f"{path}/time", json=later, headers={"If-Match": tag}).status_code == 200
    for name, method, body in (
        ("time", "PUT", later),
        ("withdrawal", "POST", None),
        ("outcome", "POST", {"decision": "give-up"}),
    ):
        answer = client.request(method, f"{path}/{name}", json=body, headers={"If-Match": tag})
        assert answer.status_code == 412


def test_a_post_that_goes_out_while_it_is_withdrawn_stays(
    application: Application, client: TestClient, waiting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client asked to cancel what waits, not to delete what is published."""
    path, plan = f"/api/v1/posts/{waiting}", Withdrawal.plan

    def after_it_went_out(withdrawal: Withdrawal, ids: list[int]) -> tuple[WithdrawalPlan, ...]:
        application.publisher.publish()
        return plan(withdrawal, ids)

    monkeypatch.setattr(Withdrawal, "plan", after_it_went_out)
    tag = client.get(path).headers["etag"]
    assert client.post(f"{path}/withdrawal", headers={"If-Match": tag}).status_code == 412
    assert application.publisher.post(waiting)[0].state is PostState.SENT


def test_a_published_post_is_deleted_by_the_next_round(client: TestClient) -> None:
    """The request is recorded, and nothing is asked of the platform during the call."""
    assert client.post("/api/v1/posts/1/withdrawal").json()["state"] == "withdrawing"


def test_what_cannot_be_shown_counts_as_sent(client: TestClient, waiting: int) -> None:
    """A text that is too long is refused, though it would be short enough without such characters."""
    body = {"decision": "sent", "identifier": "1" * 500 + "\x00"}
    assert client.post(f"/api/v1/posts/{waiting}/outcome", json=body).status_code == 422
