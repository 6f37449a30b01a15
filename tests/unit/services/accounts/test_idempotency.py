"""Requests that may be repeated."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import InputError, InvalidTransition
from auria_bot.services.accounts import idempotency
from auria_bot.services.accounts.idempotency import AnsweredRequests, StoredAnswer
from auria_bot.testing import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = StoredAnswer(status=202, headers={"Location": "/runs/7"}, body='{"id": 7}')


@pytest.fixture
def clock() -> FakeClock:
    """The time."""
    return FakeClock()


@pytest.fixture
def requests(tmp_path: Path, clock: FakeClock) -> AnsweredRequests:
    """No requests yet."""
    return AnsweredRequests(folder=tmp_path / "requests", clock=clock)


def full(*_: object, **__: object) -> None:
    """Write to a full disk."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_repetition_gets_the_first_answer_for_a_day(requests: AnsweredRequests, clock: FakeClock) -> None:
    """Then the key may be used anew."""
    assert requests.begin("bot", "a", "content") is None
    requests.finish("bot", "a", "content", ANSWER)
    clock.advance(hours=23, minutes=59)
    assert requests.begin("bot", "a", "content") == ANSWER
    clock.advance(minutes=1)
    assert requests.begin("bot", "a", "other content") is None


def test_a_key_belongs_to_one_request_of_one_program(requests: AnsweredRequests) -> None:
    """Another program may use the same."""
    requests.begin("bot", "a", "content")
    requests.finish("bot", "a", "content", ANSWER)
    with pytest.raises(InputError, match="another request"):
        requests.begin("bot", "a", "other content")
    assert requests.begin("other", "a", "other content") is None


def test_a_request_that_is_being_carried_out_is_not_begun_again(requests: AnsweredRequests, clock: FakeClock) -> None:
    """Unless its process must have died."""
    requests.begin("bot", "a", "content")
    with pytest.raises(InvalidTransition, match="being carried out"):
        requests.begin("bot", "a", "content")
    clock.advance(minutes=5)
    assert requests.begin("bot", "a", "content") is None


def test_a_request_that_failed_may_be_corrected(requests: AnsweredRequests) -> None:
    """Its key is free again."""
    requests.begin("bot", "a", "content")
    requests.abandon("bot", "a")
    assert requests.begin("bot", "a", "corrected content") is None


def test_an_answer_that_cannot_be_written_is_kept_in_memory(
    requests: AnsweredRequests, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """For a day, logged, for the same request only, and the oldest is forgotten where there are too many."""
    monkeypatch.setattr(idempotency, "_MOST_UNWRITTEN", 2)
    for key in "abc":
        requests.begin("bot", key, "content")
    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "write_json", full)
        for key in "abc":
            requests.finish("bot", key, "content", ANSWER)
        assert requests.begin("bot", "c", "content") == requests.begin("bot", "b", "content") == ANSWER
        with pytest.raises(InputError, match="another request"):
            requests.begin("bot", "c", "other content")
    assert caplog.text.count("kept in memory only") == 3
    with pytest.raises(InvalidTransition, match="being carried out"):
        requests.begin("bot", "a", "content")
    clock.advance(hours=24)
    assert requests.begin("bot", "c", "other content") is None


def test_old_and_too_many_records_are_deleted(
    requests: AnsweredRequests, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a program fills no disk."""
    monkeypatch.setattr(idempotency, "_MOST", 2)
    monkeypatch.setattr(idempotency, "_CLEANED_EVERY", 1)
    folder = tmp_path / "requests"
    for number in range(5):
        requests.begin("bot", str(number), "content")
        for path in folder.glob("*.json"):
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
    assert len(list(folder.glob("*.json"))) == 3
    (folder / "damaged.json").write_text("{")
    clock.advance(hours=25)
    requests.begin("bot", "last", "content")
    assert len(list(folder.glob("*.json"))) == 1
