"""After a backup was put back: what may have gone out since it was made goes out again by the operator's word alone.

The database knows no more what was posted after the backup. So posts that were to be sent, or whose fate was not known, need attention, and
approved drafts are drafts again. Knows drafts and posts; does not know how a backup is put back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.domain.draft import DraftState
from auria_bot.domain.post import Outcome, PostState
from auria_bot.services.publishing.sending import way_out

if TYPE_CHECKING:
    from datetime import datetime

    from auria_bot.domain.interfaces import Clock
    from auria_bot.store.unit_of_work import Store

__all__ = ["RESTORE", "HeldItems", "hold_back"]

RESTORE = "restore"
"""What the journal calls it that a backup was put back; drafts from before it are approved by the operator alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldItems:
    """What the operator must decide on again."""

    drafts: tuple[int, ...] = ()  # approved ones, which are to be approved again
    posts: tuple[int, ...] = ()  # which may be out


def hold_back(store: Store, clock: Clock, *, as_of: datetime) -> HeldItems:
    """Hold back what may have gone out after the backup.

    Args:
        store: the database as it was put back.
        clock: tells the time.
        as_of: when the backup was made (aware).
    """
    now, drafts, posts = clock(), list[int](), list[int]()
    since = f"the database was put back as of {as_of:%Y-%m-%d %H:%M} UTC, and the post may have gone out after that"
    with store.begin() as unit:
        for post in unit.posts.list({PostState.WAITING, PostState.SENDING, PostState.UNKNOWN}):
            message = f"{since}; look at {post.channel}, then: {way_out(post)}"
            held = post.moved(PostState.NEEDS_ATTENTION, message=message)
            if post.state is PostState.SENDING:
                unit.posts.close_attempt(held, outcome=Outcome.ABANDONED, message=message, at=now)
            else:
                unit.posts.save(held)
            posts.append(post.id)
        for draft in unit.drafts.list({DraftState.APPROVED}):
            unit.drafts.save(draft.edit())
            unit.journal.note("hold_back", draft_id=draft.id, details=since, at=now)
            drafts.append(draft.id)
    return HeldItems(drafts=tuple(sorted(drafts)), posts=tuple(sorted(posts)))
