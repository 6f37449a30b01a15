"""Asks the model server for captions and restyled pictures, within a deadline."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlencode

from auria_bot.errors import InputError, ModelServerAway, ModelServerBusy, PictureError, UnknownName, UsageError
from auria_bot.files import readable_name

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.domain.model_requests import StyleRequest

__all__ = ["CaptionClient"]

_CONNECT = 2.0  # seconds
_LARGEST_ANSWER = 8_000_000  # bytes
_JPEG = b"\xff\xd8\xff"
_KINDS = {"InputError": InputError, "UnknownName": UnknownName, "UsageError": UsageError}


class CaptionClient:
    """The model server, as its clients see it.

    Usage::

        answer = client.caption(picture.read_bytes())
        answer["captions"][0]["text"]
    """

    def __init__(self, server: str, *, deadline: float, largest: int = 10_000_000) -> None:
        """Use a server.

        Args:
            server: HOST:PORT, or "unix:" and the path of a socket.
            deadline: seconds within which a caption must be there.
            largest: bytes of a picture's file.
        """
        self._server, self._deadline, self._largest = server, deadline, largest

    def caption_file(self, picture: Path, *, drawn: bool = False) -> dict[str, Any]:
        """As `caption`, for a file on this machine.

        Raises:
            PictureError: it cannot be read.
        """
        try:
            with picture.open("rb") as file:
                content = file.read(self._largest + 1)
        except OSError as error:
            name = readable_name(picture)
            raise PictureError(f"{name}: cannot be opened ({error.strerror or error})") from None
        return self.caption(content, drawn=drawn)

    def caption(self, content: bytes, *, drawn: bool = False) -> dict[str, Any]:
        """The captions of a picture file, the best first, with the model's version and where each word was seen.

        Args:
            drawn: with a small copy of the picture and a veil for each word, in Base64.

        Raises:
            PictureError: the picture cannot be used.
            ModelServerBusy: the server has too much to do.
            ModelServerAway: it does not answer, or not in time.
        """
        self._check(content)
        body = self._ask("/captions?drawn=1" if drawn else "/captions", content)
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if not isinstance(found, dict) or not found:
            raise ModelServerAway(f"what answers at {self._server} is no model server")
        return found

    def restyle(self, content: bytes, wanted: StyleRequest) -> bytes:
        """A picture file restyled, as JPEG.

        Raises:
            UnknownName: there is no such style.
            PictureError, InputError: picture or wanted cannot be used.
            ModelServerBusy: the server has too much to do.
            ModelServerAway: it does not answer, or not in time.
        """
        self._check(content)
        picture = self._ask(f"/styles?{urlencode(wanted.to_query())}", content)
        if not picture.startswith(_JPEG):
            raise ModelServerAway(f"what answers at {self._server} is no model server")
        return picture

    def _check(self, content: bytes) -> None:
        """Make sure that a picture file is neither empty nor too large."""
        if not content:
            raise PictureError("the picture's file is empty")
        if len(content) > self._largest:
            raise PictureError(f"the picture's file is too large; at most {self._largest:,} bytes are read")

    def _ask(self, path: str, content: bytes) -> bytes:
        connection = _connection(self._server, _CONNECT)
        until = time.monotonic() + self._deadline
        try:
            connection.connect()
            connection.sock.settimeout(max(0.01, until - time.monotonic()))
            connection.request("POST", path, body=content, headers={"X-Deadline": f"{self._deadline:.3f}"})
            connection.sock.settimeout(max(0.01, until - time.monotonic()))
            with connection.getresponse() as answer:
                body = answer.read(_LARGEST_ANSWER + 1)
        except TimeoutError:
            raise ModelServerAway(
                f"the model server at {self._server} did not answer within {self._deadline:g} s"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            raise ModelServerAway(f"the model server at {self._server} does not answer ({reason})") from None
        finally:
            connection.close()
        if len(body) > _LARGEST_ANSWER:
            raise ModelServerAway(f"what the model server at {self._server} answered is longer than any of its answers")
        if answer.status != 200:
            try:
                found = json.loads(body)
            except ValueError:
                found = {}
            self._refuse(answer.status, answer.getheader("retry-after", "1"), found)
        return body

    def _refuse(self, status: int, retry: str, found: Any) -> NoReturn:
        found = found if isinstance(found, dict) else {}
        message = str(found.get("message") or f"the model server at {self._server} answered {status}")[:500]
        kind = found.get("kind")
        if kind == "ModelServerBusy":
            raise ModelServerBusy(message, seconds=int(retry) if retry.isdigit() else 1)
        if kind in {"PictureError", "TooLarge"}:
            raise PictureError(message)
        if kind in _KINDS:
            raise _KINDS[kind](message)
        raise ModelServerAway(message)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket of the file system."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connection(server: str, timeout: float) -> http.client.HTTPConnection:
    if server.startswith("unix:"):
        return _UnixConnection(server.removeprefix("unix:"), timeout)
    host, _, port = server.rpartition(":")
    return http.client.HTTPConnection(host.strip("[]"), int(port), timeout=timeout)
