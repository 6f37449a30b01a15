"""Instagram's Graph API on this machine: containers, publishing, a quota, tokens that end, insights.

It fetches pictures itself, from where it is told, as the real one does; it refuses unknown fields, wrong tokens and pictures or
words beyond its limits, with the codes that the real one documents. A proxy before it fails at any byte.
"""

from __future__ import annotations

import io
import itertools
import json
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.platforms import FAULTS
from tests.platforms.feed import Feed
from tests.platforms.http_server import HttpServer
from tests.platforms.picture_storage import StorageStandIn
from tests.platforms.proxy import FaultyProxy, json_answer
from tests.platforms.video import sent_video

if TYPE_CHECKING:
    from tests.platforms.proxy import Answer

__all__ = ["InstagramGraphPlatform"]

SIXTY_DAYS = 60 * 24 * 3600
CONTAINER_FIELDS = {"image_url", "caption", "alt_text", "is_ai_generated"}
REEL_FIELDS = {"media_type", "video_url", "caption", "share_to_feed", "cover_url", "thumb_offset"}


class _Wrong(Exception):
    """An answer of the API that is an error."""

    def __init__(self, code: int, message: str, *, subcode: int | None = None, status: int = 400, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "message": message,
            "type": "OAuthException",
            "code": code,
            "fbtrace_id": "A6LJylpZRKw2xKLFsAP-cJh",
        }
        self.body |= extra | ({"error_subcode": subcode} if subcode else {})


