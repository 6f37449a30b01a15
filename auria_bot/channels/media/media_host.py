"""The way of a picture to the outside: by an endpoint of the operator's own, or by a storage, as the options say.

Knows where pictures can stand; does not know who fetches them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.channels.media.endpoint import PictureEndpoint, PictureHost, picture_key
from auria_bot.channels.media.storage import PictureStorage, StorageKeys
from auria_bot.errors import ChannelError, Unauthorised

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

    from auria_bot.domain.interfaces import Secrets

__all__ = ["MediaHost"]

_PROBE = b"\xff\xd8\xff\xd9"  # the shortest thing that begins and ends like a JPEG


class MediaHost:
    """A channel's way outside."""

    def __init__(
        self,
        secrets: Secrets,
        *,
        channel: str,
        folder: Path,
        public_url: str,
        storage: str,
        bucket: str,
        region: str,
        prefix: str,
    ) -> None:
        """Remember; nothing is read.

        Args:
            secrets: where the key that signs addresses, or the storage's keys are kept.
            channel: the operator's name, for messages.
            folder: that the endpoint serves.
            public_url: where the endpoint is reached from outside; "" where a storage is used.
            storage: its address; "" for none.
            bucket: of the storage.
            region: of the storage.
            prefix: before a picture's name in the bucket.
        """
        self._secrets = secrets
        self._channel = channel
        self._folder = folder
        self._public_url = public_url
        self._storage = storage
        self._bucket = bucket
        self._region = region
        self._prefix = prefix

    def endpoint(self) -> PictureEndpoint:
        """What answers at the public address.

        Raises:
            DiskError: the key that signs addresses cannot be kept.
        """
        return PictureEndpoint(self._folder, picture_key(self._secrets))

    def host(self, client: httpx2.Client) -> PictureHost | PictureStorage:
        """Where pictures stand outside.

        Args:
            client: that talks to a storage.

        Raises:
            Unauthorised: no way is set, or the storage's keys are missing.
        """
        if self._public_url:
            return PictureHost(self._folder, picture_key(self._secrets), public_url=self._public_url)
        if not (self._storage and self._bucket):
            raise Unauthorised(
                "Instagram fetches pictures itself: set public_url, or storage and bucket, in"
                f" channels.{self._channel}.options"
            )
        key_id, secret = self._secrets.get("storage_key_id"), self._secrets.get("storage_secret")
        if not (key_id and secret):
            raise Unauthorised(f"the storage's keys are missing; `auria channels add {self._channel}` asks for them")
        keys = StorageKeys(key_id=key_id, secret=secret, region=self._region)
        return PictureStorage(self._storage, self._bucket, keys, prefix=self._prefix, client=client)

    def removed(self, host: PictureHost | PictureStorage, address: str) -> None:
        """Take a picture away that nobody needs any more; where that fails, its address expires by itself."""
        try:
            host.remove(address)
        except (ChannelError, OSError):
            return

    def tried(self, client: httpx2.Client) -> str:
        """Put a probe outside and fetch it from there; what was found.

        Raises:
            Unauthorised: it cannot be fetched.
            ChannelError: it cannot be put.
        """
        import httpx2

        host = self.host(client)
        address = host.put(_PROBE, lasts=60)
        try:
            answer = client.get(address)
        except httpx2.HTTPError as error:
            return f"whether pictures can be fetched could not be tried from here ({type(error).__name__})"
        finally:
            self.removed(host, address)
        if answer.status_code != 200 or answer.content != _PROBE:
            where = self._public_url or self._storage
            raise Unauthorised(
                f"a picture put out for Instagram cannot be fetched from {where}: it answers {answer.status_code};"
                " see that the endpoint runs and that the address leads to it"
            )
        return "pictures can be fetched"
