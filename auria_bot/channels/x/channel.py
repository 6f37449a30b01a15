"""Posts to X: one picture or film with its alt text, one text, exactly once.

X has no idempotency key, so a post of unknown outcome is looked for in the account's own timeline: by the uploaded
picture's key, which every attempt records, or by its text. It counts as absent only if the timeline was read back to
before the first attempt, or to its end with as many posts as the account has. Times are X's own where known, so that
this machine's clock may be wrong. Every post that is read is charged: no more is read than needed.

Web addresses are refused unless the operator allows them: X charges 13 times as much for such posts. The requests are
in `x.api`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from auria_bot.channels.answers import ChannelCache, as_count
from auria_bot.channels.films import FittedFilm, fit_film
from auria_bot.channels.pictures import fit_picture
from auria_bot.channels.text_limits import fit_text
from auria_bot.channels.x.api import Account, ListedPost, XApi, moment
from auria_bot.channels.x.session import DuplicateText
from auria_bot.channels.x.text import forbidden_characters, same_text, web_addresses, weighted_length
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.interfaces import ConfirmSend, Limits, PreparedText, Question, Secrets
from auria_bot.domain.post import FilmLimits, Post, Receipt
from auria_bot.errors import ChannelError, NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised
from auria_bot.url_validation import checked_address

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["AttemptTrace", "XChannel", "find_in_timeline"]

_MARGIN = timedelta(seconds=30)  # between X's own clocks
_UNSURE = timedelta(minutes=10)  # the same where only this machine's clock is known
_FIRST_PAGE = 5  # posts
_PAGE = 100  # posts
_PAGES = 40  # some may be empty
_REACH = 3200  # posts: X shows no more of a timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptTrace:
    """When a post was attempted, by X's clock where known, and with which pictures."""

    first: datetime
    last: datetime
    media: frozenset[str]  # keys of the uploaded pictures
    margin: timedelta

    @property
    def since(self) -> datetime:
        """No attempt was earlier."""
        return self.first - self.margin

    @classmethod
    def of(cls, post: Post) -> AttemptTrace:
        """Read a post's memo; without one, use its times by this machine's clock."""
        try:
            first, last, *media = post.memo.split()
            times = [datetime.fromtimestamp(int(value), UTC) for value in (first, last)]
        except (ValueError, OverflowError, OSError):
            at = post.tried_at or post.due
            return cls(first=at, last=at, media=frozenset(), margin=_UNSURE)
        return cls(first=times[0], last=times[1], media=frozenset(media), margin=_MARGIN)

    def again(self, post: Post, key: str, at: datetime) -> AttemptTrace:
        """Add an attempt."""
        first = at if post.tried_at is None else self.since + _MARGIN
        return AttemptTrace(first=first, last=at, media=self.media | {key}, margin=_MARGIN)

    def memo(self) -> str:
        """The text form: first attempt, last attempt, and at most five picture keys."""
        media = sorted(self.media)[-5:]
        return " ".join([str(int(self.first.timestamp())), str(int(self.last.timestamp())), *media])


def find_in_timeline(api: XApi, account: str, text: str, trace: AttemptTrace) -> tuple[ListedPost | None, datetime]:
    """The post, or None if it is surely absent; and the time of the answer by X's clock.

    Raises:
        Throttled: the timeline cannot be read, or is incomplete, now.
        Unauthorised: the keys are not accepted.
        OutcomeUnknown: the timeline does not show enough to tell.
    """
    token, count, at = None, 0, None
    for _ in range(_PAGES):
        page = api.timeline(account, size=_FIRST_PAGE if token is None else _PAGE, token=token)
        at = at or api.now()
        for listed in page.posts:
            if listed.media & trace.media or (listed.at >= trace.since and same_text(text, listed.text)):
                return listed, at
        if not page.complete:
            raise Throttled("X answered with an incomplete timeline")
        if page.posts and min(listed.at for listed in page.posts) < trace.since:
            return None, at
        count += len(page.posts)
        token = page.next
        if token is None:
            break
    if at is None or token is not None or count > _REACH - _PAGE:
        raise OutcomeUnknown("X's timeline does not reach back to the first attempt; look at the profile")
    posts = api.account().posts
    if posts is None:
        raise OutcomeUnknown(
            "X's timeline ends after the first attempt, and X does not say how many posts the account has; look"
            " at the profile"
        )
    if count < posts:
        raise Throttled(f"X lists {count} posts of an account that has {posts}: the timeline is not to be trusted now")
    return None, at


_KEYS = ("api_key", "api_secret", "access_token", "access_token_secret")
_PATIENCE = timedelta(minutes=10)  # how long a post that X calls a duplicate may be missing from the timeline
_STATUS = re.compile(r"(?:.*/status/)?(\d{1,23})(?:[/?#].*)?")
_AUTOMATION = re.compile(r"\b(?:bot|automat\w*|generated|robot|AI|KI)\b", re.IGNORECASE)


