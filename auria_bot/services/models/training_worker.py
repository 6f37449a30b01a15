"""One worker of a training by several: `python -m auria_bot.services.models.training_worker`, or a unit of a cluster.

It reads what it is to do as JSON on its standard input, and sends its parent messages: the port at which the others
find it, lines of the log, and how it ended. Only the first worker says anything but errors.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, is_dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.errors import AuriaError
from auria_bot.execution.parent_watch import send, watch_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auria_bot.domain.artwork import ArtworkFile
    from auria_bot.execution.work_unit import Report

__all__ = ["FOLDERS", "ClusterWorker", "main", "packed", "work"]

FOLDERS = ("data", "content", "earlier")
"""Arguments of a recipe that name a folder."""


def packed(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a recipe as JSON."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, Path):
            found[name] = str(value)
        elif name == "painting":
            found[name] = str(value.path)
        elif is_dataclass(value) and not isinstance(value, type):
            found[name] = {"class": f"{type(value).__module__}:{type(value).__qualname__}", "values": asdict(value)}
        else:
            found[name] = value
    return found


def _unpacked(given: Mapping[str, Any]) -> dict[str, Any]:
    from auria_bot.art.stylists.style_import import read_file

    makers: dict[str, Callable[[Any], Any]] = {
        **dict.fromkeys(FOLDERS, Path),
        "painting": lambda path: read_file(Path(path)),
        "settings": _settings,
    }
    return {name: makers[name](value) if name in makers else value for name, value in given.items()}


def _settings(sent: Mapping[str, Any]) -> Any:
    """Settings as `packed` sent them; their class has defaults."""
    module, _, name = sent["class"].partition(":")
    return _rebuilt(getattr(import_module(module), name)(), sent["values"])


def _rebuilt(usual: Any, values: Mapping[str, Any]) -> Any:
    """An object of the class of the usual one with these values."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        before = getattr(usual, name)
        if is_dataclass(before):
            found[name] = _rebuilt(before, value)
        else:
            found[name] = tuple(value) if isinstance(before, tuple) else value
    return replace(usual, **found)


def work(task: Mapping[str, Any]) -> dict[str, Any]:
    """Train as one of the workers; the metrics, {} in a worker that is not the first.

    Args:
        task: JSON. The arguments of `train` of the module "recipe"; "rank", "size" and "place" as `workers.join` takes
            them; "host", and "port" except of the first worker, where that is found; "threads".
    """
    from auria_bot.art.training import workers

    rank = task["rank"]
    recipe = import_module(task["recipe"])
    group = workers.join(
        **{name: task[name] for name in ("host", "size", "place", "threads")},
        rank=rank,
        port=task.get("port", 0),
        opened=lambda port: send({"event": "open", "port": port}),
    )
    try:
        metrics: dict[str, Any] = recipe.train(
            **_unpacked(task["given"]),
            folder=Path(task["folder"]),
            out=Path(task["out"]),
            log=(lambda line: send({"event": "log", "line": line})) if rank == 0 else (lambda _: None),
            workers=group,
            **{name: task[name] for name in ("minutes", "steps", "limit")},
        )
    finally:
        group.leave()  # a worker of a cluster goes on to other units, and may join another group
    return metrics


class ClusterWorker:
    """A worker as a unit of work on a cluster."""

    def __call__(
        self, request: Mapping[str, Any], state: Mapping[str, Any], folder: Path, report: Report
    ) -> tuple[Mapping[str, Any], Mapping[str, ArtworkFile]]:
        """Train; `request` is the task, but for the rank, which is in `state`, and the folder, which is `folder`."""
        del report
        work({**request, **state, "folder": str(folder / "run"), "out": str(folder / "model")})
        return {}, {}


def main() -> None:
    """Do the task on the standard input."""
    watch_parent()
    task = json.load(sys.stdin)
    try:
        metrics = work(task)
    except AuriaError as error:
        send({"event": "failed", "error": type(error).__name__, "message": str(error)})
        sys.exit(1)
    send({"event": "done", "metrics": metrics})


if __name__ == "__main__":
    main()
