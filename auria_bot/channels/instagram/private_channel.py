"""Publishes to Instagram by its private API, as the app does: for accounts that cannot have the official road.

**The risk.** Instagram does not allow it, may ask for confirmations at any time, and may restrict or ban the account. So it must be
chosen with `accept_risk = true`; `instagram_graph` is the road for those who can take it. It goes slowly, keeps its
session, and stops at the first sign of trouble. An upload is invisible; one request makes the post.
"""

from __future__ import annotations

import logging
import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.channels.instagram.captions import LIMITS, fit_caption, same_caption
from auria_bot.channels.instagram.client import OWN_ADDRESS, single_send_client
from auria_bot.channels.instagram.errors import Meaning, meaning
from auria_bot.channels.instagram.login import InstagramLogin
from auria_bot.channels.pictures import fit_picture
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.interfaces import ConfirmSend, Limits, PreparedText, Question, Secrets
from auria_bot.domain.post import Post, Receipt
from auria_bot.errors import AuriaError, DiskError, NotFound, OutcomeUnknown, SettingsError, Throttled, Unauthorised
from auria_bot.url_validation import checked_address

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["InstagramChannel", "InstagramConfig"]

log = logging.getLogger(__name__)

_SLACK = timedelta(minutes=15)  # how far the platform's clock and ours may be apart
_PAGE = 33  # posts that are asked for at once, when a post is looked for: as many as the app asks for
_PAGES = 20  # that are looked through at most


@dataclass(frozen=True, slots=True, kw_only=True)
class InstagramConfig:
    """How to publish as the app does."""

    name: str = "instagram"
    accept_risk: bool = False  # Instagram does not allow this road, and may ban the account
    username: str = ""
    address: str = OWN_ADDRESS
    delay: tuple[float, float] = (1.0, 3.0)  # seconds to wait before each request: the shortest and the longest
    timeout: float = 60.0  # seconds, for each request
    settle: float = 600.0  # seconds after which a request whose answer was lost has surely been dealt with
    login_wait: float = 300.0  # seconds between two logins where one failed; doubled with each


