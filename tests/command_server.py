"""Commands of the real command line, each in a process of its own that begins with the program imported.

A server imports it once and forks a process for each command, which gets its arguments, environment and streams; the
studio's workers of commands are forked likewise, see `tests.worker_server`. The start of the interpreter and the order
of imports are not tried this way, nor another seed of Python's hashes.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tests import worker_server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

__all__ = ["run"]

_ROOT = Path(__file__).resolve().parents[1]
_IMPORTED = (
    "auria_bot.bootstrap.application",
    "auria_bot.cli.app",
    "auria_bot.cli.studio.make",
    "auria_bot.cli.terminal.prompts",
    "auria_bot.services.engagement.approvals",
    "auria_bot.services.models.folder_registry",
    "auria_bot.services.publishing.publisher",
    "auria_bot.services.studio.studio",
    "auria_bot.settings.loading",
    "auria_bot.store.unit_of_work",
    "rich.progress",
    "rich.table",
    "sqlalchemy.dialects.sqlite",
)
"""What most commands import."""
_PATIENCE = 280.0  # seconds
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # a process with threads must not fork


def run(*arguments: str, environment: Mapping[str, str], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command in the root of the checkout, and wait for its end; what it printed is returned as bytes.

    Raises:
        TimeoutError: it takes longer than a test may.
    """
    with ExitStack() as stack:
        request, given, out, err = streams = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(4)]
        request.write(json.dumps({"arguments": arguments, "environment": dict(environment)}).encode())
        given.write(stdin)
        for stream in (request, given):
            stream.seek(0)
        server = _server()
        socket.send_fds(server, [b"?"], [stream.fileno() for stream in streams])
        code = int(server.recv(16))
        for stream in (out, err):
            stream.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


@cache
def _server() -> socket.socket:
    """The server of this process, which ends with it."""
    ours, theirs = socket.socketpair()
    known = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.command_server", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=known | _ENVIRONMENT,
            cwd=_ROOT,
        )
    ours.settimeout(_PATIENCE)
    atexit.register(process.wait)
    atexit.register(ours.close)  # the last one registered is called first
    return ours


def _serve(requests: socket.socket) -> None:
    for name in _IMPORTED:
        import_module(name)
    worker_server.server()
    gc.freeze()
    while True:
        asked, streams, _, _ = socket.recv_fds(requests, 1, 4)
        if not asked:
            return
        child = os.fork()
        if child == 0:
            requests.close()
            _become(*streams)
        for stream in streams:
            os.close(stream)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        requests.sendall(str(code).encode())


def _become(request: int, *streams: int) -> NoReturn:
    """Be a command from now on."""
    from auria_bot.cli import main
    from auria_bot.execution import child_process

    child_process.subprocess = worker_server.SUBPROCESS
    with os.fdopen(request) as file:
        asked = json.load(file)
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["auria", *asked["arguments"]]
    main()
    raise SystemExit(0)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
