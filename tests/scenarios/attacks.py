"""Attacks: hostile backups, working directories, clients, texts, models and settings; none may succeed.

Each case gets an empty folder, tries one attack on the program's own code or command line, and returns "" when the
attack was refused or had no effect, else what it reached.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from auria_bot.channels.media.endpoint import PictureEndpoint, picture_server
from auria_bot.services.operations.health import HealthReport, HealthServer
from tests.scenarios.hostile_backups import BACKUPS
from tests.scenarios.hostile_input import FAKES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CASES", "ROOT", "auria"]

ROOT = Path(__file__).resolve().parents[2]


def auria(home: Path, *arguments: str, cwd: Path = ROOT, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command line on a home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    return subprocess.run(
        [sys.executable, "-m", "auria_bot", *arguments],
        env=kept | {"AURIA_HOME": str(home), "PYTHONPATH": str(ROOT)} | settings,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


# Modules in the working directory

_HOSTILE = ("numpy", "typer", "rich", "sqlalchemy", "pydantic", "PIL", "runpy", "statistics")
_CHILD = (
    "from auria_bot.execution.child_process import ChildProcess;"
    "from auria_bot.services.schedule.jobs import PROGRAM;"
    "child = ChildProcess([*PROGRAM, 'doctor', '--json']); print(child.wait(100))"
)


def _working_directory(*command: str, role: str = "") -> Callable[[Path], str]:
    """Run Python in a folder of hostile modules; none may be run.

    Args:
        command: Python's arguments.
        role: the options of an interpreter of the poet's own; none if empty.
    """

    def case(scratch: Path) -> str:
        folder = scratch / "downloads"
        folder.mkdir()
        for name in _HOSTILE:
            (folder / f"{name}.py").write_text(f"open({str(scratch / name)!r}, 'w').close(); raise SystemExit(99)")
        settings = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")} | FAKES
        if role:
            (scratch / "python").write_text(f'#!/bin/sh\nexec {quote(sys.executable)} {role} "$@"\n')
            (scratch / "python").chmod(0o700)
            settings["AURIA_POET__INTERPRETER"] = str(scratch / "python")
        done = subprocess.run(
            [sys.executable, *command],
            env=settings | {"AURIA_HOME": str(scratch / "home"), "PYTHONPATH": str(ROOT)},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        ran = [name for name in _HOSTILE if (scratch / name).exists()]
        if ran:
            return f"ran {', '.join(ran)}"
        return f"exit code {done.returncode}: {done.stderr[-300:]}" if done.returncode != 0 else ""

    return case


PATHS: dict[str, Callable[[Path], str]] = {
    "modules beside the command": _working_directory("-m", "auria_bot", "moods"),
    "modules beside the studio": _working_directory("-P", "-m", "auria_bot", "make"),
    "modules beside a job": _working_directory("-P", "-c", _CHILD),
    "modules beside a role's interpreter": _working_directory("-P", "-m", "auria_bot", "make", role="-B"),
    "modules beside an old interpreter": _working_directory("-P", "-m", "auria_bot", "make", role="-E"),
}

# Slow clients


def _flood(url: str, request: bytes) -> str:
    """Open connections that never finish; whether a proper client is answered, and how many threads there are."""
    address = urlsplit(url)
    before, lines = threading.active_count(), list[socket.socket]()
    try:
        for _ in range(300):
            lines.append(socket.create_connection((address.hostname or "", address.port or 0), timeout=20))
            lines[-1].sendall(request)
        with suppress(urllib.error.HTTPError), urllib.request.urlopen(url, timeout=20):  # noqa: S310 - loopback
            pass
    except OSError as error:
        return f"the server does not answer: {error}"
    finally:
        threads = threading.active_count() - before
        for line in lines:
            line.close()
    return f"{threads} threads at once" if threads > 40 else ""


def _health_flood(request: bytes) -> Callable[[Path], str]:
    def case(scratch: Path) -> str:
        class Source:
            def report(self) -> HealthReport:
                return HealthReport(troubles=())

            def metrics(self) -> str:
                return "auria_healthy 1\n"

        # The stub has what the server asks for.
        with HealthServer(Source(), "127.0.0.1:0") as server:
            return _flood(f"{server.url}/healthz", request)

    return case


def _picture_flood(request: bytes) -> Callable[[Path], str]:
    def case(scratch: Path) -> str:
        server = picture_server(PictureEndpoint(scratch, b"key"), host="127.0.0.1", port=0)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            return _flood(f"http://127.0.0.1:{server.server_port}/x.jpg", request)
        finally:
            server.shutdown()
            server.server_close()

    return case


_SLOW = {"silent": b"", "of half a line": b"GET / HT", "of endless headers": b"GET / HTTP/1.1\r\nX: y\r\n"}

CLIENTS: dict[str, Callable[[Path], str]] = {
    **{f"health clients {kind}": _health_flood(request) for kind, request in _SLOW.items()},
    **{f"picture clients {kind}": _picture_flood(request) for kind, request in _SLOW.items()},
}

# Texts that make a search slow


def _growth(repeated: str) -> Callable[[Path], str]:
    """Check a text and one eight times as long in a process with a limit of processor time."""
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (20, 20));"
        "from auria_bot.corpus.language.content_filter import faults; from auria_bot.redaction import redacted;"
        "from auria_bot.channels.mastodon.server import _MENTION;"
        f"text = {repeated!r} * (100_000 // {len(repeated)});"
        "faults(text); redacted(text); _MENTION.sub('', text)"
    )

    def case(scratch: Path) -> str:
        done = subprocess.run([sys.executable, "-P", "-c", script], cwd=ROOT, capture_output=True, check=False)
        return "" if done.returncode == 0 else f"took more than 20 s of processor time ({done.returncode})"

    return case


TEXTS: dict[str, Callable[[Path], str]] = {
    f"text of many {repeated!r}": _growth(repeated) for repeated in ("_", "a-", "a.", "@a", "-", "a@", "+")
}

# Logs


def _crash_log(scratch: Path) -> str:
    """A crash log where the home cannot be used must not follow links laid in the temporary folder."""
    target = scratch / "victim"
    target.write_text("precious")
    script = (
        "import os, pathlib, tempfile; from datetime import UTC, datetime, timedelta;"
        "from auria_bot.cli import error_reporting as module;"
        f"target = {str(target)!r}; folder = pathlib.Path({str(scratch)!r}); now = datetime.now(UTC);"
        "[(folder / f'error-{now + timedelta(seconds=n):%Y%m%d-%H%M%S}-{os.getpid()}.log').symlink_to(target)"
        " for n in range(20)];"
        "print(module._log(ValueError('x')))"
    )
    (scratch / "file").write_text("")
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={
            **os.environ,
            "AURIA_HOME": str(scratch / "file" / "home"),
            "TMPDIR": str(scratch),
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    written = Path(done.stdout.strip())
    if target.read_text() != "precious":
        return "the log followed a link"
    if not done.stdout.strip() or not written.is_file():
        return f"no log was written: {done.stderr[-300:]}"
    return "others can read the log" if written.stat().st_mode & 0o077 else ""


def _private_files(scratch: Path) -> str:
    """Only the owner can read the home, the database and its backups, whatever the umask."""
    home = scratch / "home"
    subprocess.run(
        ["/bin/sh", "-c", 'umask 0; exec "$0" -P -m auria_bot db backup', sys.executable],
        env={**os.environ, **FAKES, "AURIA_HOME": str(home), "PYTHONPATH": str(ROOT)},
        cwd=scratch,
        capture_output=True,
        check=False,
    )
    auria(home, "drafts")
    auria(home, "db", "backup")
    files = [home, home / "auria.db", *home.glob("backups/auria-*/auria.db"), *home.glob("auria.db-*")]
    loose = [str(path.relative_to(scratch)) for path in files if not path.exists() or path.stat().st_mode & 0o077]
    return f"others can read {', '.join(loose)}" if loose else "" if len(files) > 2 else "no backup was made"


LOGS: dict[str, Callable[[Path], str]] = {
    "crash log over a link": _crash_log,
    "other users of the machine": _private_files,
}

# Models


def _model(role: str, name: str) -> Callable[[Path], str]:
    """A model of the operator's choice is a folder; a name leads nowhere, before any library is asked."""
    script = (
        "import sys, types; from pathlib import Path;"
        "sys.modules['torch'] = types.ModuleType('torch'); fake = types.ModuleType('transformers');"
        "sys.modules['transformers'] = fake;"
        "fake.AutoTokenizer = fake.AutoModelForCausalLM = fake.AutoModelForImageTextToText = types.SimpleNamespace("
        "from_pretrained=lambda *a, **k: sys.exit(77));"
        "from auria_bot.errors import ModelMissing\n"
        f"try: {role}\nexcept ModelMissing: pass"
    ).replace("NAME", repr(name))

    def case(scratch: Path) -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return "" if done.returncode == 0 else f"the library was asked ({done.returncode}): {done.stderr[-300:]}"

    return case


_POET = "from auria_bot.art.poets.causal_lm import CausalLm; CausalLm(CausalLm.Config(model=NAME), models=Path('.'))"
_CAPTIONER = "from auria_bot.art.captioners.blip import Blip; Blip(Blip.Config(model=NAME), Path('.'))._loaded"

MODELS: dict[str, Callable[[Path], str]] = {
    "language model from the network": _model(_POET, "stranger/model"),
    "language model of no folder": _model(_POET, "/nowhere/model"),
    "captioner from the network": _model(_CAPTIONER, "stranger/model"),
}

CASES: dict[str, Callable[[Path], str]] = {**BACKUPS, **PATHS, **CLIENTS, **TEXTS, **LOGS, **MODELS}
"""Each case by name: attacks in a folder, and gives "" or what it reached."""
