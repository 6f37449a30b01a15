"""A site with drafts and published artworks, and programs that call its REST interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.exhibited import exhibited, visitor
from tests.publishing import approved

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """Three published artworks, and the drafts 4 and 5 that wait for a decision."""
    made = exhibited(tmp_path, 3)
    for number in (4, 5):
        made.review.undo(approved(made, number).id)
    return made


@pytest.fixture
def client_of(application: Application) -> Callable[..., TestClient]:
    """Makes a program with a key of some scopes."""

    def client(*scopes: str) -> TestClient:
        key = application.api_keys.add("-".join(("bot", *scopes)), scopes)
        return visitor(application, headers={"Authorization": f"Bearer {key}"})

    return client


@pytest.fixture
def client(client_of: Callable[..., TestClient]) -> TestClient:
    """A program that may do everything."""
    return client_of("read", "decide", "make")
