"""A command that the daemon started ends with the daemon, however that ended."""

from __future__ import annotations

import os
import threading

__all__ = ["ORPHANED", "hold"]

ORPHANED = 71
"""The exit code of a command whose daemon is gone."""


def hold(leash: int) -> None:
    """Watch the end of a pipe from now on; when its other end is closed, this process ends at once.

    What it was about is left as by a power cut: nothing is half written, and what may or may not be posted is looked up.
    """

    def wait() -> None:
        os.read(leash, 1)
        os._exit(ORPHANED)

    threading.Thread(target=wait, name="leash", daemon=True).start()
