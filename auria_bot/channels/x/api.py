"""X's API, version 2, through tweepy's own request path: signed by OAuth 1.0a, timed, and silent in the logs.

tweepy has no method for the upload, the alt text and the mark of AI, so all calls go through its `Client.request`. Before the
visible call nothing can be out; in it, whatever was not refused in plain words may be. Knows requests; what a failed
answer means stands in `x_answers`, and what a post is, in `x`.
"""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from auria_bot.channels.x.errors import Answered, ErrorClassifier, Stage, as_object, kind_of
from auria_bot.channels.x.text import MISSING
from auria_bot.errors import BackendMissing, NotFound, OutcomeUnknown, Throttled
from auria_bot.redaction import register_secret
from auria_bot.url_validation import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Account", "Media", "Page", "Shown", "XApi", "moment"]

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
    key: str  # by which a post names it


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A post as the timeline shows it."""

    id: str
    at: datetime
    text: str  # escaped for HTML, addresses replaced
    media: frozenset[str]  # keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a timeline, the newest first."""

    posts: tuple[Shown, ...]
    next: str | None  # the token of the page after
    complete: bool  # whether X says that nothing of it is left out


def moment(identifier: str) -> datetime:
    """When X made an id.

    Raises:
        ValueError: it is not one of X's.
    """
    at = datetime.fromtimestamp(((int(identifier) >> 22) + _EPOCH) / 1000, UTC)
    if at.year < 2015:  # smaller numbers are no ids of today
        raise ValueError(f"{identifier[:24]!r} is not an id of X")
    return at


