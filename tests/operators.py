"""Operators at the desk, for the tests of the web interface."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tests.applications import fake_application
from tests.exhibited import visitor
from tests.publishing import approved

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application
    from auria_bot.store.drafts import Entry

__all__ = ["PASSWORD", "journal", "send", "signed_in", "token", "with_operators"]

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


def with_operators(home: Path, drafts: int = 2) -> Application:
    """An application with so many drafts to review, and an owner, an editor and a viewer: ada, eve and vera."""
    made = fake_application(home)
    for number in range(1, drafts + 1):
        made.review.undo(approved(made, number).id)
    with patch("auria_bot.services.accounts.accounts._hashed", lambda _: _cheap_hash()):
        for name, role in (("ada", "owner"), ("eve", "editor"), ("vera", "viewer")):
            made.accounts.add(name, PASSWORD, role=role)
    return made


@cache
def _cheap_hash() -> str:
    """The password's hash at the least cost, which each sign-in with it costs too."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def signed_in(application: Application, name: str = "ada") -> TestClient:
    """The browser of an operator who has signed in."""
    browser = visitor(application)
    answer = browser.post("/desk/sign-in", data={"name": name, "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    return browser


def token(browser: TestClient) -> str:
    """What the forms of the session contain."""
    found = re.search(r'name="csrf" value="([^"]+)"', browser.get("/desk/account").text)
    assert found is not None
    return found[1]


def send(browser: TestClient, path: str, **fields: Any) -> Any:
    """Send a form of the session."""
    return browser.post(path, data={"csrf": token(browser), **fields})


def journal(application: Application) -> Entry:
    """The last entry of the journal."""
    with application.store.read() as unit:
        return unit.journal.list(limit=1)[0]
