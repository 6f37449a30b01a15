"""The page of captions."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.errors import AuriaError, ModelServerAway, ModelServerBusy
from auria_bot.services.captions.client import CaptionClient
from auria_bot.settings.captions import CaptionSettings
from tests.exhibited import exhibited, visitor

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application

COPY = base64.b64encode(b"\xff\xd8 small copy").decode()
GRID = [[0.0] * 7 for _ in range(6)] + [[0.0] * 6 + [1.0]]
ANSWER: dict[str, Any] = {
    "model": {"name": "captioner", "version": "v3", "sha256": "ab" * 32},
    "width": 400,
    "height": 300,
    "picture": COPY,
    "captions": [
        {
            "text": text,
            "confidence": 0.5,
            "words": [{"text": word, "attention": GRID, "veil": "AAAA"} for word in text.lower().rstrip(".").split()],
        }
        for text in ("A dog <runs>.", "A cat sits.")
    ],
}
PICTURE = {"picture": ("../../etc/<b>.jpg", b"\xff\xd8\xff picture", "image/jpeg")}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the model server answers, one after the other; the last one again and again."""
    given: list[Any] = [ANSWER]

    def caption(_: CaptionClient, content: bytes, *, drawn: bool) -> Any:
        assert drawn
        assert content.startswith(b"\xff\xd8\xff")
        answer = given[0] if len(given) == 1 else given.pop(0)
        if isinstance(answer, AuriaError):
            raise answer
        return answer

    monkeypatch.setattr(CaptionClient, "caption", caption)
    return given


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """With the page switched on."""
    made = exhibited(tmp_path / "home", 1)
    made.settings = made.settings.model_copy(update={"captions": CaptionSettings(page=True, per_hour=3, largest_mb=1)})
    return made


@pytest.fixture
def browser(application: Application, answers: list[Any]) -> TestClient:
    """A visitor."""
    assert answers
    return visitor(application)


def form(page: str) -> dict[str, str]:
    """The hidden fields of the form for a rating."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', page))


def test_the_page_is_there_only_when_it_is_switched_on(tmp_path: Path, browser: TestClient) -> None:
    """By default neither the page nor the way to it exist."""
    plain = visitor(exhibited(tmp_path / "other", 1))
    assert plain.get("/captions").status_code == 404
    assert plain.post("/captions", files=PICTURE).status_code == 405
    assert "/captions" not in plain.get("/").text
    assert 'href="/captions"' in browser.get("/").text
    shown = browser.get("/captions")
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    assert 'enctype="multipart/form-data"' in shown.text
    assert browser.head("/captions").status_code == 200


def test_a_picture_gets_its_caption_with_a_link_for_each_word(browser: TestClient) -> None:
    """Each word leads to its veil and says where it was seen; what the model said is escaped; nothing else is loaded."""
    shown = browser.post("/captions", files=PICTURE)
    assert shown.status_code == 200
    assert shown.text.count('class="veil"') == shown.text.count('class="word"') == 6
    assert 'href="#seen-2" aria-label="dog, lower right"' in shown.text
    assert "<runs>" not in shown.text
    assert "&lt;runs&gt;" in shown.text
    assert "etc/" not in shown.text
    assert "img-src 'self' data:;" in shown.headers["content-security-policy"]
    assert "script-src 'self';" in shown.headers["content-security-policy"]


def test_a_rating_is_kept_with_the_picture_only_by_consent(application: Application, browser: TestClient) -> None:
    """The form of the page carries all that it needs."""
    fields = form(browser.post("/captions", files=PICTURE).text)
    thanks = browser.post("/captions/ratings", data={**fields, "stars": "4", "correction": "two dogs"})
    assert (thanks.status_code, "Thank you" in thanks.text) == (200, True)
    (kept,) = application.caption_ratings.recent()
    assert (kept.stars, kept.correction, kept.source, kept.picture) == (4, "two dogs", "page", "")
    browser.post("/captions/ratings", data={**fields, "stars": "5", "consent": "yes"})
    (kept,) = application.caption_ratings.recent()
    assert (application.settings.home / kept.picture).read_bytes() == base64.b64decode(COPY)


@pytest.mark.parametrize(
    "change", [{"receipt": "x.y"}, {"stars": ""}, {"correction": "see https://spam.example"}, {"stars": "6"}]
)
def test_a_rating_that_is_wrong_says_why(application: Application, browser: TestClient, change: dict[str, str]) -> None:
    """And nothing is kept."""
    fields = form(browser.post("/captions", files=PICTURE).text)
    answer = browser.post("/captions/ratings", data={**fields, "stars": "4", **change})
    assert answer.status_code in {404, 422}
    assert application.caption_ratings.recent() == ()


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (ModelServerAway("the model server at 127.0.0.1:8630 does not answer"), 503, "cannot be described"),
        (ModelServerBusy("full", seconds=7), 503, "many pictures"),
    ],
)
def test_a_server_that_is_away_or_busy(
    browser: TestClient, answers: list[Any], error: AuriaError, status: int, words: str
) -> None:
    """The visitor is told what to do, and nothing of the inside."""
    answers[:] = [error]
    answer = browser.post("/captions", files=PICTURE)
    assert (answer.status_code, words in answer.text, "8630" in answer.text) == (status, True, False)
    assert answer.headers.get("retry-after") == ("7" if isinstance(error, ModelServerBusy) else None)


def test_uploads_are_bounded_and_must_be_pictures(browser: TestClient) -> None:
    """By size, by how they begin, and by number; other sites cannot send forms here."""
    large = {"picture": ("a.jpg", b"\xff\xd8\xff" + b"x" * 1_100_000, "image/jpeg")}
    assert browser.post("/captions", files=large).status_code == 413
    assert browser.post("/captions", files=PICTURE, headers={"origin": "https://evil.example"}).status_code == 403
    assert browser.post("/captions", files={"picture": ("a.jpg", b"<svg/>", "image/jpeg")}).status_code == 422
    assert "no picture was chosen" in browser.post("/captions").text
    assert browser.post("/captions", files=PICTURE).status_code == 200
    limited = browser.post("/captions", files=PICTURE)
    assert limited.status_code == 429
    assert int(limited.headers["retry-after"]) > 60
