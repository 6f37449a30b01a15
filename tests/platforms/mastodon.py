"""Mastodon for the tests: the package mastodon-mock as the server, behind the faulty proxy.

Beyond the package, films are judged by the limits that the server states, and processed after their upload, as Mastodon does: it is
answered with 202, asked for with 206, and cannot be attached before it is processed.
"""

from __future__ import annotations

import atexit
import email.parser
import json
import re
import shutil
import sqlite3
import tempfile
import time
import urllib.request
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs

from mastodon_mock.config import (
    DatabaseConfig,
    MastodonMockConfig,
    SeedAccount,
    SeedConfig,
    SeedFollow,
    StreamingConfig,
)
from mastodon_mock.testing import MockServer

from tests.platforms import FAULTS
from tests.platforms.fediverse import form_fields
from tests.platforms.proxy import FaultyProxy, json_answer, written
from tests.platforms.video import sent_video

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.platforms.proxy import Answer

__all__ = ["FANS", "FOLLOWERS", "HUMAN", "TOKEN", "MastodonPlatform"]

TOKEN = "mastodon-access-token-of-auria"  # noqa: S105 - of a server that lives as long as a test
HUMAN = "token-of-a-human"
"""Of an account that is not marked as a bot."""
FANS = 12
"""Accounts that can like a post, each once."""
FOLLOWERS = 2


def _limit() -> Answer:
    reset = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() + 120))
    return json_answer(
        429, {"error": "Too many requests"}, X_RateLimit_Limit="300", X_RateLimit_Remaining="0", X_RateLimit_Reset=reset
    )


def _unprocessed(answer: bytes, status: bytes = b"202") -> bytes:
    """A file's description as it is before it is processed: 202 or 206, and no address."""
    head, _, body = answer.partition(b"\r\n\r\n")
    body = json.dumps({**json.loads(body), "url": None}).encode()
    head = re.sub(
        rb"content-length: \d+",
        b"content-length: %d" % len(body),
        head.replace(b" 200 ", b" %s " % status, 1),
        flags=re.IGNORECASE,
    )
    return head + b"\r\n\r\n" + body


_idle: list[MockServer] = []
"""Servers that nobody uses, as they were at their start: to build one takes most of a second."""


def _started() -> MockServer:
    """Another server, which ends with this process."""
    accounts = [
        SeedAccount(username="auria", display_name="Auria", bot=True, access_token=TOKEN),
        SeedAccount(username="human", access_token=HUMAN),
    ]
    accounts += [SeedAccount(username=f"fan{number}", access_token=f"token-of-fan-{number}") for number in range(FANS)]
    follows = [SeedFollow(follower=f"fan{number}", following="auria") for number in range(FOLLOWERS)]
    file, template = Path(tempfile.mkdtemp(dir=_folder())) / "mastodon.db", _folder() / "template.db"
    if template.exists():
        shutil.copyfile(template, file)
    config = MastodonMockConfig(
        database=DatabaseConfig(path=str(file)),
        media_storage_path=str(file.parent / "media"),
        seed=SeedConfig(accounts=accounts, follows=follows),
        streaming=StreamingConfig(enabled=False),
    )
    server = MockServer(config=config, log_level="critical").start()
    atexit.register(server.stop)
    if not template.exists():
        _copy(file, template)
    return server


