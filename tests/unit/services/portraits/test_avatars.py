"""The portrait as an avatar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.channels.folder.channel import FolderChannel
from auria_bot.channels.mastodon.channel import MastodonChannel
from auria_bot.errors import ChannelError, InputError
from auria_bot.services.portraits.avatars import set_avatar
from auria_bot.services.portraits.portraits import Portrait
from tests.platforms import MemorySecrets

if TYPE_CHECKING:
    from pathlib import Path


def test_what_would_be_sent_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run sends nothing; what is missing or too large is refused, and so is a platform that takes none."""
    portrait, secrets = Portrait(folder=tmp_path, version="a", facts={}), MemorySecrets({})
    channel = MastodonChannel(MastodonChannel.Config(), home=tmp_path, secrets=secrets)
    with pytest.raises(InputError, match="make it again: auria portrait use"):
        set_avatar(channel, portrait, dry_run=True)
    (tmp_path / "400.jpg").write_bytes(b"jpeg")
    assert set_avatar(channel, portrait, dry_run=True) == {
        "channel": "mastodon",
        "file": str(tmp_path / "400.jpg"),
        "bytes": 4,
        "sent": False,
    }
    sent: list[tuple[bytes, str]] = []
    monkeypatch.setattr(MastodonChannel, "set_avatar", lambda _, *given: sent.append(given))
    assert set_avatar(channel, portrait, dry_run=False)["sent"]
    assert sent == [(b"jpeg", "image/jpeg")]
    monkeypatch.setattr(MastodonChannel, "avatar_bytes", 3)
    with pytest.raises(ChannelError, match="takes 3 at most"):
        set_avatar(channel, portrait, dry_run=False)
    folder = FolderChannel(FolderChannel.Config(), home=tmp_path, secrets=secrets)
    with pytest.raises(InputError, match=r"upload .*512\.jpg in the platform's own app"):
        set_avatar(folder, portrait, dry_run=False)
