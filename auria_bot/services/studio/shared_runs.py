"""Unfinished runs in a bucket, so that another machine with the same database can go on with them.

    runs/RUN/plan.json             written last when a run begins: without it there is none
    runs/RUN/01/state.json         of the first artwork, replaced after each step
    runs/RUN/01/SHA256-NAME        its files, named by hash, written before the state that tells of them

Who works on a run holds a lease in the database and renews it. Whoever finds it expired takes it, and what the one
before still writes is refused. Events and logs stay on the machine where they happened.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import socket
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from auria_bot.errors import AuriaError, InvalidTransition, NotFound
from auria_bot.files import disk_errors, sha256_of
from auria_bot.services.studio.plan import ArtworkState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from auria_bot.domain.interfaces import Clock
    from auria_bot.domain.job_schedule import Lease
    from auria_bot.store.bucket.client import Bucket
    from auria_bot.store.unit_of_work import Store

__all__ = ["HeldRun", "SharedRuns"]

log = logging.getLogger(__name__)

_LEASE: Final = timedelta(seconds=90)
_MARK: Final = "shared"  # file in the folder of a run that is in the bucket too
_RENEW: Final = 20.0  # seconds between two renewals
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")


class SharedRuns:
    """The runs in a bucket.

    Usage::

        held = shared.join(folder)     # raises InvalidTransition where another machine works on it
        held.save(folder, state)
        held.close()
    """

    def __init__(self, *, bucket: Bucket, store: Store, clock: Clock, home: Path) -> None:
        """The home tells two machines apart that have the same name."""
        self._bucket, self._store, self._clock = bucket, store, clock
        self._holder = f"{socket.gethostname()}:{home}"[-200:]

    def names(self) -> dict[str, bool]:
        """The runs in the bucket, the oldest first, and whether another machine works on each.

        Raises:
            StorageAway: the bucket cannot be reached.
        """
        found = [name for name in self._bucket.folders("runs") if _NAME.fullmatch(name)]
        now = self._clock()
        with self._store.read() as unit:
            leases = {name: unit.leases.get(_lease_name(name)) for name in found}
        return {
            name: lease is not None and lease.until > now and lease.holder != self._holder
            for name, lease in leases.items()
        }

    def had(self, folder: Path) -> bool:
        """Whether the bucket has or had the run of a folder of this home."""
        return (folder / _MARK).exists()

    def join(self, folder: Path, *, files: bool = True) -> HeldRun:
        """Hold the run of a folder: bring it here from the bucket, or write it there.

        Without `files` only the plan and the states come.

        Raises:
            NotFound: it was finished or given up on another machine.
            InvalidTransition: another machine works on it.
            StorageAway: the bucket cannot be reached.
        """
        held = self.take(folder.name)
        try:
            if "plan.json" in (there := held.list()):
                held.fetch(folder, there, files=files)
            elif self.had(folder) or not (folder / "plan.json").is_file():
                raise NotFound(f"run {folder.name} was finished or given up on another machine")  # noqa: TRY301
            else:
                held.begin(folder)
            with disk_errors(folder):
                (folder / _MARK).touch()
        except BaseException:
            held.close()
            raise
        return held

    def take(self, name: str) -> HeldRun:
        """Hold a run, and keep holding it until it is closed.

        A lease of this home is taken over at once: the caller holds the lock of the run's folder.

        Raises:
            InvalidTransition: another machine works on it.
        """
        with self._store.begin() as unit:
            lease = unit.leases.take(_lease_name(name), holder=self._holder, length=_LEASE, now=self._clock())
            if lease is None:
                known = unit.leases.get(_lease_name(name))
                if known is not None and known.holder == self._holder:
                    lease = unit.leases.renew(known, length=_LEASE, now=self._clock())
        if lease is None:
            where = known.holder.partition(":")[0] if known else "another machine"
            until = f" (until {known.until:%H:%M:%S} UTC, unless it goes on)" if known else ""
            raise InvalidTransition(f"{where} works on run {name}{until}; wait for it")
        return HeldRun(name=name, lease=lease, bucket=self._bucket, store=self._store, clock=self._clock)


@dataclass(slots=True, kw_only=True)
class HeldRun:
    """A run in the bucket that this process holds."""

    name: str
    lease: Lease
    bucket: Bucket
    store: Store
    clock: Clock
    _written: set[str] = field(default_factory=set)  # keys of files that are there
    _ended: threading.Event = field(default_factory=threading.Event)
    _is_lost: bool = False

    def __post_init__(self) -> None:
        threading.Thread(target=self._keep, name=f"lease-{self.name}", daemon=True).start()

    def list(self) -> list[str]:
        """What the bucket has of it; with its plan it is whole.

        Raises:
            StorageAway: the bucket cannot be reached.
        """
        return [key.removeprefix(f"runs/{self.name}/") for key, _ in self.bucket.files(f"runs/{self.name}")]

    def begin(self, folder: Path) -> None:
        """Write a whole run to the bucket, the plan last.

        Raises:
            StorageAway: the bucket cannot be reached.
        """
        for place in sorted(path for path in folder.iterdir() if path.is_dir() and path.name.isdigit()):
            for file in sorted(place.iterdir()):
                if file.name != "state.json" and not file.name.startswith("."):
                    self._put(f"{place.name}/{sha256_of(file)}-{file.name}", file)
            self.bucket.put(f"runs/{self.name}/{place.name}/state.json", place / "state.json")
        self.bucket.put(f"runs/{self.name}/plan.json", folder / "plan.json")

    def save(self, folder: Path, state: ArtworkState) -> None:
        """Write the files of an artwork that are new, and then its state.

        Raises:
            InvalidTransition: another machine has taken the run over.
            StorageAway: the bucket cannot be reached.
        """
        if self._is_lost:
            raise InvalidTransition(f"another machine goes on with run {self.name}; nothing more is done here")
        place = f"{state.number:02d}"
        for file in state.artwork.files.values():
            path = folder / place / file.name
            if path.is_file():
                self._put(f"{place}/{file.sha256 or sha256_of(path)}-{file.name}", path)
        content = json.dumps(state.to_json(), ensure_ascii=False).encode()
        self.bucket.put(f"runs/{self.name}/{place}/state.json", content)

    def fetch(self, folder: Path, there: Sequence[str], *, files: bool = True) -> None:
        """Bring the run's plan and states, of what is `there`, to a folder, and the files that it lacks.

        Raises:
            StorageAway: the bucket cannot be reached, or gives other bytes than were written.
            DiskError: the disk cannot be written.
        """
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        for key in there:
            place, _, name = key.rpartition("/")
            if name == "state.json" and place.isdigit():
                self._fetch_state(folder, place, there if files else ())
        self.bucket.download(f"runs/{self.name}/plan.json", folder / "plan.json")

    def remove(self) -> None:
        """Delete the run from the bucket, the plan first."""
        keys = [key for key, _ in self.bucket.files(f"runs/{self.name}")]
        self.bucket.delete(sorted(keys, key=lambda key: not key.endswith("/plan.json")))

    def close(self) -> None:
        """Let others take it."""
        self._ended.set()
        try:
            with self.store.begin() as unit:
                unit.leases.release(self.lease)
        except AuriaError as error:
            log.info("The lease of run %s expires by itself: %s", self.name, error)

    def _fetch_state(self, folder: Path, place: str, there: Sequence[str]) -> None:
        content = self.bucket.read(f"runs/{self.name}/{place}/state.json")
        with disk_errors(folder):
            (folder / place).mkdir(exist_ok=True)
        for file in ArtworkState.from_json(json.loads(content)).artwork.files.values():
            target = folder / place / file.name
            for key in there:
                sha256, _, name = key.removeprefix(f"{place}/").partition("-")
                is_wanted = name == file.name and sha256 == (file.sha256 or sha256) and _NAME.fullmatch(name)
                if is_wanted and not (target.is_file() and sha256_of(target) == sha256):
                    self.bucket.download(f"runs/{self.name}/{key}", target, sha256=sha256)
        self.bucket.download(f"runs/{self.name}/{place}/state.json", folder / place / "state.json")

    def _put(self, key: str, path: Path) -> None:
        if key not in self._written:
            self.bucket.put(f"runs/{self.name}/{key}", path)
            self._written.add(key)

    def renew(self) -> None:
        """Hold the run for another while, unless another machine has taken it."""
        try:
            with self.store.begin() as unit:
                renewed = unit.leases.renew(self.lease, length=_LEASE, now=self.clock())
        except AuriaError as error:
            log.warning("The lease of run %s was not renewed: %s", self.name, error)
            return
        self._is_lost = renewed is None
        self.lease = renewed or self.lease

    def _keep(self) -> None:
        while not self._is_lost and not self._ended.wait(_RENEW):
            self.renew()


def _lease_name(run: str) -> str:
    return f"run:{hashlib.sha256(run.encode()).hexdigest()[:32]}"
