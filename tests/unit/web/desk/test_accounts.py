"""Signing in, the own account, and the operators."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.exhibited import visitor
from tests.operators import PASSWORD, journal, send, signed_in, token, with_operators

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """An application with two drafts to review and three operators."""
    return with_operators(tmp_path)


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(application: Application) -> None:
    """It is for the desk only, and a session that was planted before is not taken over."""
    browser = visitor(application)
    browser.cookies.set("auria_session", "planted", domain="127.0.0.1", path="/desk")
    cookie = browser.post("/desk/sign-in", data={"name": "ada", "password": PASSWORD}).headers["set-cookie"]
    assert "planted" not in cookie
    for part in ("HttpOnly", "SameSite=strict", "Path=/desk"):
        assert part in cookie


def test_signing_in_again_ends_the_session_of_before(application: Application) -> None:
    """A browser has one session."""
    browser = signed_in(application)
    earlier = browser.cookies["auria_session"]
    browser.post("/desk/sign-in", data={"name": "eve", "password": PASSWORD})
    assert application.accounts.session(earlier) is None
    assert [len(application.accounts.sessions(name)) for name in ("ada", "eve")] == [0, 1]


def test_a_wrong_password_is_refused_and_slowed(application: Application) -> None:
    """The third failure makes the next attempt wait, also with the right password."""
    browser = visitor(application)
    codes = [browser.post("/desk/sign-in", data={"name": "ada", "password": "x"}).status_code for _ in range(3)]
    answer = browser.post("/desk/sign-in", data={"name": "ada", "password": PASSWORD})
    assert codes == [403, 403, 403]
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_a_form_with_half_characters_is_refused(application: Application) -> None:
    """An encoding of the sender's choice cannot make the page fail that shows the name again."""
    body = b'--B\r\nContent-Disposition: form-data; name="name"\r\n\r\n+2AA-\r\n--B--\r\n'
    kind = {"content-type": "multipart/form-data; boundary=B; charset=utf-7"}
    assert visitor(application).post("/desk/sign-in", content=body, headers=kind).status_code == 415


def test_what_is_refused_in_english_is_marked_as_that(application: Application) -> None:
    """On pages in another language, so that it is read aloud as it is written."""
    browser = visitor(application, headers={"accept-language": "de"})
    page = browser.post("/desk/sign-in", data={"name": "ada", "password": "wrong"}).text
    assert '<html lang="de">' in page
    assert '<p class="message" role="alert" lang="en">the name or the password is wrong</p>' in page
    wrong = browser.post("/desk/sign-in", data={"name": "ada"}, headers={"origin": "https://elsewhere.example"}).text
    assert '<span lang="en">the form came from another site</span>' in wrong


def test_pages_answer_to_HEAD_too(application: Application) -> None:  # noqa: N802 - the method's name
    """As to GET, for programs that only look whether they are there."""
    browser = visitor(application)
    assert (browser.head("/desk/sign-in").status_code, browser.head("/desk").status_code) == (200, 303)


def test_sessions_are_listed_and_can_be_ended(application: Application) -> None:
    """Another browser's session ends at once; signing out ends one's own."""
    one, two = signed_in(application), signed_in(application)
    session = re.search(r"/desk/sessions/(\w+)/end", one.get("/desk/account").text)[1]
    assert one.post(f"/desk/sessions/{session}/end", data={"csrf": token(one)}).status_code == 303
    assert two.get("/desk").status_code == 303
    assert one.post("/desk/sign-out", data={"csrf": token(one)}).headers["location"] == "/desk/sign-in"
    assert one.get("/desk").status_code == 303


def test_owners_manage_operators_and_the_journal_says_who(application: Application) -> None:
    """They add, change, sign out and remove others."""
    browser = signed_in(application)
    send(browser, "/desk/operators", name="bob", password=PASSWORD, role="viewer")
    assert (journal(application).who, journal(application).details) == ("ada", "bob: viewer")
    send(browser, "/desk/operators/bob/role", role="editor")
    bob = signed_in(application, "bob")
    assert send(bob, "/desk/drafts/1/reject").status_code == 303
    send(browser, "/desk/operators/bob/end")
    assert bob.get("/desk").headers["location"] == "/desk/sign-in"
    send(browser, "/desk/operators/bob/remove")
    assert "bob" not in {one.name for one in application.accounts.operators()}
    assert (journal(application).who, journal(application).action) == ("ada", "operator remove")


def test_what_an_owner_types_wrongly_is_said(application: Application) -> None:
    """A short password, a name that is taken, and the only owner's own role."""
    browser = signed_in(application)
    short = send(browser, "/desk/operators", name="bob", password="short")  # noqa: S106 - of nobody
    assert (short.status_code, "10 to 200 characters" in short.text, 'value="bob"' in short.text) == (422, True, True)
    assert "already" in send(browser, "/desk/operators", name="eve", password=PASSWORD).text
    assert "only owner" in send(browser, "/desk/operators/ada/role", role="viewer").text
    assert "only owner" in send(browser, "/desk/operators/ada/remove").text


def test_others_do_not_manage_operators(application: Application) -> None:
    """Editors see no operators, and the routes refuse them."""
    browser = signed_in(application, "eve")
    assert "/desk/operators" not in browser.get("/desk/account").text
    for path in ("/desk/operators", "/desk/operators/vera/role", "/desk/operators/vera/remove"):
        assert send(browser, path, name="x", password=PASSWORD, role="owner").status_code == 403


def test_a_new_password_needs_the_present_one_and_ends_other_sessions(application: Application) -> None:
    """The session that changes it goes on."""
    browser, other = signed_in(application, "eve"), signed_in(application, "eve")
    assert send(browser, "/desk/account/password", old="wrong", new="another long one").status_code == 403
    answer = send(browser, "/desk/account/password", old=PASSWORD, new="another long one")
    assert answer.headers["location"].startswith("/desk/account?done=password")
    assert "in force" in browser.get(answer.headers["location"]).text
    assert other.get("/desk").status_code == 303
    assert application.accounts.sign_in("eve", "another long one", address="")
