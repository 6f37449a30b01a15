"""Logging and metrics: the format of log lines, their redaction, and every metric by name.

A log record is a sentence plus keys: `log.info("The draft waits for review", extra={"draft": 7})`.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from auria_bot.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["KEYS", "METRICS", "MaskSecrets", "Metric", "Sample", "exposition", "set_up"]

KEYS = ("action", "job", "slot", "draft", "post", "channel", "run", "step", "seconds", "key", "request")
"""The keys of log records, in the order in which they are written."""


class MaskSecrets(logging.Filter):
    """Redacts a record's message, keys and traceback before a handler writes them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record in place; every record passes, also one whose arguments do not fit its message."""
        try:
            sentence = record.getMessage()
        except Exception:  # noqa: BLE001 - a library's wrong log call must not become a failure
            sentence = str(record.msg)
        record.msg, record.args = redacted(sentence), None
        for key in KEYS:
            if isinstance(value := getattr(record, key, None), str):
                setattr(record, key, redacted(value))
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redacted(record.exc_text)  # another handler may have cached it
        return True


def _keys(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key in KEYS if (value := getattr(record, key, None)) is not None}


def _when(record: logging.LogRecord) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{whole}.{int(record.msecs):03d}Z"


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        keys = "".join(f" {key}={value}" for key, value in _keys(record).items())
        line = _single_line(f"{_when(record)} {record.levelname:<7} {record.getMessage()}{keys}")
        return "\n".join((line, *map(_single_line, (record.exc_text or "").splitlines())))


def _single_line(text: str) -> str:
    """A text without line ends, which would begin another record, and without what controls a terminal."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": _when(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_keys(record),
        }
        if record.exc_text:
            entry["exception"] = record.exc_text
        return json.dumps(entry, ensure_ascii=False, default=str)


_STATEMENTS = "sqlalchemy.engine.Engine"
# Receives the statements of database.echo; without a handler SQLAlchemy writes them to stdout.


class _Handler(logging.StreamHandler[TextIO]):
    """Auria's handlers, so that a later set-up can tell them from others."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Drop a record that cannot be written: logging would print it unredacted."""


def set_up(*, level: str = "info", form: str = "text", stream: TextIO | None = None) -> None:
    """Write log records to a stream, redacted; calling it again replaces the earlier set-up.

    The level is for Auria's own records. Of libraries only warnings are written: at "debug" they would log every
    request and response.

    Args:
        level: "debug", "info", "warning" or "error".
        form: "text" or "json", one record a line.
    """
    own, others, sql = (_Handler(stream if stream is not None else sys.stderr) for _ in range(3))
    for handler in (own, others, sql):
        handler.setFormatter(_Json() if form == "json" else _Text())
        handler.addFilter(MaskSecrets())
    logger = logging.getLogger("auria_bot")
    logger.handlers[:] = [own]
    logger.setLevel(level.upper())
    logger.propagate = False
    statements = logging.getLogger(_STATEMENTS)
    statements.handlers[:] = [sql]
    statements.propagate = False
    others.setLevel(max(logging.WARNING, logger.level))
    root = logging.getLogger()
    root.handlers[:] = [*(handler for handler in root.handlers if not isinstance(handler, _Handler)), others]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A Prometheus metric."""

    name: str
    kind: str  # "gauge", "counter" or "histogram"
    labels: tuple[str, ...] = ()
    help: str

    @property
    def series(self) -> dict[str, tuple[str, ...]]:
        """The labels of each series that the metric consists of, by the series' name."""
        if self.kind != "histogram":
            return {self.name: self.labels}
        whole = {f"{self.name}_{part}": self.labels for part in ("sum", "count")}
        return {f"{self.name}_bucket": (*self.labels, "le"), **whole}


METRICS = (
    Metric(name="auria_info", kind="gauge", labels=("version",), help="The program's version; always 1."),
    Metric(name="auria_healthy", kind="gauge", help="Whether no job is overdue, as in /healthz."),
    Metric(name="auria_web_up", kind="gauge", help="Whether the web server runs that the daemon supervises."),
    Metric(name="auria_database_up", kind="gauge", help="Whether the database can be read."),
    Metric(name="auria_drafts", kind="gauge", labels=("state",), help="Drafts in each state."),
    Metric(name="auria_posts", kind="gauge", labels=("channel", "state"), help="Posts of each channel in each state."),
    Metric(
        name="auria_attempts_total",
        kind="counter",
        labels=("channel", "outcome"),
        help="Attempts on each channel by outcome.",
    ),
    Metric(name="auria_channel_paused", kind="gauge", labels=("channel",), help="Channels that are paused."),
    Metric(
        name="auria_queue_age_seconds",
        kind="gauge",
        labels=("channel",),
        help="How long the oldest due post of each channel has been waiting past its time.",
    ),
    Metric(
        name="auria_job_last_success_timestamp_seconds",
        kind="gauge",
        labels=("name",),
        help="When each job last succeeded.",
    ),
    Metric(name="auria_job_overdue", kind="gauge", labels=("name",), help="Whether a job is overdue."),
    Metric(
        name="auria_leader_heartbeat_timestamp_seconds",
        kind="gauge",
        help="When the leading daemon last renewed its lease.",
    ),
    Metric(name="auria_leader_changes_total", kind="counter", help="How often the lease changed hands."),
    Metric(
        name="auria_step_seconds_total",
        kind="counter",
        labels=("step",),
        help="Total seconds of each step of the studio.",
    ),
    Metric(
        name="auria_steps_total", kind="counter", labels=("step",), help="Completed runs of each step of the studio."
    ),
)
"""Every metric; all are computed from the database, so that a restart loses nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of a metric."""

    metric: str
    labels: Mapping[str, str] = field(default_factory=dict)
    value: float


def exposition(samples: Iterable[Sample], metrics: Sequence[Metric] = METRICS) -> str:
    """The samples in Prometheus' text format, grouped by metric: by default those of the daemon.

    Raises:
        KeyError: a sample of a metric, or with labels, that `metrics` does not name.
    """
    given = list(samples)
    known = {name: labels for metric in metrics for name, labels in metric.series.items()}
    for sample in given:
        if set(sample.labels) != set(known[sample.metric]):
            raise KeyError(f"{sample.metric} has the labels {', '.join(known[sample.metric])}")
    lines: list[str] = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
        for sample in given:
            if sample.metric in metric.series:
                own = metric.series[sample.metric]
                labels = ",".join(f'{name}="{_escaped(sample.labels[name])}"' for name in own)
                name = f"{sample.metric}{{{labels}}}" if labels else sample.metric
                lines.append(f"{name} {float(sample.value):.15g}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
