"""The child's side of `child_process`: ends this process when its parent is gone, and sends the parent messages.

Ending is immediate, as in a power cut: nothing is half written, and what may or may not have been posted is looked up
later.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ORPHANED", "VARIABLE", "report", "send", "watch_parent"]

ORPHANED = 71
"""The exit code of a process whose parent is gone."""

VARIABLE = "SUPERVISED_BY"
"""The environment variable of a child: "PARENT:WATCH:MESSAGES", a process id and two descriptors."""

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_messages = -1  # file descriptor; set once, before anything is sent


def watch_parent() -> bool:
    """End with the parent from now on; whether there is one that asks for it. Call it once, before other work."""
    global _messages  # belongs to the process, as its standard streams do
    supervisor = os.environ.pop(VARIABLE, "")  # removed, for it does not concern this process's own children
    if not supervisor:
        return False
    parent, watched, _messages = (int(part) for part in supervisor.split(":"))
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:  # it died before that took effect
            os._exit(ORPHANED)

    def wait() -> None:
        os.read(watched, 1)
        os._exit(ORPHANED)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
    return True


def send(message: Mapping[str, Any]) -> None:
    """Send the parent a message; without a parent that listens, do nothing."""
    if _messages < 0:
        return
    import json  # here, for `auria --help` imports this module and has nothing to send

    data = json.dumps(message, ensure_ascii=False).encode() + b"\n"
    with contextlib.suppress(BrokenPipeError):
        while data:
            data = data[os.write(_messages, data) :]


def report(summary: str = "", *, error: str = "") -> None:
    """Send the result of this command to the daemon that started it: a sentence that `auria schedule` shows."""
    send({"error": error} if error else {"summary": summary})
