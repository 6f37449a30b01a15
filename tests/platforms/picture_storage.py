"""An S3-compatible storage on this machine that verifies every signature itself.

Knows PUT (also If-None-Match), GET, DELETE and the listing of objects in one bucket; the real one is SeaweedFS, from an environment of its own. What is not signed by its one key, or was signed for longer ago than it
says, is answered with 403.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from tests.platforms.http_server import HttpServer

if TYPE_CHECKING:
    from tests.platforms.proxy import Answer

__all__ = ["RealStorage", "StorageStandIn", "real_program"]


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
        self.read_only = False

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
        known = {"ETag": f'"{hashlib.md5(body).hexdigest()}"', "Last-Modified": "Sun, 01 Nov 2026 08:00:00 GMT"}  # noqa: S324 - as S3 has it
        return status, {"Content-Type": kind if status == 200 else "application/xml", **known}, body

    def _done(self, method: str, target: str, headers: Any, content: bytes) -> tuple[int, bytes]:
        self.log.append((method, target))
        if self.down:
            return 503, b"<Error><Code>SlowDown</Code></Error>"
        path = urlsplit(target).path
        if why := self._wrong(method, target, headers, content):
            self.refused.append(why)
            return 403, f"<Error><Code>{why}</Code></Error>".encode()
        if self.read_only and method != "GET":
            return 403, b"<Error><Code>AccessDenied</Code></Error>"
        if path == f"/{self.bucket}":
            return 200, self._of_bucket(method, dict(parse_qsl(urlsplit(target).query)), content)
        if not path.startswith(f"/{self.bucket}/"):
            return 404, b"<Error><Code>NoSuchBucket</Code></Error>"
        return self._of_object(method, path, headers, content)

    def _of_object(self, method: str, path: str, headers: Any, content: bytes) -> tuple[int, bytes]:
        if method == "PUT":
            if headers.get("If-None-Match") == "*" and path in self.objects:
                return 412, b"<Error><Code>PreconditionFailed</Code></Error>"
            self.objects[path] = content
            return 200, b""
        if method == "DELETE":
            self.objects.pop(path, None)
            return 204, b""
        found = self.objects.get(path)
        return (404, b"<Error><Code>NoSuchKey</Code></Error>") if found is None else (200, found)

    def _of_bucket(self, method: str, query: dict[str, str], content: bytes) -> bytes:
        if method == "GET":
            return self._listed(query)
        keys = re.findall(r"<Key>([^<]*)</Key>", content.decode())
        for key in keys:
            self.objects.pop(f"/{self.bucket}/{quote(key)}", None)
        rows = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        return f"<DeleteResult>{rows}</DeleteResult>".encode()

    def _listed(self, query: dict[str, str]) -> bytes:
        """Two keys at a time, or folders."""
        keys = sorted(unquote(path.removeprefix(f"/{self.bucket}/")) for path in self.objects)
        prefix = query.get("prefix", "")
        keys = [key for key in keys if key.startswith(prefix)]
        if query.get("delimiter"):
            folders = {prefix + key.removeprefix(prefix).split("/")[0] + "/" for key in keys}
            rows = "".join(f"<CommonPrefixes><Prefix>{one}</Prefix></CommonPrefixes>" for one in sorted(folders))
            return f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()
        at = int(query.get("continuation-token", "0"))
        rows = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2026-11-01T08:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
            f"<Size>{len(self.objects[f'/{self.bucket}/' + quote(key)])}</Size></Contents>"
            for key in keys[at : at + 2]
        )
        more = f"<NextContinuationToken>{at + 2}</NextContinuationToken>" if at + 2 < len(keys) else ""
        state = f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>"
        return f"<ListBucketResult>{state}{more}{rows}</ListBucketResult>".encode()

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
        canonical = f"{method}\n{path}\n{urlencode(sorted(query.items()), quote_via=quote)}\n"
        canonical += "".join(f"{name}:{value}\n" for name, value in sorted(signed.items()))
        canonical += f"\n{';'.join(sorted(signed))}\n{digest}"
        scope = f"{day}/{self.region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = hmac.digest(b"AWS4" + self.secret.encode(), day.encode(), "sha256")
        key = hmac.digest(hmac.digest(key, self.region.encode(), "sha256"), b"s3", "sha256")
        return hmac.digest(hmac.digest(key, b"aws4_request", "sha256"), text.encode(), "sha256").hex()


def real_program() -> Path | None:
    """SeaweedFS in the environment of the tools; None where it was not installed."""
    found = Path(__file__).resolve().parents[2] / ".venv-storage" / "bin" / "weed"
    return found if found.is_file() else None


class RealStorage:
    """SeaweedFS in a folder of its own, with one key; it can be stopped and started again at the same address."""

    bucket, region, key_id, secret = "pictures", "eu-north-1", "AKREAL", "storage/secret+0123456789"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        ports: list[int] = []
        with contextlib.ExitStack() as held:
            while len(ports) < 4:  # gRPC listens 10,000 above
                found = held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
                ports += [found] if found < 55_000 else []
        self._ports = ports
        self.address = f"http://127.0.0.1:{ports[0]}"
        keys = {"accessKey": self.key_id, "secretKey": self.secret}
        actions = ["Admin", "Read", "Write", "List"]
        names = {"identities": [{"name": "auria", "credentials": [keys], "actions": actions}]}
        (folder / "s3.json").write_text(json.dumps(names))
        (folder / "data").mkdir()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers."""
        s3, master, volume, filer = self._ports
        options: dict[str, object] = {
            "dir": self._folder / "data",
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "volume.max": 10,
        }
        options |= {"s3.port": s3, "master.port": master, "volume.port": volume, "filer.port": filer}
        options |= {"s3.config": self._folder / "s3.json", "master.volumeSizeLimitMB": 64, "master.telemetry": "false"}
        command = [str(real_program()), "server", "-s3", *(f"-{name}={value}" for name, value in options.items())]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        for _ in range(600):
            if self._process.poll() is not None:
                break
            try:
                urllib.request.urlopen(self.address, timeout=5).close()  # noqa: S310 - of this machine
            except urllib.error.HTTPError:  # it wants a signature: it is there
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError((self._folder / "log").read_text(errors="replace")[-1000:])

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
