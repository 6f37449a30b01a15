"""Settings that were renamed: the old names are still read, with a notice, until the next version."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

__all__ = ["current_names", "current_path", "former_names", "notify_renamed"]

log = logging.getLogger(__name__)

_RENAMED: dict[str, dict[str, str]] = {
    "": {
        "finisher": "exporter",
        "gate": "safety_filter",
        "mood": "mood_reader",
        "scribe": "text_writer",
        "upkeep": "maintenance",
    },
    "channels.*": {"vault": "keystore"},
    "corpus": {
        "names": "keep_author_names",
        "allow": "allowed_words",
        "let_names_pass": "allow_person_names",
        "least_english": "min_english",
        "most_capitals": "max_capitals",
        "most_repeated": "max_repetition",
        "most_odd": "max_symbols",
        "least_score": "min_score",
    },
    "corpus.reddit": {
        "address": "auth_url",
        "oauth_address": "api_url",
        "patience": "max_wait",
        "back_off": "retry_delay",
        "searches": "search_terms",
        "look_requests": "check_requests",
    },
    "daemon": {"deadline": "job_timeout", "stop_after": "stop_timeout"},
    "learning": {"explore": "exploration"},
    "maintenance": {
        "backups": "backup_folder",
        "daily": "daily_backups",
        "weekly": "weekly_backups",
        "runs_days": "unfinished_days",
        "free_mb": "min_free_mb",
        "programs": "postgres_programs",
    },
    "notify": {"quiet": "muted"},
    "schedule": {"ahead": "days_ahead", "low": "low_stock_days"},
}
"""For each section by its current name: the former name of a key, and the current one."""


def former_names(section: tuple[str, ...]) -> Mapping[str, str]:
    """The former names of a section's keys, each with the current one."""
    pattern = "channels.*" if len(section) == 2 and section[0] == "channels" else ".".join(section)
    return _RENAMED.get(pattern, {})


def current_path(path: tuple[str, ...], *, source: str) -> tuple[str, ...]:
    """A setting's path with current names; `source` is the file or variable that a notice names."""
    found: tuple[str, ...] = ()
    for key in path:
        found = (*found, former_names(found).get(key, key))
    if found != path:
        notify_renamed(source, ".".join(path), ".".join(found))
    return found


def current_names(values: Mapping[str, Any], *, source: str, section: tuple[str, ...] = ()) -> dict[str, Any]:
    """A table of settings with current names; where both names are given, the current one wins."""
    found: dict[str, Any] = {}
    renamed = former_names(section)
    for key, value in sorted(values.items(), key=lambda item: item[0] not in renamed):  # former names first
        path = current_path((*section, key), source=source)
        known = found.get(path[-1])
        if isinstance(value, Mapping) and key != "options":
            value = current_names(value, source=source, section=path)  # noqa: PLW2901 - the same table
            if isinstance(known, Mapping):
                value = {**known, **value}  # noqa: PLW2901 - both tables
        found[path[-1]] = value
    return found


@cache
def notify_renamed(source: str, former: str, current: str) -> None:
    """Log once that a former name was read."""
    log.warning(
        "%s: the setting %s is now called %s; the old name works until the next version", source, former, current
    )
