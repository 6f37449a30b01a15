"""Hosts pictures for platforms that fetch them: at an endpoint of the operator's own, or in S3-compatible storage."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.channels.media.endpoint import PictureEndpoint, PictureHost, picture_key
from auria_bot.channels.media.storage import PictureStorage, StorageKeys
from auria_bot.errors import ChannelError, Unauthorised

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

    from auria_bot.domain.interfaces import Secrets

__all__ = ["MediaHost"]

_PROBE = b"\xff\xd8\xff\xd9"  # the shortest content that begins and ends like a JPEG


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaHost:
    """The configured hosting of a channel's pictures."""

    secrets: Secrets  # hold the key that signs addresses, or the storage's keys
    channel: str  # the channel's name, for messages
    folder: Path  # that the endpoint serves
    public_url: str  # public address of the endpoint; "" to use a storage
    storage: str  # address; "" for none
    bucket: str
    region: str
    prefix: str  # of a picture's name in the bucket

    def endpoint(self) -> PictureEndpoint:
        """The HTTP endpoint behind the public address.

        Raises:
            DiskError: the key that signs addresses cannot be saved.
        """
        return PictureEndpoint(self.folder, picture_key(self.secrets))

    def open(self, client: httpx2.Client) -> PictureHost | PictureStorage:
        """The endpoint or the storage, as configured.

        Args:
            client: sends the storage's requests.

        Raises:
            Unauthorised: neither is configured, or the storage's keys are missing.
        """
        if self.public_url:
            return PictureHost(self.folder, picture_key(self.secrets), public_url=self.public_url)
        if not (self.storage and self.bucket):
            raise Unauthorised(
                "Instagram fetches pictures itself: set public_url, or storage and bucket, in"
                f" channels.{self.channel}.options"
            )
        key_id, secret = self.secrets.get("storage_key_id"), self.secrets.get("storage_secret")
        if not (key_id and secret):
            raise Unauthorised(f"the storage's keys are missing; `auria channels add {self.channel}` asks for them")
        keys = StorageKeys(key_id=key_id, secret=secret, region=self.region)
        return PictureStorage(self.storage, self.bucket, keys, prefix=self.prefix, client=client)

    def remove(self, host: PictureHost | PictureStorage, address: str) -> None:
        """Remove a picture; if that fails, its address expires by itself."""
        with contextlib.suppress(ChannelError, OSError):
            host.remove(address)

    def check(self, client: httpx2.Client) -> str:
        """Host a probe and fetch it; returns a clause on the result.

        Raises:
            Unauthorised: it cannot be fetched.
            ChannelError: it cannot be stored.
        """
        import httpx2

        host = self.open(client)
        address = host.put(_PROBE, lasts=60)
        try:
            answer = client.get(address)
        except httpx2.HTTPError as error:
            return f"whether pictures can be fetched could not be tested from here ({type(error).__name__})"
        finally:
            self.remove(host, address)
        if answer.status_code != 200 or answer.content != _PROBE:
            where = self.public_url or self.storage
            raise Unauthorised(
                f"a picture hosted for Instagram cannot be fetched from {where}: it answers {answer.status_code};"
                " check that the endpoint runs and that the address leads to it"
            )
        return "pictures can be fetched"
