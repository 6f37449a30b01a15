"""The values of the services as plain data for JSON: what `--json` prints and the web interface sends.

The keys are an interface that programs rely on: keys are added, never renamed. Times are ISO 8601 with their offset.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from auria_bot.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import Protocol

    from auria_bot.corpus.versions import CorpusVersion
    from auria_bot.domain.artwork import Artwork
    from auria_bot.domain.draft import Draft
    from auria_bot.domain.engagement import PostEngagement, TrackedPost
    from auria_bot.domain.post import Attempt, Post
    from auria_bot.services.corpus.corpus_versions import Change
    from auria_bot.services.corpus.deletion_check import CheckResult
    from auria_bot.services.corpus.reddit_sync import SyncResult
    from auria_bot.services.engagement.preferences import Preference, Preferences
    from auria_bot.services.engagement.report import Aggregate, EngagementReport, Kind
    from auria_bot.services.engagement.tracker import MeasurementResult
    from auria_bot.services.publishing.post_creation import Preview
    from auria_bot.services.studio.studio import RunResult
    from auria_bot.store.drafts import Entry

    class PictureFolder(Protocol):
        """The finished pictures on disk."""

        def path(self, folder: str, name: str) -> Path:
            """The path of a picture; raises NotFound when it is gone."""
            ...


__all__ = [
    "LATEST",
    "PICTURES",
    "aggregate_json",
    "change_json",
    "check_json",
    "corpus_version_json",
    "draft_json",
    "journal_json",
    "measurement_json",
    "moods_json",
    "picture_path",
    "post_engagement_json",
    "post_json",
    "preview_json",
    "report_json",
    "report_rows",
    "run_json",
    "styles_json",
    "sync_json",
    "vanished_json",
]

PICTURES = ("full", "post", "card", "painting")
"""The pictures of a draft."""

LATEST = 10
"""Posts that the report on engagement names."""


def picture_path(pictures: PictureFolder, draft: Draft, name: str) -> str | None:
    """The absolute path of one of a draft's `PICTURES`, or None when the file is gone."""
    with contextlib.suppress(NotFound):
        return str(pictures.path(draft.folder, draft.artwork.files[name].name))
    return None


def draft_json(draft: Draft, pictures: PictureFolder) -> dict[str, Any]:
    """A draft with its artwork and the paths of its pictures."""
    art = draft.artwork
    return {
        "id": draft.id,
        "state": str(draft.state),
        "made_at": draft.made_at.isoformat(),
        "decided_at": _iso(draft.decided_at),
        "reason": draft.reason,
        "seed": art.seed,
        "theme": art.theme,
        "mood": art.mood,
        "mood_source": art.mood_source,
        "haiku": list(art.haiku.lines),
        "syllables": list(art.haiku.syllables),
        "style": {
            "key": art.style.key,
            "title": art.style.title,
            "artist": art.style.artist,
            "year": art.style.year,
            "mode": art.style.mode,
            "strength": art.style.strength,
        },
        "text": draft.text,
        "alt_text": draft.alt_text,
        "caption": art.caption,
        "nudity": art.nudity,
        "channels": list(draft.channels),
        "picture_sha256": draft.picture_sha256,
        "pictures": {name: picture_path(pictures, draft, name) for name in PICTURES},
        "models": dict(art.models),
    }


def run_json(run: RunResult, pictures: PictureFolder) -> dict[str, Any]:
    """A run of the studio: what it took, its drafts, and the artworks that failed."""
    return {
        "run": run.run,
        "seed": run.seed,
        "seconds": round(run.seconds, 3),
        "peak_bytes": run.peak_bytes,
        "steps": dict(run.steps),
        "drafts": [draft_json(draft, pictures) for draft in run.drafts],
        "failures": [
            {
                "sketch": failure.artwork,
                "step": failure.step,
                "error": failure.error,
                "message": failure.message,
                "log": failure.log,
            }
            for failure in run.failures
        ],
    }


def post_json(post: Post, attempts: Sequence[Attempt] = ()) -> dict[str, Any]:
    """A post with its receipt and its attempts."""
    receipt = post.receipt
    return {
        "id": post.id,
        "draft": post.draft_id,
        "channel": post.channel,
        "state": str(post.state),
        "due": post.due.isoformat(),
        "text": post.text,
        "alt_text": post.alt_text,
        "picture": post.picture,
        "receipt": {"id": receipt.id, "url": receipt.url, "at": receipt.at.isoformat(), "cost": receipt.cost}
        if receipt
        else None,
        "words": post.message,
        "vanished_at": _iso(post.vanished_at),
        "attempts": [
            {
                "number": attempt.number,
                "started_at": attempt.started_at.isoformat(),
                "sending_at": _iso(attempt.sending_at),
                "ended_at": _iso(attempt.ended_at),
                "outcome": str(attempt.outcome) if attempt.outcome else None,
                "words": attempt.message,
            }
            for attempt in attempts
        ],
    }


def preview_json(preview: Preview) -> dict[str, Any]:
    """What publishing would do with one draft on one channel."""
    return {
        "draft": preview.draft_id,
        "channel": preview.channel,
        "action": preview.action,
        "due": preview.due.isoformat(),
        "text": preview.text,
        "alt_text": preview.alt_text,
        "dropped": list(preview.dropped),
        "picture": preview.picture,
        "problems": list(preview.problems),
    }


