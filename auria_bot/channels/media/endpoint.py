"""Hosts pictures at signed public addresses that expire, for platforms that fetch pictures themselves.

A picture is a file in a folder of the home; its name holds a random part, the time at which it expires, and an HMAC
of both, so addresses can neither be listed nor guessed. `PictureHost` adds and removes pictures, `PictureEndpoint`
serves them; they share only the folder and the key, and may run in two processes.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets as randomness
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, BinaryIO

from auria_bot import files
from auria_bot.errors import Throttled, Unauthorised
from auria_bot.http_server import BoundedHTTPServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from auria_bot.domain.interfaces import Secrets

__all__ = ["MEDIA_TYPES", "Answer", "PictureEndpoint", "PictureHost", "picture_key", "picture_server"]

_STEP = 30.0  # seconds for a client to ask, and to read each part
_DEADLINE = 900.0  # seconds for all of it: a film of 300 MB through a line of 3 Mbit/s
_PART = 1 << 16  # bytes
MEDIA_TYPES = {".jpg": "image/jpeg", ".mp4": "video/mp4"}
"""What can be hosted, by the name's ending."""

_NAME = re.compile(
    r"(?P<random>[0-9a-f]{32})-(?P<expires>[0-9a-f]{8,12})-(?P<sign>[0-9a-f]{64})(?P<suffix>\.jpg|\.mp4)", re.ASCII
)


def picture_key(secrets: Secrets) -> bytes:
    """The key that signs addresses; created on first use.

    Raises:
        DiskError: it cannot be saved.
    """
    kept = secrets.get("picture_key")
    if not kept:
        kept = randomness.token_hex(32)
        secrets.put("picture_key", kept)
    return kept.encode()


class PictureHost:
    """Puts pictures into the folder that the operator's endpoint serves.

    Usage::

        address = PictureHost(folder, key, public_url="https://auria.example/pictures").put(content, lasts=3600)
    """

    def __init__(self, folder: Path, key: bytes, *, public_url: str, clock: Callable[[], float] = time.time) -> None:
        """Store the arguments.

        Args:
            folder: created on first use.
            key: signs addresses.
            public_url: public address of the endpoint, without a trailing slash.
            clock: seconds since 1970.
        """
        self._folder = folder
        self._key = key
        self._public_url = public_url
        self._clock = clock

    def put(self, content: bytes, *, lasts: float, suffix: str = ".jpg") -> str:
        """Host a picture or film and return its address; expired ones are deleted first.

        Args:
            lasts: seconds.
            suffix: one of MEDIA_TYPES.

        Raises:
            Throttled: the folder cannot be written.
        """
        random, expires = randomness.token_hex(16), f"{int(self._clock() + lasts):08x}"
        name = f"{random}-{expires}-{_sign(self._key, random, expires)}{suffix}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self.tidy()
            files.write_atomic(self._folder / name, content, durable=False)
        except OSError as error:
            raise Throttled(f"{self._folder} cannot be written: {error.strerror or error}") from None
        return f"{self._public_url}/{name}"

    def remove(self, address: str) -> None:
        """Delete a picture if it is there."""
        name = address.rpartition("/")[2]
        if _NAME.fullmatch(name):
            (self._folder / name).unlink(missing_ok=True)

    def tidy(self) -> None:
        """Delete expired pictures, and files that a killed process left half written."""
        now = self._clock()
        for path in self._folder.iterdir():
            found = _NAME.fullmatch(path.name)
            with contextlib.suppress(OSError):  # another process was faster, or still reads it
                stray = path.name.startswith(".new-") and path.stat().st_mtime < time.time() - 3600
                if stray or (found and int(found["expires"], 16) <= now):
                    path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The endpoint's answer to a request; as an iterable, its body in parts, so that no film is held in memory."""

    status: HTTPStatus
    headers: Mapping[str, str] = field(default_factory=dict)
    file: BinaryIO | None = None  # its content is the body; open: it is served whole although it is removed meanwhile

    def __iter__(self) -> Iterator[bytes]:
        """The body in parts."""
        if self.file is not None:
            while part := self.file.read(_PART):
                yield part

    def close(self) -> None:
        """Close the file; a WSGI server does so when the client has left, too."""
        if self.file is not None:
            self.file.close()


class PictureEndpoint:
    """Serves the pictures of one folder, and nothing else; also a WSGI application."""

    def __init__(self, folder: Path, key: bytes, *, clock: Callable[[], float] = time.time) -> None:
        """Store the arguments; the folder need not exist yet."""
        self._folder = folder
        self._key = key
        self._clock = clock

    def answer(self, method: str, path: str) -> Answer:
        """The picture; 410 after it expired; 404 for everything else."""
        if method not in {"GET", "HEAD"}:
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD"})
        found = _NAME.fullmatch(path.rpartition("/")[2])
        if found is None or not hmac.compare_digest(_sign(self._key, found["random"], found["expires"]), found["sign"]):
            return _plain(HTTPStatus.NOT_FOUND)
        if int(found["expires"], 16) <= self._clock():
            return _plain(HTTPStatus.GONE)
        try:
            file = (self._folder / found[0]).open("rb")
        except OSError:
            return _plain(HTTPStatus.NOT_FOUND)
        size = os.fstat(file.fileno()).st_size
        if method == "HEAD":
            file.close()
        headers = {
            "Content-Type": MEDIA_TYPES[found["suffix"]],
            "Content-Length": str(size),
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex",
        }
        return Answer(status=HTTPStatus.OK, headers=headers, file=None if method == "HEAD" else file)

    def __call__(self, environ: Mapping[str, str], start_response: Callable[..., object]) -> Answer:
        """The endpoint as a WSGI application."""
        answer = self.answer(environ.get("REQUEST_METHOD", "GET"), environ.get("PATH_INFO", ""))
        start_response(f"{answer.status.value} {answer.status.phrase}", list(answer.headers.items()))
        return answer


def picture_server(endpoint: PictureEndpoint, *, host: str, port: int) -> BoundedHTTPServer:
    """Create an HTTP server for an endpoint, to be run behind an https proxy; `serve_forever` starts it.

    Raises:
        Unauthorised: the port is not available.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = _STEP

        def do_GET(self) -> None:
            answer = endpoint.answer(self.command, self.path.partition("?")[0])
            with contextlib.closing(answer):
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                for part in answer:
                    self.wfile.write(part)

        do_HEAD = do_GET  # noqa: N815 - the library's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Log nothing: whoever knows an address may read the picture."""

        def version_string(self) -> str:
            return "auria"

    try:
        return BoundedHTTPServer((host, port), Handler, deadline=_DEADLINE)
    except OSError as error:
        raise Unauthorised(f"port {port} of {host} is not available: {error.strerror or error}") from None


def _sign(key: bytes, random: str, expires: str) -> str:
    return hmac.new(key, f"auria-picture\x1f{random}\x1f{expires}".encode(), hashlib.sha256).hexdigest()


def _plain(status: HTTPStatus, extra: Mapping[str, str] | None = None) -> Answer:
    return Answer(status=status, headers={"Content-Length": "0", "Cache-Control": "no-store", **(extra or {})})
