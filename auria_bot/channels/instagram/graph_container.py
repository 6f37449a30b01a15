"""Containers of the Graph API: what stands between a picture and its publishing, and tells afterwards whether it happened.

A container lives for 24 hours and is published once at most. Knows no words and no picture.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from auria_bot.errors import ChannelError, NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised

if TYPE_CHECKING:
    from auria_bot.channels.instagram.graph_api import GraphApi
    from auria_bot.domain.post import Post

__all__ = ["GraphContainers"]

_LIVES = timedelta(hours=24)  # a container, from its creation
_SOON = timedelta(minutes=5)
_STALE = {"2207001", "2207003", "2207006", "2207008", "2207020", "2207032", "2207053"}  # a new container will do


class GraphContainers:
    """The containers of one account."""

    def __init__(self, api: GraphApi, *, poll: float, patience: float, settle: timedelta) -> None:
        """Remember.

        Args:
            api: that tells of them.
            poll: seconds between two looks.
            patience: seconds until a container must be ready.
            settle: after which a call whose answer was lost has surely been dealt with.
        """
        self._api = api
        self._poll = poll
        self._patience = patience
        self._settle = settle

    def wait(self, container: str, token: str) -> None:
        """Wait until the platform has fetched the picture.

        Raises:
            Rejected: it does not take the picture.
            Throttled: it is not ready in time, or failed in a way that passes.
            Unauthorised: it cannot fetch the picture.
        """
        ends = time.monotonic() + self._patience
        while True:
            found = self._api.read(container, token, fields="status_code,status")
            status, words = str(found.get("status_code"))[:20], str(found.get("status") or "")
            if status == "FINISHED":
                return
            if status == "ERROR":
                raise _spoilt(words)
            if status != "IN_PROGRESS" or time.monotonic() > ends:
                raise Throttled(f"Instagram's container is {status} and not ready", until=datetime.now(UTC) + _SOON)
            time.sleep(self._poll)

    def was_published(self, post: Post, token: str, *, whole: bool) -> bool:
        """Whether the container of a post that is not among the account's latest was published all the same.

        Args:
            post: whose memo is its container.
            token: of the account.
            whole: whether everything published since its attempt was looked through.

        Raises:
            Throttled: it is too early to be sure, or the platform is away.
            Unauthorised: the token.
            OutcomeUnknown: it can never be told.
        """
        now = datetime.now(UTC)
        tried = post.tried_at or now
        try:
            status = str(self._api.read(post.memo, token, fields="status_code").get("status_code"))[:20]
        except (NotFound, Rejected):
            status = "gone"
        if status == "PUBLISHED":
            return True
        if now < tried + self._settle:
            raise Throttled(
                f"Instagram's container is {status}; it is too early to be sure", until=tried + self._settle
            )
        if status in {"FINISHED", "EXPIRED", "ERROR"} or (status == "gone" and whole and now > tried + _LIVES):
            return False
        if status == "gone" and not whole:
            raise OutcomeUnknown(
                "Instagram no longer knows the post's container, and too much was posted since to be sure"
            )
        raise Throttled(f"Instagram's container is {status}, and the post is not listed", until=now + _SOON)


def _spoilt(words: str) -> ChannelError:
    """What a container's ERROR means, by the number in its words."""
    found = re.search(r"\b22070\d\d\b", words)
    number = found[0] if found else ""
    told = f"Instagram could not use the picture: {words[:200]}"
    if number == "2207052":
        return Unauthorised(f"{told}; it must be able to fetch it: see public_url and the storage's options")
    if number in _STALE:
        return Throttled(told, until=datetime.now(UTC) + _SOON)
    return Rejected(told)
