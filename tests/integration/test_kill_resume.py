"""The smaller form of the benchmark kill-resume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scenarios.kill_resume import VICTIMS, Trial, compared, figures, reference, trial

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_killed_runs_are_finished_by_resuming(tmp_path: Path) -> None:
    """A run whose studio or worker is killed at any point gives the drafts of an undisturbed run once it is resumed."""
    expected, seconds = reference(tmp_path / "reference")
    assert sorted(expected) == ["01", "02", "03"]
    found = {}
    for number, (victim, share) in enumerate(zip(VICTIMS, (0.2, 0.4, 0.7), strict=True)):
        found[victim] = trial(tmp_path / str(number), expected, moment=share * seconds, victim=victim)
        assert found[victim].faults == ()
        assert found[victim].drafts == 3
    assert found["program"].stage == "under way"
    assert (found["program"].free, found["both"].free) == (0, 0)
    assert found["child"].differing <= found["child"].free <= 2


@pytest.mark.parametrize(
    ("made", "free", "faults", "differing"),
    [
        ({"01": 1, "02": 2, "03": 3}, {"02", "03"}, 0, ()),
        ({"01": 1, "02": 2, "03": 0}, {"02", "03"}, 0, ("03",)),
        ({"01": 1, "02": 2, "03": 0}, set(), 1, ()),
        ({"01": 0, "02": 0, "03": 3}, {"02", "03"}, 1, ("02",)),
        ({"01": 1, "02": 2}, {"02", "03"}, 1, ()),
        ({"01": 1, "02": 2, "03": 3, "03 again": 3}, {"02", "03"}, 1, ()),
    ],
    ids=["as undisturbed", "allowed", "not allowed", "one of each", "one lost", "one twice"],
)
def test_a_draft_differs_only_where_it_may(
    made: dict[str, object], free: set[str], faults: int, differing: tuple[str, ...]
) -> None:
    """Elsewhere it is a fault; lost or doubled it is a fault everywhere."""
    wrong, other = compared(made, {"01": 1, "02": 2, "03": 3}, free)
    assert (len(wrong), other) == (faults, differing)


def test_the_figures_tell_how_many_drafts_were_let_off_and_differ() -> None:
    """What may differ and does is not among what was finished byte for byte."""
    whole = Trial(victim="program", moment=1.0, stage="under way", faults=())
    let_off = Trial(victim="child", moment=1.0, stage="under way", faults=(), free=2, differing=1)
    broken = Trial(victim="both", moment=-0.1, stage="before", faults=("draft 03 differs",))
    assert figures([whole, whole, let_off, broken]) == (
        "3 of 4 killed runs whole and finished by --resume, 8 of 12 drafts byte for byte as undisturbed; 2 came after one that failed"
        " with its killed child, 1 of them differ; killed before the run began 1, under way 3, over 0"
    )