@cache
def _folder() -> Path:
    """Where the servers' files are, as long as this process runs."""
    folder = Path(tempfile.mkdtemp(prefix="auria-mastodon-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _copy(source: Path, target: Path) -> None:
    """Give a database the content of another one, also where a server has it open."""
    with closing(sqlite3.connect(source)) as given, closing(sqlite3.connect(target, timeout=20)) as changed:
        given.backup(changed)


class MastodonPlatform:
    """A server with a bot's account, one that is none, and fans."""

    backend = "mastodon"
    faults = (*FAULTS, "503", "bad-limits")
    timeout = 3.0  # seconds

    def __enter__(self) -> Self:
        self.server = _idle.pop() if _idle else _started()
        self._account = self.ask("GET", "/api/v1/accounts/verify_credentials")["id"]
        self._texts: dict[tuple[str, str | None], str] = {}
        self._unprocessed: dict[str, int] = {}  # films, and how often they can be asked for until they are processed
        self.proxy = FaultyProxy(
            self.server.port,
            mutation=lambda method, path: method == "POST" and path == "/api/v1/statuses",
            answers={
                "401": lambda: json_answer(401, {"error": "The access token is invalid"}),
                "403": lambda: json_answer(403, {"error": "This action is outside the authorized scopes"}),
                "422": lambda: json_answer(422, {"error": "Validation failed: Text is not to our liking"}),
                "429": _limit,
                "500": lambda: json_answer(500, {"error": "An unexpected error occurred"}),
                "302": lambda: json_answer(302, {}, Location="http://127.0.0.1:9/"),
                "read-only": lambda: json_answer(200, {"name": "an app", "scopes": ["profile", "read", "write:media"]}),
                "unprocessable": lambda: json_answer(422, {"error": "Error processing thumbnail for uploaded media"}),
                "503": lambda: json_answer(503, {"error": "Service temporarily unavailable"}),
            },
            changes={
                "bad-limits": lambda answer: answer.replace(b"\r\n", b"\r\nX-RateLimit-Reset: soon\r\n", 1),
                "unprocessed": _unprocessed,
            },
            before=self._processed,
        ).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__()
        _copy(_folder() / "template.db", Path(self.server.config.database.path))
        _idle.append(self.server)

    def _processed(self, method: str, path: str, request: bytes, ask: Callable[[], bytes]) -> bytes:
        """Judge and process films; everything else is the server's."""
        head, _, content = request.partition(b"\r\n\r\n")
        if method == "POST" and path == "/api/v2/media" and b"video/" in content[:1000]:
            headers = email.parser.BytesHeaderParser().parsebytes(head.partition(b"\r\n")[2])
            film = form_fields(headers, content)["file"]
            try:
                faults = sent_video(film).faults(most_bytes=41_943_040, most_area=2_304_000, rate=(0, 60))
            except ValueError as error:
                faults = [str(error)]
            if faults:
                return written(json_answer(422, {"error": f"Validation failed: File {', '.join(faults)}"}))
            answer = ask()
            self._unprocessed[json.loads(answer.partition(b"\r\n\r\n")[2])["id"]] = 1
            return _unprocessed(answer)
        identifier = path.rpartition("/")[2]
        if path.startswith("/api/v1/media/") and identifier in self._unprocessed:
            self._unprocessed[identifier] -= 1
            if not self._unprocessed[identifier]:
                del self._unprocessed[identifier]
            return _unprocessed(ask(), b"206")
        attached = parse_qs(content.decode("latin-1")).get("media_ids[]", []) if path == "/api/v1/statuses" else []
        if any(one in self._unprocessed for one in attached):
            error = "Validation failed: Cannot attach files that have not finished processing. Try again in a moment!"
            return written(json_answer(422, {"error": error}))
        return ask()

    def options(self) -> dict[str, Any]:
        """Point the channel at the proxy."""
        return {
            "instance": self.proxy.address,
            "timeout": self.timeout,
            "settle": 0.0,
            "processing": 2.0,
            "poll_interval": 0.01,
        }

    def secrets(self) -> dict[str, str]:
        """The bot's token."""
        return {"access_token": TOKEN}

    def fail_next(self, *faults: str) -> None:
        """What the coming statuses do."""
        self.proxy.fail_next(*faults)

    def fail_next_deletions(self, *faults: str) -> None:
        """What the coming deletions of statuses do."""
        self.proxy.fail_next(*faults, when=lambda method, path: method == "DELETE")

    def visible(self) -> list[dict[str, Any]]:
        """The account's statuses."""
        found = self.ask("GET", f"/api/v1/accounts/{self._account}/statuses?limit=40")
        return [
            {
                "id": one["id"],
                "text": self._text(one),
                "alt_text": one["media_attachments"][0]["description"] if one["media_attachments"] else "",
                "film": any(media["type"] == "video" for media in one["media_attachments"]),
                "status": one,
            }
            for one in found
        ]

    def _text(self, status: dict[str, Any]) -> str:
        """A status's text as it was sent, asked for once for each edition."""
        edition = (status["id"], status["edited_at"])
        if edition not in self._texts:
            self._texts[edition] = self.ask("GET", f"/api/v1/statuses/{status['id']}/source")["text"]
        return self._texts[edition]

    def remove(self, post_id: str) -> None:
        """Delete a status as its owner does."""
        self.ask("DELETE", f"/api/v1/statuses/{post_id}")

    def like(self, post_id: str, times: int) -> None:
        """So many accounts favour it."""
        for number in range(times):
            self.ask("POST", f"/api/v1/statuses/{post_id}/favourite", token=f"token-of-fan-{number}")

    def repost(self, post_id: str, times: int) -> None:
        """So many accounts boost it."""
        for number in range(times):
            self.ask("POST", f"/api/v1/statuses/{post_id}/reblog", token=f"token-of-fan-{number}")

    def ask(self, method: str, path: str, *, token: str = TOKEN, body: Any = None) -> Any:
        """Ask the server itself, not through the proxy."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.server.port}{path}",
            method=method,
            headers={"Authorization": f"Bearer {token}"},
            data=None if body is None else json.dumps(body).encode(),
        )
        if body is not None:
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - loopback
            return json.loads(answer.read())
