"""What runs on a node of the cluster: takes units of work with their files as bytes, and runs them as one machine does.

A worker hosts a local session in a scratch folder of its node, so deadlines, memory limits, crashes, logs and other
interpreters are handled there exactly as on one machine. This module does not depend on the cluster's engine.

Folders that units read (models, style banks) are used where the node has the same content at the same path. Otherwise
they are sent once as an archive and unpacked beside the scratch folders, by content, for all workers of the node.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import stat
import tarfile
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot import __version__
from auria_bot.domain.artwork import ArtworkFile
from auria_bot.errors import AuriaError, BackendMissing
from auria_bot.execution.local import ChildProcessExecutor, ResourceLimits
from auria_bot.execution.work_unit import Requirements, UnitFinished, UnitProgress, UnitStarted, WorkUnit
from auria_bot.files import acquire_lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["NodeWorker", "digest_of", "packed"]

_PLACE = "auria-cluster"  # folder in the node's folder of temporary files
_LONGEST_LOG = 1 << 20  # bytes of a unit's log that travel back
_UNUSED = 7 * 86_400.0  # seconds
_YOUNG = 60.0  # seconds: a younger scratch folder may be about to be locked


class NodeWorker:
    """Runs units on its node, one at a time, and keeps what they loaded."""

    def __init__(self, memory: int) -> None:
        """`memory` is the limit of the process that computes, in bytes; 0 is none."""
        self._root = _own_folder()
        _remove_strays(self._root)
        self._scratch = Path(tempfile.mkdtemp(dir=self._root, prefix="worker-"))
        acquire_lock(self._scratch / "lock", wait=0.0)  # held until this process ends
        executor = ChildProcessExecutor(ResourceLimits(memory=memory))
        self._context = executor.open(self._scratch, {})  # its session ends with it
        self._session = self._context.__enter__()
        self._requests: dict[str, Any] = {}  # the last one, by its text
        self._paths: dict[str, str] = {}  # folders of the caller -> those of this node

    def about(self) -> str:
        """Where this is, as JSON."""
        return json.dumps({"version": __version__, "node": os.uname().nodename, "pid": os.getpid()})

    def missing(self, folders: Mapping[str, str]) -> list[str]:
        """Which folders must be sent; `folders` are paths and the digests of their content."""
        self._requests.clear()
        for path, digest in folders.items():
            self._paths.pop(path, None)
            if digest_of(Path(path)) == digest:
                self._paths[path] = path
            elif (unpacked := self._root / digest).is_dir():
                os.utime(unpacked)
                self._paths[path] = str(unpacked)
        return [path for path in folders if path not in self._paths]

    def unpack(self, path: str, digest: str, archive: bytes) -> None:
        """Take a folder as `packed` made it.

        Raises:
            OSError: the node's disk does not take it.
        """
        target, scratch = self._root / digest, Path(tempfile.mkdtemp(dir=self._root, prefix="new-"))
        with tarfile.open(fileobj=io.BytesIO(archive)) as content:
            content.extractall(scratch, filter="data")
        try:
            scratch.rename(target)
        except OSError:  # another worker of the node was first
            shutil.rmtree(scratch, ignore_errors=True)
        self._paths[path] = str(target)

    def run(self, unit: str, request: str, files: Mapping[str, bytes]) -> Iterator[tuple[str, dict[str, bytes]]]:
        """Run a unit; what happens, as JSON, each with the bytes of its files by name."""
        if request not in self._requests:
            self._requests = {request: self._with_own_paths(json.loads(request))}
        value = json.loads(unit)
        value |= {
            "order": tuple(value["order"]),
            "request": self._requests[request],
            "requirements": Requirements(interpreter=value.pop("interpreter")),
            "files": {kind: ArtworkFile(**file) for kind, file in value["files"].items()},
        }
        folder = self._scratch / value["group"]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        self._session.submit(WorkUnit(**value))
        try:
            for event in self._session.events():
                if not isinstance(event, UnitStarted):  # the caller knows
                    yield self._message(event, folder)
        except BackendMissing as error:
            yield json.dumps({"event": "failed", "error": type(error).__name__, "message": str(error)}), {}
        except AuriaError as error:
            yield json.dumps({"event": "lost", "message": str(error)}), {}
        shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """End the process that computes, and remove the scratch folder."""
        self._context.__exit__(None, None, None)
        is_shared = self._root.name == _shared_name()
        shutil.rmtree(self._scratch if is_shared else self._root, ignore_errors=True)

    def _message(self, event: UnitProgress | UnitFinished, folder: Path) -> tuple[str, dict[str, bytes]]:
        value: dict[str, Any]
        if isinstance(event, UnitProgress):
            value = {"event": "progress", "facts": event.facts}
        else:
            value = {"event": "finished", "seconds": event.seconds, "state": event.state}
            value |= {"peak": self._session.peak_bytes, "log": self._log(event.unit.name)}
            if event.failure is not None:
                value |= {"error": event.failure.error, "message": event.failure.message}
        value["files"] = {kind: asdict(file) for kind, file in event.files.items()}
        return json.dumps(value, ensure_ascii=False), {
            file.name: (folder / file.name).read_bytes() for file in event.files.values()
        }

    def _log(self, name: str) -> str:
        path = self._scratch / "logs" / f"{name}.log"
        with contextlib.suppress(OSError):
            data = path.read_bytes()[-_LONGEST_LOG:]
            path.unlink()
            return data.decode("utf-8", "replace")
        return ""

    def _with_own_paths(self, value: Any) -> Any:
        """A request with this node's folders in place of the caller's."""
        if isinstance(value, dict):
            return {key: self._with_own_paths(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._with_own_paths(item) for item in value]
        return self._paths.get(value, value) if isinstance(value, str) else value


def _shared_name() -> str:
    return f"{_PLACE}-{os.getuid()}"


def _own_folder() -> Path:
    """The folder of this user's workers in the node's folder of temporary files, which every user may write to.

    Where another user made it, or may write to it, what lies there is not used: the worker gets a new folder.
    """
    root = Path(tempfile.gettempdir()) / _shared_name()
    with contextlib.suppress(FileExistsError):
        root.mkdir(mode=0o700)
    found = root.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
        root.chmod(0o700)
        return root
    return Path(tempfile.mkdtemp(prefix=f"{_PLACE}-"))


def digest_of(folder: Path) -> str:
    """The SHA-256 of a folder's content, names and bytes; "" where there is no such folder. Links are followed."""
    if not folder.is_dir():
        return ""
    found = hashlib.sha256()
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            found.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return found.hexdigest()


def packed(folder: Path) -> bytes:
    """A folder as an archive; links are followed."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", dereference=True) as archive:
        archive.add(folder, arcname=".")
    return target.getvalue()


def _remove_strays(root: Path) -> None:
    """Remove the scratch folders of workers that were killed, and unpacked folders that were not used for long."""
    for path in root.iterdir():
        with contextlib.suppress(OSError):
            is_scratch = path.name.startswith("worker-")
            if not is_scratch and time.time() - path.stat().st_mtime > _UNUSED:
                shutil.rmtree(path, ignore_errors=True)
    for path in root.glob("worker-*"):
        with contextlib.suppress(OSError):
            is_old = time.time() - path.stat().st_mtime > _YOUNG
            lock = acquire_lock(path / "lock", wait=0.0) if is_old else None
            if lock is not None:
                shutil.rmtree(path, ignore_errors=True)
                os.close(lock)
