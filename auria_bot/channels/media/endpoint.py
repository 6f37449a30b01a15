"""Stands a picture at a public address that is signed and expires, for a platform that fetches pictures itself.

The picture is a file in a folder of the home, and its name is its own permission: a random part, the second at which it
expires, and an HMAC of both. Nothing can be listed or guessed, and what has expired is gone. `PictureHost` puts and
removes pictures, `PictureEndpoint` answers for them; the two share only the folder and the key, so they may run in
two processes. Knows no platform.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets as randomness
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from auria_bot import files
from auria_bot.errors import Throttled, Unauthorised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from auria_bot.domain.interfaces import Secrets

__all__ = ["Answer", "PictureEndpoint", "PictureHost", "picture_key", "picture_server"]

_NAME = re.compile(r"(?P<what>[0-9a-f]{32})-(?P<expires>[0-9a-f]{8,12})-(?P<sign>[0-9a-f]{64})\.jpg", re.ASCII)


def picture_key(secrets: Secrets) -> bytes:
    """The key that signs addresses; made on first use.

    Raises:
        DiskError: it cannot be kept.
    """
    kept = secrets.get("picture_key")
    if not kept:
        kept = randomness.token_hex(32)
        secrets.put("picture_key", kept)
    return kept.encode()


class PictureHost:
    """Puts pictures into a folder that an endpoint of the operator's own shows to the world.

    Usage::

        address = PictureHost(folder, key, public_url="https://auria.example/pictures").put(content, lasts=3600)
    """

    def __init__(self, folder: Path, key: bytes, *, public_url: str, clock: Callable[[], float] = time.time) -> None:
        """Remember where.

        Args:
            folder: made on first use.
            key: that signs addresses.
            public_url: where the endpoint is reached from outside, without a slash at its end.
            clock: seconds since 1970.
        """
        self._folder = folder
        self._key = key
        self._public_url = public_url
        self._clock = clock

    def put(self, content: bytes, *, lasts: float) -> str:
        """Stand a JPEG at an address; what expired is tidied away first.

        Args:
            content: of the file.
            lasts: seconds.

        Raises:
            Throttled: the folder cannot be written.
        """
        what, expires = randomness.token_hex(16), f"{int(self._clock() + lasts):08x}"
        name = f"{what}-{expires}-{_sign(self._key, what, expires)}.jpg"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self.tidy()
            files.write_atomic(self._folder / name, content, durable=False)
        except OSError as error:
            raise Throttled(f"{self._folder} cannot be written: {error.strerror or error}") from None
        return f"{self._public_url}/{name}"

    def remove(self, address: str) -> None:
        """Take a picture away; one that is gone already is no matter."""
        name = address.rpartition("/")[2]
        if _NAME.fullmatch(name):
            (self._folder / name).unlink(missing_ok=True)

    def tidy(self) -> None:
        """Delete what has expired, and what a process that was killed left half written."""
        now = self._clock()
        for path in self._folder.iterdir():
            found = _NAME.fullmatch(path.name)
            stray = path.name.startswith(".new-") and path.stat().st_mtime < time.time() - 3600
            if stray or (found and int(found["expires"], 16) <= now):
                path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the endpoint answers to a request."""

    status: HTTPStatus
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class PictureEndpoint:
    """Answers for the pictures of one folder, and for nothing else. Also a WSGI application."""

    def __init__(self, folder: Path, key: bytes, *, clock: Callable[[], float] = time.time) -> None:
        """Remember where; the folder need not be there yet."""
        self._folder = folder
        self._key = key
        self._clock = clock

    def answer(self, method: str, path: str) -> Answer:
        """The picture; 410 after its time; 404 for everything else, whatever the reason.

        Args:
            method: GET or HEAD.
            path: of the address; only what stands after the last slash counts.
        """
        if method not in {"GET", "HEAD"}:
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD"})
        found = _NAME.fullmatch(path.rpartition("/")[2])
        if found is None or not hmac.compare_digest(_sign(self._key, found["what"], found["expires"]), found["sign"]):
            return _plain(HTTPStatus.NOT_FOUND)
        if int(found["expires"], 16) <= self._clock():
            return _plain(HTTPStatus.GONE)
        try:
            body = (self._folder / found[0]).read_bytes()
        except OSError:
            return _plain(HTTPStatus.NOT_FOUND)
        headers = {
            "Content-Type": "image/jpeg",
            "Content-Length": str(len(body)),
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex",
        }
        return Answer(status=HTTPStatus.OK, headers=headers, body=b"" if method == "HEAD" else body)

    def __call__(self, environ: Mapping[str, str], start_response: Callable[..., object]) -> Iterable[bytes]:
        """The endpoint as a WSGI application."""
        made = self.answer(environ.get("REQUEST_METHOD", "GET"), environ.get("PATH_INFO", ""))
        start_response(f"{made.status.value} {made.status.phrase}", list(made.headers.items()))
        return [made.body]


def picture_server(endpoint: PictureEndpoint, *, host: str, port: int) -> ThreadingHTTPServer:
    """A server of its own for an endpoint; `serve_forever` starts it. Stand it behind something that speaks https.

    Raises:
        Unauthorised: the port cannot be had.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = 30  # seconds: for a client that sends nothing

        def do_GET(self) -> None:
            made = endpoint.answer(self.command, self.path.partition("?")[0])
            self.send_response(made.status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(made.body)

        do_HEAD = do_GET  # noqa: N815 - the server calls it so

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's own name
            """Addresses are permissions: they are not logged."""

        def version_string(self) -> str:
            return "auria"

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise Unauthorised(f"port {port} of {host} cannot be had: {error.strerror or error}") from None
    server.daemon_threads = True
    return server


def _sign(key: bytes, what: str, expires: str) -> str:
    return hmac.new(key, f"auria-picture\x1f{what}\x1f{expires}".encode(), hashlib.sha256).hexdigest()


def _plain(status: HTTPStatus, extra: Mapping[str, str] | None = None) -> Answer:
    return Answer(status=status, headers={"Content-Length": "0", "Cache-Control": "no-store", **(extra or {})})
