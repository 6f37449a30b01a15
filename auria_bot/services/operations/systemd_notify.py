"""Tells the service manager how the daemon stands, where it was started by one that wants to know (systemd's sd_notify)."""

from __future__ import annotations

import contextlib
import os
import socket

__all__ = ["tell"]


def tell(state: str) -> bool:
    """Send a state, such as "READY=1", "WATCHDOG=1" or "STOPPING=1"; whether anybody was told."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")):
        return False
    # An abstract socket's name begins with a zero byte, which the variable cannot hold.
    address = "\0" + place[1:] if place.startswith("@") else place
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(state.encode(), address)
        return True
    return False
