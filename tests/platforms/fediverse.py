"""Servers that speak Mastodon's API with accents of their own, on this machine: one small server, and a dialect for each software.

What differs is taken from the softwares' documentation and answers: which descriptions of the server there are and what limits they
state, the form of ids, how a token's scopes are told, how a picture is processed, how HTML is written, how rate limits are told, whether
an idempotency key is honoured, and what is listed.
"""

from __future__ import annotations

import hashlib
import html
import io
import itertools
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

from PIL import Image

from tests.platforms import FAULTS
from tests.platforms.http_server import HttpServer
from tests.platforms.proxy import FaultyProxy, json_answer
from tests.platforms.video import sent_video

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.platforms.proxy import Answer

__all__ = ["DIALECTS", "Dialect", "FediversePlatform", "form_fields"]

TOKEN = "fediverse-access-token-of-auria"  # noqa: S105 - of a server that lives as long as a test
_TAG = re.compile(r"#(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What a software does its own way."""

    name: str
    instance: dict[str, dict[str, Any]]  # path to answer
    identifier: Callable[[int], Any]  # of statuses and media, by their number
    characters: int = 500  # that a status may have
    alt_characters: int = 1500
    scopes: Any = None  # of the token; None where the server has no such endpoint
    json_only: bool = False  # whether whoever does not ask for JSON is sent to the login page
    media_path: str = "/api/v2/media"
    media_states: tuple[int, ...] = (200,)  # of the upload, then of each question
    media_answer: bool = True  # whether a picture can be asked for after its upload
    reset: Callable[[], str] | None = None  # X-RateLimit-Reset, in every answer
    idempotent: bool = True
    page: int = 40  # statuses at most
    pages: bool = True  # whether max_id is honoured
    own_media_ids: bool = True  # whether a status names its media as the upload did
    bot: Any = True
    paragraph: tuple[str, str] = ("<p>", "</p>")
    tag: str = '<a href="{host}/tags/{name}" class="mention hashtag" rel="tag">#<span>{name}</span></a>'


def _described(version: str, characters: Any, **media: Any) -> dict[str, Any]:
    statuses = {"max_characters": characters, "max_media_attachments": 4, "characters_reserved_per_url": 23}
    return {"version": version, "configuration": {"statuses": statuses, "media_attachments": media}}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ulid(number: int) -> str:
    return f"01JDF{number:021d}"


def _hexadecimal(number: int) -> str:
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()


_MASTODON = _described("4.3.1", 500, image_size_limit=16_777_216, image_matrix_limit=33_177_600, description_limit=1500)
_GOTOSOCIAL = _described(
    "0.17.3", 5000, image_size_limit=41_943_040, image_matrix_limit=16_777_216, description_limit=1500
)
_PIXELFED = _described(
    "3.5.3 (compatible; Pixelfed 0.12.4)", 500, image_size_limit=15_360_000, image_matrix_limit=16_777_216
)
_FRIENDICA = _described("2.8.0 (compatible; Friendica 2024.12)", "200000", image_size_limit=-1, image_matrix_limit=None)
_MITRA = _described("4.0.0 (compatible; Mitra 3.12.0)", 5000, image_size_limit=5_242_880, description_limit=1500)
_TAKAHE = _described("takahe/0.11.0", 500, image_size_limit=10_485_760, image_matrix_limit=4_000_000)
_SNAC = _described("2.8.0 (compatible; snac 2.38)", 100_000)
_AKKOMA = {
    "version": "2.7.2 (compatible; Akkoma 3.13.3)",
    "max_toot_chars": 5000,
    "upload_limit": 16_000_000,
    "description_limit": 5000,
}

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            name="mastodon",
            instance={"/api/v2/instance": _MASTODON, "/api/v1/instance": _MASTODON},
            identifier=lambda number: str(113_500_000_000_000_000 + number),
            scopes=["read", "write:statuses", "write:media"],
            media_states=(202, 206, 206, 200),
            reset=lambda: _iso(120),
        ),
        Dialect(
            name="gotosocial",
            instance={"/api/v2/instance": _GOTOSOCIAL, "/api/v1/instance": _GOTOSOCIAL},
            identifier=_ulid,
            characters=5000,
            json_only=True,
            reset=lambda: str(int(time.time()) + 120),
            idempotent=False,
        ),
        Dialect(
            name="akkoma",
            instance={"/api/v1/instance": _AKKOMA},
            identifier=lambda number: f"AnZ{number:015d}x",
            characters=5000,
            alt_characters=5000,
            scopes=["read", "write", "follow", "push"],
            media_states=(202, 200),
            paragraph=("", ""),
            tag='<a class="hashtag" data-tag="{name}" href="{host}/tag/{name}" rel="tag ugc">#{name}</a>',
        ),
        Dialect(
            name="pixelfed",
            instance={"/api/v2/instance": _PIXELFED, "/api/v1/instance": _PIXELFED},
            identifier=lambda number: str(760_000_000_000_000_000 + number),
            alt_characters=1000,
            json_only=True,
            idempotent=False,
            page=24,
            bot=None,
            paragraph=("", ""),
            tag='<a href="{host}/discover/tags/{name}?src=hash" title="#{name}" class="u-url hashtag" rel="external nofollow">#{name}</a>',
        ),
        Dialect(
            name="friendica",
            instance={"/api/v1/instance": _FRIENDICA | {"max_toot_chars": 200_000}},
            identifier=lambda number: 41_000 + number,
            characters=200_000,
            scopes="read write follow push",
            reset=lambda: "soon",
            idempotent=False,
            bot=False,
            paragraph=("", ""),
            tag='#<a href="{host}/search?tag={name}" class="mention hashtag" rel="tag"><span>{name}</span></a>',
        ),
        Dialect(
            name="mitra",
            instance={"/api/v2/instance": _MITRA, "/api/v1/instance": _MITRA},
            identifier=lambda number: f"0193{number:04d}-7b1c-7cc0-9f4e-6f6d2d0c{number:04d}",
            characters=5000,
            scopes=["read", "write"],
            idempotent=False,
            media_path="/api/v1/media",
        ),
        Dialect(
            name="takahe",
            instance={"/api/v1/instance": _TAKAHE},
            identifier=lambda number: str(310_000_000_000_000_000 + number),
            scopes=["read", "write", "follow", "push"],
            idempotent=False,
            media_answer=False,
            media_states=(202,),
            tag='<a href="{host}/tags/{name}/" class="hashtag" rel="tag">#{name}</a>',
        ),
        Dialect(
            name="snac",
            instance={"/api/v1/instance": _SNAC},
            identifier=_hexadecimal,
            characters=100_000,
            idempotent=False,
            media_answer=False,
            page=20,
            pages=False,
            own_media_ids=False,
            tag='<a href="{host}?t={name}" class="mention hashtag" rel="tag">#{name}</a>',
        ),
    )
}


