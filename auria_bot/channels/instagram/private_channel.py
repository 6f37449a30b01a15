"""Publishes to Instagram with its private API, as the app does: for accounts that cannot use the official one.

**The risk.** Instagram does not allow it, may ask for confirmations at any time, and may restrict or ban the account.
It must be enabled with `accept_risk = true`; `instagram_graph` uses the official API. The channel waits between
requests, keeps its session, and stops at the first refusal. The upload is invisible; one request creates the post.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial, wraps
from threading import RLock
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from auria_bot.channels.answers import FAST, as_count, as_id, as_object, as_text
from auria_bot.channels.instagram.captions import LIKE_POST, LIMITS, fit_caption, same_caption
from auria_bot.channels.instagram.client import OWN_ADDRESS, ErrorKind, classify, single_send_client
from auria_bot.channels.instagram.login import InstagramLogin
from auria_bot.channels.pictures import fit_picture
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.interfaces import ConfirmSend, Limits, PreparedText, Question, Secrets
from auria_bot.domain.post import Post, Receipt
from auria_bot.errors import (
    AuriaError,
    DiskError,
    NotFound,
    OutcomeUnknown,
    Rejected,
    SettingsError,
    Throttled,
    Unauthorised,
)
from auria_bot.files import scratch_folder
from auria_bot.url_validation import checked_address

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["InstagramChannel"]

log = logging.getLogger(__name__)

_SLACK = timedelta(minutes=15)  # difference allowed between the platform's clock and ours
_PAGE = 33  # posts a request, when searching for a post: as many as the app requests
_PAGES = 20  # searched at most


_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


def _in_turn(
    method: Callable[Concatenate[InstagramChannel, _Given], _Found],
) -> Callable[Concatenate[InstagramChannel, _Given], _Found]:
    """A method that a process's threads call one after the other: the package's client has a single last answer."""

    @wraps(method)
    def called(self: InstagramChannel, /, *args: _Given.args, **options: _Given.kwargs) -> _Found:
        with self._turn:
            return method(self, *args, **options)

    return called


class InstagramChannel:
    """Instagram, by the private API."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        name: str = "instagram"
        accept_risk: bool = False  # Instagram does not allow this API, and may ban the account
        username: str = ""
        address: str = OWN_ADDRESS
        delay: tuple[float, float] = (1.0, 3.0)  # seconds to wait before each request: the shortest and the longest
        timeout: float = 60.0  # seconds, for each request
        settle: float = 600.0  # seconds after which a request whose answer was lost has been processed
        login_wait: float = 300.0  # seconds between two logins after a failed one; doubled with each

    QUESTIONS = (
        Question(
            name="accept_risk",
            prompt="Instagram does not allow the private API and may ban the account. Do you accept the risk?",
        ),
        Question(name="username", prompt="The account's name"),
        Question(name="password", prompt="The account's password", secret=True),
        Question(name="totp_seed", prompt="The seed of its authenticator app, if any", secret=True, required=False),
        Question(name="proxy", prompt="The address of a proxy, if any", secret=True, required=False),
    )
    deletion_obstacle = ""

    def __init__(self, config: Config, home: Path, secrets: Secrets) -> None:  # noqa: ARG002 - it keeps no file
        """Create the channel; nothing is sent.

        Raises:
            SettingsError: the risk is not accepted, or an option is not valid.
        """
        setting = f"channels.{config.name}.options"
        if config.accept_risk is not True and str(config.accept_risk).lower() not in {"true", "yes"}:
            raise SettingsError(
                f"{setting}.accept_risk is not true: Instagram does not allow the private API and may restrict or ban"
                " the account; set it to true to use it nevertheless, or use the backend instagram_graph"
            )
        if len(config.delay) != 2 or not 0 <= config.delay[0] <= config.delay[1] <= 120:
            raise SettingsError(
                f"{setting}.delay is {config.delay!r}; it is two numbers of seconds, such as [1.0, 3.0]"
            )
        if not re.fullmatch(r"[A-Za-z0-9._]{0,30}", config.username):
            raise SettingsError(
                f"{setting}.username is {config.username[:40]!r}; it is the account's name without an @"
            )
        self.config = config
        self.name = config.name
        self._turn = RLock()
        connect = partial(
            single_send_client,
            address=checked_address(config.address, setting=f"{setting}.address"),
            timeout=config.timeout,
            delay=config.delay,
        )
        self._login = InstagramLogin(
            secrets,
            channel=config.name,
            username=config.username,
            wait=timedelta(seconds=config.login_wait),
            connect=lambda session: connect(session, proxy=secrets.get("proxy") or ""),
        )

    def limits(self) -> Limits:
        """Instagram's limits."""
        return LIMITS

    def fit(self, text: str, alt_text: str) -> PreparedText:
        """The caption as it is sent: hashtags and the signature may be left out."""
        return fit_caption(text, alt_text, name=self.name)

    @_in_turn
    def check(self) -> str:
        """Read the signed-in account; without a session, sign in once. A successful check ends a block."""
        client = self._login.client(asked=True)
        if self._login.is_signed_in(client):
            try:
                return self._account_sentence(client)
            except Throttled:
                if self._login.is_signed_in(self._login.client(asked=True)):
                    raise  # else the session ended, and a login follows
        return self._account_sentence(self._signed_in(asked=True))

    @_in_turn
    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        """Upload the picture, then create the post by one request."""
        if post.film:
            raise Rejected(f"{self.name} takes no films: instagram_graph does, by the official API")
        fitted = self.fit(post.text, post.alt_text)
        picture = fit_picture(post, LIMITS)
        client = self._signed_in()
        with scratch_folder() as folder:
            path = folder / "picture.jpg"
            path.write_bytes(picture.content)
            client.picture = picture.content
            upload, width, height = self._do(client, lambda: client.photo_rupload(path))
        started: list[bool] = []

        def before_publishing() -> None:
            ready(str(upload))
            started.append(True)

        client.before_publishing = before_publishing
        extra = {"custom_accessibility_caption": fitted.alt_text} if fitted.alt_text else {}
        answer = self._do(
            client,
            lambda: client.photo_configure(upload, width, height, fitted.text, extra_data=extra),
            visible=started,
        )
        receipt = _receipt(as_object(as_object(answer).get("media")))
        try:
            self._login.keep_session(client)
        except DiskError as error:
            log.warning("The session could not be saved: %s", error, extra={"channel": self.name})
        return receipt

    @_in_turn
    def find(self, post: Post) -> Receipt | None:
        """Look for the post among the account's latest."""
        client = self._signed_in()
        caption = self.fit(post.text, post.alt_text).text
        now = datetime.now(UTC)
        # A restored database may know of no attempt although there was one: not before the post was due.
        since = (post.tried_at or min(post.due, now)) - _SLACK
        items, whole = self._latest(client, since)
        doubtful = False
        for item in items:
            stamp = as_id(item.get("device_timestamp"))
            if post.memo and stamp == post.memo:
                return _receipt(item)
            if same_caption(as_text(as_object(item.get("caption")).get("text")), caption):
                if (at := _time(item)) is None:
                    raise OutcomeUnknown(
                        "Instagram lists a post with the same caption and does not say when it was made"
                    )
                if at >= since:
                    return _receipt(item)
                doubtful = doubtful or (at >= since - FAST and not (post.memo and stamp))
        if post.tried_at is not None and now < (settled := post.tried_at + timedelta(seconds=self.config.settle)):
            raise Throttled("the post is not listed, and it is too early to be sure", until=settled)
        if doubtful:
            raise OutcomeUnknown(LIKE_POST)
        if not whole:
            raise OutcomeUnknown(
                "Instagram does not list all posts since then: whether this one was published is not known"
            )
        return None

    @_in_turn
    def delete(self, receipt: Receipt, ready: ConfirmSend) -> None:
        """Delete the post by one request, if it is still there."""
        if not self.is_published(receipt):
            return
        client = self._signed_in()
        identity = f"{receipt.id.partition('_')[0]}_{client.user_id}"
        data = client.with_default_data({"media_id": identity})
        ready()
        answer = self._do(client, lambda: client.private_request(f"media/{identity}/delete/", data), visible=[True])
        if as_object(answer).get("did_delete") is not True:
            raise OutcomeUnknown("Instagram answered without saying that the post is deleted")

    @_in_turn
    def is_published(self, receipt: Receipt) -> bool:
        """Whether Instagram still has the post."""
        if not receipt.id.partition("_")[0].isdigit():
            raise Rejected(f"{receipt.id[:64]!r} is not the number of a post on Instagram")
        try:
            self._item(receipt)
        except NotFound:
            return False
        except Rejected as error:
            raise OutcomeUnknown(f"it cannot be determined whether the post is still there: {error}") from None
        return True

    def _item(self, receipt: Receipt) -> dict[str, Any]:
        """The app's description of a post.

        Raises:
            NotFound: there is no such post.
            Throttled: the answer cannot be read.
        """
        number = receipt.id.partition("_")[0]
        if not number.isdigit():
            raise NotFound(f"Instagram has no post {receipt.id[:64]!r}")
        items = self._read(self._signed_in(), f"media/{number}/info/").get("items")
        if not isinstance(items, list):
            raise Throttled(f"Instagram's answer about post {number} cannot be read")
        if not items:
            raise NotFound(f"Instagram has no post {number}")
        return as_object(items[0])

    @_in_turn
    def measure(self, receipt: Receipt) -> Engagement:
        """Likes, comments and, if given, views and shares."""
        item = self._item(receipt)
        views = as_count(item.get("view_count")) or as_count(item.get("play_count"))
        return Engagement(
            at=datetime.now(UTC),
            likes=as_count(item.get("like_count")),
            replies=as_count(item.get("comment_count")),
            reposts=as_count(item.get("reshare_count")),
            saves=as_count(item.get("save_count")),
            views=views,
        )

    @_in_turn
    def account_id(self) -> str:
        """The account's number."""
        return str(self._signed_in().user_id)

    @_in_turn
    def audience(self) -> Audience:
        """The account's followers."""
        user = self._user(self._signed_in())
        return Audience(at=datetime.now(UTC), followers=as_count(user.get("follower_count")))

    def _user(self, client: Any) -> dict[str, Any]:
        return as_object(self._read(client, f"users/{client.user_id}/info/").get("user"))

    def _account_sentence(self, client: Any) -> str:
        """Read the signed-in account, and describe it."""
        user = as_object(self._read(client, "accounts/current_user/?edit=true").get("user"))
        self._login.unblock()
        self._login.keep_session(client)
        name = as_text(user.get("username")) or self.config.username
        return f"@{name} is signed in, by the private API, which Instagram does not allow; the session is saved"

    def _latest(self, client: Any, since: datetime) -> tuple[list[dict[str, Any]], bool]:
        """The account's posts, pinned ones first, then the newest, and whether they reach back to that time.

        The package's own listing is not used: it gives an empty list when the connection breaks.
        """
        items: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        for _ in range(_PAGES):
            found = self._read(client, f"feed/user/{client.user_id}/", count=_PAGE, **after)
            page = found.get("items")
            if not isinstance(page, list) or not all(_number(as_object(item)) for item in page):
                raise Throttled("Instagram's list of the latest posts cannot be read")
            items += page
            oldest = _time(page[-1]) if page else None
            if oldest is not None and oldest < since:
                return items, True
            cursor = as_id(found.get("next_max_id"))
            if found.get("more_available") is False or not cursor:
                break
            after = {"max_id": cursor}
        if not items and (posts := as_count(self._user(client).get("media_count"))) != 0:
            if posts is None:
                raise OutcomeUnknown("Instagram lists no posts and does not say how many the account has: look there")
            raise Throttled(f"Instagram lists none of the account's {posts} posts: the list is not to be trusted now")
        return items, found.get("more_available") is False

    def _signed_in(self, *, asked: bool = False) -> Any:
        """A client with a session; without one, it logs in once."""
        client = self._login.client(asked=asked)
        if not self._login.is_signed_in(client):
            self._do(client, lambda: self._login.sign_in(client), login=True)
        return client

    def _read(self, client: Any, endpoint: str, **params: Any) -> dict[str, Any]:
        """Read an endpoint."""
        return as_object(self._do(client, lambda: client.private_request(endpoint, params=params or None)))

    def _do(
        self, client: Any, call: Callable[[], Any], *, visible: list[bool] | None = None, login: bool = False
    ) -> Any:
        """Call the package and raise its errors as channel errors.

        Args:
            visible: not empty once the visible request has been started.
            login: whether this is a login.
        """
        try:
            return call()
        except AuriaError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the package raises is classified
            failure = classify(error, client, visible=bool(visible), login=login, hidden=self._login.known_secrets())
        reason = failure.message
        if failure.kind is ErrorKind.ENDED:
            reason = self._login.ended()
            if not reason:
                raise Throttled("Instagram ended the session; the next attempt signs in again", until=datetime.now(UTC))
        if failure.kind in {ErrorKind.BLOCKED, ErrorKind.ENDED}:
            self._login.block(reason)
            raise Unauthorised(f"{reason}; then: `auria channels resume {self.name}`")
        raise failure.error()


def _number(item: dict[str, Any]) -> str:
    """A post's number, which is also the first part of its id; "" without one."""
    number = as_id(item.get("pk")) or as_id(item.get("id")).partition("_")[0]
    return number if number.isdigit() else ""


def _receipt(item: dict[str, Any]) -> Receipt:
    """The receipt of a post.

    Raises:
        OutcomeUnknown: the answer holds no post.
    """
    if not (number := _number(item)):
        raise OutcomeUnknown("Instagram's answer to the publishing request holds no post")
    code = as_text(item.get("code"))
    url = f"https://www.instagram.com/p/{code}/" if code else "https://www.instagram.com/"
    return Receipt(id=number, url=url, at=_time(item) or datetime.now(UTC))


def _time(item: dict[str, Any]) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(item["taken_at"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
