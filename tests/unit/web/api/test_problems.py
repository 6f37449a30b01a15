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
    assert client.get("/api/v1/nothing").json()["status"] == 404
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
