"""Runs."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.services.studio.run_store import RunEvent

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def going(application: Application, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A studio that reports one step and then waits for this event."""
    going = threading.Event()

    def made(*_: object, progress: Any) -> Any:
        progress(
            RunEvent(
                artwork=1,
                step="poem",
                state="done",
                at="2026-11-21T09:00:00+00:00",
                seconds=0.5,
                facts={"lines": ["a"]},
            )
        )
        assert going.wait(60)
        return type("Result", (), {"drafts": (application.review.draft(5),), "id": 5})()

    monkeypatch.setattr(application.studio, "make", made)
    monkeypatch.setattr("auria_bot.services.studio.review.Review.restyle", made)
    return going


def ended(client: TestClient, location: str) -> dict[str, Any]:
    """A run once it has ended."""
    for _ in range(10_000):
        if (found := client.get(location).json())["state"] in {"done", "failed"}:
            return found
        threading.Event().wait(0.01)
    raise AssertionError(found)


@pytest.mark.parametrize(
    ("path", "body", "of"),
    [("/api/v1/runs", {"theme": "autumn rain"}, None), ("/api/v1/drafts/4/decisions", {"action": "restyle"}, 4)],
)
def test_a_run_is_begun_watched_and_leads_to_its_draft(
    client: TestClient, going: threading.Event, path: str, body: dict[str, Any], of: int | None
) -> None:
    """The answer comes at once, with a place to watch."""
    begun = client.post(path, json=body)
    assert (begun.status_code, begun.json()["of"]) == (202, of)
    location = begun.headers["location"]
    assert location == f"/api/v1/runs/{begun.json()['id']}"
    for _ in range(600):
        if (events := client.get(f"{location}/events").json())["items"]:
            break
        threading.Event().wait(0.02)
    assert (events["state"], events["items"][0]["step"], events["items"][0]["position"]) == ("running", "poem", 1)
    assert events["items"][0]["facts"] == {"lines": ["a"]}
    assert client.get(f"{location}/events", params={"after": 1}).json()["items"] == []
    going.set()
    assert (ended(client, location)["draft"], len(client.get("/api/v1/runs").json()["items"])) == (5, 1)


def test_a_run_is_watched_as_a_stream_that_goes_on_where_it_broke(client: TestClient, going: threading.Event) -> None:
    """Every event has its position as id; at the end stands what came of it."""
    location = client.post("/api/v1/runs", json={}).headers["location"]
    going.set()
    assert ended(client, location)["state"] == "done"
    accepts = {"Accept": "text/event-stream"}
    answer = client.get(f"{location}/events", headers=accepts)
    assert answer.headers["content-type"].startswith("text/event-stream")
    step, end, rest = answer.text.split("\n\n")
    number, name, data = step.split("\n")
    assert (number, name, rest) == ("id: 1", "event: step", "")
    shown = json.loads(data.removeprefix("data: "))
    assert (shown["position"], shown["step"], shown["facts"]) == (1, "poem", {"lines": ["a"]})
    assert end == 'event: end\ndata: {"state": "done", "draft": 5, "error": ""}'
    for again in ({"headers": {**accepts, "Last-Event-ID": "1"}}, {"headers": accepts, "params": {"after": 1}}):
        assert client.get(f"{location}/events", **again).text == f"{end}\n\n"
    assert client.get(f"{location}/events", headers={**accepts, "Last-Event-ID": "x"}).text == answer.text


def test_a_stream_answers_head_at_once(client: TestClient, going: threading.Event) -> None:
    """With its headers, while the run goes on."""
    location = client.post("/api/v1/runs", json={}).headers["location"]
    answer = client.head(f"{location}/events", headers={"Accept": "text/event-stream"})
    assert client.get(location).json()["state"] in {"waiting", "running"}
    going.set()
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_key_watches_a_few_runs_at_a_time(
    client: TestClient, going: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Further streams are told to come back."""
    monkeypatch.setattr("auria_bot.web.api.runs._MOST_STREAMS", 0)
    location = client.post("/api/v1/runs", json={}).headers["location"]
    refused = client.get(f"{location}/events", headers={"Accept": "text/event-stream"})
    going.set()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")


def test_wishes_that_cannot_be_fulfilled_are_refused_at_once(client: TestClient) -> None:
    """No run is begun for them."""
    for requested in ({"theme": "fucking rain"}, {"mood": "angry"}, {"season": "monsoon"}, {"theme": "x" * 201}):
        assert client.post("/api/v1/runs", json=requested).status_code == 422
    assert client.post("/api/v1/drafts/1/decisions", json={"action": "repaint"}).status_code == 409
    assert client.get("/api/v1/runs").json()["items"] == []


def test_a_draft_gets_one_new_version_at_a_time(client: TestClient, going: threading.Event) -> None:
    """The second is told to wait."""
    first = client.post("/api/v1/drafts/4/decisions", json={"action": "restyle"})
    second = client.post("/api/v1/drafts/4/decisions", json={"action": "restyle"})
    going.set()
    assert (first.status_code, second.status_code, second.headers["retry-after"]) == (202, 429, "30")
    ended(client, first.headers["location"])


def test_an_unknown_run_is_not_found(client: TestClient) -> None:
    """Also one with a strange name."""
    assert client.get("/api/v1/runs/nothing").status_code == 404
    assert client.get("/api/v1/runs/..%2f").status_code in {404, 422}
