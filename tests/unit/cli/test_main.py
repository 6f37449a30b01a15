"""Tests of auria_bot.cli."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM = """
import signal, sys, tempfile, time
from auria_bot import cli
from auria_bot.cli import app as commands

for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)  # the tests may have been started by nohup

def work(prog_name):
    with tempfile.TemporaryDirectory(dir=sys.argv[1]):
        print("ready", flush=True)
        time.sleep(60)

commands.app = work
cli.main()
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    """What a program does, in a process of its own."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_process_that_is_told_to_end_leaves_no_temporary_files(tmp_path: Path, number: signal.Signals) -> None:
    """Whoever sent the signal sees a process that ended by it."""
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        _, message = process.communicate(timeout=60)
    assert (process.returncode, message) == (-number, "")
    assert list(tmp_path.iterdir()) == []


_SERVER = """
import signal, sys, time
from auria_bot import cli
from auria_bot.cli import app as commands

for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
asked = []

def work(prog_name):
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    print("ready", flush=True)
    while not asked:
        time.sleep(0.01)
    print("ended in order", flush=True)

commands.app = work
cli.main()
"""


def test_a_terminal_that_is_closed_ends_a_server_in_order() -> None:
    """What handles SIGTERM itself, as servers and trainings do, is ended by that also on SIGHUP."""
    with subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGHUP)
        said, _ = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "ended in order\n")


def test_an_interrupted_start_ends_without_a_traceback() -> None:
    """Ctrl-C counts from the first moment."""
    program = (
        "import sys\nfrom auria_bot import cli\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'auria_bot.cli.error_reporting': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\ncli.main()\n"
    )
    done = run(program)
    assert (done.returncode, done.stderr) == (130, "")


def test_an_interrupted_command_says_so() -> None:
    """With the exit code of Ctrl-C, through Typer too."""
    program = (
        "import sys, typer\nfrom auria_bot import cli\nfrom auria_bot.cli import app as commands\n"
        "commands.app = typer.Typer(add_completion=False)\n"
        "@commands.app.command()\ndef work():\n    raise KeyboardInterrupt\n"
        "sys.argv = ['auria']\ncli.main()\n"
    )
    done = run(program)
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")


@pytest.mark.parametrize(("arguments", "shown"), [(["--debug", "work"], True), (["work", "--debug"], False)])
def test_only_a_debug_before_the_command_shows_tracebacks(arguments: list[str], shown: bool) -> None:
    """`auria train MODEL --debug` is another option."""
    program = (
        "import sys, typer\nfrom auria_bot import cli\nfrom auria_bot.cli import app as commands\n"
        "from auria_bot.errors import NotFound\ncommands.app = typer.Typer(add_completion=False)\n"
        "@commands.app.callback()\ndef options(debug: bool = False):\n    pass\n"
        "@commands.app.command()\ndef work(debug: bool = False):\n    raise NotFound('away')\n"
        f"sys.argv = ['auria', *{arguments}]\ncli.main()\n"
    )
    done = run(program)
    assert (done.returncode, "Error: away" in done.stderr, "Traceback" in done.stderr) == (5, True, shown)


@pytest.mark.parametrize("work", ["print('line ' * 20_000)", "typer.echo('a line')", "typer.echo('a line', err=True)"])
def test_output_that_nobody_reads_any_more_ends_a_command_quietly(work: str) -> None:
    """As by `| head`: with the exit code of other programs, and not a word."""
    program = (
        "import sys, typer\nfrom auria_bot import cli\nfrom auria_bot.cli import app as commands\n"
        "commands.app = typer.Typer(add_completion=False)\n"
        f"@commands.app.command()\ndef work():\n    {work}\n"
        "sys.stdin.read()\nsys.argv = ['auria']\ncli.main()\n"
    )
    read, write = os.pipe()
    channel = "stderr" if "err=True" in work else "stdout"
    other = "stdout" if channel == "stderr" else "stderr"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, text=True, **{channel: write, other: subprocess.PIPE}
    ) as process:
        os.close(write)
        os.close(read)
        out, err = process.communicate("", timeout=60)
    assert (process.returncode, out or err or "") == (141, "")


@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGTERM, -signal.SIGTERM, ""), (signal.SIGINT, 130, "Interrupted.\n")]
)
def test_a_signal_that_a_library_reports_as_its_own_error_is_told_apart(
    number: signal.Signals, code: int, said: str
) -> None:
    """Native modules turn what interrupts their loading into an ImportError."""
    program = (
        "import os, signal\nfrom auria_bot import cli\nfrom auria_bot.cli import app as commands\n"
        "signal.signal(signal.SIGTERM, signal.SIG_DFL)\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def work(prog_name):\n"
        f"    try:\n        os.kill(os.getpid(), {int(number)})\n"
        "    except BaseException as error:\n        raise ImportError('initialization failed') from error\n"
        "commands.app = work\ncli.main()\n"
    )
    done = run(program)
    assert (done.returncode, done.stderr) == (code, said)
