"""Operators at the desk, for the tests of the web interface."""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tests.applications import fake_application, own_folder
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
    """An application with so many drafts to review, and an owner, an editor and a viewer: ada, eve and vera.

    The home is a copy of one that was made once in this process.
    """
    shutil.copytree(_home_with_operators(drafts), home, dirs_exist_ok=True)
    return fake_application(home)


@cache
def _home_with_operators(drafts: int) -> Path:
    from argon2 import PasswordHasher

    # At the least cost, which each sign-in costs too.
    cheap_hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    home = own_folder() / "home"
    with (
        closing(fake_application(home)) as made,
        patch("auria_bot.services.accounts.accounts._hashed", lambda _: cheap_hash),
    ):
        for number in range(1, drafts + 1):
            made.review.undo(approved(made, number).id)
        for name, role in (("ada", "owner"), ("eve", "editor"), ("vera", "viewer")):
            made.accounts.add(name, PASSWORD, role=role)
    return home


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
