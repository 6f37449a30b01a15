"""Drafts and posts as the commands show them: rows of a table, pages of text, JSON.

Knows the domain's values; does not know where they come from.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from auria_bot.cli.terminal.console import fact_sheet, state_text, table, when
from auria_bot.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from auria_bot.domain.draft import Draft
    from auria_bot.domain.post import Attempt, Post
    from auria_bot.store.files import Pictures

__all__ = ["draft_json", "draft_table", "page", "picture_of", "post_json", "post_table", "single_line"]

_PICTURES = ("full", "post", "card", "painting")


def single_line(text: str, limit: int = 60) -> str:
    """A text on one line, shortened, without characters that could redraw the terminal."""
    flat = " ".join("".join(char if char.isprintable() or char == "\n" else " " for char in text).split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def picture_of(pictures: Pictures, draft: Draft, name: str) -> str | None:
    """The absolute path of one of a draft's pictures ("full", "post", "card", "painting"), or None when it is gone."""
    with contextlib.suppress(NotFound):
        return str(pictures.path(draft.folder, draft.artwork.files[name].name))
    return None


def draft_json(draft: Draft, pictures: Pictures) -> dict[str, Any]:
    """A draft for programs."""
    art = draft.artwork
    return {
        "id": draft.id,
        "state": str(draft.state),
        "made_at": draft.made_at.isoformat(),
        "decided_at": draft.decided_at.isoformat() if draft.decided_at else None,
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
        "pictures": {name: picture_of(pictures, draft, name) for name in _PICTURES},
        "models": dict(art.models),
    }


def draft_table(drafts: Sequence[Draft], zone: str) -> Table:
    """Drafts, one a row."""
    rows = [
        (
            str(draft.id),
            state_text(draft.state),
            when(draft.made_at, zone),
            draft.artwork.mood,
            single_line(str(draft.artwork.haiku), 200),
        )
        for draft in drafts
    ]
    return table("", ("id", "state", "made", "mood", "poem"), rows)


def page(draft: Draft, console: Console, zone: str) -> None:
    """Print all that an operator wants to know of a draft."""
    from rich.padding import Padding
    from rich.text import Text

    art = draft.artwork
    console.print()
    for line in art.haiku.lines:
        console.print(Padding(Text(_safe(line), style="bold italic"), (0, 0, 0, 4)))
    console.print()
    facts = [
        (
            "draft",
            Text.assemble(f"{draft.id}, ", state_text(draft.state), f", of {when(draft.made_at, zone)}"),
        ),
        ("mood", Text(f"{art.mood} ({art.mood_source})")),
        ("theme", Text(single_line(art.theme, 200))),
        ("style", Text(f"{_safe(art.style.credit)}, {art.style.mode}")),
        ("seed", Text(str(art.seed))),
        ("alt text", Text(_safe(draft.alt_text))),
        ("post", Text(_safe(draft.text))),
        ("channels", Text(", ".join(draft.channels))),
        ("reason", Text(single_line(draft.reason, 300))),
    ]
    console.print(fact_sheet(facts))


def _safe(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in text)


def post_json(post: Post, attempts: Sequence[Attempt] = ()) -> dict[str, Any]:
    """A post for programs."""
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
        "vanished_at": post.vanished_at.isoformat() if post.vanished_at else None,
        "attempts": [
            {
                "number": one.number,
                "started_at": one.started_at.isoformat(),
                "sending_at": one.sending_at.isoformat() if one.sending_at else None,
                "ended_at": one.ended_at.isoformat() if one.ended_at else None,
                "outcome": str(one.outcome) if one.outcome else None,
                "words": one.message,
            }
            for one in attempts
        ],
    }


def post_table(posts: Sequence[Post], zone: str) -> Table:
    """Posts, one a row."""
    rows = []
    for post in posts:
        at = when(post.receipt.at, zone) if post.receipt else f"due {when(post.due, zone)}"
        what = post.receipt.url if post.receipt else single_line(post.message, 200)
        rows.append((str(post.id), str(post.draft_id), post.channel, state_text(post.state), at, what))
    return table("", ("id", "draft", "channel", "state", "when", "where or why"), rows)