class XApi:
    """The requests that a channel makes, with the keys of one account."""

    def __init__(
        self,
        keys: Mapping[str, str],
        *,
        address: str,
        connect_timeout: float,
        read_timeout: float,
        deadline: float,
        name: str,
    ) -> None:
        """Reach for nothing yet.

        Args:
            keys: api_key, api_secret, access_token and access_token_secret.
            address: scheme and host, without a trailing slash.
            connect_timeout: seconds until a connection stands.
            read_timeout: seconds between two bytes of an answer.
            deadline: seconds for a request and its whole answer.
            name: of the channel, for messages.

        Raises:
            BackendMissing: tweepy is not installed.
        """
        try:
            import tweepy
        except ImportError:
            raise BackendMissing(MISSING) from None
        for key in keys.values():
            register_secret(key)
        self._deadline = deadline
        self._judge = ErrorClassifier(name)
        self._client = tweepy.Client(
            consumer_key=keys["api_key"],
            consumer_secret=keys["api_secret"],
            access_token=keys["access_token"],
            access_token_secret=keys["access_token_secret"],
            wait_on_rate_limit=False,
        )
        self._line = _Line(self._client.session, address, (connect_timeout, read_timeout))
        self._client.session = self._line

    def now(self) -> datetime:
        """The time by X's clock, as its latest answer told it; by this machine's before the first."""
        return datetime.now(UTC) + self._line.ahead

    def account(self) -> Account:
        """Who the keys belong to.

        Raises:
            Throttled: it cannot be told now.
            Unauthorised: the keys are not accepted.
            OutcomeUnknown: X answers in a way that nobody foresaw.
        """
        fields = "description,protected,public_metrics,username"
        answer = self._ask("GET", "/2/users/me", params={"user.fields": fields})
        data = as_object(answer.get("data"))
        counts = as_object(data.get("public_metrics"))
        if not _is_id(data.get("id")) or not isinstance(data.get("username"), str):
            raise Throttled("X answered without an account")
        return Account(
            id=data["id"],
            username=data["username"],
            description=str(data.get("description") or ""),
            followers=_count(counts, "followers_count"),
            posts=_count(counts, "tweet_count"),
            protected=data.get("protected") is True,
            read_only=self._line.access == "read",
        )

    def upload(self, content: bytes) -> Media:
        """Upload a picture; nobody sees it yet.

        Raises:
            Rejected, Throttled, Unauthorised: as for a post that is not out.
        """
        encoded = base64.b64encode(content).decode()
        answer = self._ask(
            "POST", "/2/media/upload", body={"media": encoded, "media_category": "tweet_image"}, stage=Stage.PREPARING
        )
        data = as_object(answer.get("data"))
        if not _is_id(data.get("id")):
            raise Throttled("X took the picture and gave no id for it")
        return Media(id=data["id"], key=str(data.get("media_key") or f"3_{data['id']}"))

    def describe(self, media: Media, alt_text: str) -> None:
        """Give a picture its alt text; nobody sees it yet.

        Raises:
            Rejected, Throttled, Unauthorised: as for a post that is not out.
        """
        body = {"id": media.id, "metadata": {"alt_text": {"text": alt_text}}}
        self._ask("POST", "/2/media/metadata", body=body, stage=Stage.PREPARING)

    def create(self, text: str, media: Media, *, made_with_ai: bool) -> str:
        """Publish: the one visible call. Gives the post's id.

        Raises:
            Rejected, Throttled, Unauthorised: it is surely not out.
            DuplicateText: X has the text already.
            OutcomeUnknown: it may be out.
        """
        body: dict[str, Any] = {"text": text, "media": {"media_ids": [media.id]}}
        if made_with_ai:
            body["made_with_ai"] = True
        answer = self._ask("POST", "/2/tweets", body=body, stage=Stage.VISIBLE)
        identifier = as_object(answer.get("data")).get("id")
        try:
            moment(identifier)  # type: ignore[arg-type]  # whatever it is, the answer is judged by it
        except (ValueError, TypeError, OverflowError, OSError):
            raise OutcomeUnknown("X answered without the post's id") from None
        return str(identifier)

    def timeline(self, account: str, *, size: int, token: str | None = None) -> Page:
        """A page of what the account posted, the newest first.

        Raises:
            Throttled, Unauthorised, OutcomeUnknown: it cannot be told.
        """
        params = {"max_results": str(size), "tweet.fields": "attachments"}
        if token:
            params["pagination_token"] = token
        answer = self._ask("GET", f"/2/users/{account}/tweets", params=params)
        listed, meta = answer.get("data", []), as_object(answer.get("meta"))
        try:
            posts = tuple(
                Shown(
                    id=item["id"],
                    at=moment(item["id"]),
                    text=item["text"],
                    media=frozenset(as_object(item.get("attachments")).get("media_keys") or ()),
                )
                for item in listed
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
            raise Throttled("X answered with a timeline that cannot be read") from None
        following = meta.get("next_token")
        return Page(
            posts=posts,
            next=following if isinstance(following, str) and following else None,
            complete=not answer.get("errors") and meta.get("result_count", len(listed)) == len(listed),
        )

    def counts(self, identifier: str) -> dict[str, Any]:
        """A post's public metrics.

        Raises:
            NotFound: the post is gone.
            Throttled, Unauthorised, OutcomeUnknown: it cannot be told.
        """
        answer = self._ask("GET", "/2/tweets", params={"ids": identifier, "tweet.fields": "public_metrics"})
        listed = answer.get("data")
        for item in listed if isinstance(listed, list) else ():
            if as_object(item).get("id") == identifier:
                return as_object(item.get("public_metrics"))
        kinds = {kind_of(as_object(problem)) for problem in answer.get("errors") or () if isinstance(problem, dict)}
        if "resource-not-found" in kinds:
            raise NotFound(f"X has no post {identifier} any more")
        raise Throttled(f"X does not show post {identifier} now ({', '.join(sorted(kinds)) or 'no reason given'})")

    def _ask(
        self,
        method: str,
        route: str,
        *,
        params: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        stage: Stage = Stage.READING,
    ) -> dict[str, Any]:
        """One request; its answer, an object."""
        import requests

        _quieten()
        try:
            response = _in_time(
                lambda: self._client.request(method, route, params=params, json=body, user_auth=True), self._deadline
            )
        except Answered as answered:
            raise self._judge.error(answered, stage, ahead=self._line.ahead) from None
        except (requests.RequestException, OSError, UnicodeError) as error:
            if stage is Stage.VISIBLE and not _never_sent(error):
                raise OutcomeUnknown(f"the connection to X broke ({type(error).__name__})") from None
            raise Throttled(f"X cannot be reached ({type(error).__name__})") from None
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            words = "X answered with something that is not JSON"
            raise OutcomeUnknown(words) if stage is Stage.VISIBLE else Throttled(words)
        return answer


class _Line:
    """Stands in the place of tweepy's session: the configured address, time-outs, no redirects."""

    def __init__(self, session: Any, address: str, timeouts: tuple[float, float]) -> None:
        self._session, self._address, self._timeouts = session, address, timeouts
        self._session.trust_env = not is_loopback(urlsplit(address).hostname or "")
        self.ahead = timedelta()  # how far X's clock is ahead of this machine's
        self.access = ""  # what the access token may do: "read", "read-write" ...

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Send, and read the whole answer.

        Raises:
            Answered: it is no success.
        """
        route = urlsplit(url).path
        response = self._session.request(
            method, self._address + route, timeout=self._timeouts, allow_redirects=False, **options
        )
        try:
            at = parsedate_to_datetime(response.headers.get("date", ""))
            self.ahead = at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)
        except (ValueError, OverflowError):
            pass  # without the date, the clock stays what it was
        if abs(self.ahead) < timedelta(seconds=2):
            self.ahead = timedelta()  # the header counts whole seconds
        self.access = str(response.headers.get("x-access-level", self.access))
        if not 200 <= response.status_code < 300:
            raise Answered(
                response.status_code, response.headers, response.content, response.reason or "no reason given"
            )
        return response


class _Quiet(logging.Filter):
    """Keeps the libraries' talk of headers, signatures and bodies out of every log."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


_QUIET = _Quiet()


def _quieten() -> None:
    """A filter holds for one logger only, not for those below it: so every one of the libraries gets it."""
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in _LOGGERS:
            logging.getLogger(name).addFilter(_QUIET)  # adding it again changes nothing


def _in_time(call: Callable[[], Any], deadline: float) -> Any:
    """What a call gives, within a time: the library's time-outs begin anew with every byte, so a trickle would last for ever.

    A call that takes longer is left to itself, in a thread that ends with the connection.

    Raises:
        TimeoutError: it takes longer.
    """
    results: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            results.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - handed over, and raised there
            results.put((None, error))

    Thread(target=run, daemon=True, name="x-request").start()
    try:
        result, error = results.get(timeout=deadline)
    except Empty:
        raise TimeoutError(f"no whole answer within {deadline:g} seconds") from None
    if error is not None:
        raise error
    return result


def _never_sent(error: BaseException) -> bool:
    """Whether a request failed before its first byte: no name, no route, nobody who listens."""
    from requests import ConnectTimeout
    from urllib3.exceptions import NewConnectionError

    cause = error.args[0] if error.args else None
    return isinstance(error, ConnectTimeout) or isinstance(getattr(cause, "reason", None), NewConnectionError)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 24


def _count(counts: Mapping[str, Any], name: str) -> int | None:
    value = counts.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
