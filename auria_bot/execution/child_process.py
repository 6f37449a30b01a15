"""One child process under supervision: input, messages, deadline, termination and a typed exit status.

A child that calls `parent_watch.watch_parent()` sends messages to its parent, one JSON object per line, and ends when
the parent does: on Linux by prctl(2), everywhere by the end of a pipe. POSIX only.

A child that runs Python never imports from the working directory, where a stranger's numpy.py may lie.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from auria_bot.execution.parent_watch import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

__all__ = ["MESSAGE_LIMIT", "ChildProcess", "ExitStatus", "python_environment", "resident_bytes"]

MESSAGE_LIMIT = 1 << 20  # bytes
"""The longest message; a child that writes a longer one is heard no further."""

_CHUNK = 1 << 16  # bytes read or written at once: what a pipe holds


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitStatus:
    """How a child process ended."""

    code: int  # the exit code; the negative number of the signal that ended it
    timed_out: bool = False  # it was stopped at its deadline
    stopped: bool = False  # its parent stopped it earlier

    @property
    def ok(self) -> bool:
        """Whether it ended by itself, with exit code 0."""
        return self.code == 0 and not self.timed_out and not self.stopped

    @property
    def killed(self) -> bool:
        """Whether SIGKILL from outside ended it, as the system does where memory is short."""
        return self.code == -signal.SIGKILL and not self.timed_out and not self.stopped

    def __str__(self) -> str:
        if self.timed_out:
            return "was stopped at its deadline"
        if self.stopped:
            return "was stopped"
        return f"was ended by {_signal_name(-self.code)}" if self.code < 0 else f"ended with exit code {self.code}"


class ChildProcess:
    """A child process in a session of its own, so that its own children are stopped with it.

    Start it in a thread that outlives it: on Linux it dies with the thread that started it.

    Usage::

        child = ChildProcess([sys.executable, "-m", "auria_bot", "measure"], deadline=3600)
        while (status := child.poll()) is None: ...
        print(status, child.messages())
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        deadline: float | None = None,
        stdin: bytes = b"",
        stdout: IO[bytes] | int = subprocess.DEVNULL,
        stderr: IO[bytes] | int = subprocess.DEVNULL,
        environment: Mapping[str, str] | None = None,
        inherit: Collection[int] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the process.

        Args:
            deadline: seconds until `poll` stops it; None is no limit.
            stdin: what it reads on its standard input.
            environment: its environment variables; `python_environment` of this process's own by default.
            inherit: further file descriptors that stay open in it.
            clock: seconds that only ever grow.

        Raises:
            OSError: the program is missing, or no process can be started.
        """
        self._clock = clock
        self._deadline = None if deadline is None else clock() + deadline
        self._input, self._rest = stdin, b""
        self._received: list[bytes] = []
        self._status: ExitStatus | None = None
        self._hold = self._incoming = -1
        with contextlib.ExitStack() as on_error, contextlib.ExitStack() as ends:
            on_error.callback(self._close_pipes)
            watched, self._hold = os.pipe()  # the child reads the end of the first when this process is gone
            ends.callback(os.close, watched)
            self._incoming, outgoing = os.pipe()
            ends.callback(os.close, outgoing)
            kept = python_environment(os.environ) if environment is None else environment
            self._process = subprocess.Popen(  # noqa: S603 - the caller's own program
                list(command),
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(watched, outgoing, *inherit),
                start_new_session=True,
                env={**kept, VARIABLE: f"{os.getpid()}:{watched}:{outgoing}"},
            )
            on_error.pop_all()
        self.pid = self._process.pid
        os.set_blocking(self._incoming, False)
        if self._process.stdin is not None:
            os.set_blocking(self._process.stdin.fileno(), False)
        self._write_input()

    @property
    def is_sending(self) -> bool:
        """Whether the child may still send messages."""
        return self._incoming >= 0

    def poll(self) -> ExitStatus | None:
        """How the process ended, None while it runs; one that is past its deadline is stopped.

        Children that it left behind are stopped.
        """
        if self._status is not None:
            return self._status
        self._write_input()
        self._read()
        if (code := self._process.poll()) is not None:
            self._signal(signal.SIGKILL)  # at once: the group's number is given away only when the group is empty
            return self._ended(ExitStatus(code=code))
        if self._deadline is not None and self._clock() >= self._deadline:
            return self._ended(ExitStatus(code=self._kill(), timed_out=True))
        return None

    def wait(self, timeout: float) -> ExitStatus | None:
        """Wait for the end of the process, at most that many seconds; None where it still runs."""
        if self._status is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        return self.poll()

    def receive(self, timeout: float = 0.0) -> list[dict[str, Any]]:
        """The messages that arrived since the last call, waiting for the first at most that many seconds.

        Raises:
            ValueError: a line is no JSON object.
        """
        if self.is_sending and not self._received:
            with selectors.DefaultSelector() as selector:
                selector.register(self._incoming, selectors.EVENT_READ)
                selector.select(timeout)
            self._read()
        lines, self._received = self._received, []
        return [_message(line) for line in lines]

    def stop(self, *, patience: float = 0.0) -> ExitStatus:
        """End the process and its children: SIGTERM and so many seconds to end in order, then SIGKILL."""
        if (status := self.poll()) is not None:
            return status
        if patience > 0:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        return self._ended(ExitStatus(code=self._kill(), stopped=True))

    def _kill(self) -> int:
        self._signal(signal.SIGKILL)
        return self._process.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the second on macOS, for one that has ended
            os.killpg(self.pid, number)

    def _ended(self, status: ExitStatus) -> ExitStatus:
        """Keep the status and the last messages, and close the pipes."""
        self._status = status
        while self.is_sending and self._read():
            pass
        self._close_pipes()
        if self._process.stdin is not None:
            self._process.stdin.close()
        return status

    def _write_input(self) -> None:
        """Write as much of the input as fits; a child that ended without reading it tells so by its exit code."""
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            return
        try:
            while self._input:
                self._input = self._input[os.write(pipe.fileno(), self._input[:_CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:
            self._input = b""
        pipe.close()

    def _read(self) -> bool:
        if not self.is_sending:
            return False
        try:
            data = os.read(self._incoming, _CHUNK)
        except BlockingIOError:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._received += lines
        if not data or len(self._rest) > MESSAGE_LIMIT:
            os.close(self._incoming)
            self._incoming = -1
        return bool(data)

    def _close_pipes(self) -> None:
        for descriptor in (self._hold, self._incoming):
            if descriptor >= 0:
                os.close(descriptor)
        self._hold = self._incoming = -1


def python_environment(environment: Mapping[str, str], *, with_package: bool = True) -> dict[str, str]:
    """The environment of a child that runs Python: it imports nothing from the working directory.

    Args:
        environment: the variables to start from.
        with_package: let it find this package where that is not installed, but imported from a checkout.
    """
    root = str(Path(__file__).resolve().parents[2])
    paths = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]  # an empty one means "here"
    if with_package and root not in (*paths, sysconfig.get_path("purelib")):
        paths.insert(0, root)
    kept = {name: value for name, value in environment.items() if name != "PYTHONPATH"} | {"PYTHONSAFEPATH": "1"}
    return kept | {"PYTHONPATH": os.pathsep.join(paths)} if paths else kept


def resident_bytes(pid: int) -> int:
    """The resident size of a process; 0 where it is gone or the system does not say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _message(line: bytes) -> dict[str, Any]:
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError(f"a child's message is no JSON object: {line[:200]!r}")  # noqa: TRY004 - as for other bad JSON
    return message


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # real-time signals have no names
