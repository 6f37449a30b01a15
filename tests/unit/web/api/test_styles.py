"""Restyled pictures for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auria_bot.domain.model_requests import StyleRequest
from auria_bot.errors import ModelServerBusy, UnknownName
from auria_bot.services.captions.client import CaptionClient

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from starlette.testclient import TestClient

JPEG = b"\xff\xd8\xff picture"


def test_a_picture_is_restyled_by_the_model_server(
    client_of: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The body is the file, the answer a JPEG that nobody keeps; the request stands in the query."""
    asked: list[StyleRequest] = []
    monkeypatch.setattr(CaptionClient, "restyle", lambda _, content, request: asked.append(request) or content)
    client = client_of("restyle")
    found = client.post("/api/v1/styles?style=Claude%20Monet&mode=oil&strength=0.5&seed=3", content=JPEG)
    assert (found.status_code, found.content, found.headers["content-type"]) == (200, JPEG, "image/jpeg")
    assert found.headers["cache-control"] == "no-store"
    assert asked == [StyleRequest(style="Claude Monet", mode="oil", strength=0.5, seed=3)]
    document = client.get("/api/v1/openapi.json").json()["paths"]["/styles"]["post"]
    assert "application/octet-stream" in document["requestBody"]["content"]
    assert "image/jpeg" in document["responses"]["200"]["content"]


def test_refusals_are_problems(client_of: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture, no style, no scope, a style that is not there, a busy server."""
    client = client_of("restyle")
    assert client.post("/api/v1/styles?style=x", content=b"text").json()["type"] == "urn:auria:problem:picture-error"
    for query in ("", "?style=x&strength=2", "?style=x&mode=gouache"):
        assert client.post(f"/api/v1/styles{query}", content=JPEG).status_code == 422
    assert client_of("caption").post("/api/v1/styles?style=x", content=JPEG).status_code == 403

    def refuse(error: Exception) -> None:
        def fail(*_: Any) -> Any:
            raise error

        monkeypatch.setattr(CaptionClient, "restyle", fail)

    refuse(UnknownName("no painting or artist like that"))
    assert client.post("/api/v1/styles?style=x", content=JPEG).json()["type"] == "urn:auria:problem:unknown-name"
    refuse(ModelServerBusy("full", seconds=9))
    answer = client.post("/api/v1/styles?style=x", content=JPEG)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "9")
