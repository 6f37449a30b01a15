"""The settings of where steps run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import SettingsError
from auria_bot.settings.loading import load

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.settings.execution import ExecutionSettings


def read(home: Path, text: str, **variables: str) -> ExecutionSettings:
    """The settings of a home with that file."""
    (home / "auria.toml").write_text(text, encoding="utf-8")
    return load({"AURIA_HOME": str(home), **variables}).execution


def test_a_step_names_its_environment_and_its_compute(tmp_path: Path) -> None:
    """In a section of its own, or by variables."""
    found = read(
        tmp_path,
        '[execution]\nengine = "ray"\naddress = "10.0.0.1:6379"\n'
        '[execution.steps.painting]\ngpus = 0.5\npip = ["torch==2.13.0"]\nresources = { fast = 1 }\n',
        AURIA_EXECUTION__STEPS__STYLE__CPUS="2",
    )
    assert (found.engine, found.address) == ("ray", "10.0.0.1:6379")
    assert found.steps["painting"].gpus == 0.5
    assert found.steps["painting"].pip == ("torch==2.13.0",)
    assert found.steps["painting"].resources == {"fast": 1.0}
    assert found.steps["style"].cpus == 2.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[execution.steps.printing]\ncpus = 1\n", "no step 'printing'; steps: poem, mood, painting"),
        ('[execution]\naddress = "ray://head:10001"\n', "Ray Client is not supported"),
        ('[execution]\naddress = "head"\n', "HOST:PORT"),
        ('[execution.steps.poem]\npip = ["a"]\nimage = "b"\n', "pip and image exclude each other"),
        ("[execution.steps.poem]\ngpus = -1\n", "execution.steps.poem.gpus"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """The message says what is possible."""
    with pytest.raises(SettingsError, match=message):
        read(tmp_path, text)
