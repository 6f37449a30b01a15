"""How Auria speaks to machines: the form of a log line, what is kept out of it, and every metric by name.

A log record is a sentence plus keys: `log.info("The draft waits for review", extra={"draft": 7})`. Does not
know where logs are kept or who asks for the metrics.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from auria_bot.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["KEYS", "METRICS", "MaskSecrets", "Metric", "Sample", "exposition", "redacted", "set_up"]

KEYS = ("action", "job", "slot", "draft", "post", "channel", "run", "step", "seconds")
"""The keys a log record may carry, in the order they are written."""


class MaskSecrets(logging.Filter):
    """Masks secrets in a record's sentence, its keys and its traceback, before any handler writes them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record in place; every record passes, also one whose arguments do not fit its sentence."""
        try:
            sentence = record.getMessage()
        except Exception:  # noqa: BLE001 - a library's slip in logging must not become Auria's failure
            sentence = str(record.msg)
        record.msg, record.args = redacted(sentence), None
        for key in KEYS:
            if isinstance(value := getattr(record, key, None), str):
                setattr(record, key, redacted(value))
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redacted(record.exc_text)  # also one that another handler wrote before
        return True


def _keys(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key in KEYS if (value := getattr(record, key, None)) is not None}


def _when(record: logging.LogRecord) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{whole}.{int(record.msecs):03d}Z"


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        keys = "".join(f" {key}={value}" for key, value in _keys(record).items())
        # A message of several lines would look like several records.
        sentence = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        line = f"{_when(record)} {record.levelname:<7} {sentence}{keys}"
        return f"{line}\n{record.exc_text}" if record.exc_text else line


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
# Where SQLAlchemy tells the statements that database.echo asks for; without a handler it writes to stdout by itself.


class _Handler(logging.StreamHandler[TextIO]):
    """A handler of Auria's own, so that another set-up can tell it from those of others."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A record that cannot be written is lost: printing it, as logging would, could tell a secret."""


def set_up(*, level: str = "info", form: str = "text", stream: TextIO | None = None) -> None:
    """Send log records to a stream, masked; calling it again replaces the earlier set-up.

    The level is for Auria's own records. Of libraries, only warnings are written, whatever the level: at "debug" they
    tell every request and answer. All go through the mask.

    Args:
        level: "debug", "info", "warning" or "error".
        form: "text" or "json", one record a line.
        stream: standard error by default.
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
    root.handlers[:] = [*(one for one in root.handlers if not isinstance(one, _Handler)), others]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A Prometheus metric: its name, kind, labels and meaning."""

    name: str
    kind: str  # "gauge" or "counter"
    labels: tuple[str, ...]
    help: str


METRICS = (
    Metric(name="auria_info", kind="gauge", labels=("version",), help="The program's version; always 1."),
    Metric(name="auria_healthy", kind="gauge", labels=(), help="Whether no work is overdue, as /healthz tells."),
    Metric(name="auria_database_up", kind="gauge", labels=(), help="Whether the database can be read."),
    Metric(name="auria_drafts", kind="gauge", labels=("state",), help="Drafts in each state."),
    Metric(name="auria_posts", kind="gauge", labels=("channel", "state"), help="Posts of each channel in each state."),
    Metric(
        name="auria_attempts_total",
        kind="counter",
        labels=("channel", "outcome"),
        help="Attempts on each channel by how they ended.",
    ),
    Metric(name="auria_channel_paused", kind="gauge", labels=("channel",), help="Channels that are paused."),
    Metric(
        name="auria_queue_age_seconds",
        kind="gauge",
        labels=("channel",),
        help="How long the longest due post of each channel waits past its hour.",
    ),
    Metric(
        name="auria_job_last_success_timestamp_seconds",
        kind="gauge",
        labels=("name",),
        help="When each job last ended well.",
    ),
    Metric(name="auria_job_overdue", kind="gauge", labels=("name",), help="Whether a job is overdue."),
    Metric(
        name="auria_leader_heartbeat_timestamp_seconds",
        kind="gauge",
        labels=(),
        help="When the leading daemon last renewed its lease.",
    ),
    Metric(name="auria_leader_changes_total", kind="counter", labels=(), help="How often the lease changed hands."),
    Metric(
        name="auria_step_seconds_total",
        kind="counter",
        labels=("step",),
        help="Seconds that each step of the studio took in all.",
    ),
    Metric(
        name="auria_steps_total", kind="counter", labels=("step",), help="How often each step of the studio was done."
    ),
)
"""Every metric there is; all are counted in the database, so they outlive a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of a metric."""

    metric: str
    labels: Mapping[str, str]
    value: float


def exposition(samples: Iterable[Sample]) -> str:
    """The samples in Prometheus' text format, grouped by metric.

    Raises:
        KeyError: a sample of a metric, or with labels, that METRICS does not name.
    """
    wanted = list(samples)
    known = {metric.name: metric for metric in METRICS}
    for sample in wanted:
        if set(sample.labels) != set(known[sample.metric].labels):
            raise KeyError(f"{sample.metric} has the labels {', '.join(known[sample.metric].labels)}")
    lines: list[str] = []
    for metric in METRICS:
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
        for sample in wanted:
            if sample.metric == metric.name:
                labels = ",".join(f'{name}="{_escaped(sample.labels[name])}"' for name in metric.labels)
                name = f"{metric.name}{{{labels}}}" if labels else metric.name
                lines.append(f"{name} {float(sample.value):.15g}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
