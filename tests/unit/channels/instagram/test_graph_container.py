"""Containers of the Graph API: waiting for one, and what its failure means."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from auria_bot.channels.instagram.graph_container import GraphContainers
from auria_bot.errors import Rejected, Throttled, Unauthorised


class Told:
    """An API that tells of a container what it is told to, one answer a look, the last for ever."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self._answers = list(answers)

    def read(self, *_: object, **__: object) -> dict[str, Any]:
        """The next answer."""
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def wait(*answers: dict[str, Any]) -> None:
    """Wait for a container of which this is told."""
    told: Any = Told(*answers)
    GraphContainers(told, poll=0.0, patience=0.05, settle=timedelta(0)).wait("1", "token")


def test_it_waits_until_the_picture_is_there() -> None:
    """However often it must look."""
    wait(*[{"status_code": "IN_PROGRESS"}] * 5, {"status_code": "FINISHED"})


@pytest.mark.parametrize("status", ["IN_PROGRESS", "EXPIRED", "PUBLISHED", "NEW", None])
def test_it_does_not_wait_for_ever(status: str | None) -> None:
    """Another container, later."""
    with pytest.raises(Throttled):
        wait({"status_code": status})


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("Error: Media upload has failed with error code 2207026", Rejected),
        ("Error: 2207052", Unauthorised),
        ("Error: 2207001", Throttled),
        ("Error: 2207032 create media failed", Throttled),
        ("", Rejected),
    ],
)
def test_what_a_failure_means(words: str, meaning: type[Exception]) -> None:
    """Its number tells; the platform's words are kept."""
    with pytest.raises(meaning, match=words or "could not use"):
        wait({"status_code": "ERROR", "status": words})
