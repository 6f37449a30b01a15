"""Requests to X's API, version 2, through tweepy: OAuth 1.0a signatures, time-outs, no secrets in logs.

tweepy has no method for the v2 media upload, the alt text and the AI label, so all calls use its `Client.request`.
What a failed answer means is decided in `x.errors`, what a post is, in `x.channel`.

The field list of posts is the query parameter `post.fields` in the published contract and `tweet.fields` on older
servers. The first answer shows which one the server honours; the channel's cache keeps it.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from auria_bot.channels.answers import as_count, as_items, as_object, as_text
from auria_bot.channels.x.errors import Answered, ErrorClassifier, Stage, kind_of
from auria_bot.channels.x.text import MISSING
from auria_bot.errors import BackendMissing, NotFound, OutcomeUnknown, Throttled
from auria_bot.redaction import register_secret
from auria_bot.url_validation import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auria_bot.channels.answers import ChannelCache

__all__ = ["POST_FIELDS", "Account", "ListedPost", "Media", "Page", "XApi", "moment"]

POST_FIELDS = ("post.fields", "tweet.fields")
"""Names of the query parameter that lists the wanted fields of posts, the current one first."""

_WANTED = (
    "attachments,public_metrics"  # the same for all reads: metrics in an answer show that the parameter was honoured
)
_EPOCH = 1_288_834_974_657  # milliseconds: X's ids count from here
_LOGGERS = ("tweepy", "requests_oauthlib", "oauthlib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account that the keys belong to."""

    id: str
    username: str
    description: str
    followers: int | None
    posts: int | None
    protected: bool
    read_only: bool  # the access token may not write


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """An uploaded picture."""

    id: str
    key: str  # by which posts refer to it


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPost:
    """A post in the timeline."""

    id: str
    at: datetime
    text: str  # HTML-escaped, addresses replaced
    media: frozenset[str]  # keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a timeline, the newest post first."""

    posts: tuple[ListedPost, ...]
    next: str | None  # token of the next page
    complete: bool  # whether the answer holds all posts that it counts, with the fields asked for


def moment(identifier: str) -> datetime:
    """When X made an id.

    Raises:
        ValueError: it is not an id of X.
    """
    at = datetime.fromtimestamp(((int(identifier) >> 22) + _EPOCH) / 1000, UTC)
    if at.year < 2015:  # smaller numbers are not ids of today
        raise ValueError(f"{identifier[:24]!r} is not an id of X")
    return at


