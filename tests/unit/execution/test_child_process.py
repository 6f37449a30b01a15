"""A child process sends messages, has a deadline, can be stopped and ends with its parent."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import auria_bot
from auria_bot.execution import child_process
from auria_bot.execution.child_process import ChildProcess, ExitStatus, python_environment, resident_bytes
from auria_bot.execution.parent_watch import VARIABLE

SEND = "import os; watched, out = map(int, os.environ[{variable!r}].split(':')[1:]); send = lambda data: os.write(out, data)\n"
SEND = SEND.format(variable=VARIABLE)
FOREVER = "import time; time.sleep(60)"
PATIENCE = 30.0  # seconds; only a test that fails waits for so long


def child(script: str, **options) -> ChildProcess:
    """A Python process that runs a script; `send(bytes)` writes to its parent."""
    return ChildProcess([sys.executable, "-S", "-E", "-c", SEND + script], **options)


class Clock:
    """Seconds that pass when the test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("script", "status", "text"),
    [
        ("", ExitStatus(code=0), "ended with exit code 0"),
        ("raise SystemExit(7)", ExitStatus(code=7), "ended with exit code 7"),
        ("os.kill(os.getpid(), 15)", ExitStatus(code=-15), "was ended by SIGTERM"),
        ("os.kill(os.getpid(), 40)", ExitStatus(code=-40), "was ended by signal 40"),
    ],
)
def test_the_exit_status_says_how_it_ended(script: str, status: ExitStatus, text: str):
    """By itself with a code, or by a signal, which may have no name."""
    found = child(script).wait(PATIENCE)
    assert (found, str(found)) == (status, text)
    assert found is not None
    assert found.ok == (status.code == 0)


def test_a_kill_from_outside_is_told_from_a_stop():
    """The system kills where memory is short; the parent stops what it no longer wants."""
    killed = child("os.kill(os.getpid(), 9)").wait(PATIENCE)
    assert killed is not None
    assert killed.killed
    stopped = child(FOREVER).stop()
    assert (stopped.code, stopped.killed, stopped.ok, str(stopped)) == (-9, False, False, "was stopped")


def test_messages_arrive_in_order():
    """Also those written in pieces, and those that a process that has ended left behind."""
    one = child('send(b\'{"a": 1}\\n{"b"\'); send(b\': 2}\\n{"c": 3}\\nrest\')')
    found = []
    while one.is_sending:
        found += one.receive(PATIENCE)
    assert found == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert one.wait(PATIENCE) == ExitStatus(code=0)
    two = child("send(b'{\"a\": 1}\\n')")
    assert two.wait(PATIENCE) == ExitStatus(code=0)
    assert (two.receive(), two.receive(PATIENCE), two.is_sending) == ([{"a": 1}], [], False)


def test_without_a_message_nothing_is_waited_for():
    """`receive` returns an empty list."""
    one = child(FOREVER)
    assert one.receive() == []
    one.stop()


@pytest.mark.parametrize("line", ["[]", "no"])
def test_a_message_is_a_json_object(line: str):
    """Anything else is an error of the child's program."""
    one = child(f"send({line!r}.encode() + b'\\n')")
    one.wait(PATIENCE)
    with pytest.raises(ValueError, match=r"no JSON object|Expecting value"):
        one.receive()


def test_an_endless_message_is_not_kept(monkeypatch: pytest.MonkeyPatch):
    """The pipe is closed, so that the child ends by its own error rather than fill the parent's memory."""
    monkeypatch.setattr(child_process, "MESSAGE_LIMIT", 1000)
    one = child("while True: send(b'x' * 100)")
    while one.is_sending:
        assert one.receive(PATIENCE) == []
    assert one.wait(PATIENCE) == ExitStatus(code=1)


def test_a_child_may_go_on_in_silence():
    """One that closed the pipe runs until it ends or is stopped; its status can be asked for again and again."""
    one = child("os.close(out)\n" + FOREVER)
    assert one.receive(PATIENCE) == []
    assert (one.is_sending, one.poll()) == (False, None)
    status = one.stop()
    assert one.wait(PATIENCE) == one.poll() == status


def test_the_input_arrives_whole(tmp_path: Path):
    """However much it is; a child that reads none of it ends by its own exit code."""
    data = b"0123456789" * 100_000
    script = "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data)"
    with (tmp_path / "out").open("wb") as out:
        one = child(script, stdin=data, stdout=out)
        while (status := one.wait(0.01)) is None:
            pass
    assert (status, (tmp_path / "out").read_bytes()) == (ExitStatus(code=0), data)
    deaf = child("os.close(0)\nwhile os.read(watched, 0): pass\nraise SystemExit(3)", stdin=data)
    while (status := deaf.wait(0.01)) is None:
        pass
    assert status == ExitStatus(code=3)


