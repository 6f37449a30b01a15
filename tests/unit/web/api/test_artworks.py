"""Published artworks as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def test_artworks_are_found_by_what_the_gallery_offers(client: TestClient) -> None:
    """Mood, year and words; the newest first."""
    assert [one["id"] for one in client.get("/api/v1/artworks").json()["items"]] == [3, 2, 1]
    found = client.get("/api/v1/artworks", params={"q": "number 2", "mood": "serene"}).json()["items"]
    assert [one["haiku"][0] for one in found] == ["old pond number 2"]
    assert client.get("/api/v1/artworks", params={"year": "1999"}).json() == {"items": [], "next": None}


def test_an_artwork_has_its_pictures_and_its_lineage(client: TestClient) -> None:
    """Every address leads somewhere, and no path of the server is told."""
    found = client.get("/api/v1/artworks/2").json()
    assert found["posts"][0]["url"] == "https://example.org/2"
    assert {"role": "painter", "backend": "attn", "name": "", "sha256": "b" * 64} in found["models"]
    assert client.get(found["url"]).status_code == 200
    assert client.get(found["pictures"][0]["url"]).headers["content-type"] == "image/jpeg"
    assert "source.png" not in str(found)


def test_the_head_of_an_answer_is_that_of_its_content(client: TestClient) -> None:
    """With its tag, and nothing else."""
    head, whole = client.head("/api/v1/artworks"), client.get("/api/v1/artworks")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", whole.headers["etag"])


def test_a_draft_that_is_not_published_is_no_artwork(client: TestClient) -> None:
    """Its number is not told from one that never was."""
    assert client.get("/api/v1/artworks/4").status_code == 404
