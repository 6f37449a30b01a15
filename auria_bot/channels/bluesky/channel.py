"""Publishes to Bluesky: a picture or a film with its alt text, the text, and hashtags.

The file is uploaded first, which is not visible; then one record is created at a key derived from the post's
idempotency key, only if nothing is stored there. So a repeat cannot make a second post, and reading that key shows
whether the post was published. Likes and followers are counted by an AppView, which is another server than the
account's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from auria_bot.channels.answers import EXCHANGE, as_count, as_items, as_object, as_text, within
from auria_bot.channels.bluesky.atproto_session import ENTRYWAY, AtprotoSession, bounded_get, classify, code_of, failure
from auria_bot.channels.bluesky.record import (
    COLLECTION,
    HASHTAG,
    RECORD_KEY,
    SELF_LABELS,
    post_record,
    record_key,
    self_labels,
)
from auria_bot.channels.films import fit_film
from auria_bot.channels.pictures import fit_picture
from auria_bot.channels.text_limits import fit_text, graphemes
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.interfaces import ConfirmSend, Limits, PreparedText, Question, Secrets
from auria_bot.domain.post import FilmLimits, Post, Receipt
from auria_bot.errors import BackendMissing, NotFound, OutcomeUnknown, Rejected, SettingsError, Throttled, Unauthorised
from auria_bot.url_validation import checked_address

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BlueskyChannel"]

_PROFILE = "app.bsky.actor.profile"
_COUNTS = {
    "likes": "likeCount",
    "reposts": "repostCount",
    "replies": "replyCount",
    "quotes": "quoteCount",
    "saves": "bookmarkCount",
}


class BlueskyChannel:
    """An account on Bluesky."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        name: str = "bluesky"
        handle: str = ""  # such as auria.bsky.social
        service: str = ENTRYWAY  # the server that keeps the account
        appview: str = "https://public.api.bsky.app"  # the server that counts likes and followers; "" for none
        web: str = "https://bsky.app"  # the web site for links to posts
        languages: tuple[str, ...] = ("en",)  # of the text, BCP 47, at most three
        picture_bytes: int = 950_000  # servers accept 1,000,000 or 2,000,000
        film_bytes: int = 45_000_000  # servers accept 50,000,000 or 100,000,000
        timeout: float = 30.0  # seconds to connect, and between two bytes of an answer
        bot_label: bool = False  # let `auria channels check` label the account's profile as a bot
        labels: tuple[str, ...] = ()  # self-labels of every post, see `SELF_LABELS`
        settle: float = 120.0  # seconds until a missing post counts as absent, at least 4 time-outs; 0: at once

    QUESTIONS = (
        Question(name="handle", prompt="The account's handle, such as auria.bsky.social"),
        Question(name="app_password", prompt="An app password (Settings > Privacy and security)", secret=True),
        Question(name="service", prompt=f"The account's server, if it is not {ENTRYWAY}", required=False),
    )
    deletion_obstacle = ""

    def __init__(self, config: Config, home: Path, secrets: Secrets) -> None:
        """Create the channel; nothing is sent.

        Raises:
            SettingsError: an address or a label is not valid.
        """
        self.config, self.name, self._films = config, config.name, home / "cache" / "films"
        if unknown := set(config.labels) - set(SELF_LABELS):
            raise SettingsError(
                f"labels of channel {self.name}: {min(unknown)[:40]!r} is unknown; known: {', '.join(SELF_LABELS)}"
            )
        self._web = checked_address(config.web, setting=f"web of channel {self.name}")
        self._appview = config.appview and checked_address(config.appview, setting=f"appview of channel {self.name}")
        self._account = AtprotoSession(
            service=config.service, handle=config.handle, name=self.name, secrets=secrets, timeout=config.timeout
        )

    def limits(self) -> Limits:
        """The limits of the lexicon and the servers; that of the alt text is the app's."""
        return Limits(
            characters=300,
            text_bytes=3000,
            alt_characters=2000,
            picture_bytes=self.config.picture_bytes,
            film=FilmLimits(seconds=180.0, bytes=self.config.film_bytes, pixels=1920, rate=60.0, alt_characters=1000),
        )

    def fit(self, text: str, alt_text: str) -> PreparedText:
        """The text as it is sent; graphemes are counted."""
        return fit_text(text, alt_text, self.limits(), name=self.name, count=graphemes, hashtag=HASHTAG)

    def check(self) -> str:
        """Read the session and the profile; with the option bot_label, label the profile as a bot."""
        answer = self._account.call(lambda client: client.invoke_query("com.atproto.server.getSession"))
        found = as_object(answer.content)
        if not as_text(found.get("did")):
            raise self._not_atproto()
        findings = [f"{as_text(found.get('handle'))} ({found['did']}) on {self._account.service}"]
        if found.get("active") is False:
            reason = as_text(found.get("status")) or "not active"
            raise Unauthorised(f"{findings[0]} is {reason}: nothing can be posted")
        if self._account.scope == "com.atproto.access":
            findings.append("this is the main password: an app password is safer, and can be revoked")
        findings.append(self._check_bot_label())
        return "; ".join(findings)

    def _check_bot_label(self) -> str:
        """Whether the profile is labelled as a bot; sets the label if the options ask for it.

        Raises:
            ChannelError: the profile cannot be read or written.
        """
        profile, cid = self._profile()
        labels = [item for item in as_items(as_object(profile.get("labels")).get("values")) if isinstance(item, dict)]
        if any(label.get("val") == "bot" for label in labels):
            return "labelled as a bot"
        if not self.config.bot_label:
            return f"not labelled as a bot, as Bluesky asks: set bot_label = true for {self.name} and check again"
        names = [as_text(label.get("val")) for label in labels]
        done = self._put_profile({**profile, "labels": self_labels((*filter(None, names), "bot"))}, cid)
        return "labelled as a bot just now" if done else "the profile was changed meanwhile: check again"

    avatar_side = 512
    avatar_bytes = 1_000_000  # by the lexicon

    def set_avatar(self, content: bytes, media_type: str) -> None:
        """Replace the avatar in the profile's record, and nothing else there."""
        blob = self._upload(content, media_type)
        profile, cid = self._profile()
        if not self._put_profile({**profile, "avatar": blob}, cid):
            raise Throttled(f"the profile of {self.name} was changed meanwhile; the avatar was not, try again")

    def _profile(self) -> tuple[dict[str, Any], str]:
        """The profile's record and its version; ({}, "") where the account has none.

        Raises:
            ChannelError: it cannot be read.
        """
        record = self._record(_PROFILE, "self")
        profile, cid = as_object(as_object(record).get("value")), as_text(as_object(record).get("cid"))
        if record is not None and not (profile and cid):
            raise Throttled(f"{self._account.service} answered without the profile; it was not changed")
        return profile, cid

    def _put_profile(self, profile: dict[str, Any], cid: str) -> bool:
        """Write the profile's record; False if it has another version meanwhile."""
        body = {
            "repo": self._account.did,
            "collection": _PROFILE,
            "rkey": "self",
            "record": {**profile, "$type": _PROFILE},
            "swapRecord": cid or None,
        }
        return self._put(body)

    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        """Upload the picture or the film, then create the record."""
        fitted, limits = self.fit(post.text, post.alt_text), self.limits()
        if post.film:
            film = fit_film(post, limits.film, self._films)
            blob, size = self._upload(film.content(), film.media_type), (film.width, film.height)
        else:
            picture = fit_picture(post, limits)
            blob, size = self._upload(picture.content, picture.media_type), (picture.width, picture.height)
        key, now = record_key(post.key), datetime.now(UTC)
        record = post_record(
            text=fitted.text,
            alt_text=fitted.alt_text,
            blob=blob,
            size=size,
            film=bool(post.film),
            languages=self.config.languages,
            labels=self.config.labels,
            at=now,
        )
        body = {
            "repo": self._account.did,
            "collection": COLLECTION,
            "rkey": key,
            "record": record,
            "swapRecord": None,  # only if nothing is stored there: never change a published post
        }
        ready(key)
        if self._put(body):
            return self._receipt(key, record)
        # The key is this post's alone: an earlier attempt went out, even if the server does not show the record now.
        try:
            return self._published(key) or self._receipt(key, record)
        except (Throttled, Unauthorised) as error:  # which would say that nothing was posted
            raise OutcomeUnknown(f"an earlier attempt was posted, and cannot be read now: {error}") from None

    def find(self, post: Post) -> Receipt | None:
        """Read the record at the post's key.

        Raises:
            Throttled: there is none, and the request of the last attempt may still arrive.
        """
        if (receipt := self._published(record_key(post.key))) is not None:
            return receipt
        settle = self.config.settle and max(self.config.settle, EXCHANGE * self.config.timeout)
        if post.tried_at and datetime.now(UTC) < (settled := post.tried_at + timedelta(seconds=settle)):
            raise Throttled("the attempt is too recent to be sure that it was not published", until=settled)
        return None

    def _published(self, key: str) -> Receipt | None:
        record = self._record(COLLECTION, key)
        return None if record is None else self._receipt(key, record.get("value"))

    def delete(self, receipt: Receipt, ready: ConfirmSend) -> None:
        """Delete the post's record; the server takes the deletion of a record that is gone for done."""
        body = {"repo": self._account.did, "collection": COLLECTION, "rkey": self._own_key(receipt)}
        ready()
        self._account.call(
            lambda client: client.invoke_procedure(
                "com.atproto.repo.deleteRecord", content=json.dumps(body).encode(), input_encoding="application/json"
            ),
            sent=True,
        )

    def is_published(self, receipt: Receipt) -> bool:
        """Whether the account's own server still has the post's record."""
        return self._record(COLLECTION, self._own_key(receipt)) is not None

    def _own_key(self, receipt: Receipt) -> str:
        """The key of a published post's record."""
        collection, _, key = receipt.id.rpartition("/")
        if collection not in {"", f"at://{self._account.did}/{COLLECTION}"} or not RECORD_KEY.fullmatch(key):
            raise Rejected(f"{receipt.id[:100]} is not a post of {self._account.handle}")
        return key

    def measure(self, receipt: Receipt) -> Engagement:
        """The AppView's counts; without one, only whether the post still exists."""
        at = datetime.now(UTC)
        if self._appview and receipt.id.startswith("at://"):
            answer = self._view("app.bsky.feed.getPosts", uris=[receipt.id])
            posts = map(as_object, as_items(answer.get("posts")))
            if found := next((post for post in posts if post.get("uri") == receipt.id), None):
                return Engagement(at=at, **{name: as_count(found.get(key)) for name, key in _COUNTS.items()})
        # An AppView lists no post in its first seconds; the account's own server does.
        collection, _, key = receipt.id.rpartition("/")
        if not collection.endswith(f"/{COLLECTION}") or self._record(COLLECTION, key) is None:
            raise NotFound(f"{self.name} has no post {receipt.id[:100]}: it was deleted")
        return Engagement(at=at)

    def account_id(self) -> str:
        """The account's permanent identifier."""
        return self._account.did

    def audience(self) -> Audience:
        """The account's followers by the AppView; None without one."""
        at = datetime.now(UTC)
        profile = self._view("app.bsky.actor.getProfile", actor=self._account.handle) if self._appview else {}
        return Audience(at=at, followers=as_count(profile.get("followersCount")))

    def _upload(self, content: bytes, media_type: str) -> dict[str, Any]:
        """Upload a picture or a film; it is not visible until a record refers to it."""
        answer = self._account.call(
            lambda client: client.invoke_procedure(
                "com.atproto.repo.uploadBlob", content=content, headers={"Content-Type": media_type}
            ),
            upload=True,
        )
        blob = as_object(as_object(answer.content).get("blob"))
        link, size = as_object(blob.get("ref")).get("$link"), as_count(blob.get("size"))
        if blob.get("$type") != "blob" or not as_text(link) or not as_text(blob.get("mimeType")) or size is None:
            raise self._not_atproto()
        return blob

    def _not_atproto(self) -> Throttled:
        return Throttled(
            f"{self._account.service} does not answer as a server of the AT protocol; check service of {self.name}"
        )

    def _put(self, body: dict[str, Any]) -> bool:
        """Write a record; False if what is stored there is not what `swapRecord` names.

        Raises:
            ChannelError: by the server's answer.
        """

        def ask(client: Any) -> bool:
            try:
                answer = client.invoke_procedure(
                    "com.atproto.repo.putRecord",
                    content=json.dumps(body, ensure_ascii=False).encode(),
                    input_encoding="application/json",
                )
            except Exception as error:
                if code_of(error) == "InvalidSwap":
                    return False
                raise
            return bool(answer.content["uri"])  # an answer without it proves nothing

        return bool(self._account.call(ask, sent=True))

    def _record(self, collection: str, key: str) -> dict[str, Any] | None:
        """A record of the account, from the account's own server; None if there is surely none.

        Raises:
            Throttled, Unauthorised: it cannot be read now.
            OutcomeUnknown: the server does not say.
        """

        def ask(client: Any) -> dict[str, Any] | None:
            from atproto_client import models

            params = models.ComAtprotoRepoGetRecord.Params(repo=did, collection=collection, rkey=key)
            try:
                return dict(client.invoke_query("com.atproto.repo.getRecord", params=params).content)
            except Exception as error:
                if code_of(error) == "RecordNotFound":
                    return None
                raise

        did = self._account.did
        try:
            return self._account.call(ask)  # type: ignore[no-any-return]  # what `ask` gives
        except Rejected as error:
            raise OutcomeUnknown(f"it cannot be determined whether the record exists: {error}") from None

    def _receipt(self, key: str, record: Any) -> Receipt:
        try:
            at = datetime.fromisoformat(record["createdAt"])
        except (KeyError, TypeError, ValueError):
            raise OutcomeUnknown(f"{self._account.service} returned a record without a time for {key}") from None
        return Receipt(
            id=f"at://{self._account.did}/{COLLECTION}/{key}",
            url=f"{self._web}/profile/{self._account.handle}/post/{key}",
            at=at if at.tzinfo else at.replace(tzinfo=UTC),
        )

    def _view(self, method: str, **params: Any) -> dict[str, Any]:
        """Query the AppView, which needs neither a session nor the protocol's client.

        Raises:
            ChannelError: it does not answer.
            BackendMissing: the package httpx is not installed.
        """
        try:
            import httpx
        except ImportError:
            raise BackendMissing("Bluesky needs a package: pip install 'auria-bot[bluesky]'") from None
        try:
            ask = partial(bounded_get, f"{self._appview}/xrpc/{method}", self.config.timeout, **params)
            answer = within(ask, self.config.timeout * EXCHANGE)
            if answer.status_code == 200:
                return as_object(answer.json())
        except (httpx.HTTPError, TimeoutError, ValueError, RecursionError) as error:
            raise classify(error, self._appview, sent=False) from None
        raise failure(answer.status_code, answer.content, answer.headers, self._appview, sent=False)
