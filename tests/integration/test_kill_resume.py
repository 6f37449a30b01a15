"""The smaller form of the benchmark kill-resume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench.kill_resume import VICTIMS, reference, trial

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_killed_runs_are_finished_by_resuming(tmp_path: Path) -> None:
    """Killed early, in the middle and late, whoever dies: the drafts are those of an undisturbed run."""
    expected, seconds = reference(tmp_path / "reference")
    assert sorted(expected) == ["01", "02", "03"]
    for number, (victim, share) in enumerate(zip(VICTIMS, (0.2, 0.55, 0.85), strict=True)):
        assert trial(tmp_path / str(number), expected, moment=share * seconds, victim=victim).faults == ()
