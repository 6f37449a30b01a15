"""A driver of a cluster whose nodes are threads of its own process, for tests without Ray.

Takes the place of `auria_bot.execution.ray`: the same options, lines and messages. An address "lost" ends it at once;
"gpu" gives the only node a GPU. A unit whose state says "lose" loses its worker, one that says "die" ends the driver.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.execution.dispatcher import Dispatcher, DriverOptions
from auria_bot.execution.node_worker import NodeWorker, digest_of, packed
from auria_bot.execution.parent_watch import send, watch_parent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.execution.dispatcher import Inbox, Unit
    from auria_bot.execution.work_unit import Requirements

SENT = ("name", "order", "function", "group", "interpreter", "deadline", "state", "files")


class ThreadWorker(threading.Thread):
    """A node's worker in a thread."""

    def __init__(self, wanted: Requirements, inbox: Inbox, memory: int) -> None:
        super().__init__(daemon=True)
        self.wanted, self.unit, self.is_ready, self.since, self.last_order = wanted, None, False, time.monotonic(), -1
        self.inbox, self.memory = inbox, memory
        self.tasks: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self.start()

    def give(self, unit: Unit) -> None:
        self.tasks.put(unit)

    def end(self) -> None:
        self.tasks.put(None)

    def run(self) -> None:
        node = NodeWorker(self.memory)
        self.inbox.put(("ready", self))
        while (unit := self.tasks.get()) is not None:
            once = Path(unit["folder"]) / f"{unit['name']}.once"
            if unit["state"].get("action") in {"lose", "die"} and not once.exists():
                once.touch()
                if unit["state"]["action"] == "die":
                    os._exit(7)
                self.inbox.put(("lost", self, "the test"))
                break
            digests = {path: digest_of(Path(path)) for path in unit["folders"]}
            for path in node.missing(digests):
                node.unpack(path, digests[path], packed(Path(path)))
            folder = Path(unit["folder"]) / unit["group"]
            files = {file["name"]: (folder / file["name"]).read_bytes() for file in unit["files"].values()}
            text = json.dumps({name: unit[name] for name in SENT})
            for answer, new in node.run(text, unit["request"], files):
                for name, data in new.items():
                    (folder / name).write_bytes(data)
                message = json.loads(answer)
                message.pop("log", "")
                self.inbox.put(("message", self, unit, message))
        node.close()


class Threads:
    """Two nodes with a core each."""

    def __init__(self, options: DriverOptions, inbox: Inbox) -> None:
        self.options, self.inbox = options, inbox
        self.workers: list[ThreadWorker] = []

    def nodes(self) -> list[dict[str, float]]:
        return [{"CPU": 1.0}, {"CPU": 1.0}]

    def free(self) -> dict[str, float]:
        return {"CPU": 2.0 - sum(worker.is_alive() for worker in self.workers)}

    def ask_for(self, demands: list[dict[str, float]]) -> None:
        pass

    def shared(self, request: Mapping[str, Any]) -> str:
        return json.dumps(request)

    def begin(self) -> None:
        pass

    def start(self, wanted: Requirements, unit: Unit) -> ThreadWorker:
        self.workers.append(ThreadWorker(wanted, self.inbox, self.options.memory))
        return self.workers[-1]


def main() -> None:
    """Serve the parent."""
    watch_parent()
    options = DriverOptions(**json.loads(sys.argv[1]))
    if options.address == "lost":
        print("the head node is gone", file=sys.stderr)
        sys.exit(5)
    inbox: Inbox = queue.SimpleQueue()

    def read() -> None:
        with os.fdopen(int(sys.argv[3]), "rb") as lines:
            for line in lines:
                inbox.put(("line", json.loads(line)))
        inbox.put(("end",))

    threading.Thread(target=read, daemon=True).start()
    cluster = Threads(options, inbox)
    Dispatcher(options, inbox, cluster, send).work()
    for worker in cluster.workers:
        worker.end()
        worker.join(5.0)


if __name__ == "__main__":
    main()
