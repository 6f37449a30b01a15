"""X on this machine: a stateful server with the parts of API v2 that the channel uses, and X's own refusals.

It verifies OAuth 1.0a signatures (by a computation of its own), times and nonces; refuses unknown fields and parameters, over-limit
texts, alt texts and pictures, unknown media and repeated texts; keeps posts, alt texts and likes; and fails as it is told to, on any
route and at any byte. Its ids are made like X's, from the time. It follows the published contract (2.167); with `contract = False` it
answers as X did before: `tweet.fields`, `tweet_count`, `retweet_count`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import io
import re
import threading
import time
import unicodedata
from collections import defaultdict, deque
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from PIL import Image

from tests.platforms import FAULTS
from tests.platforms.video import sent_video
from tests.platforms.x_wire import CONTRACT_PROBLEMS, PROBLEMS, Exchange, Handler, Refusal, duplicate

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["XPlatform"]

_EPOCH = 1_288_834_974_657  # milliseconds
_CREATE = "POST /2/tweets"
_DELETE = "DELETE /2/tweets/*"
_CREATE_FIELDS = {
    "card_uri",
    "community_id",
    "direct_message_deep_link",
    "edit_options",
    "for_super_followers_only",
    "geo",
    "made_with_ai",
    "media",
    "nullcast",
    "paid_partnership",
    "poll",
    "quote_tweet_id",
    "reply",
    "reply_settings",
    "share_with_followers",
    "text",
}


@dataclass
class _Tweet:
    id: str
    text: str
    media: list[str]
    made_with_ai: bool
    likes: int = 0


@dataclass
class _Film:
    """A video that is uploaded piece by piece."""

    total: int
    pieces: list[bytes]
    state: str = "begun"  # then "pending", "in_progress", "succeeded" or "failed"
    reason: str = ""


@dataclass
class _State:
    """What the server keeps, under one lock."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    tweets: dict[str, _Tweet] = field(default_factory=dict)  # the oldest first
    media: dict[str, str] = field(default_factory=dict)  # id to alt text
    films: dict[str, _Film] = field(default_factory=dict)  # by id
    faults: dict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    faults_at: dict[int, str] = field(default_factory=dict)  # by the number of the request
    nonces: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)  # method and path of each, as they came
    exchanges: list[Exchange] = field(default_factory=list)  # that were answered in form
    last_id: int = 0


