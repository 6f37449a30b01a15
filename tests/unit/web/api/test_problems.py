"""Errors as problem documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import DatabaseUnreachable
from tests.exhibited import visitor

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application


def test_an_expected_error_is_told_by_its_class(client: TestClient) -> None:
    """Kind, title and status are those of the error tree; the request's id is in the log too."""
    answer = client.get("/api/v1/drafts/99")
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert (found["type"], found["status"]) == ("urn:auria:problem:not-found", 404)
    assert found["title"] == "There is no such thing."
    assert found["detail"].startswith("there is no draft 99")
    assert found["instance"] == f"urn:auria:request:{answer.headers['x-request-id']}"


def test_invalid_fields_are_named_without_their_values(client: TestClient) -> None:
    """What was sent may be a secret."""
    found = client.post("/api/v1/runs", json={"strength": 7, "secret": "swordfish"}).json()
    assert found["status"] == 422
    assert {error["location"] for error in found["errors"]} == {"body.strength", "body.secret"}
    assert "swordfish" not in str(found)


def test_paths_and_methods_that_are_not_there(client: TestClient) -> None:
    """Also those answers are problems, and say which methods there are."""
    for path in ("nothing", "drafts/x", "drafts/0", f"drafts/{10**20}", "artworks/3-old-pond"):
        assert client.get(f"/api/v1/{path}").json()["status"] == 404
    answer = client.delete("/api/v1/runs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("error", "status"), [(DatabaseUnreachable("at 10.0.0.7"), 503), (RuntimeError("secret"), 500)]
)
def test_what_fails_inside_stays_inside(
    application: Application, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    """The answer has a reference, and the log the reason."""

    def failing(*_: object, **__: object) -> None:
        raise error

    key = application.api_keys.add("bot", ["read"])
    monkeypatch.setattr(application.review, "drafts", failing)
    client = visitor(application, raise_server_exceptions=False)
    answer = client.get("/api/v1/drafts", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == status
    assert str(error) not in answer.text
    assert answer.json()["instance"].startswith("urn:auria:request:")


def test_a_body_that_is_too_large_is_a_problem_too(client: TestClient) -> None:
    """Whether its length is declared or it streams."""
    large = b" " * 300_000
    for content in (large, iter([large[:200_000], large[200_000:]])):
        answer = client.post("/api/v1/runs", content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
        assert answer.json()["detail"] == "a request may have at most 256 kB"


def test_calls_are_logged_by_the_keys_name(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """Without the key, and without the query."""
    with caplog.at_level("INFO", logger="auria_bot.web.middleware"):
        answer = client.get("/api/v1/artworks", params={"q": "swordfish"})
        client.get("/api/v1/drafts")
    first, second = (record for record in caplog.records if record.name == "auria_bot.web.middleware")
    assert first.getMessage() == "GET /api/v1/artworks: 200"
    assert first.request == answer.headers["x-request-id"]
    assert second.key == "bot-read-decide-make"
    assert "auria_" not in str([record.__dict__ for record in caplog.records]).replace("auria_bot", "")
