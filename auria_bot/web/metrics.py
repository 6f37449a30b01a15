"""Metrics of the web server for Prometheus: requests, how long they took, runs, and the visitors' studio.

Requests are counted by the template of their route, never by their path, so that strangers cannot make the metrics
grow. Everything is counted since the server was started.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Final

from auria_bot.errors import AuriaError
from auria_bot.redaction import redacted_error
from auria_bot.services.operations.health import HealthReport
from auria_bot.telemetry import Metric, Sample, exposition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from auria_bot.web.app import WebApp

__all__ = ["BUCKETS", "METRICS", "RequestCounts", "WebHealth", "route_of"]

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds up to which requests are counted together."""

METRICS = (
    Metric(
        name="auria_web_requests_total",
        kind="counter",
        labels=("route", "method", "status"),
        help="Requests by route template, method and class of status.",
    ),
    Metric(
        name="auria_web_request_seconds",
        kind="histogram",
        labels=("route",),
        help="Seconds from a request to the end of its answer; event streams are left out.",
    ),
    Metric(name="auria_web_requests_open", kind="gauge", help="Requests that are being answered."),
    Metric(name="auria_web_runs_open", kind="gauge", help="Runs of operators that wait or are worked on."),
    Metric(name="auria_visitors_waiting", kind="gauge", help="Visitors' artworks that wait or are being made."),
    Metric(
        name="auria_visitors_artworks_total",
        kind="counter",
        labels=("outcome",),
        help="Visitors' artworks by what became of them, refusals with their reason.",
    ),
)
"""Every metric of the web server."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def route_of(scope: Mapping[str, Any]) -> str:
    """The template of the route that answered, such as "/artworks/{id}"; "other" where none did."""
    mount, route = str(scope.get("root_path", "")), scope.get("route")
    return mount + str(getattr(route, "path", "")) or "other"


class RequestCounts:
    """Counts requests. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._buckets: dict[str, list[int]] = {}  # by route: in each bucket, and above the last
        self._seconds: Counter[str] = Counter()
        self.open = 0

    def begin(self) -> None:
        """Count a request that has begun."""
        with self._lock:
            self.open += 1

    def end(self, scope: Mapping[str, Any], status: int, seconds: float | None) -> None:
        """Count a request that has ended, with status 0 if it got no answer; event streams have no `seconds`."""
        method = str(scope.get("method", ""))
        route = route_of(scope)
        with self._lock:
            self.open -= 1
            shown = f"{status // 100}xx" if status else "none"
            self._requests[route, method if method in _METHODS else "other", shown] += 1
            if seconds is not None:
                counts = self._buckets.setdefault(route, [0] * (len(BUCKETS) + 1))
                counts[bisect_left(BUCKETS, seconds)] += 1
                self._seconds[route] += seconds  # type: ignore[assignment]  # a Counter counts seconds as well

    def samples(self) -> Iterator[Sample]:
        """What was counted."""
        with self._lock:
            requests, seconds = dict(self._requests), dict(self._seconds)
            buckets = {route: tuple(counts) for route, counts in self._buckets.items()}
            yield Sample(metric="auria_web_requests_open", value=self.open)
        for (route, method, status), count in sorted(requests.items()):
            labels = {"route": route, "method": method, "status": status}
            yield Sample(metric="auria_web_requests_total", labels=labels, value=count)
        name = "auria_web_request_seconds"
        for route, counts in sorted(buckets.items()):
            total = 0
            for limit, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
                total += count
                yield Sample(metric=f"{name}_bucket", labels={"route": route, "le": limit}, value=total)
            yield Sample(metric=f"{name}_sum", labels={"route": route}, value=seconds[route])
            yield Sample(metric=f"{name}_count", labels={"route": route}, value=total)


class WebHealth:
    """The health and the metrics of a web server."""

    def __init__(self, web: WebApp, counts: RequestCounts) -> None:
        self._web, self._counts = web, counts

    def report(self) -> HealthReport:
        """Whether the gallery can be read."""
        try:
            self._web.site.gallery.version()
        except AuriaError as error:
            return HealthReport(troubles=(redacted_error(error),))
        return HealthReport(troubles=())

    def metrics(self) -> str:
        """All metrics in Prometheus' text format."""
        samples = list(self._counts.samples())
        runs = sum(not run.is_done for run in self._web.runs.list())
        samples.append(Sample(metric="auria_web_runs_open", value=runs))
        if self._web.services.settings.web.studio:
            studio = self._web.services.visitor_studio
            samples.append(Sample(metric="auria_visitors_waiting", value=studio.queue_length))
            samples += [
                Sample(metric="auria_visitors_artworks_total", labels={"outcome": outcome}, value=count)
                for outcome, count in sorted(studio.outcomes.copy().items())
            ]
        return exposition(samples, METRICS)
