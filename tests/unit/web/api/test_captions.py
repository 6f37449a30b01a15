"""Captions and ratings for programs."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.errors import ModelServerBusy
from auria_bot.services.captions.client import CaptionClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application

COPY = base64.b64encode(b"\xff\xd8 small copy").decode()
ANSWER: dict[str, Any] = {
    "model": {"name": "captioner", "version": "v3", "sha256": "ab" * 32},
    "width": 400,
    "height": 300,
    "captions": [{"text": "A dog.", "confidence": 0.5, "words": [{"text": "a", "attention": [[1.0]]}]}],
}
JPEG = b"\xff\xd8\xff picture"


@pytest.fixture
def client(client_of: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A program that may ask for captions, and a model server that answers."""
    monkeypatch.setattr(CaptionClient, "caption", lambda *_, drawn: ANSWER | ({"picture": COPY} if drawn else {}))
    return client_of("caption")


def test_a_picture_is_captioned(client: TestClient) -> None:
    """The body is the file, of whatever type it is said to be; the words come with their attention."""
    found = client.post("/api/v1/captions", content=JPEG, headers={"content-type": "image/jpeg"})
    assert found.status_code == 200
    assert found.json()["captions"][0]["words"] == [{"text": "a", "attention": [[1.0]], "veil": None}]
    assert found.json()["picture"] is None
    assert client.post("/api/v1/captions?drawn=true", content=JPEG).json()["picture"] == COPY


def test_a_picture_is_received_only_with_a_right_key(client: TestClient, client_of: Callable[..., TestClient]) -> None:
    """Strangers cannot fill the memory; the document says that the body is a file."""
    document = client.get("/api/v1/openapi.json").json()
    body = document["paths"]["/captions"]["post"]["requestBody"]
    assert body["content"]["application/octet-stream"]["schema"]["format"] == "binary"
    reader = client_of("read")
    for key, status in (({"Authorization": "Bearer wrong"}, 401), ({}, 403)):
        found = reader.post("/api/v1/captions", content=JPEG, headers=key)
        assert found.status_code == status


def test_a_caption_is_rated(client: TestClient, application: Application) -> None:
    """With the receipt; the key is its source, and its second rating replaces the first."""
    receipt = client.post("/api/v1/captions?drawn=true", content=JPEG).json()["receipt"]
    for stars in (2, 3):
        rated = client.post("/api/v1/ratings", json={"receipt": receipt, "stars": stars, "picture": COPY})
        assert (rated.status_code, rated.json()["keeps_picture"]) == (201, True)
    (kept,) = application.caption_ratings.recent()
    assert (kept.stars, kept.source) == (3, "key:bot-caption")
    for wrong in ({"receipt": receipt}, {"receipt": "a.b", "stars": 3}, {"receipt": receipt, "stars": 6}):
        assert client.post("/api/v1/ratings", json=wrong).status_code == 422


def test_refusals_are_problems(
    client: TestClient, client_of: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No picture, no scope, a busy server with the time to come back."""
    assert client.post("/api/v1/captions", content=b"text").json()["type"] == "urn:auria:problem:picture-error"
    assert client_of("read").post("/api/v1/captions", content=JPEG).status_code == 403

    def busy(*_: Any, **__: Any) -> Any:
        raise ModelServerBusy("full", seconds=9)

    monkeypatch.setattr(CaptionClient, "caption", busy)
    answer = client.post("/api/v1/captions", content=JPEG)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "9")
