"""The public routes: languages, caching, redirects, methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.exhibited import exhibited, publish, visitor

if TYPE_CHECKING:
    from pathlib import Path


def test_the_language_is_the_browsers_or_the_chosen_one(tmp_path: Path) -> None:
    """A choice is kept in a cookie, and wins over the browser's preference."""
    browser = visitor(exhibited(tmp_path, 1))
    german = browser.get("/browse", headers={"accept-language": "de"})
    assert '<html lang="de">' in german.text
    assert "Stimmungen" in german.text
    assert "Accept-Language" in german.headers["vary"]
    assert '<html lang="en">' in browser.get("/browse").text
    chosen = browser.get("/browse?lang=de")
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/browse")
    assert '<html lang="de">' in browser.get("/browse", headers={"accept-language": "en"}).text
    assert '<html lang="de">' in browser.get("/?lang=xx").text


def test_redirects_stay_on_the_site(tmp_path: Path) -> None:
    """A path that browsers would read as another host leads nowhere else."""
    browser = visitor(exhibited(tmp_path, 1))
    for path in ("//evil.example/", "//evil.example?lang=de", "/%5Cevil.example/", "/\\evil.example?lang=de"):
        location = browser.get(f"http://127.0.0.1:8620{path}").headers.get("location", "/")
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))


def test_a_picture_in_a_width_of_before_is_found(tmp_path: Path) -> None:
    """Feeds that were read and pages of others still show it, in the next width; for no other width and format."""
    browser = visitor(exhibited(tmp_path, 1))
    answer = browser.get("/pictures/1/640.webp")
    assert (answer.status_code, answer.headers["location"]) == (301, "/pictures/1/400.webp")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert [browser.get(f"/pictures/{path}").status_code for path in ("1/641.webp", "9/640.webp")] == [404, 404]


def test_a_new_work_shows_although_pages_are_cached(tmp_path: Path) -> None:
    """The cache follows what is published; a browser that is up to date gets 304."""
    application = exhibited(tmp_path, 1)
    browser = visitor(application)
    first = browser.get("/")
    assert browser.get("/", headers={"if-none-match": first.headers["etag"]}).status_code == 304
    publish(application, 2)
    application.gallery._checked = float("-inf")
    second = browser.get("/", headers={"if-none-match": first.headers["etag"]})
    assert second.status_code == 200
    assert "old-pond-number-2" in second.text


def test_a_page_of_works_has_one_address(tmp_path: Path) -> None:
    """The number stands after a slash of its own."""
    browser = visitor(exhibited(tmp_path, 1))
    found = {path: browser.get(path).status_code for path in ("/moods/serene/page/1", "/moods/serenepage/1")}
    assert found == {"/moods/serene/page/1": 301, "/moods/serenepage/1": 404}


def test_only_reading_is_possible(tmp_path: Path) -> None:
    """HEAD is answered like GET; other methods are refused."""
    browser = visitor(exhibited(tmp_path, 1))
    assert browser.head("/").status_code == 200
    assert browser.head("/").text == ""
    assert browser.post("/").status_code == 405
    assert browser.delete("/artworks/1").status_code == 405


def test_a_search_that_is_too_long_is_refused_with_a_message(tmp_path: Path) -> None:
    """422, and the limit is named."""
    answer = visitor(exhibited(tmp_path, 1)).get("/search", params={"q": "x" * 101})
    assert answer.status_code == 422
    assert "at most 100" in answer.text
