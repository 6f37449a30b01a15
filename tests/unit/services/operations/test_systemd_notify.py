"""The service manager is told where there is one."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

import pytest

from auria_bot.services.operations.systemd_notify import tell


def test_nobody_is_told_where_nobody_asks(monkeypatch: pytest.MonkeyPatch):
    """Without a socket, or with one that is gone, nothing happens."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not tell("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    assert not tell("READY=1")


@pytest.mark.parametrize("abstract", [False, True])
def test_a_manager_hears_it(monkeypatch: pytest.MonkeyPatch, abstract: bool):
    """On a socket in a folder, or on one that has no file."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        place = str(Path(folder) / "notify")
        manager.bind("\0" + place if abstract else place)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{place}" if abstract else place)
        assert tell("WATCHDOG=1")
        assert manager.recv(100) == b"WATCHDOG=1"
