"""How soon `auria stats` stands on the screen, on three years of daily posts to four channels and a million samples.

The database is built by the program's own migrations and filled in bulk. The time is that of the whole process, from its start to
its end: the median of several runs after one that warms the file cache; processor time is stated beside it, because other
work on the machine lengthens only the former.
"""

from __future__ import annotations

import json
import math
import os
import random
import resource
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["BAR", "CHANNELS", "DAYS", "SAMPLES", "build", "seconds"]

BAR = 1.0  # seconds, whole process
DAYS = 3 * 365
SAMPLES = 1_000_000
RUNS = 9
CHANNELS = {"bluesky": 900, "instagram": 2600, "mastodon": 700, "x": 1400}
"""Each channel and how many follow it in the end."""

_LAST = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
_MOODS = {
    "wistful": 1.9,
    "serene": 1.5,
    "awed": 1.4,
    "dreamy": 1.3,
    "tender": 1.1,
    "hopeful": 1.0,
    "still": 1.0,
    "lonely": 0.9,
    "melancholy": 0.9,
    "joyful": 0.8,
    "playful": 0.7,
    "stormy": 0.7,
    "uneasy": 0.5,
    "bleak": 0.4,
}
_FIRST = (
    "lanterns on the hill",
    "rain begins again",
    "a heron takes off",
    "snow on the haystack",
    "the last train at dusk",
)
_PAINTINGS = (
    ("The Wave", "Gustave Courbet"),
    ("Impression, Sunrise", "Claude Monet"),
    ("The Monk by the Sea", "C. D. Friedrich"),
    ("Rain, Steam and Speed", "J. M. W. Turner"),
    ("Wheatfield with Crows", "Vincent van Gogh"),
)


def build(file: Path, *, days: int = DAYS, samples: int = SAMPLES) -> int:
    """Fill a new SQLite database with so many days of posts on every channel and so many samples; how many samples it has."""
    from auria_bot.store.engine import upgrade

    upgrade(f"sqlite:///{file}")
    chance = random.Random(7)
    database = sqlite3.connect(file)
    database.executescript("PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL;")
    each, more = divmod(samples, days * len(CHANNELS))
    post, written = 0, 0
    for day in range(days):
        mood = chance.choice(list(_MOODS))
        at = _LAST - timedelta(days=days - 1 - day, hours=chance.choice((0, 2, 8, 13)), minutes=chance.randrange(60))
        style = chance.randrange(len(_PAINTINGS) * 12)
        database.execute(
            "INSERT INTO drafts (id, version, folder, state, made_at, reason, text, alt_text, channels, signature, picture_sha256,"
            " artwork, mood, style, fingerprint) VALUES (?, 1, ?, 'scheduled', ?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                day + 1,
                f"run-{day}",
                _time(at),
                "a poem\n\n— Auria #haiku",
                "a picture " * 40,
                json.dumps(list(CHANNELS)),
                "0" * 64,
                f"{day:064x}",
                json.dumps(_artwork(day, mood, style)),
                mood,
                f"style-{style:03d}",
                f"{day:016x}",
            ),
        )
        for name, end in CHANNELS.items():
            post += 1
            crowd = round(30 + end * ((day + 1) / days) ** 1.4 * chance.uniform(0.995, 1.005))
            database.execute(
                "INSERT INTO posts (id, draft_id, channel, state, due, text, alt_text, picture, picture_sha256, signature, key, fencing,"
                " receipt_id, receipt_url, receipt_at, receipt_cost, words, memo) VALUES (?, ?, ?, 'sent', ?, ?, '', '/p.jpg', ?, ?, ?, 1,"
                " ?, ?, ?, ?, '', '')",
                (
                    post,
                    day + 1,
                    name,
                    _time(at),
                    "a poem",
                    "0" * 64,
                    "0" * 64,
                    f"key-{post}",
                    f"id-{post}",
                    f"https://example.invalid/{post}",
                    _time(at),
                    0.015 if name == "x" else None,
                ),
            )
            database.execute(
                "INSERT INTO audiences (channel, at, followers) VALUES (?, ?, ?)", (name, _time(at), crowd)
            )
            liked = 0.03 * crowd * _MOODS[mood] * math.exp(chance.gauss(0.0, 0.5)) * (1.3 if at.hour in {1, 7} else 1.0)
            rows = list(_samples(post, at, liked, each + (post <= more)))
            database.executemany(
                "INSERT INTO samples (post_id, at, likes, reposts, replies, quotes, saves, views) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            written += len(rows)
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return written


def _time(at: datetime) -> str:
    """A time as SQLAlchemy writes it on SQLite."""
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"


def _samples(post: int, at: datetime, liked: float, count: int) -> Iterator[tuple[Any, ...]]:
    """A post's counts as they grow, dense while it is young, up to the last day there is."""
    end = max((_LAST - at).total_seconds() / 3600, 1.0)
    for number in range(1, count + 1):
        hours = min(360 * 24.0, end) * (number / count) ** 3
        likes = round(liked * math.log1p(hours) / math.log1p(168))
        yield (
            post,
            _time(at + timedelta(hours=hours)),
            likes,
            likes // 6,
            likes // 9,
            likes // 20,
            likes // 8,
            14 * likes + number,
        )


def _artwork(day: int, mood: str, style: int) -> dict[str, Any]:
    title, artist = _PAINTINGS[style % len(_PAINTINGS)]
    return {
        "seed": day,
        "theme": "",
        "mood": mood,
        "mood_source": "read",
        "nudity": 0.01,
        "fingerprint": f"{day:016x}",
        "haiku": {
            "lines": [_FIRST[day % len(_FIRST)], "the river carries the light", "into the long night"],
            "syllables": [5, 7, 5],
        },
        "style": {
            "key": f"style-{style:03d}",
            "title": f"{title} {style // len(_PAINTINGS) + 1}",
            "artist": artist,
            "year": "1870",
            "mode": "painterly",
            "strength": 0.6,
        },
        "caption": "a lake",
        "alt_text": "a picture " * 40,
        "post_text": "a poem " * 20,
        "painting": "painting.png",
        "full": "full.png",
        "post": "post.jpg",
        "card": "card.jpg",
        "models": [["poet:word-lstm", "a" * 64], ["painter:attn", "b" * 64]],
    }


def seconds(home: Path, *, runs: int, arguments: tuple[str, ...] = ()) -> list[tuple[float, float]]:
    """Wall time and processor time of so many runs of `auria stats`, after one that is not counted."""
    command = [sys.executable, "-m", "auria_bot", "stats", *arguments]
    environment = {**os.environ, "AURIA_HOME": str(home)}
    times = []
    for _ in range(runs + 1):
        begun, spent = time.perf_counter(), _spent()
        done = subprocess.run(command, check=True, capture_output=True, env=environment)
        times.append((time.perf_counter() - begun, _spent() - spent))
        if not done.stdout:
            raise RuntimeError("auria stats printed nothing")
    return times[1:]


def _spent() -> float:
    """Processor seconds of all child processes so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
