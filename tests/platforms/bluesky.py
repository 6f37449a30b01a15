"""Bluesky for the tests: a stand-in server, or a real PDS where npm has installed one, each behind the faulty proxy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.platforms import FAULTS
from tests.platforms.atproto_server import AppView, PersonalServer, ask
from tests.platforms.proxy import FaultyProxy, json_answer

if TYPE_CHECKING:
    from tests.platforms.proxy import Answer

__all__ = ["HANDLE", "PDS", "BlueskyPlatform", "RealBlueskyPlatform", "why_not_real"]

HANDLE = "auria.test"
PDS = Path(__file__).parent / "pds"
"""The npm project of a real PDS; `make test-live` installs it."""

PASSWORD = "the-main-password-of-auria"  # noqa: S105 - of an account that lives as long as a test
POST = "app.bsky.feed.post"
WAIT = 60.0  # seconds for a real server to start


def why_not_real() -> str:
    """Why a real PDS cannot be started; "" when it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (PDS / "node_modules" / "@atproto" / "dev-env").is_dir():
        return "the real PDS is not installed: make test-live"
    return ""


def _limit() -> Answer:
    reset = str(int(time.time()) + 120)
    return json_answer(
        429,
        {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"},
        ratelimit_limit="30",
        ratelimit_remaining="0",
        ratelimit_reset=reset,
    )


class BlueskyPlatform:
    """A stand-in server with one account, an AppView that counts, and fans."""

    backend = "bluesky"
    faults = FAULTS
    timeout = 3.0  # seconds

    def __init__(self) -> None:
        self.server: PersonalServer | None = None
        self._fans: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._address = self._start()
        self.proxy = FaultyProxy(
            int(self._address.rpartition(":")[2]),
            mutation=lambda method, path: method == "POST" and path.endswith("/com.atproto.repo.putRecord"),
            answers={
                "401": lambda: json_answer(
                    401, {"error": "AuthenticationRequired", "message": "Authentication Required"}
                ),
                "403": lambda: json_answer(403, {"error": "Forbidden", "message": "Forbidden"}),
                "429": _limit,
                "302": lambda: json_answer(302, {}, Location="http://127.0.0.1:9/"),
                "taken-down": lambda: json_answer(
                    200, {"did": "did:plc:a", "handle": HANDLE, "active": False, "status": "takendown"}
                ),
                "500": lambda: json_answer(500, {"error": "InternalServerError", "message": "Internal Server Error"}),
            },
            host="127.0.0.1" if self.server else "localhost",
        ).__enter__()
        self.appview = AppView(self._address).__enter__()
        self._owner = self._new_account(HANDLE, PASSWORD)
        made = self._ask("com.atproto.server.createAppPassword", {"name": "auria"}, self._owner["accessJwt"])
        self._password = made["password"]
        return self

    def __exit__(self, *_: object) -> None:
        self.appview.__exit__()
        self.proxy.__exit__()
        self._stop()

    def options(self) -> dict[str, Any]:
        """Point the channel at the proxy."""
        return {
            "handle": HANDLE,
            "service": self.proxy.address,
            "appview": self.appview.address,
            "timeout": self.timeout,
            "settle": 0.0,
        }

    def secrets(self) -> dict[str, str]:
        """An app password."""
        return {"app_password": self._password}

    def fail_next(self, *faults: str) -> None:
        """What the coming records do."""
        self.proxy.fail_next(*faults)

    def fail_next_deletions(self, *faults: str) -> None:
        """What the coming deletions of records do."""
        self.proxy.fail_next(*faults, when=lambda method, path: path.endswith("/com.atproto.repo.deleteRecord"))

    def visible(self) -> list[dict[str, Any]]:
        """The account's posts."""
        found = ask(
            self._address, "com.atproto.repo.listRecords", repo=self._owner["did"], collection=POST, limit="100"
        )
        posts = sorted(found["records"], key=lambda one: one["value"]["createdAt"], reverse=True)
        return [
            {
                "id": one["uri"],
                "text": one["value"]["text"],
                "alt_text": (one["value"]["embed"].get("images") or [one["value"]["embed"]])[0]["alt"],
                "film": "video" in one["value"]["embed"],
                "record": one["value"],
            }
            for one in posts
        ]

    def remove(self, post_id: str) -> None:
        """Delete a post as its owner does."""
        did, collection, key = post_id.removeprefix("at://").split("/")
        self._ask("com.atproto.repo.deleteRecord", {"repo": did, "collection": collection, "rkey": key}, self._token())

    def like(self, post_id: str, times: int) -> None:
        """So many accounts put a like into their own repositories."""
        self._react("app.bsky.feed.like", post_id, times)

    def repost(self, post_id: str, times: int) -> None:
        """So many accounts repost it."""
        self._react("app.bsky.feed.repost", post_id, times)

    def follow(self, times: int) -> None:
        """So many accounts follow."""
        for fan in self._some(times):
            self._put(fan, "app.bsky.graph.follow", {"subject": self._owner["did"]})

    def label_as_bot(self) -> None:
        """Say so in the profile."""
        labels = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "bot"}]}
        profile = {"$type": "app.bsky.actor.profile", "displayName": "Auria", "labels": labels}
        body = {"repo": self._owner["did"], "collection": "app.bsky.actor.profile", "rkey": "self", "record": profile}
        self._ask("com.atproto.repo.putRecord", body, self._token())

    def _start(self) -> str:
        self.server = PersonalServer().__enter__()
        return self.server.address

    def _stop(self) -> None:
        if self.server is not None:
            self.server.__exit__()

    def _ask(self, method: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
        return ask(self._address, method, body=body, token=token)

    def _token(self) -> str:
        """The owner's, anew: a test may have let the old one run out."""
        login = {"identifier": HANDLE, "password": PASSWORD}
        return str(self._ask("com.atproto.server.createSession", login)["accessJwt"])

    def _new_account(self, handle: str, password: str) -> dict[str, Any]:
        given = {"handle": handle, "email": f"{handle}@example.org", "password": password}
        return self._ask("com.atproto.server.createAccount", given)

    def _some(self, times: int) -> list[dict[str, Any]]:
        while len(self._fans) < times:
            number = len(self._fans) + 1
            self._fans.append(self._new_account(f"fan{number}.test", f"password-of-fan-{number}"))
        return self._fans[:times]

    def _react(self, collection: str, post_id: str, times: int) -> None:
        did, where, key = post_id.removeprefix("at://").split("/")
        cid = ask(self._address, "com.atproto.repo.getRecord", repo=did, collection=where, rkey=key)["cid"]
        for fan in self._some(times):
            self._put(fan, collection, {"subject": {"uri": post_id, "cid": cid}})

    def _put(self, account: dict[str, Any], collection: str, record: dict[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = {
            "repo": account["did"],
            "collection": collection,
            "record": {"$type": collection, "createdAt": at, **record},
        }
        self._ask("com.atproto.repo.createRecord", body, account["accessJwt"])


class RealBlueskyPlatform(BlueskyPlatform):
    """The same over a real PDS, which ends with the tests."""

    timeout = 3.0  # seconds

    def _start(self) -> str:
        self._process = subprocess.Popen(
            ["node", "server.mjs"],
            cwd=PDS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LOG_ENABLED": "false"},
            text=True,
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError("the real PDS did not start; run it by hand: node tests/platforms/pds/server.mjs")
        return str(json.loads(line)["pds"])

    def _stop(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=WAIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
