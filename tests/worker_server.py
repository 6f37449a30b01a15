"""Workers of the local executor, each in a process of its own that begins with its modules imported.

A server imports them once and forks a process for each worker, which gets its arguments, environment and descriptors.
How an interpreter is started for a worker is tried by tests/unit/execution, and wherever a command is started by one.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from auria_bot.execution.parent_watch import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

__all__ = ["SUBPROCESS", "Worker", "begun", "server"]

_COMMAND = [sys.executable, "-P", "-m", "auria_bot.execution.worker_main"]
_IMPORTED = (
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "auria_bot.execution.worker_main",
    "auria_bot.services.studio.step_worker",
    "auria_bot.testing.makers",
)
"""What the workers of fakes import."""
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # a process with threads must not fork


def begun(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes] | Worker:
    """A process of this command, as `subprocess.Popen` begins it; a worker with this interpreter is forked instead."""
    if [*command[: len(_COMMAND)]] == _COMMAND:
        return Worker(command, **options)
    return subprocess.Popen(command, **options)


class Worker:
    """A worker that was forked, with what its supervisor uses of `subprocess.Popen`."""

    stdin = None

    def __init__(self, command: Sequence[str], *, pass_fds: Sequence[int], env: dict[str, str], **options: Any) -> None:
        """Begin it."""
        self._command, self._code = command, ""
        self._told, telling = os.pipe()
        with tempfile.TemporaryFile() as request, open(os.devnull, "r+b") as nothing:  # noqa: PTH123 - a device
            asked = {"arguments": command[len(_COMMAND) :], "environment": env, "descriptors": [0, 1, 2, *pass_fds]}
            request.write(json.dumps(asked).encode())
            request.seek(0)
            given = (options[name] for name in ("stdin", "stdout", "stderr"))
            streams = [nothing if one == subprocess.DEVNULL else one for one in given]
            places = [one if isinstance(one, int) else one.fileno() for one in (request, *streams, *pass_fds)]
            socket.send_fds(server(), [b"?"], [telling, *places])
        os.close(telling)
        self.pid = int(self._line())

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        if not self._code and select.select([self._told], [], [], 0)[0]:
            self._code = self._line()
            os.close(self._told)
        return int(self._code) if self._code else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, at most so many seconds; its exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        if not self._code and not select.select([self._told], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self._command, timeout or 0.0)
        code = self.poll()
        assert code is not None
        return code

    def _line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(self._told, 1) or b"1\n"  # its keeper is gone
        return line.decode()


SUBPROCESS = SimpleNamespace(**{**vars(subprocess), "Popen": begun})
"""The module subprocess whose workers are forked."""


@cache
def server() -> socket.socket:
    """The server of this process, which ends with it."""
    ours, theirs = socket.socketpair()
    known = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.worker_server", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=known | _ENVIRONMENT,
            cwd=Path(__file__).resolve().parents[1],
        )
    atexit.register(process.wait)
    atexit.register(ours.close)  # the last one registered is called first
    return ours


def _serve(requests: socket.socket) -> None:
    for name in _IMPORTED:
        import_module(name)
    gc.freeze()
    keepers: set[int] = set()
    while True:
        asked, given, _, _ = socket.recv_fds(requests, 1, 64)
        if not asked:
            return
        keepers -= {pid for pid in keepers if os.waitpid(pid, os.WNOHANG)[0]}
        keeper = os.fork()
        if keeper == 0:
            requests.close()
            _keep(*given)
        keepers.add(keeper)
        for one in given:
            os.close(one)


def _keep(telling: int, *given: int) -> NoReturn:
    """Fork the worker; its process id and, in the end, its exit code are told."""
    worker = os.fork()
    if worker == 0:
        _become(telling, *given)
    for one in given:
        os.close(one)
    code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        os.write(telling, b"%d\n" % code)
    os._exit(0)


def _become(telling: int, request: int, *given: int) -> NoReturn:
    """Be a worker from now on."""
    with os.fdopen(request) as file:
        asked = json.load(file)
    places = asked["descriptors"]
    free = max((*places, *given, telling)) + 1
    moved = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, free) for one in (telling, *given)]
    for one in (telling, *given):
        os.close(one)
    for one, place in zip(moved[1:], places, strict=True):
        os.dup2(one, place)
        os.close(one)
    os.setsid()
    os.write(moved[0], b"%d\n" % os.getpid())
    os.close(moved[0])
    os.environ.clear()
    _, watched = asked["environment"][VARIABLE].split(":", 1)
    os.environ.update(asked["environment"] | {VARIABLE: f"{os.getppid()}:{watched}"})
    from auria_bot.execution.worker_main import main

    main(asked["arguments"])
    raise SystemExit


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
