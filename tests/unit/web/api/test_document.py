"""The OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.services.accounts.api_keys import SCOPES
from tests.exhibited import visitor

if TYPE_CHECKING:
    from typing import Any

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def document(application: Application) -> dict[str, Any]:
    """The document as everybody gets it."""
    return visitor(application).get("/api/v1/openapi.json").json()


def test_every_operation_says_what_it_needs_and_how_it_fails(document: dict[str, Any]) -> None:
    """Scopes, and problem documents for each error."""
    operations = [(path, one) for path, item in document["paths"].items() for one in item.values()]
    assert len({one["operationId"] for _, one in operations}) == len(operations) >= 20
    for path, one in operations:
        assert ("security" in one) != path.startswith("/artworks"), path
        for scopes in one.get("security", []):
            assert set(scopes["key"]) <= set(SCOPES)
            assert scopes["key"], path
        for status in ("429", "500"):
            assert "application/problem+json" in one["responses"][status]["content"]


def test_the_range_of_a_number_is_said_as_json_schema_says_it(document: dict[str, Any]) -> None:
    """So that generated clients keep to it."""
    found = {
        one["name"]: one["schema"]
        for item in document["paths"].values()
        for one in next(iter(item.values())).get("parameters", [])
    }
    assert (found["limit"]["minimum"], found["limit"]["maximum"]) == (1, 100)
    assert found["draft_id"]["minimum"] == 1


def test_the_document_names_its_server_and_its_scheme(document: dict[str, Any]) -> None:
    """Programs generate their clients from it."""
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/api/v1"}]
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
