"""The live studio, as a browser without JavaScript sees it, and its events."""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING

import pytest

from tests.applications import fake_application
from tests.exhibited import visitor
from tests.unit.services.visitors.test_studio import Busy, ended, opened

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """An application whose studio is open."""
    return opened(tmp_path)


def asked(browser: TestClient, **fields: str) -> str:
    """The address of an artwork that was asked for."""
    answer = browser.post("/studio", data=fields)
    assert answer.status_code == 303
    return str(answer.headers["location"])


def finished(application: Application, address: str) -> str:
    """The same address, once the artwork has ended."""
    ended(application.visitor_studio, address.rpartition("/")[2])
    return address


def test_the_studio_is_closed_by_default(tmp_path: Path) -> None:
    """No page, no link to it, and nothing is made."""
    browser = visitor(fake_application(tmp_path))
    assert browser.get("/studio").status_code == 404
    assert browser.post("/studio").status_code == 405
    assert "/studio" not in browser.get("/").text
    assert not (tmp_path / "visitors").exists()


def test_the_language_is_chosen_in_the_footer(application: Application) -> None:
    """Of the form and of an artwork: the links that the pages offer are answered as everywhere."""
    browser = visitor(application)
    address = finished(application, asked(browser))
    for path, tag in (("/studio", "de"), (address, "en")):
        assert f'href="?lang={tag}"' in browser.get(path).text
        assert browser.get(f"{path}?lang={tag}").headers["location"] == path
        assert f'<html lang="{tag}">' in browser.get(path).text


def test_a_visitor_asks_and_gets_an_artwork(application: Application) -> None:
    """By a link that nobody can guess; the page says what was asked for, and offers what may be done with it."""
    browser = visitor(application)
    assert 'href="/studio"' in browser.get("/").text
    assert "The studio is free" in browser.get("/studio").text
    address = asked(browser, theme="autumn rain", mood="serene")
    assert re.fullmatch(r"/studio/[0-9a-f]{32}", address)
    page = browser.get(finished(application, address))
    assert page.headers["x-robots-tag"] == "noindex"
    assert page.headers["cache-control"] == "no-store"
    assert "autumn rain" in page.text
    for action in ("keep", "offer", "remove"):
        assert f'action="{address}/{action}"' in page.text
    for ask in (browser.get, browser.head):
        assert ask(f"{address}/pictures/post").headers["content-type"] == "image/jpeg"
    assert "Disallow: /studio/" in browser.get("/robots.txt").text


