"""Publishes to Instagram with Meta's official Graph API; requires a professional account. A film becomes a reel.

The picture or film is hosted at a signed public address that expires; the platform creates a container from it, and
one call publishes the container, whose status shows afterwards whether that happened. An access token is valid for 60
days and renewed in time. Create one at https://developers.facebook.com with the permissions instagram_business_basic,
instagram_business_content_publish and, for counts, instagram_business_manage_insights.
"""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from auria_bot.channels.answers import FAST, as_count, as_id, as_items, as_object, as_text, as_time
from auria_bot.channels.films import fit_film
from auria_bot.channels.instagram.captions import LIKE_POST, LIMITS, fit_caption, same_caption
from auria_bot.channels.instagram.graph_api import GraphApi, GraphContainers
from auria_bot.channels.instagram.graph_token import GraphToken
from auria_bot.channels.media.storage import MediaHost
from auria_bot.channels.pictures import fit_picture
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.interfaces import ConfirmSend, Limits, PreparedText, Question, Secrets
from auria_bot.domain.post import FilmLimits, Post, Receipt
from auria_bot.errors import ChannelError, NotFound, OutcomeUnknown, Rejected, SettingsError, Throttled, Unauthorised
from auria_bot.url_validation import checked_address

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.channels.media.endpoint import PictureEndpoint

__all__ = ["InstagramGraphChannel"]

_FILM_FACTOR = 5.0  # how many times longer a film may take than a picture
_SLACK = timedelta(minutes=15)  # difference allowed between the platform's clock and ours
_JITTER = timedelta(minutes=2)  # the same, for recognising a post by its time alone
_LISTED = timedelta(hours=1)  # until a published post must be listed
_PAGE = 50  # posts a request, when searching for a post
_PAGES = 20  # searched at most
_HOME_PAGE = "https://www.instagram.com/"  # stands in for an address that could not be read
_FILM = FilmLimits(
    seconds=900.0,
    least_seconds=3.0,
    bytes=300_000_000,
    pixels=1920,
    rate=60.0,
    least_rate=23.0,
    ratios=(0.01, 10.0),
    alt_characters=0,
)
_MEDIA = "id,caption,permalink,timestamp"
_DELETES_NOTHING = "Instagram's official API deletes no posts of accounts that use Instagram Login"


