"""Here workers are begun as for operators, each by an interpreter of its own."""

from __future__ import annotations

import subprocess

import pytest


@pytest.fixture(autouse=True)
def _interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork no worker."""
    monkeypatch.setattr("auria_bot.execution.child_process.subprocess", subprocess)
