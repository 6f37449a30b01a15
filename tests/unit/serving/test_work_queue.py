"""One thread, and what waits for it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import InputError, ModelServerBusy
from auria_bot.serving.work_queue import WorkQueue, work_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def queue() -> Iterator[WorkQueue]:
    """One request may wait."""
    made = WorkQueue(work_metrics("poems", "poems", "poem", verb="written"), waiting=1)
    yield made
    made.close()


def test_what_is_done_and_refused_is_counted(queue: WorkQueue) -> None:
    """A result, an error of the request, and a turn that came too late."""

    def refuse() -> None:
        raise InputError("no such theme")

    soon = time.monotonic() + 60
    assert queue.submit(lambda: 7, deadline=soon).result() == 7
    with pytest.raises(InputError):
        queue.submit(refuse, deadline=soon).result()
    with pytest.raises(ModelServerBusy, match="too late"):
        queue.submit(lambda: 7, deadline=time.monotonic()).result()
    text = queue.metrics()
    for line in ("poems_total 1", 'poem_refused_total{reason="wrong"} 1', 'poem_refused_total{reason="late"} 1'):
        assert f"auria_serve_{line}\n" in text


def test_too_many_are_told_to_come_back(queue: WorkQueue) -> None:
    """Beside the one under way and the one that waits there is no room."""
    gate, soon = threading.Event(), time.monotonic() + 60
    waiting = [queue.submit(lambda: gate.wait(30), deadline=soon) for _ in range(2)]
    with pytest.raises(ModelServerBusy, match="2 poems are waiting; come back in 2 s") as caught:
        queue.submit(lambda: 7, deadline=soon)
    assert caught.value.seconds == 2
    gate.set()
    assert all(future.result() for future in waiting)
    assert 'auria_serve_poem_refused_total{reason="busy"} 1' in queue.metrics()