class InstagramGraphPlatform(Feed):
    """One professional account, and its application."""

    backend = "instagram_graph"
    faults = (*FAULTS, "container-error", "quota", "token-expired")

    account = "17841405822304914"
    username = "auria.art"
    token = "IGAAstandin0123456789ABCDEFtoken"  # noqa: S105 - of the stand-in

    def __init__(self) -> None:
        self.storage = StorageStandIn()
        self.tokens = {self.token: time.time() + SIXTY_DAYS}
        self.containers: dict[str, dict[str, Any]] = {}
        self.media: list[dict[str, Any]] = []  # the oldest first
        self.calls: list[tuple[str, str]] = []
        self.quota_used: int | None = None
        self.insights_allowed = True
        self.refreshable = True
        self.permalinks = True
        self.may_delete = False  # the permission that only tokens of Facebook Login can have
        self.followers = 271
        self.looks = 1  # at a container, until it is ready
        self._faults: list[str] = []
        self._numbers = itertools.count(17_900_000_000_000_001)
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        self.storage.__enter__()
        self._server = HttpServer(self._answer).__enter__()
        self.proxy = FaultyProxy(
            self._server.port,
            mutation=lambda method, path: method == "POST" and path.endswith("/media_publish"),
            answers={"401": self._unknown_token, "403": _forbidden, "429": _too_many, "500": _trouble},
        )
        self.proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__()
        self._server.__exit__()
        self.storage.__exit__()

    def options(self) -> dict[str, Any]:
        """Point a channel here; pictures go by the storage."""
        return {
            "address": self.proxy.address,
            "storage": self.storage.address,
            "bucket": self.storage.bucket,
            "region": self.storage.region,
            "timeout": 3.0,
            "poll_interval": 0.01,
            "max_wait": 2.0,
            "settle": 0.1,
        }

    def secrets(self) -> dict[str, str]:
        """A token, and the storage's keys."""
        return {
            "access_token": self.token,
            "storage_key_id": self.storage.key_id,
            "storage_secret": self.storage.secret,
        }

    def _answer(self, method: str, target: str, headers: Any, content: bytes) -> Answer:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            body = json.loads(content) if content else {}
            with self._lock:
                self.calls.append((method, parts.path))
            token = headers.get("Authorization", "").removeprefix("Bearer ") or query.get("access_token", "")
            self._known(token)
            if parts.path == "/refresh_access_token":
                return json_answer(200, self._refreshed(query))
            version, _, rest = parts.path.removeprefix("/").partition("/")
            called = rest if version == "v23.0" else "no such version"
            return json_answer(200, self._call(method, called, query, body))
        except _Wrong as wrong:
            return json_answer(wrong.status, {"error": wrong.body})

    def _call(  # noqa: PLR0911 - one case an edge
        self, method: str, path: str, query: dict[str, str], body: dict[str, Any]
    ) -> dict[str, Any]:
        node, _, edge = path.partition("/")
        mine = node in {"me", self.account}
        with self._lock:
            match method, edge:
                case "GET", "" if mine:
                    return self._picked(
                        query,
                        {
                            "id": "9876543210",
                            "user_id": self.account,
                            "username": self.username,
                            "followers_count": self.followers,
                        },
                    )
                case "GET", "content_publishing_limit" if mine:
                    return self._limit()
                case "GET", "media" if mine:
                    return self._listed(query)
                case "POST", "media" if mine:
                    return self._contain(body)
                case "POST", "media_publish" if mine:
                    return self._publish(body)
                case "GET", "" if node in self.containers:
                    return self._picked(query, self._look(node))
                case "GET", "" if (found := self._find(node)) is not None:
                    if not self.permalinks and "permalink" in query.get("fields", ""):
                        raise _Wrong(2, "Service temporarily unavailable", status=500, is_transient=True)
                    return self._picked(query, _public(found))
                case "DELETE", "" if self._find(node) is not None:
                    return self._delete(node)
                case "GET", "insights" if (found := self._find(node)) is not None:
                    return self._insights(query, found)
        raise _Wrong(100, f"Unsupported {method.lower()} request. Object with ID '{node}' does not exist", subcode=33)

    def _listed(self, query: dict[str, str]) -> dict[str, Any]:
        """A page of the account's posts, the newest first."""
        start, size = int(query.pop("after", "0")), int(query.get("limit", "25"))
        found: dict[str, Any] = {
            "data": [self._picked(query, _public(one)) for one in self.media[::-1][start : start + size]]
        }
        if start + size < len(self.media):
            found["paging"] = {"cursors": {"after": str(start + size)}, "next": "https://graph.instagram.com/..."}
        return found

    def _known(self, token: str) -> None:
        ends = self.tokens.get(token)
        if ends is None:
            raise _Wrong(190, f"Error validating access token: Malformed access token {token}", status=400)
        if ends < time.time():
            raise _Wrong(190, "Error validating access token: Session has expired", subcode=463, status=400)

    def _refreshed(self, query: dict[str, str]) -> dict[str, Any]:
        old = query.get("access_token", "")
        self._known(old)
        if query.get("grant_type") != "ig_refresh_token" or not self.refreshable:
            raise _Wrong(100, "The token cannot be refreshed: it is not 24 hours old")
        renewed = f"{old}R"
        self.tokens[renewed] = time.time() + SIXTY_DAYS
        return {"access_token": renewed, "token_type": "bearer", "expires_in": SIXTY_DAYS}

    def _picked(self, query: dict[str, str], values: dict[str, Any]) -> dict[str, Any]:
        wanted = query.get("fields", "id").split(",")
        if unknown := [name for name in wanted if name not in values]:
            raise _Wrong(100, f"Tried accessing nonexisting field ({unknown[0]})")
        return {"id": values["id"], **{name: values[name] for name in wanted}}

    def _limit(self) -> dict[str, Any]:
        used = len(self.media) if self.quota_used is None else self.quota_used
        if "quota" in self._faults:
            self._faults.remove("quota")
            used = 100
        return {"data": [{"quota_usage": used, "config": {"quota_total": 100, "quota_duration": 86400}}]}

    def _contain(self, body: dict[str, Any]) -> dict[str, Any]:
        reel = body.get("media_type") == "REELS"
        if unknown := set(body) - (REEL_FIELDS if reel else CONTAINER_FIELDS):
            raise _Wrong(100, f"Invalid parameter: {min(unknown)}")
        if len(body.get("caption", "")) > 2200:
            raise _Wrong(36004, "The caption is too long", subcode=2207010)
        if body.get("caption", "").count("#") > 30:
            raise _Wrong(100, "The caption has too many hashtags", subcode=2207040)
        if len(body.get("alt_text", "")) > 1000:
            raise _Wrong(100, "Alternative text is at most 1000 characters long")
        container = str(next(self._numbers))
        broken = "container-error" in self._faults
        if broken:
            self._faults.remove("container-error")
        picture = _fetched_film(body.get("video_url", "")) if reel else _fetched(body.get("image_url", ""))
        self.containers[container] = {**body, "looks": 0, "broken": broken, "published": False, "picture": picture}
        return {"id": container}

    def _look(self, node: str) -> dict[str, Any]:
        container = self.containers[node]
        container["looks"] += 1
        if container.get("expired"):
            return {
                "id": node,
                "status_code": "EXPIRED",
                "status": "Expired: The container was not published in 24 hours",
            }
        if container["published"]:
            return {"id": node, "status_code": "PUBLISHED", "status": "Published: Media has been published"}
        if container["broken"]:
            return {
                "id": node,
                "status_code": "ERROR",
                "status": "Error: Media upload has failed with error code 2207026",
            }
        ready = container["looks"] > self.looks
        return {"id": node, "status_code": "FINISHED" if ready else "IN_PROGRESS", "status": "as the code says"}

    def _publish(self, body: dict[str, Any]) -> dict[str, Any]:
        if set(body) != {"creation_id"}:
            raise _Wrong(100, "Invalid parameter")
        if "token-expired" in self._faults:
            self._faults.remove("token-expired")
            self.tokens = dict.fromkeys(self.tokens, 0.0)
            raise _Wrong(190, "Error validating access token: Session has expired", subcode=463, status=400)
        container = self.containers.get(body["creation_id"])
        if container is None:
            raise _Wrong(24, "The requested resource does not exist", subcode=2207006)
        if container["published"] or container["broken"]:
            raise _Wrong(-1, "Fatal", subcode=2207032)
        if container["looks"] <= self.looks:
            raise _Wrong(9007, "Media ID is not available", subcode=2207027)
        container["published"] = True
        number = str(next(self._numbers))
        self.media.append(
            {
                "id": number,
                "caption": container["caption"],
                "alt_text": container.get("alt_text", ""),
                "likes": 0,
                "views": 0,
                "at": datetime.now(UTC),
                "ai": container.get("is_ai_generated", False),
                "picture": container["picture"],
                "film": container.get("media_type") == "REELS",
            }
        )
        return {"id": number}

    def _delete(self, node: str) -> dict[str, Any]:
        if not self.may_delete:
            raise _Wrong(10, "Application does not have permission for this action", status=403)
        self.media = [one for one in self.media if one["id"] != node]
        return {"success": True, "deleted_id": node}

    def _find(self, node: str) -> dict[str, Any] | None:
        return next((one for one in self.media if one["id"] == node), None)

    def _insights(self, query: dict[str, str], found: dict[str, Any]) -> dict[str, Any]:
        if not self.insights_allowed:
            raise _Wrong(10, "Application does not have permission for this action", status=403)
        values = {"views": found["views"], "saved": 4, "shares": 2, "reach": 17}
        wanted = query.get("metric", "").split(",")
        if unknown := [name for name in wanted if name not in values]:
            raise _Wrong(100, f"metric[0] must be one of the following values: {sorted(values)}, not {unknown[0]}")
        return {"data": [{"name": name, "period": "lifetime", "values": [{"value": values[name]}]} for name in wanted]}

    def _unknown_token(self) -> Answer:
        wrong = _Wrong(190, f"Error validating access token: Malformed access token {self.token}")
        return json_answer(401, {"error": wrong.body})


