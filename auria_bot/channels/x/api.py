"""Requests to X's API, version 2, through tweepy: OAuth 1.0a signatures, time-outs, no secrets in logs.

tweepy has no method for the v2 media upload, the alt text and the AI label, so all calls use its `Client.request`.
What a failed answer means is decided in `x.session`, what a post is, in `x.channel`.

The field list of posts is the query parameter `post.fields` in the published contract and `tweet.fields` on older
servers. The first answer shows which one the server honours; the channel's cache keeps it.
"""

from __future__ import annotations

import base64
import contextlib
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auria_bot.channels.answers import as_count, as_items, as_object, as_text, never_sent, within
from auria_bot.channels.x.session import Answered, ErrorClassifier, Stage, TweepySession, kind_of, silence_loggers
from auria_bot.channels.x.text import MISSING
from auria_bot.errors import BackendMissing, NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised
from auria_bot.redaction import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auria_bot.channels.answers import ChannelCache

__all__ = ["POST_FIELDS", "Account", "ListedPost", "Media", "Page", "XApi", "moment"]

POST_FIELDS = ("post.fields", "tweet.fields")
"""Names of the query parameter that lists the wanted fields of posts, the current one first."""

# The same for all reads: metrics in an answer show that the parameter was honoured.
_WANTED = "attachments,public_metrics"
_PIECE = 4_000_000  # bytes of a film in one request
_EPOCH = 1_288_834_974_657  # milliseconds: X's ids count from here


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
    """An uploaded picture or film."""

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
        self._deadline, self._classifier = timeouts[2], ErrorClassifier(name)
        self._client = tweepy.Client(
            consumer_key=keys["api_key"],
            consumer_secret=keys["api_secret"],
            access_token=keys["access_token"],
            access_token_secret=keys["access_token_secret"],
            wait_on_rate_limit=False,
        )
        self._session = TweepySession(self._client.session, address, timeouts[:2])
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

    def upload_film(self, path: Path, *, patience: float) -> Media:
        """Upload an MP4 file piece by piece, and wait until X has processed it; raises no OutcomeUnknown.

        Args:
            patience: seconds that X may take to process it.

        Raises:
            Rejected, Throttled: X cannot process it; it takes too long, or X cannot be reached.
        """
        body = {"media_type": "video/mp4", "media_category": "tweet_video", "total_bytes": path.stat().st_size}
        begun = self._request("POST", "/2/media/upload/initialize", body=body, stage=Stage.PREPARING)
        data = as_object(begun.get("data"))
        if not _is_id(identifier := data.get("id")):
            raise Throttled("X began an upload but returned no id for it")
        route = f"/2/media/upload/{identifier}"
        with path.open("rb") as file:
            for index, piece in enumerate(iter(lambda: file.read(_PIECE), b"")):
                part = {"media": base64.b64encode(piece).decode(), "segment_index": index}
                self._request("POST", f"{route}/append", body=part, stage=Stage.PREPARING)
        data |= as_object(self._request("POST", f"{route}/finalize", stage=Stage.PREPARING).get("data"))
        data |= self._processed(str(identifier), as_object(data.get("processing_info")), patience)
        key = as_text(data.get("media_key"))
        return Media(id=str(identifier), key=key if re.fullmatch(r"\d+_\d+", key) else f"7_{identifier}")

    def _processed(self, identifier: str, info: dict[str, Any], patience: float) -> dict[str, Any]:
        """Wait until a film is processed, of which X said `info` last; a film of which it says nothing, twice, is."""
        end, told = time.monotonic() + patience, bool(info)
        params = {"media_id": identifier, "command": "STATUS"}
        data: dict[str, Any] = {}
        while info.get("state") != "succeeded":
            if info.get("state") == "failed":
                reason = as_text(as_object(info.get("error")).get("message")) or "no reason given"
                raise Rejected(f"X cannot process the film: {reason[:200]}")
            if time.monotonic() > end:
                raise Throttled(f"X takes longer than {patience:g} s to process the film")
            wait = info.get("check_after_secs")
            time.sleep(min(wait, 30) if isinstance(wait, int) and wait > 0 else 0.1)
            try:
                answer = self._request("GET", "/2/media/upload", params=params, stage=Stage.PREPARING)
            except Rejected:
                if told:
                    raise
                break  # X keeps no state of what needs no processing
            data = as_object(answer.get("data"))
            if not (info := as_object(data.get("processing_info"))) and not told:
                break
            told = True
        return data

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

    def delete(self, identifier: str) -> None:
        """Delete a post of the account, by one request; a post that is gone already is no error.

        Raises:
            Rejected, Throttled, Unauthorised: it was not deleted.
            OutcomeUnknown: it may have been deleted.
        """
        try:
            answer = self._request("DELETE", f"/2/tweets/{identifier}", stage=Stage.VISIBLE)
        except Unauthorised as error:
            if not isinstance(error.__cause__, Answered) or error.__cause__.status != 404 or self.exists(identifier):
                raise
            return
        if as_object(answer.get("data")).get("deleted") is not True:
            raise OutcomeUnknown("X answered without saying that the post is deleted")

    def exists(self, identifier: str) -> bool:
        """Whether X still has a post.

        Raises:
            Throttled, Unauthorised, OutcomeUnknown: not known now.
        """
        try:
            self.counts(identifier)
        except NotFound:
            return False
        return True

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

        silence_loggers()
        try:
            response = within(
                lambda: self._client.request(method, route, params=params, json=body, user_auth=True), self._deadline
            )
        except Answered as answered:
            raise self._classifier.error(answered, stage, ahead=self._session.ahead) from answered
        except (requests.RequestException, OSError, UnicodeError) as error:
            if stage is Stage.VISIBLE and not never_sent(error):
                raise OutcomeUnknown(f"the connection to X broke ({type(error).__name__})") from None
            raise Throttled(f"X cannot be reached ({type(error).__name__})") from None
        answer = None
        with contextlib.suppress(ValueError, RecursionError):
            answer = response.json()
        if not isinstance(answer, dict):
            kind = OutcomeUnknown if stage is Stage.VISIBLE else Throttled
            raise kind("X answered with something that is not a JSON object")
        return answer


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