def test_input_that_nobody_read_is_dropped_with_the_child():
    """Stopping such a child leaves no pipe open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert child(FOREVER, stdin=b"x" * 1_000_000).stop().stopped
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_deadline_stops_it():
    """At the deadline and not before."""
    clock = Clock()
    one = child(FOREVER, deadline=10, clock=clock)
    clock.now += 9
    assert one.poll() is None
    clock.now += 1
    assert one.poll() == ExitStatus(code=-9, timed_out=True)
    assert str(one.poll()) == "was stopped at its deadline"
    assert one.stop() == one.poll()


@pytest.mark.parametrize("obeys", [True, False])
def test_a_child_is_asked_to_end_before_it_is_killed(obeys: bool):
    """A child that handles SIGTERM ends in order; any other is killed."""
    answer = "send(b'{\"last\": 1}\\n'); raise SystemExit(5)" if obeys else "pass"
    script = f"import signal, time\ndef end(*_):\n    {answer}\nsignal.signal(15, end)\nsend(b'{{}}\\n')\nwhile True: time.sleep(60)"
    one = child(script)
    assert one.receive(PATIENCE) == [{}]
    status = one.stop(patience=PATIENCE if obeys else 0.1)
    assert status == ExitStatus(code=5 if obeys else -9, stopped=True)
    assert one.receive() == ([{"last": 1}] if obeys else [])


def test_its_own_children_are_stopped_with_it():
    """They are in its session; the pipe they hold shows when the last is gone."""
    reader, writer = os.pipe()
    script = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-S', '-E', '-c', {FOREVER!r}], pass_fds=({writer},))\nsend(b'{{}}\\n')\n{FOREVER}"
    one = child(script, inherit=(writer,))
    os.close(writer)
    assert one.receive(PATIENCE) == [{}]
    one.stop()
    assert os.read(reader, 1) == b""
    os.close(reader)


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "os.kill(os.getpid(), 9)"])
def test_what_a_child_leaves_behind_is_stopped(end: str):
    """However it ended; its own exit status counts."""
    reader, writer = os.pipe()
    script = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-S', '-E', '-c', {FOREVER!r}], pass_fds=({writer},))\n{end}"
    one = child(script, inherit=(writer,))
    os.close(writer)
    status = one.wait(PATIENCE)
    assert status == ExitStatus(code={"": 0, "raise SystemExit(3)": 3}.get(end, -9))
    assert select.select([reader], [], [], PATIENCE)[0] == [reader]
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_what_cannot_be_started_leaves_nothing_behind():
    """Neither a process nor an open pipe."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(FileNotFoundError):
        ChildProcess(["/no/such/program"])
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_python_imports_nothing_from_the_working_directory():
    """The empty entries of PYTHONPATH, which mean that directory, go; the package's folder comes where it is needed."""
    found = python_environment({"PYTHONPATH": f"{os.pathsep}/a{os.pathsep}", "B": "1"}, with_package=False)
    assert found == {"PYTHONPATH": "/a", "B": "1", "PYTHONSAFEPATH": "1"}
    assert "PYTHONPATH" not in python_environment({"PYTHONPATH": os.pathsep}, with_package=False)
    assert python_environment({})["PYTHONPATH"] == str(Path(auria_bot.__file__).parents[1])


def test_an_environment_is_its_own():
    """It replaces the parent's, but for what ties the child to the parent."""
    one = child(
        "import json; send(json.dumps(sorted(os.environ)).join(['{\"names\": ', '}\\n']).encode())",
        environment={"A": "1"},
    )
    (message,) = one.receive(PATIENCE)
    one.stop()
    assert {"A", VARIABLE} <= set(message["names"]) <= {"A", VARIABLE, "LC_CTYPE"}


def test_a_child_does_not_outlive_a_killed_parent(tmp_path: Path):
    """Nor does it where the parent ended in the moment of the start."""
    inner = "from auria_bot.execution.parent_watch import watch_parent; watch_parent(); import time; time.sleep(60)"
    outer = (
        "import sys, time\nfrom auria_bot.execution.child_process import ChildProcess\n"
        f"ChildProcess([sys.executable, '-c', {inner!r}], inherit=(int(sys.argv[1]),))\nprint(flush=True)\ntime.sleep(60)"
    )
    reader, writer = os.pipe()
    parent = subprocess.Popen(
        [sys.executable, "-c", outer, str(writer)], stdout=subprocess.PIPE, cwd=Path.cwd(), pass_fds=(writer,)
    )
    os.close(writer)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"\n"
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    ended: list[bytes] = []
    waiting = threading.Thread(target=lambda: ended.append(os.read(reader, 1)), daemon=True)
    waiting.start()
    waiting.join(PATIENCE)
    assert ended == [b""]
    os.close(reader)


def test_resident_size() -> None:
    """This process is larger than 5 MB; one that is not there has no size."""
    assert resident_bytes(os.getpid()) > 5 << 20
    assert resident_bytes(2**22 + 1) == 0