class XChannel:
    """An account on X."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        name: str = "x"
        address: str = "https://api.x.com"
        made_with_ai: bool = True  # label the post as made with AI
        allow_urls: bool = False  # a post with a web address costs 13 times as much
        settle: float = 60.0  # seconds after an attempt before a post that is not listed counts as absent
        connect_timeout: float = 10.0  # seconds
        read_timeout: float = 30.0  # seconds between two bytes of an answer
        deadline: float = 120.0  # seconds for one request and its whole answer
        processing: float = 600.0  # seconds that X may take to process a film
        price_post: float = 0.015  # US dollars
        price_url_post: float = 0.20  # US dollars, for a post with a web address
        price_alt_text: float = 0.005  # US dollars

    QUESTIONS = (
        Question(name="api_key", prompt="API key (of the app, at console.x.com)", secret=True),
        Question(name="api_secret", prompt="API key secret", secret=True),
        Question(
            name="access_token", prompt="Access token (made after the app was given 'Read and write')", secret=True
        ),
        Question(name="access_token_secret", prompt="Access token secret", secret=True),
    )
    deletion_obstacle = ""

    def __init__(self, config: Config, home: Path, secrets: Secrets) -> None:
        """Create the channel; nothing is sent.

        Raises:
            SettingsError: keys must not be sent to the address.
        """
        self.config = config
        self.name = config.name
        self._address = checked_address(config.address, setting=f"channels.{config.name}.options.address")
        self._secrets = secrets
        self._cache, self._films = ChannelCache(home, self.name), home / "cache" / "films"
        self._known: tuple[tuple[str, ...], XApi] | None = None
        self._me: Account | None = None

    def limits(self) -> Limits:
        """X's limits; hashtags are limited to five by choice. Those of films are of accounts without a subscription."""
        return Limits(
            characters=280,
            alt_characters=1000,
            picture_bytes=5_000_000,
            picture_pixels=8192,
            hashtags=5,
            film=FilmLimits(
                seconds=140.0, least_seconds=0.5, bytes=512_000_000, pixels=1280, rate=60.0, ratios=(1 / 3, 3.0)
            ),
        )

    def fit(self, text: str, alt_text: str) -> PreparedText:
        """The text as it is sent.

        Raises:
            Rejected: the text is too long, or holds characters that X refuses, or a web address that is not allowed.
        """
        fitted = fit_text(text, alt_text, self.limits(), name=self.name, count=weighted_length)
        if not fitted.text.strip():
            raise Rejected(f"{self.name} takes no post without a text")
        if forbidden_characters(fitted.text):
            raise Rejected(f"{self.name} does not take U+FEFF, U+FFFE and U+FFFF in a text; edit it and approve again")
        if not self.config.allow_urls and (found := web_addresses(fitted.text)):
            raise Rejected(
                f"the text holds the web address {found[0][:80]!r}, and X charges {self.config.price_url_post:g} US"
                f" dollars for such a post instead of {self.config.price_post:g}; take it out, or set allow_urls = true"
                f" in the options of [channels.{self.name}]"
            )
        return fitted

    def check(self) -> str:
        """Ask X who the keys belong to, and describe what is missing in the account's settings."""
        me = self._me = self._api().account()
        if me.read_only:
            raise Unauthorised(
                f"the access token of @{me.username} may only read: give the app 'Read and write' at"
                f" https://console.x.com, make a new access token, then `auria channels add {self.name}`"
            )
        findings = [f"posts as @{me.username}"]
        if me.followers is not None:
            findings.append(f"{me.followers} {'follower' if me.followers == 1 else 'followers'}")
        if me.protected:
            findings.append("the account is protected: only followers see its posts")
        if not (_AUTOMATION.search(me.description) and "@" in me.description):
            findings.append(
                "warning: X's rules ask for the label 'Automated' (Settings, Your account, Automation), and for a bio"
                " that says so and names the human account behind it"
            )
        return "; ".join(findings)

    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        """Upload the picture or the film, set its alt text, and post.

        A post that was attempted before is looked for first.
        """
        fitted = self.fit(post.text, post.alt_text)
        limits = self.limits()
        fitting = fit_film(post, limits.film, self._films) if post.film else fit_picture(post, limits)
        api = self._api()
        me = self._account()
        if post.tried_at is not None and (found := self._find(fitted, AttemptTrace.of(post))[0]) is not None:
            return self._receipt(me, found.id, fitted)
        if isinstance(fitting, FittedFilm):
            media = api.upload_film(fitting.path, patience=self.config.processing)
        else:
            media = api.upload(fitting.content)
        if fitted.alt_text.strip():
            api.describe(media, fitted.alt_text)
        trace = AttemptTrace.of(post).again(post, media.key, api.now())
        ready(trace.memo())
        try:
            identifier = api.create(fitted.text, media, made_with_ai=self.config.made_with_ai)
        except DuplicateText as error:
            return self._receipt(me, self._earlier_attempt(post, fitted, trace, error).id, fitted)
        return self._receipt(me, identifier, fitted)

    def find(self, post: Post) -> Receipt | None:
        """Look for the post in the account's own timeline."""
        fitted = self._sent(post)
        trace = AttemptTrace.of(post)
        found, at = self._find(fitted, trace)
        if found is not None:
            return self._receipt(self._account(), found.id, fitted)
        rest = timedelta(seconds=self.config.settle) - (at - trace.last) if post.tried_at is not None else timedelta()
        if rest > timedelta():
            raise Throttled(
                "X does not show the post yet; it is too early to be sure that it was not posted",
                until=datetime.now(UTC) + rest,
            )
        return None

    def delete(self, receipt: Receipt, ready: ConfirmSend) -> None:
        """Delete the post by one request."""
        identifier = self._own_post(receipt)
        api = self._api()
        ready()
        api.delete(identifier)

    def is_published(self, receipt: Receipt) -> bool:
        """Ask for the post; X charges for it as for measuring."""
        return self._api().exists(self._own_post(receipt))

    def _own_post(self, receipt: Receipt) -> str:
        """The id of a published post."""
        if (identifier := _identifier(receipt)) is None:
            raise Rejected(f"{receipt.url or receipt.id} is not the address of a post on X")
        return identifier

    def measure(self, receipt: Receipt) -> Engagement:
        """The post's public metrics."""
        if (identifier := _identifier(receipt)) is None:
            raise NotFound(
                f"{self.name} cannot identify the post by {receipt.id[:80]!r}: it is neither an id nor an address of X"
            )
        counts = {name: as_count(value) for name, value in self._api().counts(identifier).items()}
        reposts = counts.get("repost_count")
        return Engagement(
            at=datetime.now(UTC),
            likes=counts.get("like_count"),
            reposts=counts.get("retweet_count") if reposts is None else reposts,
            replies=counts.get("reply_count"),
            quotes=counts.get("quote_count"),
            saves=counts.get("bookmark_count"),
            views=counts.get("impression_count"),
        )

    def account_id(self) -> str:
        """The account's number."""
        return self._account().id

    def audience(self) -> Audience:
        """The account's followers."""
        return Audience(at=datetime.now(UTC), followers=self._api().account().followers)

    def _api(self) -> XApi:
        """The client for the current keys, which the operator may have replaced."""
        keys = {name: (self._secrets.get(name) or "").strip() for name in _KEYS}
        if missing := [name for name, value in keys.items() if not value]:
            raise Unauthorised(f"{self.name} has no {', '.join(missing)}; run: auria channels add {self.name}")
        values = tuple(keys.values())
        if self._known is None or self._known[0] != values:
            api = XApi(
                keys,
                address=self._address,
                timeouts=(self.config.connect_timeout, self.config.read_timeout, self.config.deadline),
                name=self.name,
                cache=self._cache,
            )
            self._known, self._me = (values, api), None
        return self._known[1]

    def _account(self) -> Account:
        """The account; asked once."""
        api = self._api()
        if self._me is None:
            self._me = api.account()
        return self._me

    def _sent(self, post: Post) -> PreparedText:
        """The text that earlier attempts sent, whatever the options are now."""
        try:
            return fit_text(post.text, post.alt_text, self.limits(), name=self.name, count=weighted_length)
        except Rejected:
            return PreparedText(text=post.text, alt_text=post.alt_text)

    def _find(self, fitted: PreparedText, trace: AttemptTrace) -> tuple[ListedPost | None, datetime]:
        return find_in_timeline(self._api(), self._account().id, fitted.text, trace)

    def _earlier_attempt(
        self, post: Post, fitted: PreparedText, trace: AttemptTrace, error: DuplicateText
    ) -> ListedPost:
        """The post that X calls this one a duplicate of, if an earlier attempt at this one made it.

        Raises:
            Rejected: it is another post.
            OutcomeUnknown: it may be an attempt that X does not list yet.
        """
        try:
            found, at = self._find(fitted, trace)
        except ChannelError as trouble:
            raise OutcomeUnknown(f"{error}; and its timeline cannot be read now ({trouble})") from None
        if found is not None:
            return found
        if post.tried_at is not None and at - trace.first < _PATIENCE:
            raise OutcomeUnknown(f"{error}; an earlier attempt seems to have been posted, but X does not list it yet")
        raise Rejected(f"{error}; the account has posted this text before, in another way; edit it and approve again")

    def _receipt(self, me: Account, identifier: str, fitted: PreparedText) -> Receipt:
        """The receipt, with the cost of this post; alt texts of earlier attempts are not counted."""
        price = self.config.price_url_post if web_addresses(fitted.text) else self.config.price_post
        price += self.config.price_alt_text if fitted.alt_text.strip() else 0
        url = f"https://x.com/{me.username}/status/{identifier}"
        return Receipt(id=identifier, url=url, at=moment(identifier), cost=round(price, 6))


def _identifier(receipt: Receipt) -> str | None:
    """The id of a post, from its receipt's id or address."""
    match = _STATUS.fullmatch(receipt.id) or _STATUS.fullmatch(receipt.url)
    return match and match[1]