def _public(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": one["id"],
        "caption": one["caption"],
        "permalink": f"https://www.instagram.com/p/C{one['id'][-9:]}/",
        "timestamp": one["at"].strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "like_count": one["likes"],
        "comments_count": 1,
    }


def _fetched(address: str) -> bytes:
    """The picture at an address, as the platform's own crawler fetches it."""
    from PIL import Image

    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - of the test's own making
            content = bytes(answer.read(20_000_000))
    except (urllib.error.URLError, ValueError):
        raise _Wrong(9004, "The media could not be fetched from this URI", subcode=2207052) from None
    if len(content) > 8 * 1024 * 1024:
        raise _Wrong(36000, "The image size is too large.", subcode=2207004)
    try:
        with Image.open(io.BytesIO(content)) as image:
            kind, ratio = image.format, image.width / image.height
    except (OSError, SyntaxError):
        kind, ratio = None, 1.0
    if kind != "JPEG":
        raise _Wrong(36001, "The image format is not supported.", subcode=2207005)
    if not 0.799 <= ratio <= 1.911:
        raise _Wrong(36003, "The aspect ratio is not supported.", subcode=2207009)
    return content


def _fetched_film(address: str) -> bytes:
    """Fetch a video as Instagram does, and refuse what it refuses."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - loopback
            kind, content = answer.headers.get("Content-Type", ""), answer.read()
    except (OSError, ValueError):
        raise _Wrong(9004, "Only photo or video can be accepted as media type.", subcode=2207052) from None
    try:
        faults = sent_video(content).faults(
            most_bytes=300_000_000, seconds=(3.0, 900.0), longest=1920, rate=(23.0, 60.0)
        )
    except ValueError as error:
        faults = [str(error)]
    if faults or kind != "video/mp4":
        raise _Wrong(352, f"The video file you selected is in a format that we don't support: {faults} {kind}")
    return content


def _forbidden() -> Answer:
    return json_answer(403, {"error": _Wrong(10, "Application does not have permission for this action").body})


def _too_many() -> Answer:
    wrong = _Wrong(4, "Application request limit reached", is_transient=True)
    usage = {"17841405822304914": [{"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": 30}]}
    return json_answer(429, {"error": wrong.body}, X_Business_Use_Case_Usage=json.dumps(usage))


def _trouble() -> Answer:
    return json_answer(500, {"error": _Wrong(2, "An unexpected error has occurred", is_transient=True).body})
