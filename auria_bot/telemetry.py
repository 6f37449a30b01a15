"""How Auria speaks to machines: the form of a log line, what is kept out of it, and every metric by name.

A log record is a sentence plus keys: `log.info("The draft waits for review", extra={"draft": 7})`. Does not
know where logs are kept or who asks for the metrics.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["KEYS", "METRICS", "MaskSecrets", "Metric", "Sample", "exposition", "mask", "set_up"]

KEYS = ("action", "draft", "post", "channel", "run", "step", "seconds")
"""The keys a log record may carry, in the order they are written."""

_SECRETS = (
    # A URL's password, up to the last @: an unescaped one may be part of it. A port and a path are none.
    (re.compile(r"(://[^\s:/?#@]{0,100}:)(?!\d+/)\S{1,150}@"), r"\1***@"),
    (re.compile(r"(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), r"\1***"),
    (
        re.compile(
            r"((?:password|passwd|secret|token|api[_-]?key)['\"]?\s{0,3}[=:]\s{0,3})"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s,;&)}\]]+)",
            re.IGNORECASE,
        ),
        r"\1***",
    ),
)
# Every repetition before a secret is bounded, so that no text makes the search slow.


def mask(text: str) -> str:
    """The text with every password, token and key in it replaced by ***."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class MaskSecrets(logging.Filter):
    """Masks secrets in a record's sentence, its keys and its traceback, before any handler writes them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record in place; every record passes."""
        record.msg, record.args = mask(record.getMessage()), None
        for key in KEYS:
            if isinstance(value := getattr(record, key, None), str):
                setattr(record, key, mask(value))
        if record.exc_info and not record.exc_text:
            record.exc_text = mask(logging.Formatter().formatException(record.exc_info))
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
            "time": _when(record), "level": record.levelname.lower(), "logger": record.name,
            "message": record.getMessage(), **_keys(record),
        }  # fmt: skip
        if record.exc_text:
            entry["exception"] = record.exc_text
        return json.dumps(entry, ensure_ascii=False, default=str)


def set_up(*, level: str = "info", form: str = "text", stream: TextIO | None = None) -> None:
    """Send Auria's log records to a stream; calling it again replaces the earlier set-up.

    Args:
        level: "debug", "info", "warning" or "error".
        form: "text" or "json", one record a line.
        stream: standard error by default.
    """
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    handler.addFilter(MaskSecrets())
    logger = logging.getLogger("auria_bot")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A Prometheus metric: its name, kind, labels and meaning."""

    name: str
    kind: str  # "gauge" or "counter"
    labels: tuple[str, ...]
    help: str


METRICS = (
    Metric(name="auria_drafts", kind="gauge", labels=("state",), help="Drafts in each state."),
    Metric(
        name="auria_posts",
        kind="gauge",
        labels=("channel", "state"),
        help="Posts of each channel in each state.",
    ),
)
"""Every metric there is; both are counted in the database, so they outlive a restart."""


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
                lines.append(f"{metric.name}{{{labels}}} {sample.value:g}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