class InstagramChannel:
    """Instagram, the other road."""

    Config = InstagramConfig
    QUESTIONS = (
        Question(
            name="accept_risk",
            prompt="Instagram does not allow this road and may ban the account. Do you accept the risk?",
        ),
        Question(name="username", prompt="The account's name"),
        Question(name="password", prompt="The account's password", secret=True),
        Question(name="totp_seed", prompt="The seed of its authenticator app, if any", secret=True, required=False),
        Question(name="proxy", prompt="A proxy to go through, if any", secret=True, required=False),
    )

    def __init__(self, config: InstagramConfig, home: Path, secrets: Secrets) -> None:  # noqa: ARG002 - it keeps no file
        """Remember the configuration; nothing is reached for.

        Raises:
            SettingsError: the risk is not accepted, or an option makes no sense.
        """
        setting = f"channels.{config.name}.options"
        if config.accept_risk is not True and str(config.accept_risk).lower() not in {"true", "yes"}:
            raise SettingsError(
                f"{setting}.accept_risk is not true: this road is not allowed by Instagram, which may restrict or ban the"
                " account; set it to true to take it all the same, or use the backend instagram_graph"
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
        """What Instagram takes."""
        return LIMITS

    def fit(self, text: str, alt_text: str) -> PreparedText:
        """The words as they are sent: hashtags and the signature may be left out.

        Raises:
            Rejected: they are too long all the same.
        """
        return fit_caption(text, alt_text, name=self.name)

    def check(self) -> str:
        """Ask who is signed in; where nobody is, sign in once. This is how the operator ends a block.

        Raises:
            Unauthorised: something stands in the way, with what to do.
            Throttled: the platform is away, or it is too early for another login.
        """
        client = self._login.client(asked=True)
        if self._login.is_signed_in(client):
            try:
                return self._greeted(client)
            except Throttled:
                if self._login.is_signed_in(self._login.client(asked=True)):
                    raise  # else the session ended, and there is a login
        return self._greeted(self._signed_in(asked=True))

    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        """Upload the picture, then make the post of it by one request.

        Raises:
            Rejected: the platform does not take it.
            Throttled: later.
            Unauthorised: something stands in the way, with what to do.
            OutcomeUnknown: the last request's outcome is not known.
        """
        words = self.fit(post.text, post.alt_text)
        picture = fit_picture(post, LIMITS)
        client = self._signed_in()
        with tempfile.TemporaryDirectory(prefix="auria-") as folder:
            path = Path(folder) / "picture.jpg"
            path.write_bytes(picture.content)
            client.picture = picture.content
            upload, width, height = self._do(client, lambda: client.photo_rupload(path))
        begun: list[bool] = []

        def before_publishing() -> None:
            ready(str(upload))
            begun.append(True)

        client.before_publishing = before_publishing
        extra = {"custom_accessibility_caption": words.alt_text} if words.alt_text else {}
        made = self._do(
            client, lambda: client.photo_configure(upload, width, height, words.text, extra_data=extra), visible=begun
        )
        try:
            receipt = _read(made["media"])
        except (KeyError, TypeError, ValueError):
            raise OutcomeUnknown("Instagram's answer to the publishing holds no post") from None
        try:
            self._login.keep_session(client)
        except DiskError as error:
            log.warning("The session could not be kept: %s", error, extra={"channel": self.name})
        return receipt

    def find(self, post: Post) -> Receipt | None:
        """Whether the post is among the account's latest.

        Raises:
            Throttled: it is too early to tell, or the platform is away.
            Unauthorised: something stands in the way, with what to do.
            OutcomeUnknown: too much was posted since to be sure.
        """
        if not (post.memo or post.tried_at) and not self._has_session():
            return None  # no attempt came as far as its mutation
        client = self._signed_in()
        caption = self.fit(post.text, post.alt_text).text
        since = post.tried_at - _SLACK if post.tried_at else datetime.min.replace(tzinfo=UTC)
        items, whole = self._latest(client, since if post.tried_at else datetime.now(UTC))
        for item in items:
            mine = bool(post.memo) and str(item.get("device_timestamp")) == post.memo
            if mine or (same_caption(_caption(item), caption) and _time(item) >= since):
                return _read(item)
        if post.tried_at is None:
            return None
        settled = post.tried_at + timedelta(seconds=self.config.settle)
        if datetime.now(UTC) < settled:
            raise Throttled("the post is not listed, and it is too early to be sure", until=settled)
        if not whole:
            raise OutcomeUnknown("too much was posted to Instagram since to be sure that the post is not out")
        return None

    def measure(self, receipt: Receipt) -> Engagement:
        """Likes, comments and, where they are told, views and shares.

        Raises:
            NotFound: the post is gone.
            ChannelError: it cannot be told.
        """
        number = receipt.id.partition("_")[0]
        if not number.isdigit():
            raise NotFound(f"Instagram has no post {receipt.id[:64]!r}")
        found = self._ask(self._signed_in(), f"media/{number}/info/")
        try:
            item = found["items"][0]
        except (KeyError, IndexError, TypeError):
            raise NotFound(f"Instagram has no post {number}") from None
        views = _count(item.get("view_count")) or _count(item.get("play_count"))
        return Engagement(
            at=datetime.now(UTC),
            likes=_count(item.get("like_count")),
            replies=_count(item.get("comment_count")),
            reposts=_count(item.get("reshare_count")),
            saves=_count(item.get("save_count")),
            views=views,
        )

    def audience(self) -> Audience:
        """How many follow the account.

        Raises:
            ChannelError: it cannot be told.
        """
        client = self._signed_in()
        found = self._ask(client, f"users/{client.user_id}/info/")
        user = found.get("user")
        return Audience(
            at=datetime.now(UTC), followers=_count(user.get("follower_count") if isinstance(user, dict) else None)
        )

    def _greeted(self, client: Any) -> str:
        """Whom the platform takes a client for."""
        user = self._ask(client, "accounts/current_user/?edit=true").get("user")
        self._login.unblock()
        self._login.keep_session(client)
        name = str(user.get("username") if isinstance(user, dict) else "") or self.config.username
        return f"@{name} is signed in, by the road that Instagram does not allow; the session is kept"

    def _latest(self, client: Any, since: datetime) -> tuple[list[dict[str, Any]], bool]:
        """The account's posts, pinned ones first, then the newest, and whether they reach back to that moment.

        Not by the package's own listing, which gives an empty list where the connection breaks.
        """
        items: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        for _ in range(_PAGES):
            found = self._ask(client, f"feed/user/{client.user_id}/", count=_PAGE, **after)
            page = found.get("items")
            if not isinstance(page, list) or not all(isinstance(item, dict) and "pk" in item for item in page):
                raise Throttled("Instagram's list of the latest posts makes no sense")
            items += page
            if not page or not found.get("more_available") or _time(page[-1]) < since:
                return items, True
            after = {"max_id": str(found.get("next_max_id") or "")}
        return items, False

    def _has_session(self) -> bool:
        return self._login.is_signed_in(self._login.client())

    def _signed_in(self, *, asked: bool = False) -> Any:
        """A client with a session; without one, one login is made."""
        client = self._login.client(asked=asked)
        if not self._login.is_signed_in(client):
            self._do(client, lambda: self._login.sign_in(client), login=True)
        return client

    def _ask(self, client: Any, endpoint: str, **params: Any) -> dict[str, Any]:
        """What an endpoint tells."""
        found = self._do(client, lambda: client.private_request(endpoint, params=params or None))
        return found if isinstance(found, dict) else {}

    def _do(
        self, client: Any, call: Callable[[], Any], *, visible: list[bool] | None = None, login: bool = False
    ) -> Any:
        """Call the package, and tell its errors as this house does.

        Args:
            client: that is called.
            call: what is done.
            visible: filled once the request that followers see is on its way.
            login: whether this is a login.
        """
        try:
            return call()
        except AuriaError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the package raises must be told apart here
            told = meaning(error, client, visible=bool(visible), login=login, hidden=self._login.known_secrets())
        words = told.words
        if told.kind is Meaning.Kind.ENDED:
            words = self._login.ended()
            if not words:
                raise Throttled("Instagram ended the session; the next attempt signs in anew", until=datetime.now(UTC))
        if told.kind in {Meaning.Kind.BLOCKED, Meaning.Kind.ENDED}:
            self._login.block(words)
            raise Unauthorised(f"{words}; then: `auria channels resume {self.name}`")
        raise told.error()


def _caption(item: dict[str, Any]) -> str:
    caption = item.get("caption")
    return str(caption.get("text") or "") if isinstance(caption, dict) else ""


def _read(item: dict[str, Any]) -> Receipt:
    """The receipt of a post, from what the platform tells of it.

    Raises:
        KeyError: it tells too little.
    """
    return Receipt(id=str(item["pk"]), url=f"https://www.instagram.com/p/{item['code']}/", at=_time(item))


def _time(item: dict[str, Any]) -> datetime:
    try:
        return datetime.fromtimestamp(int(item["taken_at"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return datetime.now(UTC)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
