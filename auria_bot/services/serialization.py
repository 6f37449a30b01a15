"""Drafts, posts, jobs and corpus versions as plain data for JSON: what `--json` prints and the web interface sends.

The keys are an interface that programs rely on: keys are added, never renamed. Times are ISO 8601 with their offset.
"""

from __future__ import annotations

import contextlib
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from auria_bot.domain.artwork import FILM
from auria_bot.errors import NotFound, StorageAway

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import DataclassInstance

    from auria_bot.corpus.verses import CorpusVersion
    from auria_bot.domain.draft import Draft
    from auria_bot.domain.job_schedule import JobRun, Lease, ScheduledTime
    from auria_bot.domain.notice import RecordedNotice
    from auria_bot.domain.post import Attempt, Post
    from auria_bot.services.accounts.api_keys import ApiKey
    from auria_bot.services.corpus.corpus_versions import Change
    from auria_bot.services.corpus.deletion_check import CheckResult
    from auria_bot.services.corpus.reddit_sync import SyncResult
    from auria_bot.services.publishing.post_creation import Preview
    from auria_bot.services.publishing.withdrawal import WithdrawalPlan
    from auria_bot.services.schedule.jobs import DraftInventory
    from auria_bot.services.studio.studio import RunResult
    from auria_bot.store.drafts import Entry
    from auria_bot.store.files import Pictures

__all__ = [
    "PICTURES",
    "api_key_json",
    "change_json",
    "check_json",
    "corpus_version_json",
    "csv_cell",
    "draft_json",
    "inventory_json",
    "job_run_json",
    "journal_json",
    "leader_json",
    "notice_json",
    "picture_path",
    "post_json",
    "preview_json",
    "run_json",
    "scheduled_json",
    "sync_json",
    "withdrawal_json",
]

PICTURES = ("full", "post", "card", "painting")
"""The pictures of a draft."""


def picture_path(pictures: Pictures, draft: Draft, name: str) -> str | None:
    """The absolute path of one of a draft's `PICTURES`, copied from elsewhere where needed; None if it is gone."""
    with contextlib.suppress(NotFound):
        return str(pictures.path(draft.folder, draft.artwork.files[name].name))
    return None


def _shown_path(pictures: Pictures, draft: Draft, name: str) -> str | None:
    """Where one of a draft's `PICTURES` is, on the disk or elsewhere; None if it is gone or out of reach."""
    with contextlib.suppress(NotFound, StorageAway):
        return pictures.shown(draft.folder, draft.artwork.files[name].name)
    return None


def draft_json(draft: Draft, pictures: Pictures) -> dict[str, Any]:
    """A draft with its artwork and the paths of its pictures."""
    art = draft.artwork
    return {
        "id": draft.id,
        "state": draft.status,
        "made_at": draft.made_at.isoformat(),
        "decided_at": _plain(draft.decided_at),
        "reason": draft.reason,
        "seed": art.seed,
        "theme": art.theme,
        "origin": art.origin,
        "mood": art.mood,
        "mood_source": art.mood_source,
        "haiku": list(art.haiku.lines),
        "syllables": list(art.haiku.syllables),
        "style": _fields(art.style),
        "text": draft.text,
        "alt_text": draft.alt_text,
        "channel_texts": dict(draft.channel_texts),
        "caption": art.caption,
        "nudity": art.nudity,
        "channels": list(draft.channels),
        "picture_sha256": draft.picture_sha256,
        "pictures": {name: _shown_path(pictures, draft, name) for name in PICTURES},
        "models": dict(art.models),
        "film": _fields(art.film) | {"file": _shown_path(pictures, draft, FILM)} if art.film else None,
    }


def run_json(run: RunResult, pictures: Pictures) -> dict[str, Any]:
    """A run of the studio: what it took, its drafts, and the artworks that failed."""
    return {
        "run": run.run,
        "seed": run.seed,
        "seconds": round(run.seconds, 3),
        "peak_bytes": run.peak_bytes,
        "steps": dict(run.steps),
        "drafts": [draft_json(draft, pictures) for draft in run.drafts],
        "failures": [_fields(failure, artwork="sketch") for failure in run.failures],
    }


