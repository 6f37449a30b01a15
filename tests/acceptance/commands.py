"""What the acceptance tests share: the real command line, in a process and a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.scenarios.hostile_input import FAKES

__all__ = ["ROOT", "Operator"]

ROOT = Path(__file__).resolve().parents[2]


class Operator:
    """An operator at the command line, with a home of their own."""

    def __init__(self, home: Path, *, fakes: bool = True, **settings: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
        self.home = home
        self.env = kept | (FAKES if fakes else {}) | {"AURIA_HOME": str(home), "TERM": "xterm"} | settings

    def run(self, *arguments: str, code: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command that must end with this exit code and never with a traceback."""
        done = subprocess.run(
            [sys.executable, "-m", "auria_bot", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.env,
            cwd=ROOT,
            check=False,
            timeout=280,
        )
        assert done.returncode == code, (
            f"auria {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What a command prints with --json."""
        return json.loads(self.run(*arguments, "--json", code=code).stdout)
