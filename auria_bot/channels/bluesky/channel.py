"""Publishes to Bluesky: a picture with its alt text, the words, and hashtags that work.

The picture is uploaded first, which nobody sees; then one record is put where nothing may stand before, at a key made
from the post's own. So a repeat can make no second post, and whether a post is out can always be told by looking.
Likes and followers are counted by an AppView, which is another server than the account's. Knows no session's workings.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auria_bot.channels.bluesky.atproto_session import ENTRYWAY, AtprotoSession, code_of, meaning, refusal
from auria_bot.channels.bluesky.record import COLLECTION, post_record, record_key
from auria_bot.channels.graphemes import graphemes
from auria_bot.channels.pictures import fit_picture
from auria_bot.channels.text_limits import fit_words
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.interfaces import ConfirmSend, Limits, PreparedText, Question, Secrets
from auria_bot.domain.post import Post, Receipt
from auria_bot.errors import BackendMissing, NotFound, OutcomeUnknown, Rejected, Unauthorised
from auria_bot.url_validation import checked_address

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BlueskyChannel", "BlueskyConfig"]

_PROFILE = "app.bsky.actor.profile"
_COUNTS = {
    "likes": "likeCount",
    "reposts": "repostCount",
    "replies": "replyCount",
    "quotes": "quoteCount",
    "saves": "bookmarkCount",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueskyConfig:
    """Which account, where, and how."""

    name: str = "bluesky"
    handle: str = ""  # the account's, such as auria.bsky.social
    service: str = ENTRYWAY  # the server that keeps the account
    appview: str = "https://public.api.bsky.app"  # the server that counts likes and followers; "" when there is none
    web: str = "https://bsky.app"  # where people look at posts
    languages: tuple[str, ...] = ("en",)  # of the text, BCP 47, at most three
    picture_bytes: int = 950_000  # servers take 1,000,000 or 2,000,000
    timeout: float = 30.0  # seconds without a byte before a request is given up


class BlueskyChannel:
    """An account on Bluesky."""

    Config = BlueskyConfig
    QUESTIONS = (
        Question(name="handle", prompt="The account's handle, such as auria.bsky.social"),
        Question(name="app_password", prompt="An app password (Settings > Privacy and security)", secret=True),
        Question(name="service", prompt=f"The account's server, if it is not {ENTRYWAY}", required=False),
    )

    def __init__(self, config: BlueskyConfig, home: Path, secrets: Secrets) -> None:  # noqa: ARG002 - it keeps no files
        """Reach for nothing yet.

        Raises:
            SettingsError: an address is none.
        """
        self.config, self.name = config, config.name
        self._web = checked_address(config.web, setting=f"web of channel {self.name}")
        self._appview = config.appview and checked_address(config.appview, setting=f"appview of channel {self.name}")
        self._account = AtprotoSession(
            service=config.service, handle=config.handle, name=self.name, secrets=secrets, timeout=config.timeout
        )

    def limits(self) -> Limits:
        """What the lexicon and the servers take; the alt text is the app's limit."""
        return Limits(characters=300, text_bytes=3000, alt_characters=2000, picture_bytes=self.config.picture_bytes)

    def fit(self, text: str, alt_text: str) -> PreparedText:
        """The words as they are sent; characters are counted as people see them.

        Raises:
            Rejected: they are beyond a limit.
        """
        return fit_words(text, alt_text, self.limits(), name=self.name, count=graphemes)

    def check(self) -> str:
        """Ask the server who we are, and whether the account says that it is a bot.

        Raises:
            Unauthorised: the credentials are not accepted, or the account is not active.
            ChannelError: it cannot be told.
        """
        found = self._account.call(lambda client: client.invoke_query("com.atproto.server.getSession")).content
        if not isinstance(found, dict) or "did" not in found:
            raise Rejected(f"{self._account.service} is no server of the AT protocol; check service of {self.name}")
        words = [f"{found.get('handle')} ({found['did']}) on {self._account.service}"]
        if found.get("active") is False:
            raise Unauthorised(f"{words[0]} is {found.get('status') or 'not active'}: nothing can be posted")
        if self._account.scope == "com.atproto.access":
            words.append("this is the main password: an app password is safer, and can be taken back")
        record = self._record(_PROFILE, "self") or {}
        labels = {one.get("val") for one in ((record.get("value") or {}).get("labels") or {}).get("values", ())}
        words.append(
            "labelled as a bot"
            if "bot" in labels
            else "not labelled as a bot: Bluesky asks bots to label their profile"
        )
        return "; ".join(words)

    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        """Upload the picture, then put the record where nothing stands.

        Raises:
            Rejected: the words or the picture are beyond a limit, or the server does not want them.
            Throttled: nothing was posted; again later.
            Unauthorised: the credentials are not accepted; nothing was posted.
            OutcomeUnknown: the connection broke after the record was sent.
            InvalidTransition: from `ready`.
        """
        words, picture = self.fit(post.text, post.alt_text), fit_picture(post, self.limits())
        blob = self._upload(picture.content, picture.media_type)
        key, now = record_key(post.key), datetime.now(UTC)
        record = post_record(
            text=words.text,
            alt_text=words.alt_text,
            blob=blob,
            size=(picture.width, picture.height),
            languages=self.config.languages,
            at=now,
        )
        body = {
            "repo": self._account.did,
            "collection": COLLECTION,
            "rkey": key,
            "record": record,
            "swapRecord": None,  # nothing may stand there: never change what is out
        }
        ready(key)
        if self._put(body):
            return self._receipt(key, record)
        there = self.find(post)
        if there is None:
            raise OutcomeUnknown(f"{self._account.service} says that the post is there already, and it is not")
        return there

    def find(self, post: Post) -> Receipt | None:
        """Look at the one place where the post can be.

        Raises:
            Throttled: the server cannot be reached.
            Unauthorised: there is no session.
            OutcomeUnknown: the server does not tell.
        """
        key = record_key(post.key)
        record = self._record(COLLECTION, key)
        return None if record is None else self._receipt(key, record.get("value"))

    def measure(self, receipt: Receipt) -> Engagement:
        """What the AppView counted; without one, only that the post is still there.

        Raises:
            NotFound: the post is gone.
            ChannelError: it cannot be told.
        """
        at = datetime.now(UTC)
        if self._appview and receipt.id.startswith("at://"):
            posts = self._view("app.bsky.feed.getPosts", uris=[receipt.id]).get("posts") or ()
            if found := next((one for one in posts if one.get("uri") == receipt.id), None):
                return Engagement(at=at, **{name: found.get(key) for name, key in _COUNTS.items()})
        # An AppView does not know a post in its first seconds; the account's own server does.
        collection, _, key = receipt.id.rpartition("/")
        if not collection.endswith(f"/{COLLECTION}") or self._record(COLLECTION, key) is None:
            raise NotFound(f"{self.name} has no post {receipt.id[:100]}: it was deleted")
        return Engagement(at=at)

    def audience(self) -> Audience:
        """The followers that the AppView counted; None without one.

        Raises:
            ChannelError: it cannot be told.
        """
        at = datetime.now(UTC)
        if not self._appview:
            return Audience(at=at, followers=None)
        return Audience(
            at=at, followers=self._view("app.bsky.actor.getProfile", actor=self._account.handle).get("followersCount")
        )

    def _upload(self, content: bytes, media_type: str) -> dict[str, Any]:
        """Hand the picture over; nobody sees it before a record names it."""
        answer = self._account.call(
            lambda client: client.invoke_procedure(
                "com.atproto.repo.uploadBlob", content=content, headers={"Content-Type": media_type}
            )
        )
        blob = answer.content.get("blob") if isinstance(answer.content, dict) else None
        if not isinstance(blob, dict):
            raise Rejected(f"{self._account.service} is no server of the AT protocol; check service of {self.name}")
        return blob

    def _put(self, body: dict[str, Any]) -> bool:
        """The one visible mutation; whether the record is new. False when one stands there already.

        Raises:
            ChannelError: by what is known about it.
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
            return bool(answer.content["uri"])  # an answer without one is none

        return bool(self._account.call(ask, sent=True))

    def _record(self, collection: str, key: str) -> dict[str, Any] | None:
        """A record of the account, from the account's own server; None where there surely is none.

        Raises:
            Throttled, Unauthorised: it cannot be told now.
            OutcomeUnknown: the server does not tell.
        """

        def ask(client: Any) -> dict[str, Any] | None:
            from atproto_client import models

            place = models.ComAtprotoRepoGetRecord.Params(repo=did, collection=collection, rkey=key)
            try:
                return dict(client.invoke_query("com.atproto.repo.getRecord", params=place).content)
            except Exception as error:
                if code_of(error) == "RecordNotFound":
                    return None
                raise

        did = self._account.did
        try:
            return self._account.call(ask)  # type: ignore[no-any-return]  # what `ask` gives
        except Rejected as error:
            raise OutcomeUnknown(f"it cannot be told whether the post is there: {error}") from None

    def _receipt(self, key: str, record: Any) -> Receipt:
        try:
            at = datetime.fromisoformat(record["createdAt"])
        except (KeyError, TypeError, ValueError):
            raise OutcomeUnknown(f"{self._account.service} gave a record without a time for {key}") from None
        return Receipt(
            id=f"at://{self._account.did}/{COLLECTION}/{key}",
            url=f"{self._web}/profile/{self._account.handle}/post/{key}",
            at=at if at.tzinfo else at.replace(tzinfo=UTC),
        )

    def _view(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask the AppView, which needs neither a session nor the protocol's client.

        Raises:
            ChannelError: it does not answer.
            BackendMissing: the package httpx is not installed.
        """
        try:
            import httpx
        except ImportError:
            raise BackendMissing("Bluesky needs a package: pip install 'auria-bot[bluesky]'") from None
        try:
            answer = httpx.get(f"{self._appview}/xrpc/{method}", params=params, timeout=self.config.timeout)
            if answer.status_code == 200:
                return dict(answer.json())
        except (httpx.HTTPError, ValueError, TypeError) as error:
            raise meaning(error, self._appview, sent=False) from None
        raise refusal(answer.status_code, answer.content, answer.headers, self._appview, sent=False)
