"""Avatars: what a channel offers whose profile picture programs may change."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["AvatarChannel"]


@runtime_checkable
class AvatarChannel(Protocol):
    """A channel whose account's profile picture can be changed; others leave that to their platform's own app."""

    avatar_side: int  # pixels of the square picture that it is given
    avatar_bytes: int  # most bytes that the platform takes

    def set_avatar(self, content: bytes, media_type: str) -> None:
        """Replace the account's profile picture; repeating it does no harm.

        Raises:
            ChannelError: it was not replaced, or that is not known.
        """
