"""The account that an attempt was made from, noted with it, so that a post is looked for there and nowhere else.

A channel may get the credentials of another account at any time. On that account's timeline a post of unknown outcome
is missing whether it was published or not, and would be published twice.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from auria_bot.errors import OutcomeUnknown

if TYPE_CHECKING:
    from auria_bot.domain.interfaces import Channel
    from auria_bot.domain.post import Post, Receipt

__all__ = ["AccountChannel", "account_of", "find", "for_account", "noted"]

_NOTED = re.compile(r"(.*) @([0-9a-f]{16})", re.DOTALL)


@runtime_checkable
class AccountChannel(Protocol):
    """A channel that knows which account its credentials belong to."""

    def account_id(self) -> str:
        """What identifies the account, whatever it is called; raises as `find` does."""


def account_of(channel: Channel) -> str:
    """What is noted of a channel's account: 16 hexadecimal digits, or "" where the channel tells none.

    Raises:
        Throttled, Unauthorised: the platform cannot be asked now.
    """
    known = channel.account_id() if isinstance(channel, AccountChannel) else ""
    return hashlib.sha256(known.encode()).hexdigest()[:16] if known else ""


def noted(memo: str, account: str) -> str:
    """A channel's memo of an attempt together with the account."""
    return f"{memo} @{account}" if account else memo


def for_account(post: Post, account: str) -> Post:
    """A post as the channel is to send it: with its own memo, and as never tried where another account tried it."""
    plain, earlier = _parted(post)
    return replace(plain, memo="", tried_at=None) if earlier not in {"", account} else plain


def find(channel: Channel, post: Post) -> Receipt | None:
    """The channel's `find`, for a post that was tried from the account that the channel has now.

    Raises:
        OutcomeUnknown: it was tried from another one, or the channel cannot tell.
        Throttled, Unauthorised: the platform cannot be asked now.
    """
    plain, earlier = _parted(post)
    if earlier and earlier != account_of(channel):
        raise OutcomeUnknown(
            f"{post.channel} has another account than the one it was sent from, on which it is not looked for"
        )
    return channel.find(plain)


def _parted(post: Post) -> tuple[Post, str]:
    """A post with the channel's own memo, and the account that was noted."""
    match = _NOTED.fullmatch(post.memo)
    return (replace(post, memo=match[1]), match[2]) if match else (post, "")
