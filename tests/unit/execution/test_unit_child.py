"""A child process that takes units as lines of JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from auria_bot.domain.artwork import ArtworkFile
from auria_bot.execution import unit_child
from auria_bot.execution.unit_child import UnitChild, files_of, log_tail

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ECHO = (
    "import json, os, sys\n"
    "from auria_bot.execution.parent_watch import send, watch_parent\n"
    "watch_parent()\n"
    "for line in os.fdopen(int(sys.argv[1]), 'rb'):\n"
    "    send({'echo': json.loads(line)})\n"
)


def test_the_request_is_sent_once_for_those_that_share_it(tmp_path: Path) -> None:
    """It goes with the first message of a row, and again after another one."""
    one, other = {"title": "a" * 100_000}, {"title": "b"}
    with (tmp_path / "log").open("wb") as log:
        child = UnitChild([sys.executable, "-c", ECHO], log=log)
    for number, request in enumerate((one, one, other, one)):
        child.send({"number": number}, request)
    answers: list[dict[str, dict[str, object]]] = []
    while len(answers) < 4 and child.child.is_sending:
        answers += child.receive(1.0)
    child.end()
    assert [answer["echo"].get("request") for answer in answers] == [one, None, other, one]


def test_no_settings_reach_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's settings may contain passwords, which no model has a use for."""
    monkeypatch.setenv("AURIA_DATABASE__URL", "postgresql://u:secret@h/d")
    assert not any("AURIA_" in name for name in unit_child._environment(own=True))


def test_files_are_read_from_a_message() -> None:
    """By kind."""
    value = {"name": "a.png", "media_type": "image/png", "sha256": "f" * 64, "size": 3}
    assert files_of({"files": {"painting": value}}) == {"painting": ArtworkFile(**value)}


def test_a_log_is_quoted_by_its_end() -> None:
    """Nothing is said of an empty one."""
    assert log_tail(b"x" * 10_000 + b" the end\n").endswith("x the end")
    assert len(log_tail(b"x" * 10_000)) < 2000
    assert log_tail(b"\n") == ""
