"""The benchmark busy."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.bench import busy

if TYPE_CHECKING:
    import pytest


def test_tests_run_while_the_cores_burn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line is stated, a failing test fails, and no burner is left."""
    burners = list[subprocess.Popen[bytes]]()
    real = subprocess.Popen

    def popen(*given: object, **named: object) -> subprocess.Popen[bytes]:
        burners.append(real(*given, **named))  # type: ignore[call-overload]  # as it was called
        return burners[-1]

    def make(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        assert [one.poll() for one in burners] == [None]
        return subprocess.CompletedProcess([], len(outcomes), f"....\n{outcomes.pop()} in 3.10s\n")

    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setattr(subprocess, "run", make)
    monkeypatch.setenv("ARGS", "tests/unit")
    outcomes = ["1 failed, 4 passed"]
    result = busy.run(cores=1)
    assert (result.passed, result.figures.partition(";")[0]) == (
        False,
        "make test tests/unit: 1 failed, 4 passed in 3.10s",
    )
    assert [one.poll() is None for one in burners] == [False]
