"""Publishes to Instagram by Meta's official Graph API; the account must be a professional one.

The picture is stood at a public address that is signed and expires; the platform makes a container of it, and the
container is published by one call. Whether that happened, the container's own status tells. An access token lasts
60 days and is renewed in time. Create one at https://developers.facebook.com with the permissions
instagram_business_basic, instagram_business_content_publish and, for counts, instagram_business_manage_insights.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from auria_bot.channels.instagram.captions import LIMITS, fit_caption, same_caption
from auria_bot.channels.instagram.graph_api import GraphApi
from auria_bot.channels.instagram.graph_container import GraphContainers
from auria_bot.channels.instagram.graph_token import GraphToken
from auria_bot.channels.media.media_host import MediaHost
from auria_bot.channels.pictures import fit_picture
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.interfaces import ConfirmSend, Limits, PreparedText, Question, Secrets
from auria_bot.domain.post import Post, Receipt
from auria_bot.errors import ChannelError, NotFound, OutcomeUnknown, Rejected, SettingsError, Throttled, Unauthorised
from auria_bot.url_validation import checked_address

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.channels.media.endpoint import PictureEndpoint

__all__ = ["InstagramGraphChannel", "InstagramGraphConfig"]

_SLACK = timedelta(minutes=15)  # how far the platform's clock and ours may be apart
_JITTER = timedelta(minutes=2)  # the same, where nothing else may be taken for the post
_LISTED = timedelta(hours=1)  # until a published post must stand in the account's list
_PAGE = 50  # posts that are asked for at once, when a post is looked for
_PAGES = 20  # that are looked through at most
_MEDIA = "id,caption,permalink,timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstagramGraphConfig:
    """How to publish by the Graph API."""

    name: str = "instagram_graph"
    address: str = "https://graph.instagram.com"  # https://graph.facebook.com where the token is a Facebook one
    version: str = "v23.0"  # of the API
    account: str = ""  # the professional account's number; "" asks the platform, which works at graph.instagram.com
    public_url: str = ""  # where the endpoint for pictures is reached from outside; "" where a storage is used
    storage: str = ""  # address of an S3-compatible storage, such as https://s3.eu-central-1.amazonaws.com
    bucket: str = ""
    region: str = "us-east-1"  # of the storage
    prefix: str = "auria/"  # before a picture's name in the bucket
    picture_lifetime: float = 7200.0  # seconds that a picture's address is good for
    ai_label: bool = True  # tell the platform that the picture was made by a machine
    timeout: float = 30.0  # seconds, for each call
    poll_interval: float = 5.0  # seconds between two checks of a container
    max_wait: float = 300.0  # seconds until a container must be ready
    settle: float = 300.0  # seconds after which a call whose answer was lost has surely been dealt with
    renew_days: float = 10.0  # renew the token when it is good for less


class InstagramGraphChannel:
    """Instagram, the official road."""

    Config = InstagramGraphConfig
    FORMER_OPTIONS: ClassVar = {"patience": "max_wait", "picture_lasts": "picture_lifetime", "poll": "poll_interval"}
    QUESTIONS = (
        Question(name="access_token", prompt="The account's long-lived access token", secret=True),
        Question(name="account", prompt="The professional account's number (empty: ask the platform)", required=False),
        Question(name="public_url", prompt="Where the world reaches your picture endpoint (empty: S3)", required=False),
        Question(name="storage", prompt="Address of an S3-compatible storage (empty: your endpoint)", required=False),
        Question(name="bucket", prompt="The storage's bucket", required=False),
        Question(name="region", prompt="The storage's region", required=False),
        Question(name="storage_key_id", prompt="The storage's key id", secret=True, required=False),
        Question(name="storage_secret", prompt="The storage's secret key", secret=True, required=False),
    )

    def __init__(self, config: InstagramGraphConfig, home: Path, secrets: Secrets) -> None:
        """Remember the configuration; nothing is reached for.

        Raises:
            SettingsError: an address is none, or an option makes no sense.
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
            raise SettingsError(f"{setting}: bucket, prefix and region are made of letters, digits and ._-/")
        self._api = GraphApi(address, version=config.version, timeout=config.timeout)
        self._token = GraphToken(
            self._api,
            secrets,
            channel=config.name,
            margin=timedelta(days=config.renew_days),
            renewable="graph.facebook.com" not in address,
        )
        self._way = MediaHost(
            secrets,
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
        self._me: tuple[str, str] | None = None

    def limits(self) -> Limits:
        """What Instagram takes."""
        return LIMITS

    def fit(self, text: str, alt_text: str) -> PreparedText:
        """The words as they are sent: hashtags and the signature may be left out.

        Raises:
            Rejected: they are too long all the same.
        """
        return fit_caption(text, alt_text, name=self.name)

    def endpoint(self) -> PictureEndpoint:
        """What answers for this channel's pictures at `public_url`.

        Raises:
            DiskError: the key that signs addresses cannot be kept.
        """
        return self._way.endpoint()

    def expires(self) -> datetime | None:
        """When the token ends, as far as it is known; without the network."""
        return self._token.expires()

    def check(self) -> str:
        """Try the token, the quota, and a picture's way to the outside; the token is renewed where it is time.

        Raises:
            Unauthorised: something must be put right, with what.
            ChannelError: it cannot be told now.
        """
        token = self._token.current()
        number, name = self._account(token)
        used, total = self._quota(token, number)
        way = self._way.tried(self._api.client)
        return (
            f"@{name or number} can be posted to; {used} of {total} posts of the last 24 hours are used;"
            f" {self._token.told()}; {way}"
        )

    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        """Stand the picture outside, make a container of it, and publish that by one call.

        Raises:
            Rejected: the platform does not take it.
            Throttled: later; the day's posts are used up, or the container is not ready.
            Unauthorised: the token, the permissions, or the picture's address.
            OutcomeUnknown: the last call's outcome is not known.
        """
        words = self.fit(post.text, post.alt_text)
        picture = fit_picture(post, LIMITS)
        token = self._token.current()
        number, _ = self._account(token)
        used, total = self._quota(token, number)
        if used >= total:
            until = datetime.now(UTC) + timedelta(hours=1)
            raise Throttled(f"Instagram takes {total} posts in 24 hours, and {used} are out already", until=until)
        host = self._way.host(self._api.client)
        address = host.put(picture.content, lasts=self.config.picture_lifetime)
        fields: dict[str, Any] = {"image_url": address, "caption": words.text, "alt_text": words.alt_text}
        if self.config.ai_label:
            fields["is_ai_generated"] = True
        try:
            made = self._api.act(f"{number}/media", token, **fields)
            container = _number(made.get("id"), "container")
            self._containers.wait(container, token)
            ready(container)
            media = self._api.act(f"{number}/media_publish", token, visible=True, creation_id=container)
        except NotFound as error:
            raise self._stranger(number, error) from None
        finally:
            self._way.removed(host, address)
        identity = str(media.get("id") or "")
        if not identity.isdigit():
            raise OutcomeUnknown("Instagram's answer to the publishing of a container holds no post")
        return self._receipt(identity, token)

    def find(self, post: Post) -> Receipt | None:
        """Whether the post is among the account's latest, or else what its container's status says.

        Raises:
            Throttled: it is too early to tell, or the platform is away.
            Unauthorised: the token.
            OutcomeUnknown: it is not among the latest, and its container cannot be asked any more.
        """
        token = self._token.current()
        number, _ = self._account(token)
        caption = self.fit(post.text, post.alt_text).text
        since = post.tried_at - _SLACK if post.tried_at else datetime.min.replace(tzinfo=UTC)
        media, whole = self._latest(number, token, since if post.tried_at else datetime.now(UTC))
        for entry in media:
            if same_caption(str(entry.get("caption") or ""), caption) and _time(entry) >= since:
                return _read(entry)
        if not post.memo:
            return None  # no attempt came as far as its mutation
        if not self._containers.was_published(post, token, whole=whole):
            return None
        return _only([entry for entry in media if _time(entry) >= since + _SLACK - _JITTER], post)

    def measure(self, receipt: Receipt) -> Engagement:
        """Likes and comments; views, saves and shares where the token allows it.

        Raises:
            NotFound: the post is gone.
            ChannelError: it cannot be told.
        """
        if not receipt.id.isdigit():
            raise NotFound(f"Instagram has no post {receipt.id[:64]!r}")
        token = self._token.current()
        found = self._api.read(receipt.id, token, fields="like_count,comments_count")
        seen: dict[str, int | None] = {}
        try:
            told = self._api.read(f"{receipt.id}/insights", token, metric="views,saved,shares").get("data", [])
            seen = {entry["name"]: _count(entry["values"][0]["value"]) for entry in told}
        except (Unauthorised, Rejected, KeyError, IndexError, TypeError):
            pass  # counts that the token may not read, or that a young post does not have
        return Engagement(
            at=datetime.now(UTC),
            likes=_count(found.get("like_count")),
            replies=_count(found.get("comments_count")),
            reposts=seen.get("shares"),
            saves=seen.get("saved"),
            views=seen.get("views"),
        )

    def audience(self) -> Audience:
        """How many follow the account.

        Raises:
            ChannelError: it cannot be told.
        """
        token = self._token.current()
        number, _ = self._account(token)
        found = self._own(number, "", token, fields="followers_count")
        return Audience(at=datetime.now(UTC), followers=_count(found.get("followers_count")))

    def _own(self, number: str, edge: str, token: str, **fields: str) -> dict[str, Any]:
        """What the platform tells of the account itself."""
        try:
            return self._api.read(f"{number}/{edge}".rstrip("/"), token, **fields)
        except NotFound as error:
            raise self._stranger(number, error) from None

    def _stranger(self, number: str, error: NotFound) -> Unauthorised:
        """The platform knows nothing of the account, or will not tell this token: it is the operator's, not the post's."""
        return Unauthorised(
            f"{error}; see that the token may post as the account {number}, and that its number is right"
        )

    def _account(self, token: str) -> tuple[str, str]:
        """The account's number and name."""
        if self._me is None:
            number = self.config.account
            found = self._own(number or "me", "", token, fields="username" if number else "user_id,username")
            identity = number or _number(found.get("user_id") or found.get("id"), "account")
            self._me = identity, str(found.get("username") or "")
        return self._me

    def _quota(self, token: str, number: str) -> tuple[int, int]:
        """How many posts of the last 24 hours are used, of how many."""
        found = self._own(number, "content_publishing_limit", token, fields="quota_usage,config")
        try:
            entry = found["data"][0]
            return int(entry["quota_usage"]), int(entry["config"]["quota_total"])
        except (KeyError, IndexError, TypeError, ValueError):
            raise Throttled("Instagram does not tell how many posts are left") from None

    def _latest(self, number: str, token: str, since: datetime) -> tuple[list[dict[str, Any]], bool]:
        """The account's posts, the newest first, and whether they reach back to that moment."""
        media: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        for _ in range(_PAGES):
            found = self._own(number, "media", token, fields=_MEDIA, limit=str(_PAGE), **after)
            entries = found.get("data")
            if not isinstance(entries, list) or not all(isinstance(entry, dict) and "id" in entry for entry in entries):
                raise Throttled("Instagram's list of the latest posts makes no sense")
            media += entries
            paging = found.get("paging") or {}
            if not entries or "next" not in paging or _time(entries[-1]) < since:
                return media, True
            after = {"after": str(paging["cursors"]["after"])}
        return media, False

    def _receipt(self, identity: str, token: str) -> Receipt:
        """The receipt of a post that is out; its address is asked for, and no answer to that may lose the post."""
        for _ in range(2):
            try:
                return _read({"id": identity, **self._api.read(identity, token, fields="permalink,timestamp")})
            except (ChannelError, NotFound):
                time.sleep(min(self.config.poll_interval, 1.0))
        return Receipt(id=identity, url="https://www.instagram.com/", at=datetime.now(UTC))


def _only(young: list[dict[str, Any]], post: Post) -> Receipt:
    """The one post since the attempt: surely the one that was published then, whatever became of its words.

    Raises:
        Throttled: there is none yet.
        OutcomeUnknown: there is none, or more than one.
    """
    if len(young) == 1:
        return _read(young[0])
    now = datetime.now(UTC)
    if not young and now < (post.tried_at or now) + _LISTED:
        raise Throttled("Instagram says that it published the post, and does not list it yet", until=now + _JITTER)
    raise OutcomeUnknown(
        "Instagram says that it published the post, and which of the account's posts it is cannot be told"
    )


def _read(entry: dict[str, Any]) -> Receipt:
    return Receipt(
        id=str(entry["id"]), url=str(entry.get("permalink") or "https://www.instagram.com/"), at=_time(entry)
    )


def _time(entry: dict[str, Any]) -> datetime:
    try:
        found = datetime.fromisoformat(str(entry.get("timestamp")))
    except ValueError:
        return datetime.now(UTC)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _number(value: object, what: str) -> str:
    """A number of the platform's, as text.

    Raises:
        Throttled: it is none.
    """
    if not str(value).isdigit():
        raise Throttled(f"Instagram's answer holds no {what}'s number")
    return str(value)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
