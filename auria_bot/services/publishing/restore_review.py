"""Holds back, after a restore, everything that may have been published since the backup was made.

The restored database lacks what was posted after the backup. Posts that were waiting or under way need attention, and
approved drafts must be approved again, so that nothing is repeated without the operator's decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.domain.draft import DraftState
from auria_bot.domain.post import Outcome, PostState
from auria_bot.services.publishing.sending import resolutions

if TYPE_CHECKING:
    from datetime import datetime

    from auria_bot.domain.interfaces import Clock
    from auria_bot.store.unit_of_work import Store

__all__ = ["RESTORE", "HeldItems", "hold_back"]

RESTORE = "restore"
"""The journal's action of a restore; drafts older than the last one are never approved automatically."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldItems:
    """What the operator must decide again."""

    drafts: tuple[int, ...] = ()  # approved ones, which must be approved again
    posts: tuple[int, ...] = ()  # which may be published


def hold_back(store: Store, clock: Clock, *, as_of: datetime) -> HeldItems:
    """Hold back what may have been published after the backup.

    Args:
        store: the restored database.
        clock: the current time.
        as_of: when the backup was made (aware).
    """
    now, drafts, posts = clock(), list[int](), list[int]()
    reason = (
        f"the database was restored as of {as_of:%Y-%m-%d %H:%M} UTC, and the post may have been published after that"
    )
    with store.begin() as unit:
        for post in unit.posts.list({PostState.WAITING, PostState.SENDING, PostState.UNKNOWN}):
            message = f"{reason}; look at {post.channel}, then: {resolutions(post)}"
            held = post.moved(PostState.NEEDS_ATTENTION, message=message)
            if post.state is PostState.SENDING:
                unit.posts.close_attempt(held, outcome=Outcome.ABANDONED, message=message, at=now)
            else:
                unit.posts.save(held)
            posts.append(post.id)
        for draft in unit.drafts.list({DraftState.APPROVED}):
            unit.drafts.save(draft.edit())
            unit.journal.note("hold_back", draft_id=draft.id, details=reason, at=now)
            drafts.append(draft.id)
    return HeldItems(drafts=tuple(sorted(drafts)), posts=tuple(sorted(posts)))
