"""Threads that work for others: one, one request after the other, for work that already uses every core."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from auria_bot.errors import AuriaError, ModelServerBusy
from auria_bot.telemetry import Metric, Sample, exposition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

__all__ = ["WorkMetrics", "WorkQueue", "work_metrics"]

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkMetrics:
    """The metrics of one kind of work."""

    noun: str  # what is asked for, in the plural
    done: Metric
    seconds: Metric
    refused: Metric
    unusable: str = "wrong"  # the reason for refusing what cannot be done as it was asked for

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why something was refused: too much to do, its turn came too late, or it cannot be done."""
        return "busy", "late", self.unusable

    @property
    def table(self) -> tuple[Metric, ...]:
        """All of them."""
        return self.done, self.seconds, self.refused

    def samples(self, done: int, seconds: float, refused: Mapping[str, int]) -> list[Sample]:
        """Their values."""
        return [
            Sample(metric=self.done.name, value=done),
            Sample(metric=self.seconds.name, value=seconds),
            *(
                Sample(metric=self.refused.name, labels={"reason": reason}, value=count)
                for reason, count in refused.items()
            ),
        ]


def work_metrics(noun: str, done: str, stem: str, *, verb: str) -> WorkMetrics:
    """The metrics of one kind of work.

    Args:
        noun: what is asked for, in the plural.
        done: the name of what is counted, within `auria_serve_..._total`.
        stem: how the names of the others begin, likewise.
        verb: what was done to it, as a past participle.
    """

    def counter(name: str, help_text: str, *labels: str) -> Metric:
        return Metric(name=f"auria_serve_{name}_total", kind="counter", labels=labels, help=help_text)

    return WorkMetrics(
        noun=noun,
        done=counter(done, f"{noun.capitalize()} that were {verb}."),
        seconds=counter(f"{stem}_seconds", "Seconds that it took."),
        refused=counter(f"{stem}_refused", f"{noun.capitalize()} that were not {verb}, by reason.", "reason"),
    )


class WorkQueue:
    """One thread or several, and what waits for them.

    Usage::

        queue = WorkQueue(METRICS, waiting=8)
        answer = queue.submit(lambda: work(request), deadline=time.monotonic() + 30).result()
    """

    def __init__(self, metrics: WorkMetrics, *, waiting: int, threads: int = 1, usual: float = 1.0) -> None:
        """Prepare a queue.

        Args:
            metrics: what it counts.
            waiting: how many wait at most beside those being worked on.
            threads: how many are worked on at once.
            usual: seconds that one takes, as far as that is not known yet.
        """
        self._metrics, self._most, self._threads, self._usual = metrics, threads + waiting, threads, usual
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix=metrics.noun)
        self._lock, self._is_closed = threading.Lock(), False
        self._inside, self._done, self._seconds = 0, 0, 0.0
        self._refused = dict.fromkeys(metrics.reasons, 0)

    @property
    def inside(self) -> int:
        """How many wait or are being worked on."""
        return self._inside

    def close(self) -> None:
        """Finish what was begun."""
        self._is_closed = True
        self._workers.shutdown(wait=True, cancel_futures=False)

    def submit(self, work: Callable[[], _Result], *, deadline: float) -> Future[_Result]:
        """Do something in a thread.

        Args:
            work: what is done; its AuriaErrors count as refusals, and are the future's.
            deadline: on `time.monotonic`'s clock; what comes later to its turn is not done any more.

        Raises:
            ModelServerBusy: too much waits; or in the future, where its turn came too late.
        """
        with self._lock:
            if self._inside >= self._most or self._is_closed:
                self._refused["busy"] += 1
                mean = self._seconds / self._done if self._done else self._usual
                wait = max(1, round(self._inside * mean / self._threads))
                raise ModelServerBusy(
                    f"{self._inside} {self._metrics.noun} are waiting; come back in {wait} s", seconds=wait
                )
            self._inside += 1
        future = self._workers.submit(self._run, work, deadline)
        future.add_done_callback(self._leave)
        return future

    def samples(self) -> list[Sample]:
        """What was counted so far."""
        with self._lock:
            return self._metrics.samples(self._done, self._seconds, self._refused)

    def metrics(self) -> str:
        """All metrics in Prometheus' text format."""
        return exposition(self.samples(), self._metrics.table)

    def _leave(self, _: Future[_Result]) -> None:
        with self._lock:
            self._inside -= 1

    def _run(self, work: Callable[[], _Result], deadline: float) -> _Result:
        begun = time.monotonic()
        try:
            if begun >= deadline:
                raise ModelServerBusy("its turn came too late; come back later", seconds=1)
            result = work()
        except AuriaError as error:
            with self._lock:
                self._refused["late" if isinstance(error, ModelServerBusy) else self._metrics.unusable] += 1
            raise
        with self._lock:
            self._done += 1
            self._seconds += time.monotonic() - begun
        return result
