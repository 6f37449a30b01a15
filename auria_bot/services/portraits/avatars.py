"""The portrait in use as a channel's avatar, where its platform lets programs change that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auria_bot.domain.avatar import AvatarChannel
from auria_bot.errors import ChannelError, InputError

if TYPE_CHECKING:
    from auria_bot.domain.interfaces import Channel
    from auria_bot.services.portraits.portraits import Portrait

__all__ = ["set_avatar"]


def set_avatar(channel: Channel, portrait: Portrait, *, dry_run: bool) -> dict[str, Any]:
    """Make the portrait a channel's avatar: {"channel", "file", "bytes", "sent"}.

    Args:
        dry_run: only say what would be sent.

    Raises:
        InputError: programs cannot change this platform's avatars.
        ChannelError: the platform refuses it, or would: the file is too large.
        DiskError: the file cannot be read.
    """
    if not isinstance(channel, AvatarChannel):
        raise InputError(
            f"the avatar of channel {channel.name} cannot be changed by programs;"
            f" upload {portrait.file('512.jpg')} in the platform's own app"
        )
    file = portrait.file(f"{channel.avatar_side}.jpg")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); make it again: auria portrait use") from None
    if len(content) > channel.avatar_bytes:
        raise ChannelError(
            f"{file} has {len(content):,} bytes; channel {channel.name} takes {channel.avatar_bytes:,} at most"
        )
    if not dry_run:
        channel.set_avatar(content, "image/jpeg")
    return {"channel": channel.name, "file": str(file), "bytes": len(content), "sent": not dry_run}
