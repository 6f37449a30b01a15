"""The local executor's worker process: runs units of work, one at a time, until there are no more.

Started by `auria_bot.execution.local` as `python -m auria_bot.execution.worker_main FOLDER --units DESCRIPTOR`. Units
arrive as lines of JSON on that descriptor, results leave as messages to the parent. What a unit prints, also from
native code, goes into the unit's own log in `FOLDER/logs`. The process dies with its parent.

Started ahead, without FOLDER, it reads two other lines first: `{"function", "hint"}`, what to import meanwhile, and
`{"folder"}`, once there is one. What it prints goes where the parent said; that is copied to `FOLDER/logs/worker.log`
once there is a folder, and all that follows goes there.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import faulthandler
import json
import os
import signal
import sys
import traceback
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot import errors
from auria_bot.errors import AuriaError, DiskError, StepCrashed, StepOutOfMemory
from auria_bot.execution.parent_watch import send, watch_parent
from auria_bot.files import end_of, file_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from auria_bot.domain.artwork import ArtworkFile
    from auria_bot.execution.work_unit import Report

__all__ = ["call", "main", "printing_to"]


def main(arguments: list[str] | None = None) -> None:
    """Run units until there are no more."""
    parser = argparse.ArgumentParser(prog="auria_bot.execution.worker_main")
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--units", type=int, required=True)
    given = parser.parse_args(arguments)
    watch_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends this process
    faulthandler.enable()
    functions: dict[str, Any] = {}
    with os.fdopen(given.units, "rb") as units:
        folder = given.folder or _folder_to_come(units, functions)
        # Where the parent of another worker was killed, that one is about to end, and must not write beside this one.
        with file_lock(folder / "worker.lock"):
            _run_units(folder, units, functions)
            _flush()
            os._exit(0)  # models need no tidying up, which takes a runtime up to a second


def _folder_to_come(lines: Iterator[bytes], functions: dict[str, Any]) -> Path:
    """Import what the first line names, and wait for the folder that the second one tells."""
    ahead = json.loads(next(lines))
    function = _function(ahead["function"], functions)
    if import_ahead := getattr(function, "import_ahead", None):
        import_ahead(ahead["hint"])
    folder = Path(json.loads(next(lines))["folder"])
    _go_on_printing_to(folder / "logs" / "worker.log")
    return folder


def _function(name: str, functions: dict[str, Any]) -> Any:
    """The object behind an import string, made once."""
    if name not in functions:
        module, _, attribute = name.partition(":")
        functions[name] = getattr(import_module(module), attribute)()
    return functions[name]


def _run_units(folder: Path, lines: Iterable[bytes], functions: dict[str, Any]) -> None:
    request: Mapping[str, Any] = {}
    for line in lines:
        unit = json.loads(line)
        request = unit.get("request", request)  # sent once for all units that share it
        function = _function(unit["function"], functions)
        if prepare := getattr(function, "prepare", None):
            prepare(request, unit["state"])  # begins to load what later units need
        send({"event": "started"})
        with printing_to(folder / "logs" / f"{unit['name']}.log"):
            result = call(function, request, unit["state"], folder / unit["group"], _report)
        if "files" in result:
            result["files"] = {kind: asdict(file) for kind, file in result["files"].items()}
        send({"event": "finished", **result})


def _report(facts: Mapping[str, Any], files: Mapping[str, ArtworkFile]) -> None:
    send({"event": "progress", "facts": facts, "files": {kind: asdict(file) for kind, file in files.items()}})


def call(
    function: Any, request: Mapping[str, Any], state: Mapping[str, Any], folder: Path, report: Report
) -> dict[str, Any]:
    """A unit's result: {"state", "files"}, or {"error", "message"} where the function raises an exception."""
    try:
        new_state, files = function(request, state, folder, report)
    except MemoryError:
        _print_traceback()
        error: Exception = StepOutOfMemory("the step ran out of memory")
    except Exception as caught:  # noqa: BLE001 - one bad unit must not end the others
        _print_traceback()
        full = isinstance(caught, OSError) and caught.errno in {errno.ENOSPC, errno.EDQUOT}
        error = DiskError(f"the disk is full: {caught}") if full else caught
    else:
        return {"state": new_state, "files": files}
    name = type(error).__name__
    if isinstance(error, AuriaError) and hasattr(errors, name):
        return {"error": name, "message": str(error)}
    return {"error": StepCrashed.__name__, "message": f"{name}: {error}"}


@contextlib.contextmanager
def printing_to(log: Path) -> Iterator[None]:
    """Send what is written to stdout and stderr, by Python or by native code, into a file.

    Raises:
        DiskError: the file cannot be written.
    """
    _flush()
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    except OSError as error:
        raise DiskError(f"{log} cannot be written: {error.strerror or error}") from None
    kept = os.dup(1), os.dup(2)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    try:
        yield
    finally:
        _flush()
        for target, source in enumerate(kept, start=1):
            os.dup2(source, target)
            os.close(source)


def _go_on_printing_to(log: Path) -> None:
    """From now on print into this file, which first takes over what was printed so far."""
    _flush()
    printed = end_of(1)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    with contextlib.suppress(OSError):  # as elsewhere, a log that does not fit on the disk hinders nothing
        os.write(handle, printed)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


def _print_traceback() -> None:
    with contextlib.suppress(OSError):  # a log that does not fit on the disk must not hide why
        traceback.print_exc()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()


if __name__ == "__main__":
    main()
