"""Who may do what at the operator's desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.web.desk.access import SHORTCUTS
from tests.exhibited import HOST, visitor
from tests.operators import PASSWORD, signed_in, token, with_operators

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """An application with two drafts to review and three operators."""
    return with_operators(tmp_path)


def test_everything_but_signing_in_needs_a_session(application: Application) -> None:
    """Whoever is not signed in is led to the form, and changes nothing."""
    browser = visitor(application)
    for path in ("/desk", "/desk/drafts/1", "/desk/pictures/1/40.jpg", "/desk/previews/1/fake.jpg", "/desk/account"):
        assert browser.get(path).headers["location"] == "/desk/sign-in"
    assert browser.post("/desk/drafts/1/reject").headers["location"] == "/desk/sign-in"
    assert application.review.draft(1).state == "made"


@pytest.mark.parametrize(
    ("csrf", "headers"),
    [
        ("", {}),
        ("x" * 32, {}),
        (None, {"origin": "https://evil.example"}),
        (None, {"sec-fetch-site": "cross-site"}),
        (None, {"origin": "null"}),
    ],
)
def test_forms_of_other_sites_are_refused(application: Application, csrf: str | None, headers: dict[str, str]) -> None:
    """Without the session's token, or from elsewhere, nothing is decided; signing in from elsewhere neither."""
    browser = signed_in(application)
    data = {"csrf": token(browser) if csrf is None else csrf}
    assert browser.post("/desk/drafts/1/reject", data=data, headers=headers).status_code == 403
    assert application.review.draft(1).state == "made"
    if headers:
        login = {"name": "ada", "password": PASSWORD}
        assert visitor(application).post("/desk/sign-in", data=login, headers=headers).status_code == 403


def test_the_own_origin_is_accepted(application: Application) -> None:
    """As browsers send it."""
    browser = signed_in(application)
    headers = {"origin": HOST, "sec-fetch-site": "same-origin"}
    answer = browser.post("/desk/drafts/1/reject", data={"csrf": token(browser)}, headers=headers)
    assert answer.status_code == 303


def test_viewers_look_and_decide_nothing(application: Application) -> None:
    """The page offers no decision, and the routes refuse one."""
    browser = signed_in(application, "vera")
    assert "/approve" not in browser.get("/desk/drafts/1").text
    for action in ("approve", "reject", "edit", "undo", "restyle", "repaint"):
        assert browser.post(f"/desk/drafts/1/{action}", data={"csrf": token(browser)}).status_code == 403


def test_the_language_is_chosen_in_the_gallery(application: Application) -> None:
    """The desk follows that choice, and offers no links that it does not answer."""
    browser = signed_in(application)
    assert "?lang=de" in browser.get("/").text
    browser.get("/?lang=de")
    page = browser.get("/desk").text
    assert '<html lang="de">' in page
    assert "?lang=" not in page


def test_shortcuts_can_be_turned_off(application: Application) -> None:
    """Every page shows the choice, which the browser keeps; who is not signed in has none."""
    browser, box = signed_in(application), '<input type="checkbox" id="shortcuts" autocomplete="off"'
    for path in ("/desk", "/desk/drafts/1", "/desk/calendar", "/desk/account"):
        assert f"{box} checked> Shortcuts with single keys</label>" in browser.get(path).text, path
    browser.cookies.set(SHORTCUTS, "off")
    assert f"{box}> Shortcuts" in browser.get("/desk/drafts/1").text
    browser.cookies.set(SHORTCUTS, "on")
    assert f"{box} checked>" in browser.get("/desk").text
    assert box not in visitor(application).get("/desk/sign-in").text
    script = browser.get("/static/desk.js").text
    assert "if (!shortcuts?.checked) return;" in script
    assert f"{SHORTCUTS}=" in script