def report_json(report: EngagementReport, artworks: Mapping[int, Artwork], *, time_zone: str) -> dict[str, Any]:
    """The whole report on engagement: totals, every grouping, the `LATEST` posts and the followers over time.

    Args:
        report: the posts of a period.
        artworks: by draft, those of the latest posts at least.
        time_zone: the zone in which hours, days and months are counted.
    """
    return {
        "time_zone": time_zone,
        "total": aggregate_json(report.total()),
        "channels": report_rows(report, artworks, "channel"),
        "moods": report_rows(report, artworks, "mood"),
        "styles": [aggregate_json(each) for each in report.by("style")],
        "hours": report_rows(report, artworks, "hour"),
        "days": report_rows(report, artworks, "day"),
        "months": report_rows(report, artworks, "month"),
        "posts": [post_engagement_json(each, artworks) for each in report.posts[:LATEST]],
        "followers": {
            name: [{"at": each.at.isoformat(), "followers": each.followers} for each in rows]
            for name, rows in report.followers.items()
        },
    }


def report_rows(report: EngagementReport, artworks: Mapping[int, Artwork], by: Kind | str) -> list[dict[str, Any]]:
    """One table of the report: its posts (by "post"), or its aggregates of one kind.

    Args:
        report: the posts of a period.
        artworks: by draft, those of every post (by "post") or of every example (by "style").
        by: "post" or one of the report's kinds.
    """
    if by == "post":
        return [post_engagement_json(each, artworks) for each in report.posts]
    rows = []
    for each in report.by(by):  # type: ignore[arg-type]  # the kinds are checked where they are read
        style = artworks[each.example].style if by == "style" else None
        titled = {"title": style.title, "artist": style.artist} if style else {}
        rows.append({**titled, **aggregate_json(each)})
    return rows


def aggregate_json(aggregate: Aggregate) -> dict[str, Any]:
    """The engagement of some posts, added up."""
    return {
        "name": aggregate.name,
        "posts": aggregate.posts,
        "measured": aggregate.measured,
        "vanished": aggregate.vanished,
        **aggregate.counts,
        "points": aggregate.points,
        "mean": _rounded(aggregate.mean),
        "rate": _rounded(aggregate.rate),
        "cost": round(aggregate.cost, 6),
    }


def post_engagement_json(post: PostEngagement, artworks: Mapping[int, Artwork]) -> dict[str, Any]:
    """The engagement of one post, with its poem."""
    from auria_bot.domain.engagement import COUNTS

    points = post.counts.points if post.counts else None
    return {
        "post": post.post_id,
        "draft": post.draft_id,
        "channel": post.channel,
        "posted_at": post.posted_at.isoformat(),
        "mood": post.mood,
        "style": post.style,
        "poem": " / ".join(artworks[post.draft_id].haiku.lines),
        **{name: getattr(post.counts, name) if post.counts else None for name in COUNTS},
        "points": points,
        "rate": _rounded(100 * points / post.followers) if points is not None and post.followers else None,
        "followers": post.followers,
        "cost": post.cost,
        "url": post.url,
        "measured_at": _iso(post.counts.at if post.counts else None),
        "vanished_at": _iso(post.vanished_at),
    }


def measurement_json(result: MeasurementResult) -> dict[str, Any]:
    """What measuring one channel took and found."""
    return {
        "channel": result.channel,
        "posts": result.posts,
        "calls": result.calls,
        "cost": round(result.cost, 6),
        "followers": result.followers,
        "left": result.left,
        "next_at": _iso(result.next_at),
        "words": result.message,
        "failed": result.failed,
    }


def vanished_json(post: TrackedPost) -> dict[str, Any]:
    """A post that its platform no longer has."""
    return {"post": post.post_id, "channel": post.channel, "url": post.receipt.url}


def moods_json(preferences: Preferences) -> list[dict[str, Any]]:
    """Every mood in the order of MOODS; `drawn` is the chance that the next artwork takes it by preference."""
    from auria_bot.domain.mood import MOODS

    by_name = {each.name: each for each in preferences.moods}
    return [
        {
            "name": mood.name,
            "parent": mood.parent,
            "description": mood.description,
            "valence": mood.valence,
            "arousal": mood.arousal,
            "strength": mood.strength,
            "words": list(mood.words),
            **_preference(by_name[mood.name]),
            "chance": round(by_name[mood.name].chance, 6),
            "drawn": round(by_name[mood.name].chance * preferences.share, 6),
        }
        for mood in MOODS.values()
    ]


def styles_json(preferences: Preferences) -> list[dict[str, Any]]:
    """The paintings that were used, with their weight in the choice of the next style."""
    return [{"key": each.name, **_preference(each), "weight": round(each.chance, 6)} for each in preferences.styles]


def _preference(one: Preference) -> dict[str, Any]:
    return {"artworks": one.artworks, "mean": round(one.mean, 4), "low": round(one.low, 4), "high": round(one.high, 4)}


def journal_json(entry: Entry) -> dict[str, Any]:
    """An entry of the journal."""
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "who": entry.who,
        "action": entry.action,
        "draft_id": entry.draft_id,
        "words": entry.details,
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
    return {
        "before": names[0],
        "after": names[1],
        "added": change.added,
        "removed": change.removed,
        "same": change.same,
        "came": [list(lines) for lines in change.came],
        "went": [list(lines) for lines in change.went],
    }


def sync_json(result: SyncResult) -> dict[str, Any]:
    """What reading one listing of a subreddit brought."""
    return {
        "subreddit": result.subreddit,
        "listing": result.listing,
        "posts": result.posts,
        "unreadable": result.bad,
        "resumed": result.resumed,
        "new_poems": result.report.fresh,
        "finished": result.finished,
        "gap": result.gap,
        "full": list(result.full),
        **result.report.to_json(),
    }


def check_json(result: CheckResult | None) -> dict[str, Any] | None:
    """What looking known posts up for deletions brought; None where it was not done."""
    if result is None:
        return None
    return {
        "posts": result.posts,
        "requests": result.requests,
        "deleted": result.deleted,
        "missing": result.missing,
        "buried": result.buried,
        "doubted": result.doubted,
        "finished": result.finished,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