@dataclass
class _State:
    media: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)  # the oldest first
    keys: dict[str, Any] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


class FediversePlatform:
    """A server of one dialect, with one account."""

    backend = "mastodon"
    faults: tuple[str, ...] = FAULTS

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._state = _State()
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self._server = HttpServer(self._answer).__enter__()
        self.proxy = FaultyProxy(
            self._server.port,
            mutation=lambda method, path: method == "POST" and path == "/api/v1/statuses",
            answers={
                "401": lambda: json_answer(401, {"error": "Unauthorized"}),
                "403": lambda: json_answer(403, {"error": "Forbidden"}),
                "429": lambda: json_answer(429, {"error": "Too many requests"}, **self._limits()),
                "500": lambda: json_answer(500, {"error": "Internal Server Error"}),
            },
        ).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__()
        self._server.__exit__()

    def options(self) -> dict[str, Any]:
        """Point a channel here."""
        return {"instance": self.proxy.address, "timeout": 3.0, "settle": 0.0, "processing": 5.0, "poll_interval": 0.01}

    def secrets(self) -> dict[str, str]:
        """The account's token."""
        return {"access_token": TOKEN}

    def fail_next(self, *faults: str) -> None:
        """What the coming statuses do."""
        self.proxy.fail_next(*faults)

    def fail_next_deletions(self, *faults: str) -> None:
        """What the coming deletions of statuses do."""
        self.proxy.fail_next(*faults, when=lambda method, path: method == "DELETE")

    def visible(self) -> list[dict[str, Any]]:
        """What followers see, the newest first."""
        with self._state.lock:
            return [
                {"id": str(one["id"]), "text": one["text"], "alt_text": one["alt_text"]}
                for one in reversed(self._state.statuses)
            ]

    def remove(self, post_id: str) -> None:
        """Delete a status."""
        with self._state.lock:
            self._state.statuses = [one for one in self._state.statuses if str(one["id"]) != post_id]

    def like(self, post_id: str, times: int) -> None:
        """Let followers like a status."""
        with self._state.lock:
            next(one for one in self._state.statuses if str(one["id"]) == post_id)["likes"] += times

    def _limits(self) -> dict[str, str]:
        return {"X_RateLimit_Reset": self.dialect.reset(), "X_RateLimit_Remaining": "7"} if self.dialect.reset else {}

    def _answer(self, method: str, target: str, headers: Any, content: bytes) -> Answer:
        parts = urlsplit(target)
        if self.dialect.json_only and "json" not in headers.get("Accept", ""):
            return json_answer(302, {}, Location=f"{self._server.address}/login")
        with self._state.lock:
            status, body = self._route(
                f"{method} {parts.path}", dict(parse_qsl(parts.query)), headers, form_fields(headers, content)
            )
        return json_answer(status, body, **self._limits())

    def _route(self, route: str, query: dict[str, str], headers: Any, form: dict[str, Any]) -> tuple[int, Any]:  # noqa: PLR0911 - one an endpoint
        if route.removeprefix("GET ") in self.dialect.instance:
            return 200, self.dialect.instance[route.removeprefix("GET ")]
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"error": "The access token is invalid"}
        if route == "GET /api/v1/accounts/verify_credentials":
            return 200, self._account()
        if route == "GET /api/v1/apps/verify_credentials" and self.dialect.scopes is not None:
            return 200, {"name": "auria", "scopes": self.dialect.scopes}
        if route == f"POST {self.dialect.media_path}":
            return self._upload(form)
        if route == "POST /api/v1/statuses":
            return self._post(form, headers.get("Idempotency-Key", ""))
        if route == f"GET /api/v1/accounts/{self._account()['id']}/statuses":
            return 200, self._listed(query)
        if route.startswith("DELETE /api/v1/statuses/"):
            return self._delete(route.rpartition("/")[2])
        return self._one(route)

    def _delete(self, identifier: str) -> tuple[int, Any]:
        """Delete a status; the answer is the status as it was, where the dialect says so."""
        kept = [one for one in self._state.statuses if str(one["id"]) != identifier]
        if len(kept) == len(self._state.statuses):
            return 404, {"error": "Record not found"}
        self._state.statuses = kept
        return 200, {}

    def _one(self, route: str) -> tuple[int, Any]:
        """A picture or a status by its id."""
        _, _, identifier = route.rpartition("/")
        if route.startswith("GET /api/v1/media/") and self.dialect.media_answer and identifier in self._state.media:
            return self._media(identifier)
        if route.startswith("GET /api/v1/statuses/"):
            found = next((one for one in self._state.statuses if str(one["id"]) == identifier), None)
            if found:
                return 200, self._public(found)
        return 404, {"error": "Record not found"}

    def _account(self) -> dict[str, Any]:
        account = {"id": self.dialect.identifier(0), "acct": "auria", "followers_count": 3}
        account["statuses_count"] = len(self._state.statuses)
        return account if self.dialect.bot is None else account | {"bot": self.dialect.bot}

    def _upload(self, form: dict[str, Any]) -> tuple[int, Any]:
        if len(form.get("description", "")) > self.dialect.alt_characters:
            return 422, {"error": "Validation failed: Description is too long"}
        if form.get("file", b"")[4:8] == b"ftyp":
            try:
                faults = sent_video(form["file"]).faults(most_bytes=99_000_000, longest=3840, rate=(0, 120))
            except ValueError as error:
                faults = [str(error)]
            if faults:
                return 422, {"error": f"Validation failed: {faults}"}
        else:
            try:
                with Image.open(io.BytesIO(form["file"])) as image:
                    image.load()
            except (KeyError, OSError):
                return 422, {"error": "Validation failed: File is invalid"}
        identifier = self.dialect.identifier(next(self._numbers))
        self._state.media[str(identifier)] = {"id": identifier, "description": form.get("description"), "asked": 0}
        return self._media(str(identifier))

    def _media(self, identifier: str) -> tuple[int, Any]:
        media, states = self._state.media[identifier], self.dialect.media_states
        status = states[min(media["asked"], len(states) - 1)]
        media["asked"] += 1
        url = (
            None if status in {202, 206} and self.dialect.media_answer else f"{self._server.address}/media/{identifier}"
        )
        return status, {"id": media["id"], "type": "image", "url": url, "description": media["description"]}

    def _post(self, form: dict[str, Any], key: str) -> tuple[int, Any]:
        if self.dialect.idempotent and key in self._state.keys:
            return 200, self._public(self._state.keys[key])
        media = self._state.media.get(form.get("media_ids[]", ""))
        if media is None:
            return 422, {"error": "Validation failed: media is unknown"}
        if media["asked"] < len(self.dialect.media_states):
            return 422, {"error": "Cannot attach files that have not finished processing"}
        if len(form["status"]) > self.dialect.characters:
            return 422, {"error": "Validation failed: Text character limit exceeded"}
        status = {
            "id": self.dialect.identifier(next(self._numbers)),
            "text": form["status"],
            "alt_text": media["description"],
            "media": media,
            "at": _iso(0),
            "likes": 0,
        }
        self._state.statuses.append(status)
        self._state.keys[key] = status
        return 200, self._public(status)

    def _listed(self, query: dict[str, str]) -> list[dict[str, Any]]:
        """A page of the account's statuses, the newest first."""
        statuses = self._state.statuses[::-1]
        if self.dialect.pages and "max_id" in query:
            known = [str(one["id"]) for one in statuses]
            statuses = statuses[known.index(query["max_id"]) + 1 :] if query["max_id"] in known else []
        return [self._public(one) for one in statuses[: min(self.dialect.page, int(query.get("limit", "20")))]]

    def _public(self, status: dict[str, Any]) -> dict[str, Any]:
        host = self._server.address
        before, after = self.dialect.paragraph
        text = html.escape(status["text"], quote=False)
        text = _TAG.sub(lambda found: self.dialect.tag.format(host=host, name=found[1]), text)
        content = f"{before}{text.replace(chr(10), '<br />')}{after}"
        media = status["media"]
        return {
            "id": status["id"],
            "created_at": status["at"],
            "content": content,
            "url": f"{host}/@auria/{status['id']}",
            "uri": f"{host}/users/auria/statuses/{status['id']}",
            "visibility": "public",
            "reblog": None,
            "favourites_count": status["likes"],
            "reblogs_count": 0,
            "replies_count": 0,
            "media_attachments": [
                {
                    "id": media["id"] if self.dialect.own_media_ids else "0",
                    "type": "image",
                    "url": f"{host}/media/{media['id']}",
                    "description": media["description"],
                }
            ],
        }


def form_fields(headers: Any, content: bytes) -> dict[str, Any]:
    """The fields of a form, files as bytes."""
    kind = headers.get("Content-Type", "")
    if not kind.startswith("multipart/"):
        return dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True))
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + content)
    fields: dict[str, Any] = {}
    for part in message.iter_parts():  # type: ignore[attr-defined]  # of this policy
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        fields[name] = payload if part.get_filename() else payload.decode()
    return fields