class XPlatform:
    """Usage: `with XPlatform() as platform: channel = XChannel(XChannel.Config(**platform.options()), ...)`."""

    backend = "x"
    faults: tuple[str, ...] = (*FAULTS, "402")

    def __init__(self) -> None:
        self.state = _State()
        self.user = {"id": "1450000000000000001", "username": "auria", "name": "Auria"}
        self.description = "A bot that writes haiku and paints them; run by @her_human"
        self.followers = 12
        self.rewrite: Callable[[str, str, Any], Any] = lambda _method, _path, body: body  # changes answers
        self.contract = True  # whether names are those of the published contract
        self.ignores = False  # whether unknown parameters are ignored instead of refused
        self.older = 0  # posts from before the test: their number in the profile's count
        self.hidden = 0  # how many of the newest posts the timeline does not show yet
        self.partial = False  # whether the timeline's pages lack their last posts, which they count
        self.truncated = False  # whether the timeline is empty although there are posts
        self.clock_ahead = 0.0  # seconds
        self.access_level = "read-write"
        self.reset_after = 1  # seconds until a limit is reset
        self.slow = 1.5  # seconds that a slow answer takes
        self.kill: Callable[[], None] = lambda: None  # kills the client, for the faults "killed-..."
        self.stopping = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        handler = type("OwnHandler", (Handler,), {"platform": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    @property
    def address(self) -> str:
        """Where it listens."""
        if self._server is None:
            raise RuntimeError("the platform is not started")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def options(self) -> dict[str, Any]:
        """Short time-outs; it shows at once what was posted, so nothing has to settle."""
        return {"address": self.address, "settle": 0.0, "connect_timeout": 2.0, "read_timeout": 3.0}

    def secrets(self) -> dict[str, str]:
        """Keys with characters that an encoding must take care of."""
        return {
            "api_key": "apiKEY0123456789",
            "api_secret": "api/SECRET+with=signs&more",
            "access_token": f"{self.user['id']}-accessTOKEN",
            "access_token_secret": "access%SECRET with blanks",
        }

    def fail_next(self, *faults: str) -> None:
        """What the coming calls of `POST /2/tweets` do: one of `faults`, or "cut-at-N" for an answer of N bytes."""
        self.fail_route(_CREATE, *faults)

    def fail_next_deletions(self, *faults: str) -> None:
        """The same for the coming deletions."""
        self.fail_route(_DELETE, *faults)

    def fail_route(self, route: str, *faults: str) -> None:
        """The same for another route, such as "GET /2/users/me"; "ok" lets one call pass."""
        with self.state.lock:
            self.state.faults[route].extend(faults)

    def fail_at(self, number: int, fault: str) -> None:
        """What the n-th request from now does, whatever it is; 1 is the next."""
        with self.state.lock:
            self.state.faults_at[len(self.state.requests) + number] = fault

    def visible(self) -> list[dict[str, Any]]:
        """What followers see, the newest first."""
        with self.state.lock:
            return [
                {
                    "id": tweet.id,
                    "text": tweet.text,
                    "made_with_ai": tweet.made_with_ai,
                    "alt_text": " ".join(self.state.media[one] for one in tweet.media),
                    "media": len(tweet.media),
                    "film": any(one in self.state.films for one in tweet.media),
                }
                for tweet in reversed(self.state.tweets.values())
            ]

    def add(self, text: str, *, age: float = 0.0) -> str:
        """Add a post that was made by hand so many seconds ago; returns its id."""
        with self.state.lock:
            tweet = _Tweet(self._new_id(age), text, [], made_with_ai=False)
            self.state.tweets[tweet.id] = tweet
            if age:
                self.state.tweets = dict(sorted(self.state.tweets.items(), key=lambda item: int(item[0])))
            return tweet.id

    def remove(self, post_id: str) -> None:
        """Delete a post."""
        with self.state.lock:
            self.state.tweets.pop(post_id, None)

    def like(self, post_id: str, times: int) -> None:
        """Let followers like a post."""
        with self.state.lock:
            self.state.tweets[post_id].likes += times

    def requests(self) -> list[str]:
        """Method and path of every request so far."""
        with self.state.lock:
            return list(self.state.requests)

    def now(self) -> float:
        """Its own clock, in seconds."""
        return time.time() + self.clock_ahead

    def _new_id(self, age: float = 0.0) -> str:
        number = (int((self.now() - age) * 1000) - _EPOCH) << 22
        if not age:
            number = self.state.last_id = max(number, self.state.last_id + 1)
        return str(number)

    def answer(self, method: str, path: str, query: list[tuple[str, str]], body: Any) -> tuple[int, dict[str, Any]]:
        """Carry a request out."""
        routes: dict[str, Callable[[dict[str, str], Any], tuple[int, dict[str, Any]]]] = {
            "GET /2/users/me": self._me,
            "GET /2/tweets": self._lookup,
            _CREATE: self._create,
            "POST /2/media/upload": self._upload,
            "POST /2/media/metadata": self._metadata,
            f"GET /2/users/{self.user['id']}/tweets": self._timeline,
        }
        params = dict(query)
        if found := re.fullmatch(r"/2/media/upload/(?:(initialize)|(\d{1,19})/(append|finalize))", path):
            with self.state.lock:
                return self._film(found[3] or found[1], found[2], params, body) if method == "POST" else self._lost()
        if f"{method} {path}" == "GET /2/media/upload":
            with self.state.lock:
                return self._film_status(params)
        with self.state.lock:
            if method == "DELETE" and (match := re.fullmatch(r"/2/tweets/(\d{1,19})", path)):
                return self._delete(match[1], params)
            if f"{method} {path}" not in routes:
                raise Refusal(404, "Not Found")
            return routes[f"{method} {path}"](params, body)

    @property
    def fields(self) -> str:
        """The parameter that lists the fields of posts."""
        return "post.fields" if self.contract else "tweet.fields"

    @property
    def history(self) -> str:
        """The field with a post's earlier versions."""
        return "edit_history_post_ids" if self.contract else "edit_history_tweet_ids"

    def _allow(self, given: dict[str, str], known: set[str]) -> None:
        if not self.ignores:
            _allow(given, known)

    def _me(self, params: dict[str, str], _: Any) -> tuple[int, dict[str, Any]]:
        _allow(params, {"user.fields"})
        posts = "post_count" if self.contract else "tweet_count"
        counts = {
            "followers_count": self.followers,
            "following_count": 3,
            "listed_count": 0,
            posts: len(self.state.tweets) + self.older,
        }
        known = {"description": self.description, "protected": False, "public_metrics": counts, **self.user}
        wanted = {"id", "name", "username", *params.get("user.fields", "").split(",")} - {""}
        _allow(dict.fromkeys(wanted), set(known))
        return 200, {"data": {name: known[name] for name in wanted}}

    def _upload(self, params: dict[str, str], body: Any) -> tuple[int, dict[str, Any]]:
        _allow(params, set())
        _allow(body, {"media", "media_category", "media_type", "shared", "additional_owners"})
        try:
            content = base64.b64decode(body["media"], validate=True)
            if len(content) > 5_000_000:
                raise Refusal(400, "The image file size must be <= 5242880 bytes")
            with Image.open(io.BytesIO(content)) as image:
                image.load()
                fine = image.format in {"JPEG", "PNG", "GIF", "WEBP"} and max(image.size) <= 8192
        except (KeyError, ValueError, OSError):
            fine = False
        if not fine or body.get("media_category") != "tweet_image":
            raise Refusal(400, "media type unrecognized.", kind="invalid-request")
        identifier = self._new_id()
        self.state.media[identifier] = ""
        return 200, {
            "data": {
                "id": identifier,
                "media_key": f"3_{identifier}",
                "expires_after_secs": 86400,
                "size": len(content),
            }
        }

    def _lost(self) -> tuple[int, dict[str, Any]]:
        raise Refusal(404, "Not Found")

    def _film(self, step: str, identifier: str, params: dict[str, str], body: Any) -> tuple[int, dict[str, Any]]:
        """A step of the upload of a video."""
        _allow(params, set())
        if step == "initialize":
            _allow(body, {"media_type", "total_bytes", "media_category", "shared", "additional_owners"})
            if (body.get("media_type"), body.get("media_category")) != ("video/mp4", "tweet_video"):
                raise Refusal(400, "media type unrecognized.", kind="invalid-request")
            if not 0 < body.get("total_bytes", 0) <= 512_000_000:
                raise Refusal(400, "File size exceeds 536870912 bytes.", kind="invalid-request")
            identifier = self._new_id()
            self.state.films[identifier] = _Film(body["total_bytes"], [])
            return 200, {"data": {"id": identifier, "media_key": f"7_{identifier}", "expires_after_secs": 86399}}
        film = self.state.films.get(identifier)
        if film is None or film.state != "begun":
            raise Refusal(400, "Invalid media id.", kind="invalid-request")
        if step == "append":
            _allow(body, {"media", "segment_index"})
            try:
                piece = base64.b64decode(body["media"], validate=True)
            except (KeyError, binascii.Error):
                raise Refusal(400, "segments do not add up to provided total file size.") from None
            if body.get("segment_index") != len(film.pieces) or not 0 < len(piece) <= 5_000_000:
                raise Refusal(400, "Segments out of order or too large.", kind="invalid-request")
            film.pieces.append(piece)
            return 200, {"data": {"expires_at": int(self.now()) + 86399}}
        if sum(map(len, film.pieces)) != film.total:
            raise Refusal(400, "Segments do not add up to provided total file size.", kind="invalid-request")
        film.state = "pending"
        return 200, {"data": self._film_data(identifier, film)}

    def _film_status(self, params: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """How far the processing of a video is; each look brings it further."""
        _allow(params, {"media_id", "command"})
        identifier = params.get("media_id", "")
        film = self.state.films.get(identifier)
        if film is None or film.state == "begun" or params.get("command", "STATUS") != "STATUS":
            raise Refusal(400, "Invalid media id.", kind="invalid-request")
        if film.state == "pending":
            film.state = "in_progress"
        elif film.state == "in_progress":
            try:
                faults = sent_video(b"".join(film.pieces)).faults(
                    most_bytes=512_000_000, seconds=(0.5, 140.0), longest=1280, rate=(1, 60), ratios=(1 / 3, 3)
                )
            except ValueError as error:
                faults = [str(error)]
            film.state, film.reason = ("failed", "; ".join(faults)) if faults else ("succeeded", "")
            if not faults:
                self.state.media[identifier] = ""
        return 200, {"data": self._film_data(identifier, film)}

    def _film_data(self, identifier: str, film: _Film) -> dict[str, Any]:
        info: dict[str, Any] = {"state": film.state}
        if film.state in {"pending", "in_progress"}:
            info["check_after_secs"] = 0
        if film.reason and not self.contract:  # which knows no reason
            info["error"] = {"code": 1, "name": "InvalidMedia", "message": film.reason}
        return {"id": identifier, "media_key": f"7_{identifier}", "size": film.total, "processing_info": info}

    def _metadata(self, params: dict[str, str], body: Any) -> tuple[int, dict[str, Any]]:
        _allow(params, set())
        _allow(body, {"id", "metadata"})
        _allow(body.get("metadata"), {"alt_text"})
        _allow(body["metadata"].get("alt_text"), {"text"})
        text = body["metadata"]["alt_text"].get("text")
        if body.get("id") not in self.state.media:
            raise Refusal(400, "The media ID is invalid.", kind="invalid-request")
        if not isinstance(text, str) or not 0 < len(text) <= 1000:
            raise Refusal(400, "alt_text.text must be between 1 and 1000 characters.", kind="invalid-request")
        self.state.media[body["id"]] = text
        return 200, {"data": {"id": body["id"], "associated_metadata": {"alt_text": {"text": text}}}}

    def _create(self, params: dict[str, str], body: Any) -> tuple[int, dict[str, Any]]:
        _allow(params, set())
        _allow(body, _CREATE_FIELDS)
        _allow(body.get("media", {}), {"media_ids", "tagged_user_ids"})
        text, media = body.get("text", ""), body.get("media", {}).get("media_ids", [])
        if not isinstance(text, str) or not isinstance(media, list) or not (text.strip() or media):
            raise Refusal(400, "One or more parameters to your request was invalid.", kind="invalid-request")
        if _length(text) > 280:
            raise Refusal(400, "Your Tweet text is too long.", kind="invalid-request")
        most = 1 if any(one in self.state.films for one in media) else 4
        if len(media) > most or any(one not in self.state.media for one in media):
            raise Refusal(400, "Your media IDs are invalid.", kind="invalid-request")
        if any(tweet.text == text.strip() for tweet in self.state.tweets.values()):
            raise duplicate()
        tweet = _Tweet(self._new_id(), text.strip(), media, made_with_ai=body.get("made_with_ai", False))
        self.state.tweets[tweet.id] = tweet
        return 201, {"data": {"id": tweet.id, "text": self._shown(tweet), self.history: [tweet.id]}}

    def _delete(self, identifier: str, params: dict[str, str]) -> tuple[int, dict[str, Any]]:
        _allow(params, set())
        if self.state.tweets.pop(identifier, None) is None:
            raise Refusal(404, f"Could not find tweet with id: [{identifier}].")
        return 200, {"data": {"deleted": True}}

    def _timeline(self, params: dict[str, str], _: Any) -> tuple[int, dict[str, Any]]:
        self._allow(params, {"max_results", "pagination_token", self.fields})
        size = int(params.get("max_results", "10"))
        if not 5 <= size <= 100:
            raise Refusal(
                400, "The `max_results` query parameter value is not between 5 and 100", kind="invalid-request"
            )
        listed = [] if self.truncated else list(reversed(self.state.tweets.values()))[self.hidden :][:3200]
        start = int(params.get("pagination_token", "t0")[1:])
        page = listed[start : start + size]
        meta: dict[str, Any] = {"result_count": len(page)}
        if page:
            meta |= {"newest_id": page[0].id, "oldest_id": page[-1].id}
        if start + size < len(listed):
            meta["next_token"] = f"t{start + size}"
        if self.partial:
            page = page[: len(page) // 2]
        fields = params.get(self.fields, "").split(",")
        return 200, {"meta": meta} | ({"data": [self._fields(tweet, fields) for tweet in page]} if page else {})

    def _lookup(self, params: dict[str, str], _: Any) -> tuple[int, dict[str, Any]]:
        self._allow(params, {"ids", self.fields})
        ids = params.get("ids", "").split(",")
        if not all(re.fullmatch(r"[0-9]{1,19}", one) for one in ids):
            raise Refusal(400, "The `ids` query parameter value is not valid", kind="invalid-request")
        found = [self.state.tweets[one] for one in ids if one in self.state.tweets]
        answer: dict[str, Any] = {}
        if found:
            answer["data"] = [self._fields(tweet, params.get(self.fields, "").split(",")) for tweet in found]
        if lost := [one for one in ids if one not in self.state.tweets]:
            answer["errors"] = [
                {
                    "value": one,
                    "resource_id": one,
                    "parameter": "ids",
                    "resource_type": "tweet",
                    "section": "data",
                    "title": "Not Found Error",
                    "detail": f"Could not find tweet with ids: [{one}].",
                    "type": f"{CONTRACT_PROBLEMS if self.contract else PROBLEMS}resource-not-found",
                }
                for one in lost
            ]
        return 200, answer

    def _fields(self, tweet: _Tweet, wanted: list[str]) -> dict[str, Any]:
        known: dict[str, Any] = {
            "attachments": {"media_keys": [f"{7 if one in self.state.films else 3}_{one}" for one in tweet.media]},
            "public_metrics": {
                "repost_count" if self.contract else "retweet_count": 0,
                "reply_count": 0,
                "like_count": tweet.likes,
                "quote_count": 0,
                "bookmark_count": 0,
                "impression_count": 3 * tweet.likes,
            },
        }
        _allow(dict.fromkeys(filter(None, wanted)), set(known))
        found = {name: known[name] for name in wanted if name in known and (name != "attachments" or tweet.media)}
        return {"id": tweet.id, "text": self._shown(tweet), self.history: [tweet.id], **found}

    @staticmethod
    def _shown(tweet: _Tweet) -> str:
        """As X shows it: escaped, addresses shortened, and a link to the picture."""
        short = re.sub(r"https?://\S+", lambda found: f"https://t.co/{_digest(found[0])}", tweet.text)
        return html.escape(short, quote=False) + (f" https://t.co/{_digest(tweet.id)}" if tweet.media else "")


def _allow(given: Any, known: set[str]) -> None:
    """Refuse whatever X would not know."""
    if not isinstance(given, dict) or (unknown := sorted(set(given) - known)):
        named = unknown if isinstance(given, dict) else "the body"
        raise Refusal(400, f"The parameter {named} is not one of {sorted(known)}", kind="invalid-request")


def _length(text: str) -> int:
    """About X's weighted length, by a rule of its own that is never above it."""
    text = unicodedata.normalize("NFC", re.sub(r"https?://\S+", "u" * 23, text))
    text = re.sub("[\U0001f1e6-\U0001f1ff]{2}", "\U0001f3f3", text)  # a flag is one emoji
    text = re.sub("\u200d.|[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]", "", text)
    return sum(1 if ord(one) < 4352 or 8192 <= ord(one) <= 8247 else 2 for one in text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]
