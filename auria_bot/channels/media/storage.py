"""Hosts pictures for platforms that fetch them: at the operator's own endpoint, or in S3-compatible storage.

Requests to a storage are signed by AWS Signature Version 4, which Amazon, Cloudflare R2, Backblaze, MinIO and Garage
support. The bucket stays private; only the signed address, which expires, opens a picture. A picture is removed once
it is published; a lifecycle rule of the bucket can delete those that failed posts leave behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets as randomness
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from auria_bot.channels.answers import EXCHANGE, UPLOAD, within
from auria_bot.channels.media.endpoint import MEDIA_TYPES, PictureEndpoint, PictureHost, picture_key
from auria_bot.errors import ChannelError, Rejected, Throttled, Unauthorised

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import httpx2

    from auria_bot.domain.interfaces import Secrets

__all__ = ["MediaHost", "PictureStorage", "StorageKeys", "presigned", "signed_headers"]

_LONGEST = 604_800  # seconds: the maximum validity of an address


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageKeys:
    """The keys for a region; the text form holds no secret."""

    key_id: str
    secret: str
    region: str

    def __repr__(self) -> str:
        return f"StorageKeys(region={self.region!r})"


class PictureStorage:
    """Puts pictures into a bucket.

    Usage::

        storage = PictureStorage("https://s3.eu-central-1.amazonaws.com", "auria", keys, prefix="posts/", client=client)
        address = storage.put(content, lasts=3600)
    """

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        keys: StorageKeys,
        *,
        prefix: str,
        client: httpx2.Client,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Store the arguments; nothing is sent.

        Args:
            endpoint: of the storage, without a trailing slash; the bucket becomes part of the path.
            prefix: of each picture's name in the bucket.
            client: sends the requests, with its own time-outs.
        """
        self._base = f"{endpoint}/{bucket}/{prefix}"
        self._keys = keys
        self._client = client
        self._clock = clock

    def put(self, content: bytes, *, lasts: float, suffix: str = ".jpg") -> str:
        """Upload a picture or film under a random name, and return the signed address; `suffix` is of MEDIA_TYPES.

        Raises:
            Throttled: the storage cannot be reached.
            Unauthorised: it does not accept the keys.
            Rejected: it refuses the picture.
        """
        url = f"{self._base}{randomness.token_hex(16)}{suffix}"
        self._send("PUT", url, content, MEDIA_TYPES[suffix])
        return presigned("GET", url, self._keys, at=self._clock(), lasts=min(int(lasts), _LONGEST))

    def remove(self, address: str) -> None:
        """Delete a picture.

        Raises:
            ChannelError: as for `put`.
        """
        self._send("DELETE", address.partition("?")[0], b"")

    def _send(self, method: str, url: str, content: bytes, media_type: str = "") -> None:
        import httpx2

        extra = {"content-type": media_type} if media_type else {}
        headers = signed_headers(method, url, self._keys, at=self._clock(), content=content, extra=extra)
        hostname = urlsplit(url).hostname

        def send() -> int:  # the answer's content, which may be endless, is not read
            with self._client.stream(method, url, content=content, headers=headers) as response:
                return response.status_code

        try:
            status = within(send, (UPLOAD if content else EXCHANGE) * _step(self._client))
        except (httpx2.HTTPError, TimeoutError) as error:
            raise Throttled(f"the storage {hostname} cannot be reached ({type(error).__name__})") from None
        if status in {401, 403}:
            raise Unauthorised(f"the storage {hostname} answered {status}: check its keys, its bucket and its region")
        if status == 429 or status >= 500:
            raise Throttled(f"the storage {hostname} answered {status}")
        if status >= 300 and not (method == "DELETE" and status == 404):
            raise Rejected(f"the storage {hostname} answered {status}: check its address, its bucket and its region")


def presigned(method: str, url: str, keys: StorageKeys, *, at: datetime, lasts: int) -> str:
    """A signed address that allows one method on one object for a limited time.

    Args:
        url: of the object, without a query.
        lasts: seconds, at most seven days.
    """
    stamp, scope = _scope(at, keys)
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{keys.key_id}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(lasts),
        "X-Amz-SignedHeaders": "host",
    }
    text = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in sorted(query.items()))
    sign = _signature(method, url, text, {"host": urlsplit(url).netloc}, "UNSIGNED-PAYLOAD", keys, at=at)
    return f"{url}?{text}&X-Amz-Signature={sign}"


def signed_headers(
    method: str, url: str, keys: StorageKeys, *, at: datetime, content: bytes, extra: Mapping[str, str]
) -> dict[str, str]:
    """The headers of a signed request.

    Args:
        url: of the object, without a query.
        extra: further headers to sign, in lower case.
    """
    stamp, scope = _scope(at, keys)
    digest = hashlib.sha256(content).hexdigest()
    headers = {**extra, "host": urlsplit(url).netloc, "x-amz-content-sha256": digest, "x-amz-date": stamp}
    sign = _signature(method, url, "", headers, digest, keys, at=at)
    names = ";".join(sorted(headers))
    credential = f"Credential={keys.key_id}/{scope}, SignedHeaders={names}, Signature={sign}"
    return {**headers, "authorization": f"AWS4-HMAC-SHA256 {credential}"}


def _signature(
    method: str, url: str, query: str, headers: Mapping[str, str], digest: str, keys: StorageKeys, *, at: datetime
) -> str:
    stamp, scope = _scope(at, keys)
    names = sorted(headers)
    lines = [f"{name}:{headers[name].strip()}\n" for name in names]
    request = "\n".join([method, urlsplit(url).path or "/", query, "".join(lines), ";".join(names), digest])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{keys.secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _scope(at: datetime, keys: StorageKeys) -> tuple[str, str]:
    return f"{at:%Y%m%dT%H%M%SZ}", f"{at:%Y%m%d}/{keys.region}/s3/aws4_request"


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


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
            status, content = within(lambda: _beginning(client, address), EXCHANGE * _step(client))
        except (httpx2.HTTPError, TimeoutError) as error:
            return f"whether pictures can be fetched could not be tested from here ({type(error).__name__})"
        finally:
            self.remove(host, address)
        if status != 200 or content != _PROBE:
            where = self.public_url or self.storage
            raise Unauthorised(
                f"a picture hosted for Instagram cannot be fetched from {where}: it answers {status};"
                " check that the endpoint runs and that the address leads to it"
            )
        return "pictures can be fetched"


def _beginning(client: httpx2.Client, address: str) -> tuple[int, bytes]:
    """An answer's status and as much of its content as tells whether it is the probe."""
    content = b""
    with client.stream("GET", address) as response:
        for part in response.iter_bytes():
            content += part
            if len(content) > len(_PROBE):
                break
        return response.status_code, content


def _step(client: httpx2.Client) -> float:
    """A client's time-out, in seconds, for each step of a request."""
    return client.timeout.read or 30.0
