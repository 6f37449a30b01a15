"""Reddit for the tests: OAuth for applications, listings that end after a thousand posts, search, and posts by id.

A real server on this machine that PRAW talks to. It keeps posts, lets them be deleted, removed, purged and let through late, counts requests in a
window, refuses names that its rules forbid, and fails as it is told to (the faulty proxy stands before it).
"""

from __future__ import annotations

import base64
import html
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.platforms.proxy import FaultyProxy, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.platforms.proxy import Answer

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "NOW", "Post", "RedditServer", "poem"]

CLIENT_ID, CLIENT_SECRET = "id-of-aurias-app-42", "secret-of-aurias-app-4242"
NOW = 1_795_000_000.0
"""When the newest posts are written, unless a test says otherwise: seconds since 1970."""

_CEILING = 1000  # posts of a listing
_SEARCH_CEILING = 250
_SPANS = {"hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000, "year": 31_536_000, "all": 10**10}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

_FIRST = ("quiet", "silver", "cold", "golden", "empty", "gentle", "broken", "early", "distant", "hidden")
_THINGS = ("river", "mountain", "window", "garden", "meadow", "forest", "harbor", "valley", "orchard", "bridge")
_BIRDS = ("sparrow", "heron", "cricket", "rabbit", "spider", "salmon", "turtle", "swallow", "pigeon", "beetle")
_DEEDS = ("waits", "sleeps", "listens", "wanders", "hides", "rests", "returns", "drifts", "trembles", "sings")
_LAST = (
    "rain on the roof",
    "the moon on water",
    "a falling leaf",
    "the smell of snow",
    "one more morning",
    "wind in the reeds",
    "a lantern goes out",
    "footprints in frost",
    "the first warm day",
    "clouds over the hill",
)


def poem(number: int) -> tuple[str, str, str]:
    """Three lines unlike those of any other number below 100,000."""
    at = [number // 10**place % 10 for place in range(5)]
    return f"{_FIRST[at[0]]} {_THINGS[at[1]]}", f"a {_BIRDS[at[2]]} {_DEEDS[at[3]]} beside the path", _LAST[at[4]]


@dataclass(slots=True)
class Post:
    """A post as the server keeps it."""

    id: str
    subreddit: str
    title: str
    created: float
    author: str
    body: str = ""
    score: int = 1
    stickied: bool = False
    over_18: bool = False
    state: str = "up"  # or "deleted", "removed", "purged", "held" (not yet let through)

    @property
    def key(self) -> tuple[float, int]:
        """The order of the newest."""
        return self.created, int(self.id, 36)


class RedditServer:
    """A Reddit on a free port of 127.0.0.1."""

    def __init__(self, *, limit: int = 1_000_000, window: float = 600.0) -> None:
        """Set it up.

        Args:
            limit: requests of a window.
            window: seconds.
        """
        self.limit, self.window = limit, window
        self.everything: dict[str, Post] = {}
        self.now = NOW
        self.token_lasts = 3600
        self.private: set[str] = set()
        self.knows_times = True  # search understands timestamp:A..B
        self.forgetful = False  # nothing comes after a post that is gone
        self.drips = 0.0  # seconds between the bytes of the next answer
        self.asked = Counter[str]()  # paths
        self.agents, self.queries = set[str](), list[dict[str, str]]()
        self.before_answer: Callable[[int], None] | None = None  # told the number of each request of reading
        self._tokens: dict[str, float] = {}
        self._numbers = 36**5
        self._lock = threading.RLock()
        self._window_began, self._used = time.monotonic(), 0

    def __enter__(self) -> Self:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server._serve(self, b"")

            def do_POST(self) -> None:
                server._serve(self, self.rfile.read(int(self.headers.get("Content-Length", "0"))))

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that hangs up is part of the game."""

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.proxy = FaultyProxy(
            self._server.server_address[1],
            mutation=lambda method, _: method == "GET",
            answers={"429": lambda: self._limited(reset=1), "429-long": lambda: self._limited(reset=4000)},
        ).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__()
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        """For both of Auria's addresses."""
        return self.proxy.address

    @property
    def direct(self) -> str:
        """The server without the proxy before it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def tokens(self) -> list[str]:
        """Every token that was given and is still good."""
        return list(self._tokens)

    def settings(self, **more: Any) -> dict[str, Any]:
        """The section corpus.reddit that points here, without waits."""
        return {
            "user": "tester",
            "auth_url": self.address,
            "api_url": self.address,
            "timeout": 2.0,
            "retry_delay": 0.01,
            **more,
        }

    # What people do there.

    def post(self, title: str = "", *, subreddit: str = "haiku", age: float = 0.0, **more: Any) -> Post:
        """Write a post; without a title a poem unlike all others. `age` in seconds."""
        with self._lock:
            self._numbers += 7
            number = self._numbers - 36**5
            made = Post(
                id=_base36(self._numbers),
                subreddit=subreddit,
                title=title or " / ".join(poem(number // 7)),
                created=self.now - age,
                author=f"poet_{number % 50}",
                **more,
            )
            self.everything[made.id] = made
            return made

    def fill(self, count: int, *, subreddit: str = "haiku", every: float = 60.0) -> list[Post]:
        """Write so many posts, the oldest first, so many seconds apart."""
        return [self.post(subreddit=subreddit, age=every * (count - number)) for number in range(count)]

    def take_away(self, post_id: str, how: str = "deleted") -> None:
        """Delete, remove or purge a post; "up" lets one through."""
        with self._lock:
            self.everything[post_id].state = how

    def up(self, subreddit: str = "haiku") -> list[Post]:
        """What can be seen, the newest first."""
        with self._lock:
            found = [one for one in self.everything.values() if one.subreddit == subreddit and one.state == "up"]
        return sorted(found, key=lambda one: one.key, reverse=True)

    def end_window(self) -> None:
        """A new window begins."""
        with self._lock:
            self._window_began, self._used = time.monotonic(), 0

    def expire_tokens(self) -> None:
        """No token that was given is good any more."""
        with self._lock:
            self._tokens.clear()

    def fail_next(self, *faults: str) -> None:
        """What the coming requests of reading do, one fault each."""
        self.proxy.fail_next(*faults)

    # How it answers.

    def _serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        status, headers, text = self._answer(handler.command, handler.path, dict(handler.headers.items()), body)
        handler.send_response(status)
        # The proxy ends every connection; a client that is not told might use it once more, and fail by chance.
        for name, value in {**headers, "Content-Length": str(len(text)), "Connection": "close"}.items():
            handler.send_header(name, value)
        handler.end_headers()
        pause, self.drips = self.drips, 0.0
        if not pause:
            handler.wfile.write(text)
            return
        for at in range(len(text)):
            handler.wfile.write(text[at : at + 1])
            handler.wfile.flush()
            time.sleep(pause)

    def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        agent = headers.get("User-Agent", "")
        parts = urlsplit(path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        with self._lock:
            self.asked[parts.path.rstrip("/")] += 1
            self.agents.add(agent)
            if not re.match(r"[\w.]+:[\w-]+:[\w.]+ \(by /u/[\w-]+\)", agent):
                return self._limited(reset=1)
            if parts.path == "/api/v1/access_token":
                return self._token(headers, body)
            token = headers.get("Authorization", "").removeprefix("bearer ")
            if self._tokens.get(token, 0.0) < time.monotonic():
                return json_answer(401, {"message": "Unauthorized", "error": 401})
            if self._now_used() > self.limit:
                return self._limited(reset=max(1, round(self._window_began + self.window - time.monotonic())))
            self.queries.append(query)
            number = len(self.queries)
        if self.before_answer is not None:
            self.before_answer(number)
        with self._lock:
            status, named, text = self._read(method, parts.path.rstrip("/"), query)
            return status, {**named, **self._rates()}, text

    def _token(self, headers: dict[str, str], body: bytes) -> Answer:
        wanted = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if headers.get("Authorization") != f"Basic {wanted}":
            return json_answer(401, {"message": "Unauthorized", "error": 401})
        if parse_qs(body.decode()).get("grant_type") != ["client_credentials"]:
            return json_answer(200, {"error": "unsupported_grant_type"})
        token = f"bearer-token-of-reddit-{len(self._tokens) + self.asked['/api/v1/access_token']:08d}"
        self._tokens[token] = time.monotonic() + self.token_lasts
        return json_answer(
            200, {"access_token": token, "token_type": "bearer", "expires_in": self.token_lasts, "scope": "*"}
        )

    def _now_used(self) -> int:
        if time.monotonic() > self._window_began + self.window:
            self._window_began, self._used = time.monotonic(), 0
        self._used += 1
        return self._used

    def _rates(self) -> dict[str, str]:
        # The real one's window began long ago; PRAW would else spread the requests of a test over minutes.
        left = (
            min(1, round(self._window_began + self.window - time.monotonic())) if self.limit > 10_000 else self.window
        )
        return {
            "X-Ratelimit-Remaining": f"{max(0, self.limit - self._used):.1f}",
            "X-Ratelimit-Used": str(self._used),
            "X-Ratelimit-Reset": str(max(1, round(left))),
        }

    def _limited(self, *, reset: int) -> Answer:
        return json_answer(
            429,
            {"message": "Too Many Requests", "error": 429},
            X_Ratelimit_Remaining="0.0",
            X_Ratelimit_Used=str(self.limit),
            X_Ratelimit_Reset=str(reset),
        )

    def _read(self, method: str, path: str, query: dict[str, str]) -> Answer:
        if method != "GET":
            return json_answer(403, {"message": "Forbidden", "error": 403})
        escaped = query.get("raw_json") != "1"
        if path == "/api/info":
            names = query.get("id", "").split(",")[:100]
            known = [self.everything.get(name.removeprefix("t3_")) for name in names]
            there = [one for one in known if one is not None and one.state != "purged"]
            return json_answer(200, _listing([_record(one, escaped=escaped) for one in there]))
        found = re.fullmatch(r"/r/(\w+)/(new|top|search)", path)
        if not found:
            return json_answer(404, {"message": "Not Found", "error": 404})
        name = found[1].lower()
        if name in self.private:
            return json_answer(403, {"reason": "private", "message": "Forbidden", "error": 403})
        if name not in {one.subreddit.lower() for one in self.everything.values()}:
            return json_answer(404, {"reason": "banned", "message": "Not Found", "error": 404})
        posts, order = self._ordered(name, found[2], query)
        return json_answer(200, self._page(posts, order, query, escaped=escaped))

    def _ordered(self, name: str, kind: str, query: dict[str, str]) -> tuple[list[Post], Callable[[Post], Any]]:
        """A listing's posts, and by what it is ordered, the greatest first."""
        posts = [one for one in self.everything.values() if one.subreddit.lower() == name and one.state == "up"]

        def newest(post: Post) -> Any:
            return post.key

        def best(post: Post) -> Any:
            return post.score, post.key

        order = best if kind == "top" else newest
        if kind != "new":
            since = self.now - _SPANS[query.get("t", "day" if kind == "top" else "all")]
            posts = [one for one in posts if one.created >= since]
        if kind == "search":
            posts = [one for one in posts if self._matches(one, query)]
        posts.sort(key=order, reverse=True)
        return posts[: _SEARCH_CEILING if kind == "search" else _CEILING], order

    def _matches(self, post: Post, query: dict[str, str]) -> bool:
        words = query.get("q", "")
        if span := re.fullmatch(r"timestamp:(\d+)\.\.(\d+)", words):
            if not self.knows_times or query.get("syntax") != "cloudsearch":
                return True  # as if nothing had been asked for
            return int(span[1]) <= int(post.created) <= int(span[2])
        return words.lower() in post.title.lower()

    def _page(
        self, posts: list[Post], order: Callable[[Post], Any], query: dict[str, str], *, escaped: bool
    ) -> dict[str, Any]:
        size = max(1, min(100, int(query.get("limit", "25"))))
        rest = posts
        if name := query.get("after", ""):
            anchor = self.everything.get(name.removeprefix("t3_"))
            if anchor is None or (self.forgetful and anchor.state != "up"):
                return _listing([])
            rest = [one for one in posts if order(one) < order(anchor)]
        elif name := query.get("before", ""):
            anchor = self.everything.get(name.removeprefix("t3_"))
            rest = [] if anchor is None else [one for one in posts if order(one) > order(anchor)][-size:]
        shown = rest[:size]
        pinned = [one for one in posts if one.stickied and one not in shown] if not query.get("after") else []
        after = f"t3_{shown[-1].id}" if len(rest) > size else None
        return _listing([_record(one, escaped=escaped) for one in pinned + shown], after)


def _listing(children: list[dict[str, Any]], after: str | None = None) -> dict[str, Any]:
    wrapped = [{"kind": "t3", "data": one} for one in children]
    return {
        "kind": "Listing",
        "data": {"modhash": "", "dist": len(wrapped), "children": wrapped, "after": after, "before": None},
    }


def _record(post: Post, *, escaped: bool) -> dict[str, Any]:
    """A post as it is told; of a deleted one little is left."""
    title, body, author, by = post.title, post.body, post.author, None
    if post.state == "deleted":
        title, body, author, by = "[deleted by user]", "[deleted]", "[deleted]", "deleted"
    elif post.state == "removed":
        body, by = "[removed]", "moderator"
    text = html.escape if escaped else str
    return {
        "id": post.id,
        "name": f"t3_{post.id}",
        "subreddit": post.subreddit,
        "title": text(title),
        "selftext": text(body),
        "author": author,
        "created_utc": post.created,
        "created": post.created,
        "score": post.score,
        "ups": post.score,
        "stickied": post.stickied,
        "over_18": post.over_18,
        "is_self": True,
        "edited": False,
        "removed_by_category": by,
        "banned_by": None,
        "num_comments": 0,
        "permalink": f"/r/{post.subreddit}/comments/{post.id}/",
        "hidden": False,
        "domain": f"self.{post.subreddit}",
        "upvote_ratio": 1.0,
        "locked": False,
        "media": None,
        "likes": None,
    }


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text
