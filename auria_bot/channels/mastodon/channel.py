"""Publishes to Mastodon: a picture with its description, and the words, under an idempotency key.

The picture is uploaded and processed first, which nobody sees; then the status is posted with the post's key, which the
server knows for about an hour: a repeat within it gives the same status. Whether an older attempt did post is told by
the account's own statuses: one that holds the picture uploaded for it, or the very same words, is the one.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from auria_bot.channels.mastodon.instance import InstanceLimits, InstanceLimitsCache, plain_text
from auria_bot.channels.mastodon.server import Gone, MastodonServer
from auria_bot.channels.pictures import fit_picture
from auria_bot.channels.text_limits import fit_words
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.interfaces import ConfirmSend, Limits, PreparedText, Question, Secrets
from auria_bot.domain.post import Post, Receipt
from auria_bot.errors import NotFound, OutcomeUnknown, Rejected, SettingsError, Throttled, Unauthorised
from auria_bot.url_validation import checked_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.channels.pictures import FittedPicture

__all__ = ["MastodonChannel", "MastodonConfig"]

_VISIBILITIES = ("public", "unlisted", "private", "direct")
_STALE = 86_400.0  # seconds after which a server's limits are read again
_SKEW = timedelta(minutes=10)  # by which a server's clock may differ from ours
_PAGE = 40  # statuses
_PAGES = 10  # that are looked through for an earlier attempt
_POLL = 0.5  # seconds between two questions whether a picture is processed


@dataclass(frozen=True, slots=True, kw_only=True)
class MastodonConfig:
    """Which account, where, and how."""

    name: str = "mastodon"
    instance: str = ""  # the server's address, such as https://mastodon.example
    visibility: str = "public"  # or unlisted, private, direct
    language: str = "en"  # of the text, ISO 639; "" lets the server guess
    timeout: float = 30.0  # seconds without a byte before a request is given up
    processing: float = 60.0  # seconds that the server may take to process a picture
    settle: float = 60.0  # seconds after an attempt during which its absence proves nothing


class MastodonChannel:
    """An account on a Mastodon server."""

    Config = MastodonConfig
    QUESTIONS = (
        Question(name="instance", prompt="The server's address, such as https://mastodon.example"),
        Question(
            name="access_token",
            prompt="An access token (Preferences > Development > New application; read, write:media, write:statuses)",
            secret=True,
        ),
    )

    def __init__(self, config: MastodonConfig, home: Path, secrets: Secrets) -> None:
        """Reach for nothing yet.

        Raises:
            SettingsError: the address is none, or there is no such visibility.
        """
        self.config, self.name = config, config.name
        if config.visibility not in _VISIBILITIES:
            raise SettingsError(
                f"visibility of channel {self.name} is {config.visibility[:40]!r}; known: {', '.join(_VISIBILITIES)}"
            )
        self._address = config.instance and checked_address(config.instance, setting=f"instance of channel {self.name}")
        self._server = MastodonServer(self._address, name=self.name, secrets=secrets, timeout=config.timeout)
        safe = re.sub(r"[^A-Za-z0-9_-]", "_", self.name)
        self._memory = InstanceLimitsCache(home / "channels" / f"{safe}.json", self._address)
        self._instance: InstanceLimits | None = None

    def limits(self) -> Limits:
        """What the server said last that it takes; what every server takes before it was asked."""
        return self._known().limits()

    def fit(self, text: str, alt_text: str) -> PreparedText:
        """The words as they are sent; characters are counted as the server does.

        Raises:
            Rejected: they are beyond a limit.
        """
        known = self._known()
        return fit_words(text, alt_text, known.limits(), name=self.name, count=known.count)

    def check(self) -> str:
        """Ask the server who we are and what it takes, and whether the account says that it is a bot.

        Raises:
            Unauthorised: the token is not accepted, or may not post.
            ChannelError: it cannot be told.
        """
        account = self._server.call(lambda client: client.account_verify_credentials())
        self._may_write()
        self._learn()
        known = self._known()
        words = [
            f"@{account.get('acct')} on {self._address}",
            f"takes {known.characters} characters, {known.alt_characters} of alt text, {known.picture_bytes} bytes a picture",
        ]
        if account.get("bot"):
            words.append("marked as a bot")
        else:
            words.append(
                "not marked as a bot: tick Automated account under Preferences > Public profile, as many servers ask"
            )
        return "; ".join(words)

    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        """Upload the picture, wait until it is processed, then post the status.

        Raises:
            Rejected: the words or the picture are beyond a limit, or the server does not want them.
            Throttled: nothing was posted; again later.
            Unauthorised: the token is not accepted; nothing was posted.
            OutcomeUnknown: the connection broke after the status was sent.
            InvalidTransition: from `ready`.
        """
        if time.time() - self._known().read_at > _STALE:
            self._learn()
        words, picture = self.fit(post.text, post.alt_text), fit_picture(post, self.limits())
        media = self._upload(picture, words.alt_text)
        ready(media)
        status = self._server.call(
            lambda client: client.status_post(
                words.text,
                media_ids=[media],
                visibility=self.config.visibility,
                idempotency_key=post.key,
                language=self.config.language or None,
            ),
            sent=True,
        )
        return self._receipt(status)

    def find(self, post: Post) -> Receipt | None:
        """Look for the post among the account's own statuses since it was tried.

        Raises:
            Throttled: the server cannot be reached, or the attempt is too recent for its absence to mean anything.
            Unauthorised: the token is not accepted.
            OutcomeUnknown: the account posted too much since to look through it.
        """
        now = datetime.now(UTC)
        since = (post.tried_at or min(post.due, now)) - _SKEW
        try:
            words = self.fit(post.text, post.alt_text)
            for status in self._statuses(since):
                if _is_it(status, words, post.memo):
                    return self._receipt(status)
        except (Rejected, KeyError, TypeError) as error:
            raise OutcomeUnknown(f"it cannot be told whether the post is there: {error}") from None
        if post.tried_at is not None and now < (settled := post.tried_at + timedelta(seconds=self.config.settle)):
            raise Throttled("the attempt is too recent to be sure that it came to nothing", until=settled)
        return None

    def measure(self, receipt: Receipt) -> Engagement:
        """What the server counted; a status on other servers may have more.

        Raises:
            NotFound: the post is gone.
            ChannelError: it cannot be told.
        """
        at = datetime.now(UTC)
        if not re.fullmatch(r"\w{1,64}", receipt.id):
            raise NotFound(f"{self.name} has no post {receipt.id[:64]!r}")
        try:
            found = self._server.call(lambda client: client.status(receipt.id))
        except Gone as error:
            raise NotFound(f"{self.name} has no post {receipt.id}: {error}") from None
        return Engagement(
            at=at,
            likes=found.get("favourites_count"),
            reposts=found.get("reblogs_count"),
            replies=found.get("replies_count"),
            quotes=found.get("quotes_count"),
        )

    def audience(self) -> Audience:
        """The followers that the server counted.

        Raises:
            ChannelError: it cannot be told.
        """
        at = datetime.now(UTC)
        account = self._server.call(lambda client: client.account_verify_credentials())
        return Audience(at=at, followers=account.get("followers_count"))

    def _known(self) -> InstanceLimits:
        if self._instance is None:
            self._instance = self._memory.recall() or InstanceLimits(instance=self._address)
        return self._instance

    def _learn(self) -> None:
        """Read the server's limits.

        Raises:
            Unauthorised: it is no Mastodon server.
        """
        try:
            try:
                answer = self._server.call(lambda client: client.instance_v2())
            except Gone:
                answer = self._server.call(lambda client: client.instance_v1())
        except Gone:
            raise Unauthorised(f"{self._address} is no Mastodon server; check instance of {self.name}") from None
        self._instance = InstanceLimits.read(answer, instance=self._address, at=time.time())
        self._memory.remember(self._instance)

    def _may_write(self) -> None:
        """Ask whether the token may post, where the server tells (Mastodon 4.3 and newer).

        Raises:
            Unauthorised: it may not.
            Throttled: it cannot be told now.
        """
        try:
            scopes = set(self._server.call(lambda client: client.app_verify_credentials()).get("scopes") or ())
        except (Rejected, Unauthorised):
            return  # it does not tell; the token itself was accepted just before
        lacking = [one for one in ("write:media", "write:statuses") if not scopes & {one, "write"}]
        if scopes and lacking:
            raise Unauthorised(
                f"the access token of {self.name} may only {', '.join(sorted(scopes))}; make one with {' and '.join(lacking)},"
                f" then run: auria channels add {self.name}"
            )

    def _upload(self, picture: FittedPicture, alt_text: str) -> str:
        """Hand the picture over and wait until the server has processed it; nobody sees it before a status holds it.

        Raises:
            Throttled: it takes too long.
        """
        media = self._server.call(
            lambda client: client.media_post(picture.content, mime_type=picture.media_type, description=alt_text)
        )
        identifier = str(media.get("id") or "")
        if not identifier:
            raise Throttled(f"{self._address} answered with something that is no picture")

        def ask(client: Any) -> Any:
            return client.media(identifier)

        end = time.monotonic() + self.config.processing
        while not media.get("url"):
            if time.monotonic() > end:
                raise Throttled(
                    f"{self._address} takes longer than {self.config.processing:g} s to process the picture"
                )
            time.sleep(_POLL)
            media = self._server.call(ask)
        return identifier

    def _statuses(self, since: datetime) -> Iterator[Any]:
        """The account's own statuses since then, the newest first.

        Raises:
            OutcomeUnknown: there are too many.
        """
        me = self._server.call(lambda client: client.account_verify_credentials())["id"]
        last = None
        for _ in range(_PAGES):
            ask = partial(_page, account=me, before=last)
            page = self._server.call(ask)
            yield from (status for status in page if status["created_at"] >= since)
            if not page or min(status["created_at"] for status in page) < since:
                return
            last = page[-1]["id"]
        raise OutcomeUnknown(
            f"{self._address} has more than {_PAGES * _PAGE} newer statuses of this account: look there"
        )

    def _receipt(self, status: Any) -> Receipt:
        """Of a status as the server describes it.

        Raises:
            OutcomeUnknown: that is no status.
        """
        try:
            at = status["created_at"].astimezone(UTC)
            return Receipt(id=str(status["id"]), url=str(status.get("url") or status["uri"]), at=at)
        except (AttributeError, KeyError, TypeError):
            raise OutcomeUnknown(f"{self._address} answered with something that is no status") from None


def _page(client: Any, *, account: str, before: str | None) -> Any:
    """A page of an account's statuses."""
    return client.account_statuses(account, limit=_PAGE, max_id=before, exclude_reblogs=True, exclude_replies=True)


def _is_it(status: Any, words: PreparedText, memo: str) -> bool:
    """Whether a status is the post: it holds the picture that was uploaded for it, or says the very same."""
    media = status.get("media_attachments") or []
    if memo and any(str(one.get("id")) == memo for one in media):
        return True
    same = plain_text(status.get("content") or "") == " ".join(words.text.split())
    return same and any((one.get("description") or "") == words.alt_text for one in media)
