"""Posts that went out and what followers did with them, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auria_bot.domain.engagement import Engagement
from auria_bot.store.schema import posts
from tests.factories import artwork

if TYPE_CHECKING:
    from datetime import datetime

    from auria_bot.domain.post import Post


def add_sent(
    unit: Any,
    number: int,
    *,
    at: datetime,
    channel: str = "fake",
    cost: float | None = None,
    likes: int | None = None,
    age: Any = None,
    draft: int | None = None,
    **changes: Any,
) -> Post:
    """A post that went out, of a draft of its own or of one that is there, maybe with one sample of some likes.

    It is written as it stands, for how a post becomes sent is another test's matter.
    """
    kept = (
        unit.drafts.get(draft)
        if draft
        else unit.drafts.add(
            artwork(number, **changes), folder=f"run-{number}", picture_sha256=f"{number:064x}", made_at=at
        )
    )
    post = unit.posts.add(kept, channel, due=at, picture="/p.jpg", key=f"key-{number}-{channel}")
    values = {
        "state": "sent",
        "receipt_id": f"receipt-{number}",
        "receipt_url": f"https://example.invalid/{number}",
        "receipt_at": at,
        "receipt_cost": cost,
    }
    unit.samples._connection.execute(posts.update().where(posts.c.id == post.id).values(**values))
    if likes is not None:
        unit.samples.add(post.id, Engagement(at=at + age, likes=likes))
    return unit.posts.get(post.id)
