"""Unfinished runs of several homes, which lie in one bucket."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.artwork import ArtworkFile
from auria_bot.errors import AuriaError, InputError, InvalidTransition, NotFound, StorageAway
from auria_bot.files import sha256_of
from auria_bot.services.studio import shared_runs as module
from auria_bot.services.studio.plan import ArtworkState
from auria_bot.services.studio.run_store import RunStore
from auria_bot.services.studio.shared_runs import HeldRun, SharedRuns
from auria_bot.testing import FakeClock
from tests.platforms.picture_storage import StorageStandIn
from tests.unit.services.studio.test_run_store import plan, state
from tests.unit.store.bucket.test_client import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auria_bot.store.unit_of_work import Store

pytest.importorskip("obstore", reason="the extra s3 is not installed: pip install 'auria-bot[s3]'")


@pytest.fixture
def server() -> Iterator[StorageStandIn]:
    """The bucket."""
    with StorageStandIn() as running:
        yield running


@pytest.fixture
def home(store: Store, server: StorageStandIn, tmp_path: Path) -> Callable[[str], RunStore]:
    """Gives the runs of a home by name; all homes share a database and the bucket."""

    def runs_of(name: str) -> RunStore:
        shared = SharedRuns(
            bucket=opened(server, tmp_path, timeout=1.0), store=store, clock=FakeClock(), home=tmp_path / name
        )
        return RunStore(tmp_path / name / "studio", shared)

    return runs_of


def test_another_home_goes_on_with_a_run(home: Callable[[str], RunStore]) -> None:
    """With all files that it had; while the first home works on it, it is not offered."""
    one, two = home("one"), home("two")
    with one.create(plan(), [state()]) as run:
        painted = run.artwork_folder(1) / "painting.png"
        painted.write_bytes(b"picture")
        file = ArtworkFile.named("painting.png", sha256=sha256_of(painted), size=7)
        start = state().start.evolve(files={"painting": file})
        run.save(ArtworkState(number=1, start=start))
        assert (one.names(), two.names()) == (["run"], [])
        with pytest.raises(NotFound, match="unfinished: none"):
            two.open("run")
    assert two.names() == ["run"]
    with two.open("run") as run:
        assert (run.artwork_folder(1) / "painting.png").read_bytes() == b"picture"
        assert [each.start.files for each in run.states()] == [{"painting": file}]
        with pytest.raises(InvalidTransition, match="works on run run"):
            one.open("run", wait=0.0)
        two.finish(run)
    assert (one.names(), two.names()) == ([], [])
    assert one.local_names() == []


def test_a_run_is_only_looked_at_without_its_files(home: Callable[[str], RunStore]) -> None:
    """Plan and states are enough to tell what it is."""
    with home("one").create(plan(), [state()]) as run:
        painted = run.artwork_folder(1) / "painting.png"
        painted.write_bytes(b"picture")
        file = ArtworkFile.named("painting.png", size=7)
        run.save(ArtworkState(number=1, start=state().start.evolve(files={"painting": file})))
    with home("two").open("run", files=False) as run:
        assert run.plan.run == "run"
        assert not (run.artwork_folder(1) / "painting.png").exists()


def test_what_another_home_took_over_is_not_worked_on_here(home: Callable[[str], RunStore]) -> None:
    """The state is refused once the lease is known to be lost."""
    with home("one").create(plan(), [state()]) as run:
        held: Any = run.held
        with held.store.begin() as unit:
            unit.leases.release(held.lease)
        with closing(home("two").open("run")):
            held.renew()
            with pytest.raises(InvalidTransition, match="another machine goes on with run run"):
                run.save(state())


def test_a_run_is_given_up_everywhere(home: Callable[[str], RunStore]) -> None:
    """By any home; a dry run only makes sure that it can be."""
    one, two = home("one"), home("two")
    one.create(plan(), [state()]).close()
    two.discard("run", dry_run=True)
    assert two.names() == ["run"]
    two.discard("run")
    with pytest.raises(NotFound, match="finished or given up on another machine"):
        one.open("run")
    assert one.local_names() == []


def test_a_bucket_that_is_away(home: Callable[[str], RunStore], server: StorageStandIn, caplog: Any) -> None:
    """Runs of this machine are known, none is begun, and what is finished stays there for a while."""
    one = home("one")
    one.create(plan(), [state()]).close()
    run = one.open("run")
    server.down = True
    assert one.names() == ["run"]
    assert "Only the runs of this machine are known" in caplog.text
    with pytest.raises(StorageAway):
        one.create(plan("next"), [state()])
    with run:
        one.finish(run)
    assert "still in the bucket" in caplog.text
    assert "run" not in one.local_names()


def test_a_damaged_run_lets_others_try(home: Callable[[str], RunStore], server: StorageStandIn) -> None:
    """It is told, and nobody holds it."""
    home("one").create(plan(), [state()]).close()
    key = next(key for key in server.objects if key.endswith("plan.json"))
    server.objects[key] = json.dumps({"format": "of the future"}).encode()
    for name in ("two", "three"):
        with pytest.raises(InputError):
            home(name).open("run")


def test_a_lease_is_renewed_until_it_is_lost(home: Callable[[str], RunStore], monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread, as long as the run is held."""
    lost = threading.Event()

    def renew(held: HeldRun) -> None:
        held._is_lost = True
        lost.set()

    monkeypatch.setattr(module, "_RENEW", 0.001)
    monkeypatch.setattr(HeldRun, "renew", renew)
    with home("one").create(plan(), [state()]):
        assert lost.wait(30)


def test_a_file_is_written_once(home: Callable[[str], RunStore], server: StorageStandIn) -> None:
    """A file that is not there any more is passed over."""
    with home("one").create(plan(), [state()]) as run:
        painted = run.artwork_folder(1) / "painting.png"
        painted.write_bytes(b"picture")
        files = {"painting": ArtworkFile.named("painting.png"), "styled": ArtworkFile.named("styled.png")}
        for _ in range(2):
            run.save(ArtworkState(number=1, start=state().start.evolve(files=files)))
    written = [target for method, target in server.log if method == "PUT" and target.endswith("painting.png")]
    assert len(written) == 1
    assert not [key for key in server.objects if key.endswith("styled.png")]


def test_a_database_that_is_away_lets_a_lease_expire(home: Callable[[str], RunStore], caplog: Any) -> None:
    """The run is closed all the same, and a renewal that fails is tried again."""
    run = home("one").create(plan(), [state()])
    held: Any = run.held

    class _Away:
        def begin(self) -> None:
            raise AuriaError("the database is away")

    held.store = _Away()
    held.renew()
    assert "was not renewed: the database is away" in caplog.text
    caplog.set_level("INFO")
    run.close()
    assert "expires by itself: the database is away" in caplog.text