def post_json(post: Post, attempts: Sequence[Attempt] = ()) -> dict[str, Any]:
    """A post with its receipt and its attempts."""
    return {
        "id": post.id,
        "draft": post.draft_id,
        "channel": post.channel,
        "state": str(post.state),
        "due": post.due.isoformat(),
        "timed_at": _plain(post.timed_at),
        "text": post.text,
        "alt_text": post.alt_text,
        "picture": post.picture,
        "film": post.film,
        "receipt": _fields(post.receipt) if post.receipt else None,
        "words": post.message,
        "vanished_at": _plain(post.vanished_at),
        "attempts": [_fields(attempt, message="words", memo="") for attempt in attempts],
    }


def preview_json(preview: Preview) -> dict[str, Any]:
    """What publishing would do with one draft on one channel."""
    return _fields(preview, draft_id="draft")


def withdrawal_json(plan: WithdrawalPlan) -> dict[str, Any]:
    """What withdrawing would do with one post."""
    return {"post": post_json(plan.post), "action": plan.action, "problem": plan.problem}


def api_key_json(key: ApiKey) -> dict[str, Any]:
    """A key of the REST interface, without its secret."""
    return _fields(key)


def journal_json(entry: Entry) -> dict[str, Any]:
    """An entry of the journal."""
    return _fields(entry, details="words")


def notice_json(recorded: RecordedNotice) -> dict[str, Any]:
    """A notice, and what became of it."""
    return {
        "id": recorded.id,
        "kind": recorded.notice.kind,
        "subject": recorded.notice.subject,
        "at": recorded.at.isoformat(),
        "title": recorded.notice.title,
        "body": recorded.notice.body,
        "tries": recorded.tries,
        "delivered": recorded.is_delivered,
    }


def leader_json(lease: Lease | None) -> dict[str, Any] | None:
    """The lease of the leading daemon."""
    return None if lease is None else _fields(lease, name="", fencing="")


def inventory_json(inventory: DraftInventory) -> dict[str, Any]:
    """How many drafts are in stock."""
    return {**_fields(inventory, ahead="", low=""), "low": inventory.is_low}


def scheduled_json(time: ScheduledTime) -> dict[str, Any]:
    """A scheduled time of a job."""
    return _fields(time, name="slot")


def job_run_json(run: JobRun) -> dict[str, Any]:
    """A run of a job, with its result."""
    return {
        **scheduled_json(run.slot),
        "state": str(run.state),
        "tries": run.tries,
        "words": run.summary,
        "started_at": _plain(run.started_at),
        "ended_at": _plain(run.ended_at),
        "again_at": _plain(run.again_at),
    }


def corpus_version_json(version: CorpusVersion) -> dict[str, Any]:
    """A version of the corpus and the rules it was made by."""
    return {
        "name": version.name,
        "made_at": version.made_at.isoformat(),
        "verses": version.verses,
        "sha256": version.sha256,
        **version.settings,
    }


def change_json(names: tuple[str, str], change: Change) -> dict[str, Any]:
    """The differences between two versions of the corpus, named from old to new."""
    return {"before": names[0], "after": names[1], **_fields(change)}


def sync_json(result: SyncResult) -> dict[str, Any]:
    """What reading one listing of a subreddit brought."""
    found = _fields(result, bad="unreadable", report="")
    return {**found, "new_poems": result.report.fresh, **result.report.to_json()}


def check_json(result: CheckResult | None) -> dict[str, Any] | None:
    """What looking known posts up for deletions brought; None where it was not done."""
    return None if result is None else _fields(result)


def _fields(value: DataclassInstance, **names: str) -> dict[str, Any]:
    """The fields of a value, by their own names or by those given; a field whose name is "" is left out."""
    keys = {field.name: names.get(field.name, field.name) for field in fields(value)}
    return {key: _plain(getattr(value, name)) for name, key in keys.items() if key}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return str(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def csv_cell(value: Any) -> Any:
    """A cell of a CSV file that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value
