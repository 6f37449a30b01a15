"""An S3-compatible storage on this machine that verifies every signature itself.

Knows PUT, GET and DELETE of objects in one bucket. What is not signed by its one key, or was signed for longer ago than it
says, is answered with 403.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.platforms.http_server import HttpServer

if TYPE_CHECKING:
    from tests.platforms.proxy import Answer

__all__ = ["StorageStandIn"]


class StorageStandIn:
    """One bucket, one key."""

    bucket = "pictures"
    region = "eu-north-1"
    key_id = "AKSTANDIN000000001"
    secret = "storage/secret+0123456789abcdef"  # noqa: S105 - of the stand-in

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.refused: list[str] = []
        self.log: list[tuple[str, str]] = []
        self.down = False

    def __enter__(self) -> Self:
        self._server = HttpServer(self._answer).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    @property
    def address(self) -> str:
        """Where it listens."""
        return self._server.address

    def _answer(self, method: str, target: str, headers: Any, content: bytes) -> Answer:
        status, body = self._done(method, target, headers, content)
        kind = "video/mp4" if urlsplit(target).path.endswith(".mp4") else "image/jpeg"
        return status, {"Content-Type": kind if status == 200 else "application/xml"}, body

    def _done(self, method: str, target: str, headers: Any, content: bytes) -> tuple[int, bytes]:
        self.log.append((method, target))
        if self.down:
            return 503, b"<Error><Code>SlowDown</Code></Error>"
        path = urlsplit(target).path
        if why := self._wrong(method, target, headers, content):
            self.refused.append(why)
            return 403, f"<Error><Code>{why}</Code></Error>".encode()
        if not path.startswith(f"/{self.bucket}/"):
            return 404, b"<Error><Code>NoSuchBucket</Code></Error>"
        if method == "PUT":
            self.objects[path] = content
            return 200, b""
        if method == "DELETE":
            self.objects.pop(path, None)
            return 204, b""
        found = self.objects.get(path)
        return (404, b"<Error><Code>NoSuchKey</Code></Error>") if found is None else (200, found)

    def _wrong(self, method: str, target: str, headers: Any, content: bytes) -> str:
        """Why a request is refused; "" where it is well signed."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        given = query.pop("X-Amz-Signature", "")
        if given:
            stamp, credential = query.get("X-Amz-Date", ""), query.get("X-Amz-Credential", "")
            names = query.get("X-Amz-SignedHeaders", "").split(";")
            digest, lasts = "UNSIGNED-PAYLOAD", int(query.get("X-Amz-Expires", "0"))
            if not 0 < lasts <= 604800:
                return "AuthorizationQueryParametersError"
        else:
            scheme, _, rest = headers.get("Authorization", "").partition(" ")
            fields = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
            if scheme != "AWS4-HMAC-SHA256":
                return "AccessDenied"
            given, credential = fields["Signature"], fields["Credential"]
            names, stamp, lasts = fields["SignedHeaders"].split(";"), headers.get("x-amz-date", ""), 900
            digest = hashlib.sha256(content).hexdigest()
            if headers.get("x-amz-content-sha256") != digest or "x-amz-content-sha256" not in names:
                return "XAmzContentSHA256Mismatch"
        key_id, day, region, service, last = credential.split("/")
        if (key_id, region, service, last) != (self.key_id, self.region, "s3", "aws4_request") or "host" not in names:
            return "InvalidAccessKeyId"
        signed = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if not signed - timedelta(minutes=15) <= datetime.now(UTC) <= signed + timedelta(seconds=lasts):
            return "RequestTimeTooSkewed"
        wanted = self._sign(
            method, parts.path, query, {name: headers.get(name, "") for name in names}, digest, stamp, day
        )
        return "" if hmac.compare_digest(wanted, given) else "SignatureDoesNotMatch"

    def _sign(
        self, method: str, path: str, query: dict[str, str], signed: dict[str, str], digest: str, stamp: str, day: str
    ) -> str:
        canonical = f"{method}\n{path}\n{urlencode(sorted(query.items()))}\n"
        canonical += "".join(f"{name}:{value}\n" for name, value in sorted(signed.items()))
        canonical += f"\n{';'.join(sorted(signed))}\n{digest}"
        scope = f"{day}/{self.region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = hmac.digest(b"AWS4" + self.secret.encode(), day.encode(), "sha256")
        key = hmac.digest(hmac.digest(key, self.region.encode(), "sha256"), b"s3", "sha256")
        return hmac.digest(hmac.digest(key, b"aws4_request", "sha256"), text.encode(), "sha256").hex()
