"""The web application as a whole: headers, errors, static files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.settings.web import WebSettings
from auria_bot.web.site import Site
from tests.exhibited import exhibited, publish, visitor
from tests.operators import send, signed_in, with_operators

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_every_answer_has_the_security_headers(tmp_path: Path) -> None:
    """Pages, pictures, errors and static files carry the policy, and none allows inline script."""
    browser = visitor(exhibited(tmp_path, 1))
    for path in ("/", "/nowhere", "/static/site.css", "/pictures/1/320.jpg", "/feed.xml"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert len(headers["x-request-id"]) == 16


def test_an_unexpected_error_is_answered_and_counted_as_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the security headers, and the number under which the log has it."""

    def fails(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(Site, "page", fails)
    browser = visitor(exhibited(tmp_path, 0), raise_server_exceptions=False)
    answer = browser.get("/browse")
    assert (answer.status_code, answer.headers["cache-control"]) == (500, "no-store")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-request-id"] in answer.text
    (counted,) = browser.app.state.health._counts._requests  # type: ignore[attr-defined]
    assert counted[1:] == ("GET", "5xx")


def test_static_texts_have_weak_tags(tmp_path: Path) -> None:
    """They are sent in two encodings; a browser that has one is told so by the same tag. Fonts have one form."""
    browser = visitor(exhibited(tmp_path, 0))
    tags = [
        browser.get("/static/site.css", headers={"accept-encoding": accepted}).headers["etag"]
        for accepted in ("gzip", "gzip;q=0")
    ]
    assert tags[0] == tags[1]
    assert tags[0].startswith('W/"')
    for known in (tags[0], tags[0].removeprefix("W/")):
        same = browser.get("/static/site.css", headers={"if-none-match": known})
        assert (same.status_code, same.headers["etag"]) == (304, tags[0])
    assert browser.get("/static/eb-garamond-regular.woff2").headers["etag"].startswith('"')


def test_a_method_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    """On pages as well as on forms and files."""
    browser = visitor(exhibited(tmp_path, 1))
    for path in ("/", "/browse", "/wall", "/desk", "/static/site.css"):
        answer = browser.put(path)
        assert (answer.status_code, answer.headers.get("allow")) == (405, "GET, HEAD"), path
        assert "Method Not Allowed" in answer.text
    assert browser.put("/desk/sign-in").headers["allow"] == "GET, HEAD, POST"


def test_the_path_of_a_static_file_is_that_of_no_route(tmp_path: Path) -> None:
    """Files are read, whatever a route of the same name takes."""
    browser = visitor(exhibited(tmp_path, 0))
    browser.app.add_api_route("/site.css", lambda: "", methods=["POST"])  # type: ignore[attr-defined]
    assert browser.put("/static/site.css").headers["allow"] == "GET, HEAD"
    assert browser.put("/site.css").headers["allow"] == "GET, HEAD, POST"


def test_an_error_leads_back_to_where_it_arose(tmp_path: Path) -> None:
    """At the desk to the desk, elsewhere to the gallery."""
    browser = visitor(exhibited(tmp_path, 0))
    back = 'href="/desk">Back to the desk</a>'
    shown = {path: back in browser.get(path).text for path in ("/desk/nowhere", "/desks", "/nowhere")}
    assert shown == {"/desk/nowhere": True, "/desks": False, "/nowhere": False}
    assert 'href="/">To the newest works</a>' in browser.get("/desks").text
    assert "To the newest works" not in browser.put("/desk").text


def test_a_number_in_an_address_has_one_spelling(tmp_path: Path) -> None:
    """Of pages, pictures, searches, the REST interface and the desk; other spellings name nothing."""
    application = with_operators(tmp_path)
    number, browser = publish(application, 3), signed_in(application)
    public = ("/artworks/{}", "/pictures/{}/320.jpg", "/api/v1/artworks/{}")
    paths = (*public, f"/pictures/{number}/{{}}.jpg", "/search?page={}", "/desk/drafts/{}", "/desk/journal?before={}")
    assert [browser.get(path.format(number)).status_code for path in public] == [301, 200, 200]
    for spelling in ("03", "%2B3", "%203", "3%20", "3.0", "3_", "%EF%BC%93", "3%0A"):
        found = {path: browser.get(path.format(spelling)).status_code for path in paths}
        assert set(found.values()) <= {301, 404}, (spelling, found)
        assert send(browser, f"/desk/drafts/{spelling}/undo").status_code == 404, spelling
        assert browser.get(f"/api/v1/artworks?limit={spelling}").status_code == 422, spelling


def test_behind_a_proxy_the_site_has_its_public_name_too(tmp_path: Path) -> None:
    """Served on this machine only, it answers to that name, its own ones, and no empty one."""
    application = exhibited(tmp_path, 0)
    application.settings = application.settings.model_copy(update={"web": WebSettings(url="https://Auria.example.org")})
    browser = visitor(application)
    for host, status in (("auria.example.org", 200), ("127.0.0.1:8620", 200), ("", 421), ("other.example", 421)):
        assert browser.get("/", headers={"host": host}).status_code == status, host
