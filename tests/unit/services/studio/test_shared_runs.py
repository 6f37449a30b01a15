"""One machine at a time holds a run in the bucket, and files are written before the states that tell of them."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.artwork import ArtworkFile, ArtworkInProgress
from auria_bot.errors import InvalidTransition, NotFound
from auria_bot.files import sha256_of
from auria_bot.services.studio.plan import ArtworkState
from auria_bot.services.studio.shared_runs import SharedRuns
from auria_bot.testing import FakeClock
from tests.platforms.picture_storage import StorageStandIn
from tests.unit.store.bucket.test_client import opened

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.store.unit_of_work import Store

pytest.importorskip("obstore", reason="the extra s3 is not installed: pip install 'auria-bot[s3]'")


def test_a_run_changes_hands_whole(store: Store, tmp_path: Path):
    """Another machine gets plan, states and files, once the first has let go; what was finished elsewhere is not begun again."""
    clock = FakeClock()
    folder = tmp_path / "one" / "run-1"
    (folder / "01").mkdir(parents=True)
    (folder / "plan.json").write_text("{}")
    (folder / "01" / "painting.png").write_bytes(b"picture")
    file = ArtworkFile.named("painting.png", sha256=sha256_of(folder / "01" / "painting.png"), size=7)
    state = ArtworkState(number=1, start=ArtworkInProgress(key="01", seed=7, files={"painting": file}))
    (folder / "01" / "state.json").write_text(json.dumps(state.to_json()))
    with StorageStandIn() as server:
        one, two = (
            SharedRuns(bucket=opened(server, tmp_path), store=store, clock=clock, home=tmp_path / name)
            for name in ("one", "two")
        )
        with closing(one.join(folder)) as held:
            assert (one.names(), two.names()) == ({"run-1": False}, {"run-1": True})
            with pytest.raises(InvalidTransition, match="works on run run-1"):
                two.take("run-1")
            with closing(one.take("run-1")) as again:  # of the same home, whose lock says that the first is gone
                assert again.lease.fencing == held.lease.fencing
        there = tmp_path / "two" / "run-1"
        with closing(two.join(there)) as taken:
            assert (there / "01" / "painting.png").read_bytes() == b"picture"
            assert ArtworkState.from_json(json.loads((there / "01" / "state.json").read_bytes())) == state
            taken.remove()
        assert not server.objects
        with pytest.raises(NotFound, match="finished or given up on another machine"):
            one.join(folder)
