"""A supervised process is tied to its parent, any other runs as it is."""

from __future__ import annotations

import json
import os
import queue
from typing import TYPE_CHECKING

import pytest

from auria_bot.execution import parent_watch
from auria_bot.execution.parent_watch import ORPHANED, VARIABLE, send, watch_parent

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> Iterator[queue.Queue[int]]:
    """The exit codes with which this process would have ended; neither it nor its death signal is real."""
    codes: queue.Queue[int] = queue.Queue()
    monkeypatch.setattr(os, "_exit", codes.put)
    monkeypatch.setattr(parent_watch, "_DEATH_SIGNAL", 0)  # no option of prctl(2)
    monkeypatch.setattr(parent_watch, "_messages", -1)
    return codes


def test_without_a_supervisor_nothing_is_watched(monkeypatch: pytest.MonkeyPatch):
    """And messages go nowhere."""
    monkeypatch.delenv(VARIABLE, raising=False)
    assert not watch_parent()
    send({"a": 1})


def test_messages_go_to_the_parent(monkeypatch: pytest.MonkeyPatch, exits: queue.Queue[int]):
    """One line each; the variable is not passed on, and a parent that listens no more is no error."""
    watched, hold = os.pipe()
    reader, writer = os.pipe()
    monkeypatch.setenv(VARIABLE, f"{os.getppid()}:{watched}:{writer}")
    assert watch_parent()
    assert VARIABLE not in os.environ
    send({"words": "a line\nand 俳句"})
    send({"b": 2})
    lines = os.read(reader, 1000).decode().splitlines()
    assert [json.loads(line) for line in lines] == [{"words": "a line\nand 俳句"}, {"b": 2}]
    os.close(reader)
    send({"c": 3})
    assert exits.empty()
    os.close(hold)
    assert exits.get(timeout=30) == ORPHANED
    for descriptor in (watched, writer):
        os.close(descriptor)


def test_a_parent_that_died_at_once_is_noticed(monkeypatch: pytest.MonkeyPatch, exits: queue.Queue[int]):
    """The process has another parent by then."""
    watched, hold = os.pipe()
    monkeypatch.setenv(VARIABLE, f"{os.getppid() + 1}:{watched}:{hold}")
    watch_parent()
    assert exits.get(timeout=30) == ORPHANED
    os.close(hold)
    assert exits.get(timeout=30) == ORPHANED
    os.close(watched)
