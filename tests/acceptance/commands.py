"""What the acceptance tests share: the real command line, in a process and a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import command_server
from tests.scenarios.hostile_input import FAKES

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ROOT", "Operator"]

ROOT = Path(__file__).resolve().parents[2]


class Operator:
    """An operator at the command line, with a home of their own."""

    def __init__(self, home: Path, *, fakes: bool = True, anew: bool = False, **settings: str) -> None:
        """Set the environment of commands.

        Args:
            home: of the operator.
            fakes: play the studio's roles by the shipped fakes.
            anew: start the interpreter for each command, instead of a process that begins with the program imported.
            settings: further variables.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
        self.home, self._anew = home, anew
        self.env = kept | (FAKES if fakes else {}) | {"AURIA_HOME": str(home), "TERM": "xterm"} | settings

    def run(self, *arguments: str, code: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command that must end with this exit code and never with a traceback."""
        run = _run_anew if self._anew else command_server.run
        done = run(*arguments, environment=self.env, stdin=stdin.encode())
        out, err = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == code, f"auria {' '.join(arguments)}: exit code {done.returncode}\n{out}\n{err}"
        assert "Traceback" not in out + err
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What a command prints with --json."""
        return json.loads(self.run(*arguments, "--json", code=code).stdout)


def _run_anew(*arguments: str, environment: Mapping[str, str], stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "auria_bot", *arguments],
        input=stdin,
        capture_output=True,
        env=environment,
        cwd=ROOT,
        check=False,
        timeout=280,
    )