class InstagramGraphChannel:
    """Instagram, by the official API."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        name: str = "instagram_graph"
        address: str = "https://graph.instagram.com"  # https://graph.facebook.com for a Facebook token
        version: str = "v23.0"  # of the API
        account: str = ""  # the professional account's number; "" asks the platform (graph.instagram.com only)
        public_url: str = ""  # public address of the picture endpoint; "" to use a storage
        storage: str = ""  # address of an S3-compatible storage, such as https://s3.eu-central-1.amazonaws.com
        bucket: str = ""
        region: str = "us-east-1"  # of the storage
        prefix: str = "auria/"  # of a picture's name in the bucket
        picture_lifetime: float = 7200.0  # seconds that a picture's address is valid
        ai_label: bool = True  # label the post as made with AI
        timeout: float = 30.0  # seconds, for each call
        poll_interval: float = 5.0  # seconds between two reads of a container's status
        max_wait: float = 300.0  # seconds until a picture's container must be ready; five times that for a film
        settle: float = 300.0  # seconds after which a call whose answer was lost has been processed
        renew_days: float = 10.0  # renew the token when it is valid for less

    FORMER_OPTIONS: ClassVar = {"patience": "max_wait", "picture_lasts": "picture_lifetime", "poll": "poll_interval"}
    QUESTIONS = (
        Question(name="access_token", prompt="The account's long-lived access token", secret=True),
        Question(name="account", prompt="The professional account's number (empty: ask the platform)", required=False),
        Question(name="public_url", prompt="Public address of your picture endpoint (empty: S3)", required=False),
        Question(name="storage", prompt="Address of an S3-compatible storage (empty: your endpoint)", required=False),
        Question(name="bucket", prompt="The storage's bucket", required=False),
        Question(name="region", prompt="The storage's region", required=False),
        Question(name="storage_key_id", prompt="The storage's key id", secret=True, required=False),
        Question(name="storage_secret", prompt="The storage's secret key", secret=True, required=False),
    )

    def __init__(self, config: Config, home: Path, secrets: Secrets) -> None:
        """Create the channel; nothing is sent.

        Raises:
            SettingsError: an option is not valid.
        """
        self.config = config
        self.name = config.name
        setting = f"channels.{config.name}.options"
        address = checked_address(config.address, setting=f"{setting}.address")
        storage = checked_address(config.storage, setting=f"{setting}.storage") if config.storage else ""
        public_url = checked_address(config.public_url, setting=f"{setting}.public_url") if config.public_url else ""
        if not re.fullmatch(r"v\d{1,3}\.\d", config.version):
            raise SettingsError(f"{setting}.version is {config.version[:20]!r}; it looks like 'v23.0'")
        if not re.fullmatch(r"\d*", config.account):
            raise SettingsError(
                f"{setting}.account is {config.account[:40]!r}; it is the account's number, not its name"
            )
        if "graph.facebook.com" in address and not config.account:
            raise SettingsError(f"{setting}.account is empty; at {address} the account's number is needed")
        if not re.fullmatch(r"[A-Za-z0-9._/-]*", config.prefix + config.bucket + config.region):
            raise SettingsError(f"{setting}: bucket, prefix and region may hold letters, digits and ._-/ only")
        self._api = GraphApi(address, version=config.version, timeout=config.timeout)
        facebook_login = "graph.facebook.com" in address
        self.deletion_obstacle = "" if facebook_login else _DELETES_NOTHING
        self._token = GraphToken(
            self._api,
            secrets,
            channel=config.name,
            margin=timedelta(days=config.renew_days),
            renewable=not facebook_login,
        )
        self._media_host = MediaHost(
            secrets=secrets,
            channel=config.name,
            folder=home / "public" / re.sub(r"[^A-Za-z0-9_-]", "_", config.name),
            public_url=public_url,
            storage=storage,
            bucket=config.bucket,
            region=config.region,
            prefix=config.prefix,
        )
        self._containers = GraphContainers(
            self._api, poll=config.poll_interval, patience=config.max_wait, settle=timedelta(seconds=config.settle)
        )
        self._me: tuple[str, tuple[str, str]] | None = None  # the token, and its account
        self._films = home / "cache" / "films"

    def limits(self) -> Limits:
        """Instagram's limits."""
        return replace(LIMITS, film=_FILM)

    def fit(self, text: str, alt_text: str) -> PreparedText:
        """The caption as it is sent: hashtags and the signature may be left out."""
        return fit_caption(text, alt_text, name=self.name)

    def endpoint(self) -> PictureEndpoint:
        """The HTTP endpoint for this channel's pictures at `public_url`.

        Raises:
            DiskError: the key that signs addresses cannot be saved.
        """
        return self._media_host.endpoint()

    def expires(self) -> datetime | None:
        """When the token expires, if known; without the network."""
        return self._token.expires()

    def check(self) -> str:
        """Test the token, the quota and the hosting of pictures; the token is renewed if due."""
        token = self._token.current()
        number, name = self._account(token)
        used, total = self._quota(token, number)
        hosting = self._media_host.check(self._api.client)
        return (
            f"@{name or number} can be posted to; {used} of {total} posts of the last 24 hours are used;"
            f" {self._token.describe()}; {hosting}"
        )

    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        """Host the picture or the film, create a container from it, and publish that by one call."""
        fitted = self.fit(post.text, post.alt_text)
        fields: dict[str, Any] = {"caption": fitted.text}
        if post.film:
            content, suffix = fit_film(post, _FILM, self._films).content(), ".mp4"
            fields["media_type"] = "REELS"
        else:
            content, suffix = fit_picture(post, LIMITS).content, ".jpg"
            fields["alt_text"] = fitted.alt_text
            if self.config.ai_label:  # Meta documents the label for pictures only
                fields["is_ai_generated"] = True
        token = self._token.current()
        number, _ = self._account(token)
        used, total = self._quota(token, number)
        if used >= total:
            until = datetime.now(UTC) + timedelta(hours=1)
            raise Throttled(f"Instagram allows {total} posts in 24 hours, and {used} are used", until=until)
        host = self._media_host.open(self._api.client)
        address = host.put(content, lasts=self.config.picture_lifetime, suffix=suffix)
        fields["video_url" if post.film else "image_url"] = address
        try:
            created = self._api.post(f"{number}/media", token, **fields)
            container = _number(created.get("id"), "container")
            self._containers.wait(container, token, longer=_FILM_FACTOR if post.film else 1.0)
            ready(container)
            media = self._api.post(f"{number}/media_publish", token, visible=True, creation_id=container)
        except NotFound as error:
            raise self._account_error(number, error) from None
        finally:
            self._media_host.remove(host, address)
        identity = as_id(media.get("id"))
        if not identity.isdigit():
            raise OutcomeUnknown("Instagram's answer to the publishing call holds no post")
        return self._receipt(identity, token)

    def find(self, post: Post) -> Receipt | None:
        """Look for the post among the account's latest, then at its container's status."""
        token = self._token.current()
        number, _ = self._account(token)
        caption = self.fit(post.text, post.alt_text).text
        # A restored database may know of no attempt although there was one: not before the post was due.
        since = (post.tried_at or min(post.due, datetime.now(UTC))) - _SLACK
        media, whole = self._latest(number, token, since)
        doubtful = False
        for entry in media:
            if not same_caption(as_text(entry.get("caption")), caption):
                continue
            if (at := as_time(entry.get("timestamp"))) is None:
                raise OutcomeUnknown("Instagram lists a post with the same caption and does not say when it was made")
            if at >= since:
                return _receipt(entry)
            doubtful = doubtful or at >= since - FAST
        if not post.memo:
            if doubtful:
                raise OutcomeUnknown(LIKE_POST)
            if not whole:
                raise OutcomeUnknown("Instagram does not list all posts since this one was due: look there")
            return None
        if not self._containers.was_published(post, token, whole=whole and not doubtful):
            return None
        young = [entry for entry in media if (as_time(entry.get("timestamp")) or since) >= since + _SLACK - _JITTER]
        return _only_candidate(young, post)

    def delete(self, receipt: Receipt, ready: ConfirmSend) -> None:
        """Delete the post, which Meta allows only with a Facebook token that has instagram_manage_contents."""
        if not self.is_published(receipt):
            return
        by_hand = f"delete the post in Instagram's app: {receipt.url}"
        if self.deletion_obstacle:
            raise Rejected(f"{self.deletion_obstacle}; {by_hand}")
        token = self._token.current()
        ready()
        try:
            self._api.delete(receipt.id, token)
        except NotFound:
            return
        except Unauthorised as error:
            raise Rejected(f"{error}; deleting needs the permission instagram_manage_contents, or {by_hand}") from None

    def is_published(self, receipt: Receipt) -> bool:
        """Whether Instagram still has the post."""
        if not receipt.id.isdigit():
            raise Rejected(f"{receipt.id[:64]!r} is not the number of a post on Instagram")
        try:
            self._api.read(receipt.id, self._token.current(), fields="id")
        except NotFound:
            return False
        except Rejected as error:
            raise OutcomeUnknown(f"it cannot be determined whether the post is still there: {error}") from None
        return True

    def measure(self, receipt: Receipt) -> Engagement:
        """Likes and comments; views, saves and shares if the token allows reading them."""
        if not receipt.id.isdigit():
            raise NotFound(f"Instagram has no post {receipt.id[:64]!r}")
        token = self._token.current()
        found = self._api.read(receipt.id, token, fields="like_count,comments_count")
        seen: dict[str, int | None] = {}
        with contextlib.suppress(Unauthorised, Rejected):  # the token may not read them, or the post is too young
            insights = self._api.read(f"{receipt.id}/insights", token, metric="views,saved,shares")
            for entry in map(as_object, as_items(insights.get("data"))):
                values = as_items(entry.get("values"))
                seen[as_text(entry.get("name"))] = as_count(as_object(values[0]).get("value")) if values else None
        return Engagement(
            at=datetime.now(UTC),
            likes=as_count(found.get("like_count")),
            replies=as_count(found.get("comments_count")),
            reposts=seen.get("shares"),
            saves=seen.get("saved"),
            views=seen.get("views"),
        )

    def account_id(self) -> str:
        """The account's number."""
        return self._account(self._token.current())[0]

    def audience(self) -> Audience:
        """The account's followers."""
        token = self._token.current()
        number, _ = self._account(token)
        found = self._own(number, "", token, fields="followers_count")
        return Audience(at=datetime.now(UTC), followers=as_count(found.get("followers_count")))

    def _own(self, number: str, edge: str, token: str, **fields: str) -> dict[str, Any]:
        """Read an edge of the account itself."""
        try:
            return self._api.read(f"{number}/{edge}".rstrip("/"), token, **fields)
        except NotFound as error:
            raise self._account_error(number, error) from None

    def _account_error(self, number: str, error: NotFound) -> Unauthorised:
        """The error if the account is not found: it concerns the operator, not the post."""
        return Unauthorised(
            f"{error}; check that the token may post as the account {number}, and that its number is right"
        )

    def _account(self, token: str) -> tuple[str, str]:
        """The account's number and name; asked once for each token, which the operator may replace."""
        if self._me is None or self._me[0] != token:
            number = self.config.account
            found = self._own(number or "me", "", token, fields="username" if number else "user_id,username")
            identity = number or _number(found.get("user_id") or found.get("id"), "account")
            self._me = token, (identity, as_text(found.get("username")))
        return self._me[1]

    def _quota(self, token: str, number: str) -> tuple[int, int]:
        """Posts used in the last 24 hours, and posts allowed."""
        found = self._own(number, "content_publishing_limit", token, fields="quota_usage,config")
        try:
            entry = found["data"][0]
            return int(entry["quota_usage"]), int(entry["config"]["quota_total"])
        except (KeyError, IndexError, TypeError, ValueError):
            raise Throttled("Instagram does not say how many posts are left") from None

    def _latest(self, number: str, token: str, since: datetime) -> tuple[list[dict[str, Any]], bool]:
        """The account's posts, the newest first, and whether they reach back to that time or to the first one."""
        media: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        for _ in range(_PAGES):
            found = self._own(number, "media", token, fields=_MEDIA, limit=str(_PAGE), **after)
            entries = found.get("data")
            if not isinstance(entries, list) or not all(as_id(as_object(entry).get("id")) for entry in entries):
                raise Throttled("Instagram's list of the latest posts cannot be read")
            media += entries
            oldest = as_time(entries[-1].get("timestamp")) if entries else None
            if oldest is not None and oldest < since:
                return media, True
            paging = as_object(found.get("paging"))
            cursor = as_text(as_object(paging.get("cursors")).get("after"))
            if "next" not in paging or not cursor:
                return media, "next" not in paging and len(
                    entries
                ) < _PAGE  # a full page without a next one proves nothing
            after = {"after": cursor}
        return media, False

    def _receipt(self, identity: str, token: str) -> Receipt:
        """The receipt of a published post; failing to read its address must not lose it."""
        for _ in range(2):
            try:
                return _receipt(self._api.read(identity, token, fields="permalink,timestamp") | {"id": identity})
            except (ChannelError, NotFound):
                time.sleep(min(self.config.poll_interval, 1.0))
        return Receipt(id=identity, url=_HOME_PAGE, at=datetime.now(UTC))


def _only_candidate(young: list[dict[str, Any]], post: Post) -> Receipt:
    """The only post since the attempt, which must be the published one even if its caption was changed.

    Raises:
        Throttled: there is none yet.
        OutcomeUnknown: there is none, or more than one.
    """
    if len(young) == 1:
        return _receipt(young[0])
    now = datetime.now(UTC)
    if not young and now < (post.tried_at or now) + _LISTED:
        raise Throttled("Instagram has published the post but does not list it yet", until=now + _JITTER)
    raise OutcomeUnknown(
        "Instagram has published the post, and it cannot be determined which of the account's posts it is"
    )


def _receipt(entry: dict[str, Any]) -> Receipt:
    url = as_text(entry.get("permalink")) or _HOME_PAGE
    return Receipt(id=as_id(entry["id"]), url=url, at=as_time(entry.get("timestamp")) or datetime.now(UTC))


def _number(value: object, kind: str) -> str:
    """A platform's number, as text.

    Raises:
        Throttled: it is not a number.
    """
    if not as_id(value).isdigit():
        raise Throttled(f"Instagram's answer holds no {kind} number")
    return as_id(value)