def test_what_there_is_so_far_is_shown_without_javascript(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page loads itself again, and has poem, picture and steps."""
    busy, browser = Busy(monkeypatch, application, free=3), visitor(application)
    address = asked(browser)
    key = address.rpartition("/")[2]
    for _ in range(1200):
        if (moment := application.visitor_studio.watch(key)) and moment.is_paused and moment.events:
            break
        threading.Event().wait(0.02)
    page = browser.get(address).text
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page
    assert page.count('class="done"') == 3
    source = re.search(rf'src="({address}/pictures/painting\.png\?v=\d+)"', page)
    assert source is not None
    assert browser.get(source[1]).headers["content-type"] == "image/png"
    assert "work of her own" in page
    busy.now = False
    assert 'http-equiv="refresh"' not in browser.get(finished(application, address)).text


def test_who_watches_too_much_is_told_when_to_come_back(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the page of every other refusal for a time."""
    Busy(monkeypatch, application)
    browser = visitor(application)
    monkeypatch.setattr("auria_bot.web.pages.studio._MOST_STREAMS", 0)
    refused = browser.get(f"{asked(browser)}/events")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")


def test_events_go_on_where_a_broken_connection_stopped(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with its number; at the end the browser is told so."""
    busy, browser = Busy(monkeypatch, application), visitor(application)
    key = asked(browser).rpartition("/")[2]
    studio = application.visitor_studio
    lines: list[str] = []
    assert browser.head(f"/studio/{key}/events").headers["content-type"].startswith("text/event-stream")
    with browser.stream("GET", f"/studio/{key}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            lines.append(line)
            busy.now = False
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    assert events[0] == {"ahead": 0, "paused": True}
    assert lines[-3:-1] == ["event: end", "data: {}"]
    assert studio.watch(key) is None
    with browser.stream("GET", f"/studio/{key}/events", headers={"last-event-id": "7"}) as stream:
        assert [line for line in stream.iter_lines() if line] == ["event: end", "data: {}"]


@pytest.mark.parametrize(
    ("theme", "mood", "status"),
    [("<script>", "", 303), ("what the fuck", "", 422), ("x" * 500, "", 422), ("", "no", 422)],
)
def test_a_theme_is_hostile_text(application: Application, theme: str, mood: str, status: int) -> None:
    """It is refused with a reason, or shown escaped."""
    browser = visitor(application)
    answer = browser.post("/studio", data={"theme": theme, "mood": mood})
    assert answer.status_code == status
    if status == 303:
        page = browser.get(finished(application, answer.headers["location"])).text
        assert "&lt;script&gt;" in page
        assert "<script>" not in page
    else:
        assert 'role="alert"' in answer.text


def test_limits_are_said_in_words(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the time to wait, for programs."""
    Busy(monkeypatch, application)
    browser = visitor(application)
    address = asked(browser)
    again = browser.post("/studio")
    assert (again.status_code, again.headers["retry-after"]) == (429, "30")
    assert f'href="{address}"' in again.text
    for _ in range(2):
        asked(visitor(application))
    answer = visitor(application).post("/studio")
    assert answer.status_code == 429
    assert "come back tomorrow" in answer.text


def test_only_the_visitor_who_asked_decides(application: Application) -> None:
    """Whoever has the link sees the artwork; a form of another site does nothing."""
    browser, other = visitor(application), visitor(application)
    address = finished(application, asked(browser))
    assert "/keep" not in other.get(address).text
    assert other.post(f"{address}/keep").status_code == 403
    assert browser.post(f"{address}/keep", headers={"origin": "https://evil.example"}).status_code == 403
    assert browser.post("/studio", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert browser.post(f"{address}/keep").headers["location"] == address
    assert browser.post(f"{address}/offer").headers["location"] == address
    page = browser.get(address).text
    assert "kept for good" in page
    assert "offered to the operator" in page
    assert browser.post(f"{address}/publish").status_code == 404
    assert browser.post(f"{address}/remove").headers["location"] == "/studio"
    assert browser.get(address).status_code == 404


def test_what_is_not_there(application: Application) -> None:
    """Wrong keys and names, and nothing outside the folder."""
    browser = visitor(application)
    address = finished(application, asked(browser))
    for path in (
        "/studio/nothing",
        f"/studio/{'0' * 32}",
        f"{address}/pictures/work.json",
        f"{address}/pictures/..%2Fwork.json",
    ):
        assert browser.get(path).status_code == 404


def test_a_killed_server_leaves_a_clear_page(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one says that the artwork was interrupted, and that one may begin anew."""
    Busy(monkeypatch, application)
    browser = visitor(application)
    address = asked(browser)
    record = application.settings.home / "visitors" / address.rpartition("/")[2] / "work.json"
    home = application.settings.home.with_name("after")
    (home / "visitors" / record.parent.name).mkdir(parents=True)
    (home / "visitors" / record.parent.name / "work.json").write_bytes(record.read_bytes())
    page = visitor(opened(home)).get(address)
    assert page.status_code == 200
    assert "restarted while your artwork" in page.text
    assert 'href="/studio"' in page.text


def test_german_has_every_word(application: Application) -> None:
    """The page is German where the browser asks for it."""
    page = visitor(application).get("/studio", headers={"accept-language": "de"}).text
    assert "Das offene Atelier" in page