class XApi:
    """The requests of a channel, with the keys of one account."""

    def __init__(
        self,
        keys: Mapping[str, str],
        *,
        address: str,
        timeouts: tuple[float, float, float],
        name: str,
        cache: ChannelCache,
    ) -> None:
        """Create the client; nothing is sent.

        Args:
            keys: api_key, api_secret, access_token and access_token_secret.
            address: scheme and host, without a trailing slash.
            timeouts: seconds to connect, between two bytes of an answer, and for a request and its whole answer.
            name: of the channel, for messages.
            cache: keeps which of `POST_FIELDS` the server honours.

        Raises:
            BackendMissing: tweepy is not installed.
        """
        try:
            import tweepy
        except ImportError:
            raise BackendMissing(MISSING) from None
        for key in keys.values():
            register_secret(key)
        self._cache, self._neither = cache, False
        self._deadline = timeouts[2]
        self._classifier = ErrorClassifier(name)
        self._client = tweepy.Client(
            consumer_key=keys["api_key"],
            consumer_secret=keys["api_secret"],
            access_token=keys["access_token"],
            access_token_secret=keys["access_token_secret"],
            wait_on_rate_limit=False,
        )
        self._session = _Session(self._client.session, address, timeouts[:2])
        self._client.session = self._session

    def now(self) -> datetime:
        """The time by X's clock, from its latest answer; by this machine's clock before the first."""
        return datetime.now(UTC) + self._session.ahead

    def account(self) -> Account:
        """The account that the keys belong to.

        Raises:
            Throttled: X cannot be asked now.
            Unauthorised: the keys are not accepted.
            OutcomeUnknown: the answer cannot be interpreted.
        """
        fields = "description,protected,public_metrics,username"
        answer = self._request("GET", "/2/users/me", params={"user.fields": fields})
        data = as_object(answer.get("data"))
        counts = as_object(data.get("public_metrics"))
        if not _is_id(data.get("id")) or not as_text(data.get("username")):
            raise Throttled("X's answer names no account")
        posts = as_count(counts.get("post_count"))
        return Account(
            id=data["id"],
            username=data["username"],
            description=as_text(data.get("description")),
            followers=as_count(counts.get("followers_count")),
            posts=as_count(counts.get("tweet_count")) if posts is None else posts,
            protected=data.get("protected") is True,
            read_only=self._session.access == "read",
        )

    def upload(self, content: bytes) -> Media:
        """Upload a picture, which is not visible yet; raises no OutcomeUnknown."""
        body = {"media": base64.b64encode(content).decode(), "media_category": "tweet_image"}
        answer = self._request("POST", "/2/media/upload", body=body, stage=Stage.PREPARING)
        data = as_object(answer.get("data"))
        if not _is_id(data.get("id")):
            raise Throttled("X accepted the picture but returned no id for it")
        key = as_text(data.get("media_key"))
        return Media(id=data["id"], key=key if re.fullmatch(r"\d+_\d+", key) else f"3_{data['id']}")

    def describe(self, media: Media, alt_text: str) -> None:
        """Set the alt text of an uploaded picture; raises no OutcomeUnknown."""
        body = {"id": media.id, "metadata": {"alt_text": {"text": alt_text}}}
        self._request("POST", "/2/media/metadata", body=body, stage=Stage.PREPARING)

    def create(self, text: str, media: Media, *, made_with_ai: bool) -> str:
        """Publish, by the one visible request; returns the post's id.

        Raises:
            Rejected, Throttled, Unauthorised: nothing was posted.
            DuplicateText: X has the text already.
            OutcomeUnknown: it may have been posted.
        """
        body: dict[str, Any] = {"text": text, "media": {"media_ids": [media.id]}}
        if made_with_ai:
            body["made_with_ai"] = True
        answer = self._request("POST", "/2/tweets", body=body, stage=Stage.VISIBLE)
        identifier = as_object(answer.get("data")).get("id")
        if not _is_post_id(identifier):
            raise OutcomeUnknown("X answered without the post's id")
        return str(identifier)

    def timeline(self, account: str, *, size: int, token: str | None = None) -> Page:
        """A page of the account's posts, the newest first.

        Raises:
            Throttled, Unauthorised, OutcomeUnknown: it cannot be read.
        """
        params = {"max_results": str(size)} | ({"pagination_token": token} if token else {})
        answer = self._posts(f"/2/users/{account}/tweets", params)
        meta = as_object(answer.get("meta"))
        listed = answer.get("data", [])
        if not isinstance(listed, list) or not all(
            isinstance(item, dict) and _is_post_id(item.get("id")) and isinstance(item.get("text"), str)
            for item in listed
        ):
            raise Throttled("X answered with a timeline that cannot be read")
        posts = tuple(
            ListedPost(id=item["id"], at=moment(item["id"]), text=item["text"], media=_media_keys(item))
            for item in listed
        )
        return Page(
            posts=posts,
            next=as_text(meta.get("next_token")) or None,
            complete=not answer.get("errors")
            and meta.get("result_count", len(listed)) == len(listed)
            and (not listed or _has_fields(listed)),
        )

    def counts(self, identifier: str) -> dict[str, Any]:
        """A post's public metrics.

        Raises:
            NotFound: the post is gone.
            Throttled, Unauthorised, OutcomeUnknown: they cannot be read.
        """
        answer = self._posts("/2/tweets", {"ids": identifier})
        for item in map(as_object, as_items(answer.get("data"))):
            if item.get("id") == identifier:
                return as_object(item.get("public_metrics"))
        kinds = {kind_of(as_object(problem)) for problem in as_items(answer.get("errors"))}
        if "resource-not-found" in kinds:
            raise NotFound(f"X has no post {identifier} any more")
        raise Throttled(f"X does not show post {identifier} now ({', '.join(sorted(kinds)) or 'no reason given'})")

    def _posts(self, route: str, params: dict[str, str]) -> dict[str, Any]:
        """Read posts with the fields that the channel needs.

        A server that refuses the parameter's name, or ignores it, is asked again with the other name; which one it
        honours is saved. Where neither works, only one request is made from then on.
        """
        known = as_text(self._cache.load().get("post_fields"))
        names = sorted(POST_FIELDS, key=lambda name: name != known)[: 1 if self._neither else 2]
        answer: dict[str, Any] = {}
        for name in names:
            try:
                answer = self._request("GET", route, params={**params, name: _WANTED})
            except OutcomeUnknown as error:
                if name == names[-1] or not isinstance(error.__cause__, Answered) or error.__cause__.status != 400:
                    raise
                continue
            listed = as_items(answer.get("data"))
            if _has_fields(listed) and name != known:
                self._cache.save({"post_fields": name})
            if _has_fields(listed) or not listed:
                return answer
        self._neither = True
        return answer

    def _request(
        self,
        method: str,
        route: str,
        *,
        params: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        stage: Stage = Stage.READING,
    ) -> dict[str, Any]:
        """Send one request; returns its answer, a JSON object."""
        import requests

        _silence_loggers()
        try:
            response = _within(
                lambda: self._client.request(method, route, params=params, json=body, user_auth=True), self._deadline
            )
        except Answered as answered:
            raise self._classifier.error(answered, stage, ahead=self._session.ahead) from answered
        except (requests.RequestException, OSError, UnicodeError) as error:
            if stage is Stage.VISIBLE and not _never_sent(error):
                raise OutcomeUnknown(f"the connection to X broke ({type(error).__name__})") from None
            raise Throttled(f"X cannot be reached ({type(error).__name__})") from None
        answer = None
        with contextlib.suppress(ValueError, RecursionError):
            answer = response.json()
        if not isinstance(answer, dict):
            reason = "X answered with something that is not a JSON object"
            raise OutcomeUnknown(reason) if stage is Stage.VISIBLE else Throttled(reason)
        return answer


