"""Passkeys at the desk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from auria_bot.settings.web import WebSettings
from tests.authenticator import Authenticator
from tests.exhibited import HOST, visitor
from tests.operators import PASSWORD, journal, send, signed_in, with_operators

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application

SITE = "http://localhost:8620"
ADD = "/desk/account/passkeys"


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """An application with three operators, whose site allows passkeys."""
    made = with_operators(tmp_path, drafts=0)
    made.settings = made.settings.model_copy(update={"web": WebSettings(url=SITE)})
    return made


def device() -> Authenticator:
    """An authenticator at the site."""
    return Authenticator(origin=SITE, host="localhost")


def test_an_operator_adds_a_passkey_and_signs_in_with_it(application: Application) -> None:
    """The page lists it, the journal names who added it, and it can be renamed and removed."""
    browser, phone = signed_in(application), device()
    answer = phone.made(browser.get(f"{ADD}/new").json())
    added = send(browser, ADD, name="phone", password=PASSWORD, answer=answer)
    assert added.headers["location"] == "/desk/account?done=passkey&of=phone"
    assert (journal(application).who, journal(application).details) == ("ada", "ada: phone")
    guest = visitor(application)
    signed = phone.signed(guest.get("/desk/sign-in/passkey").json())
    entered = guest.post("/desk/sign-in/passkey", data={"answer": signed})
    assert (entered.status_code, entered.headers["location"]) == (303, "/desk")
    assert "HttpOnly" in entered.headers["set-cookie"]
    assert guest.get("/desk").status_code == 200
    page = browser.get("/desk/account").text
    (passkey,) = set(re.findall(rf"{ADD}/(\w+)/remove", page))
    assert "never used" not in page
    assert send(browser, f"{ADD}/{passkey}/name", name="").status_code == 422
    assert send(browser, f"{ADD}/{passkey}/name", name="old phone").status_code == 303
    assert "old phone" in browser.get("/desk/account").text
    assert send(signed_in(application, "eve"), f"{ADD}/{passkey}/remove").status_code == 404
    assert send(browser, f"{ADD}/{passkey}/remove").status_code == 303
    assert "phone" not in browser.get("/desk/account").text.partition("passkeys")[2].partition("form")[0]


def test_a_passkey_is_added_by_whoever_knows_the_password_alone(application: Application) -> None:
    """A session that somebody else got hold of cannot make its access last; a form of another site cannot either."""
    browser = signed_in(application)
    answer = device().made(browser.get(f"{ADD}/new").json())
    assert send(browser, ADD, name="phone", answer=answer).status_code == 403
    assert browser.post(ADD, data={"name": "phone", "password": PASSWORD, "answer": answer}).status_code == 403
    assert application.passkeys.list("ada") == ()
    assert visitor(application).get(f"{ADD}/new").status_code == 303


def test_what_is_wrong_is_said_on_the_page_to_sign_in(application: Application) -> None:
    """Also to whoever must wait, and a form of another site is refused."""
    guest = visitor(application)
    answers = [guest.post("/desk/sign-in/passkey", data={"answer": "{}"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 429]
    assert "was not accepted" in answers[0].text
    assert int(answers[-1].headers["retry-after"]) >= 1
    foreign = guest.post("/desk/sign-in/passkey", data={"answer": "{}"}, headers={"Origin": "https://evil.example"})
    assert "another site" in foreign.text


def test_passkeys_are_not_offered_where_browsers_refuse_them(tmp_path: Path) -> None:
    """The account says what they need."""
    application = with_operators(tmp_path, drafts=0)
    guest, browser = visitor(application), signed_in(application)
    assert HOST.startswith("http://127.0.0.1")
    assert "data-passkey" not in guest.get("/desk/sign-in").text
    assert "need a public address with HTTPS" in browser.get("/desk/account").text
    assert guest.get("/desk/sign-in/passkey").status_code == 404