class _Session:
    """Replaces tweepy's session: uses the configured address and time-outs, follows no redirects."""

    def __init__(self, session: Any, address: str, timeouts: tuple[float, float]) -> None:
        self._session, self._address, self._timeouts = session, address, timeouts
        self._session.trust_env = not is_loopback(urlsplit(address).hostname or "")
        self.ahead = timedelta()  # how far X's clock is ahead of this machine's
        self.access = ""  # what the access token allows: "read", "read-write" ...

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Send a request and read the whole answer.

        Raises:
            Answered: the status is not 2xx.
        """
        route = urlsplit(url).path
        response = self._session.request(
            method, self._address + route, timeout=self._timeouts, allow_redirects=False, **options
        )
        with contextlib.suppress(ValueError, OverflowError):  # without a date the offset stays as it was
            at = parsedate_to_datetime(response.headers.get("date", ""))
            self.ahead = at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)
        if abs(self.ahead) < timedelta(seconds=2):
            self.ahead = timedelta()  # the header counts whole seconds
        self.access = str(response.headers.get("x-access-level", self.access))
        if not 200 <= response.status_code < 300:
            raise Answered(
                response.status_code, response.headers, response.content, response.reason or "no reason given"
            )
        return response


def _warnings_only(record: logging.LogRecord) -> bool:
    """A log filter: at lower levels the libraries log headers, signatures and bodies."""
    return record.levelno >= logging.WARNING


def _silence_loggers() -> None:
    """Add the filter to each of the libraries' loggers: a filter does not apply to child loggers."""
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in _LOGGERS:
            logging.getLogger(name).addFilter(_warnings_only)  # adding it again changes nothing


def _within(call: Callable[[], Any], deadline: float) -> Any:
    """Call a function with a time limit: the library's time-outs start anew with every byte.

    A call that takes longer goes on in its thread, which ends with the connection.

    Raises:
        TimeoutError: it takes longer.
    """
    results: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            results.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - handed over and raised in the caller's thread
            results.put((None, error))

    Thread(target=run, daemon=True, name="x-request").start()
    try:
        result, error = results.get(timeout=deadline)
    except Empty:
        raise TimeoutError(f"no complete answer within {deadline:g} seconds") from None
    if error is not None:
        raise error
    return result


def _never_sent(error: BaseException) -> bool:
    """Whether a request failed before its first byte: name not resolved, no route, nothing listening."""
    from requests import ConnectTimeout
    from urllib3.exceptions import NewConnectionError

    cause = error.args[0] if error.args else None
    return isinstance(error, ConnectTimeout) or isinstance(getattr(cause, "reason", None), NewConnectionError)


def _is_id(value: Any) -> bool:
    return re.fullmatch("[0-9]{1,19}", as_text(value)) is not None


def _is_post_id(value: Any) -> bool:
    with contextlib.suppress(ValueError, OverflowError, OSError):
        return _is_id(value) and bool(moment(value))
    return False


def _has_fields(listed: list[Any]) -> bool:
    """Whether the server gave the fields that were asked for, in at least one post."""
    return any("public_metrics" in item or "attachments" in item for item in map(as_object, listed))


def _media_keys(item: dict[str, Any]) -> frozenset[str]:
    keys = as_items(as_object(item.get("attachments")).get("media_keys"))
    return frozenset(key for key in keys if isinstance(key, str))
