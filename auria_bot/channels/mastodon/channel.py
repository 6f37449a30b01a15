"""Publishes to Mastodon and servers with its API: GoToSocial, Akkoma, Pixelfed, Friendica, Mitra, Takahe, snac.

The picture is uploaded and processed first, which is not visible; then the status is posted with the post's
idempotency key, which Mastodon keeps for about an hour. Whether an earlier attempt was published is found in the
account's own statuses: one that holds the uploaded picture, or has the same text and a picture with the same alt
text. Where a status lacks what is needed to compare it, the outcome stays unknown.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from auria_bot.channels.answers import FAST, ChannelCache, as_count, as_id, as_items, as_object, as_text, as_time
from auria_bot.channels.films import fit_film
from auria_bot.channels.mastodon.server import ACCOUNT, InstanceLimits, MastodonServer, Missing, plain_text
from auria_bot.channels.pictures import fit_picture
from auria_bot.channels.text_limits import fit_text
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.interfaces import ConfirmSend, Limits, PreparedText, Question, Secrets
from auria_bot.domain.post import Post, Receipt
from auria_bot.errors import NotFound, OutcomeUnknown, Rejected, SettingsError, Throttled, Unauthorised
from auria_bot.url_validation import checked_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["MastodonChannel"]

_VISIBILITIES = ("public", "unlisted", "private", "direct")
_STALE = 86_400.0  # seconds after which a server's limits are read again
_SKEW = timedelta(minutes=10)  # difference allowed between the server's clock and ours
_PAGE = 40  # statuses
_PAGES = 10  # searched for an earlier attempt
_ID = re.compile(r"[\w-][\w.-]{0,127}")  # of a status


class MastodonChannel:
    """An account on a server with Mastodon's API."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        name: str = "mastodon"
        instance: str = ""  # the server's address, such as https://mastodon.example
        visibility: str = "public"  # or unlisted, private, direct
        language: str = "en"  # of the text, ISO 639; "" lets the server guess
        timeout: float = 30.0  # seconds to connect, and between two bytes of an answer
        processing: float = 60.0  # seconds that the server may take to process a picture; ten times that for a film
        poll_interval: float = 0.5  # seconds between two questions whether it is processed
        settle: float = 60.0  # seconds after an attempt before a status that is not listed counts as absent

    QUESTIONS = (
        Question(name="instance", prompt="The server's address, such as https://mastodon.example"),
        Question(
            name="access_token",
            prompt="An access token (Preferences > Development > New application; read, write:media, write:statuses)",
            secret=True,
        ),
    )
    deletion_obstacle = ""

    def __init__(self, config: Config, home: Path, secrets: Secrets) -> None:
        """Create the channel; nothing is sent.

        Raises:
            SettingsError: the address or the visibility is not valid.
        """
        self.config, self.name = config, config.name
        if config.visibility not in _VISIBILITIES:
            raise SettingsError(
                f"visibility of channel {self.name} is {config.visibility[:40]!r}; known: {', '.join(_VISIBILITIES)}"
            )
        self._address = config.instance and checked_address(config.instance, setting=f"instance of channel {self.name}")
        self._server = MastodonServer(self._address, name=self.name, secrets=secrets, timeout=config.timeout)
        self._cache, self._films = ChannelCache(home, self.name), home / "cache" / "films"
        self._limits: InstanceLimits | None = None

    def limits(self) -> Limits:
        """The limits that the server stated last; Mastodon's before that."""
        return self._known_limits().limits()

    def fit(self, text: str, alt_text: str) -> PreparedText:
        """The text as it is sent; characters are counted as the server does."""
        known = self._known_limits()
        return fit_text(text, alt_text, known.limits(), name=self.name, count=known.count)

    def check(self) -> str:
        """Read the account, the token's scopes and the server's limits."""
        account = self._account()
        self._check_scopes()
        self._read_limits()
        known = self._known_limits()
        findings = [
            f"@{as_text(account.get('acct')) or as_text(account.get('username')) or account['id']} on {self._address}",
            f"accepts {known.characters} characters and {known.alt_characters} of alt text",
            f"pictures of at most {known.picture_bytes} bytes",
        ]
        if account.get("bot") is True:
            findings.append("marked as a bot")
        else:
            findings.append(
                "not marked as a bot: tick Automated account under Preferences > Public profile, as many servers ask"
            )
        return "; ".join(findings)

    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        """Upload the picture or the film, wait until it is processed, then post the status."""
        if time.time() - self._known_limits().read_at > _STALE:
            self._read_limits()
        fitted, limits = self.fit(post.text, post.alt_text), self.limits()
        if post.film:
            film = fit_film(post, limits.film, self._films)
            with film.path.open("rb") as content:
                media = self._upload(
                    ("film.mp4", content, film.media_type), fitted.alt_text, 10 * self.config.processing
                )
        else:
            picture = fit_picture(post, limits)
            sent = ("picture.jpg", picture.content, picture.media_type)
            media = self._upload(sent, fitted.alt_text, self.config.processing)
        ready(media)
        form = {"status": fitted.text, "media_ids[]": media, "visibility": self.config.visibility}
        if self.config.language:
            form["language"] = self.config.language
        answer = self._server.post("/api/v1/statuses", sent=True, headers={"Idempotency-Key": post.key}, data=form)
        return self._receipt(as_object(answer.content))

    def find(self, post: Post) -> Receipt | None:
        """Look for the post among the account's own statuses since it was tried.

        A like one that is a little older is not known to be another: this machine's clock may have been fast.
        """
        now = datetime.now(UTC)
        since = (post.tried_at or min(post.due, now)) - _SKEW
        try:
            fitted = self.fit(post.text, post.alt_text)
        except Rejected:
            fitted = PreparedText(text=post.text, alt_text=post.alt_text)  # the limits have changed since
        unclear = doubtful = False
        try:
            for status in self._statuses(since):
                matches, at = _matches(status, fitted, post.memo), as_time(status.get("created_at")) or since
                if matches and (at >= since or _holds(status, post.memo)):
                    return self._receipt(status)
                unclear = unclear or (matches is None and at >= since)
                doubtful = doubtful or (matches is not False and since > at >= since - FAST)
        except Rejected as error:
            raise OutcomeUnknown(f"it cannot be determined whether the post was published: {error}") from None
        if unclear:
            raise OutcomeUnknown(f"{self._address} lists a status that may be the post and does not describe it fully")
        if post.tried_at is not None and now < (settled := post.tried_at + timedelta(seconds=self.config.settle)):
            raise Throttled("the attempt is too recent to be sure that it was not published", until=settled)
        if doubtful:
            raise OutcomeUnknown(
                f"{self._address} lists a status like the post, from before the attempt by this machine's clock:"
                " look there"
            )
        return None

    def delete(self, receipt: Receipt, ready: ConfirmSend) -> None:
        """Delete the status; other servers are told by this one.

        Raises:
            Rejected: the server has the status and no way to delete it.
        """
        path = self._status_path(receipt)
        ready()
        try:
            self._server.delete(path)
        except Missing as error:
            if self.is_published(receipt):
                raise Rejected(f"{error}; this server deletes statuses only on its own pages: {receipt.url}") from None

    def is_published(self, receipt: Receipt) -> bool:
        """Whether the server still has the status."""
        path = self._status_path(receipt)
        try:
            return self._server.lookup(path) is not None
        except Rejected as error:
            raise OutcomeUnknown(f"it cannot be determined whether the status is still there: {error}") from None

    def _status_path(self, receipt: Receipt) -> str:
        if not _ID.fullmatch(receipt.id):
            raise Rejected(f"{receipt.id[:64]!r} is not the id of a status")
        return f"/api/v1/statuses/{quote(receipt.id)}"

    avatar_side = 400  # to which the server reduces larger ones
    avatar_bytes = 2_000_000  # of older servers; newer ones take more

    def set_avatar(self, content: bytes, media_type: str) -> None:
        """Replace the avatar; the access token needs the scope write:accounts."""
        try:
            self._server.patch(
                "/api/v1/accounts/update_credentials", files={"avatar": ("avatar.jpg", content, media_type)}
            )
        except Unauthorised as error:
            raise Unauthorised(f"{error}; to change the avatar, the token needs the scope write:accounts") from None

    def measure(self, receipt: Receipt) -> Engagement:
        """The server's counts; they leave out what other servers did not report."""
        at = datetime.now(UTC)
        if not _ID.fullmatch(receipt.id):
            raise NotFound(f"{self.name} has no post {receipt.id[:64]!r}")
        if (found := self._server.lookup(self._status_path(receipt))) is None:
            raise NotFound(f"{self.name} has no post {receipt.id}: it was deleted")
        return Engagement(
            at=at,
            likes=as_count(found.get("favourites_count")),
            reposts=as_count(found.get("reblogs_count")),
            replies=as_count(found.get("replies_count")),
            quotes=as_count(found.get("quotes_count")),
        )

    def account_id(self) -> str:
        """The account's id on its server, and the server."""
        return f"{as_id(self._account()['id'])} on {self._address}"

    def audience(self) -> Audience:
        """The account's followers."""
        at = datetime.now(UTC)
        return Audience(at=at, followers=as_count(self._account().get("followers_count")))

    def _account(self) -> dict[str, Any]:
        """The account that the token belongs to; it has an "id".

        Raises:
            Throttled: the answer names no account.
        """
        account = as_object(self._server.get(ACCOUNT, needed=True).content)
        if not as_id(account.get("id")):
            raise Throttled(f"{self._address} answered without the account's id")
        return account

    def _known_limits(self) -> InstanceLimits:
        if self._limits is None:
            saved = InstanceLimits.load(self._cache.load(), instance=self._address)
            self._limits = saved or InstanceLimits(instance=self._address)
        return self._limits

    def _read_limits(self) -> None:
        """Read the server's limits and save them.

        Raises:
            Unauthorised: it is not a server with Mastodon's API.
            Throttled: it is one that is down.
        """
        if (limits := self._server.limits()) is not None:
            self._limits = limits
            self._cache.save(limits.save())
        elif self._known_limits().read_at:
            raise Throttled(f"{self._address} answers without its Mastodon API now: it may be down behind its proxy")
        else:
            raise Unauthorised(f"{self._address} has no Mastodon API; check instance of {self.name}")

    def _check_scopes(self) -> None:
        """Check that the token may post, on servers that report its scopes.

        Raises:
            Unauthorised: it may not.
            Throttled: the server cannot be asked now.
        """
        try:
            answer = as_object(self._server.get("/api/v1/apps/verify_credentials").content)
        except (Rejected, Unauthorised):
            return  # not reported; the token itself was accepted just before
        stated = answer.get("scopes") or answer.get("scope")
        texts = [stated] if isinstance(stated, str) else [item for item in as_items(stated) if isinstance(item, str)]
        scopes = {scope for text in texts for scope in re.split(r"[\s,+]+", text) if scope}
        lacking = [scope for scope in ("write:media", "write:statuses") if not scopes & {scope, "write"}]
        if scopes and lacking:
            raise Unauthorised(
                f"the access token of {self.name} may only {', '.join(sorted(scopes))}; make one with"
                f" {' and '.join(lacking)}, then run: auria channels add {self.name}"
            )

    def _upload(self, sent: tuple[str, Any, str], alt_text: str, patience: float) -> str:
        """Upload a file and wait until the server has processed it; returns its id.

        A file is being processed while the server answers 202 or 206 without its address.

        Args:
            sent: the file's name, its content or an open file, and its media type.
            patience: seconds that the server may take to process it.

        Raises:
            Throttled: it takes too long, or the server returned no id.
        """
        files = {"file": sent}
        try:
            answer = self._server.post("/api/v2/media", files=files, data={"description": alt_text})
        except Missing:
            if hasattr(sent[1], "seek"):
                sent[1].seek(0)
            answer = self._server.post("/api/v1/media", needed=True, files=files, data={"description": alt_text})
        identifier = as_id(as_object(answer.content).get("id"))
        if not identifier:
            raise Throttled(f"{self._address} accepted {sent[0]} but returned no id for it")
        end = time.monotonic() + patience
        while answer.status in {202, 206} and not as_object(answer.content).get("url"):
            if time.monotonic() > end:
                raise Throttled(f"{self._address} takes longer than {patience:g} s to process {sent[0]}")
            time.sleep(self.config.poll_interval)
            try:
                answer = self._server.get(f"/api/v1/media/{quote(identifier)}")
            except Missing:
                break  # the server does not report it; an unprocessed picture is refused with the status
        return identifier

    def _statuses(self, since: datetime) -> Iterator[dict[str, Any]]:
        """The account's own statuses, the newest first: all since then, those of unknown time, and some older ones.

        Raises:
            Throttled: the list cannot be read, or is not complete, now.
            OutcomeUnknown: there are too many, or it is not known whether the list is complete.
        """
        account = self._account()
        seen: set[str] = set()
        last = ""
        for _ in range(_PAGES):
            params = {"limit": str(_PAGE)} | ({"max_id": last} if last else {})
            path = f"/api/v1/accounts/{quote(as_id(account['id']))}/statuses"
            page = self._server.get(path, needed=True, **params).content
            if not isinstance(page, list) or not all(as_id(as_object(status).get("id")) for status in page):
                raise Throttled(f"{self._address} answered with statuses that cannot be read")
            new = [status for status in page if as_id(status["id"]) not in seen]
            if not new:
                break
            times = {as_id(status["id"]): as_time(status.get("created_at")) for status in new}
            yield from new
            if any(at is not None and at < since for at in times.values()) and None not in times.values():
                return
            seen |= times.keys()
            last = as_id(page[-1]["id"])
        else:
            raise OutcomeUnknown(
                f"{self._address} has more than {_PAGES * _PAGE} newer statuses of this account: look there"
            )
        if page and len(page) >= _PAGE:
            raise OutcomeUnknown(f"{self._address} lists only {len(seen)} statuses of this account: look there")
        if not seen and (posts := as_count(account.get("statuses_count"))) != 0:
            number = "some" if posts else "an unknown number"
            message = f"{self._address} lists no statuses of this account, which has {number}"
            raise Throttled(message) if posts else OutcomeUnknown(f"{message}: look there")

    def _receipt(self, status: dict[str, Any]) -> Receipt:
        """The receipt of a status.

        Raises:
            OutcomeUnknown: the answer is not a status.
        """
        identifier = as_id(status.get("id"))
        if not identifier:
            raise OutcomeUnknown(f"{self._address} answered with something that is not a status")
        url = as_text(status.get("url")) or as_text(status.get("uri")) or self._address
        return Receipt(id=identifier, url=url, at=as_time(status.get("created_at")) or datetime.now(UTC))


def _holds(status: dict[str, Any], memo: str) -> bool:
    """Whether a status holds the uploaded picture: it is the post then, also where this machine's clock is fast."""
    return bool(memo) and any(
        as_id(as_object(item).get("id")) == memo for item in as_items(status.get("media_attachments"))
    )


def _matches(status: dict[str, Any], fitted: PreparedText, memo: str) -> bool | None:
    """Whether a status is the post; None if it does not hold what is needed to tell.

    It is if it holds the uploaded picture, or has the same letters and digits in its text and in a picture's alt text.
    """
    if _holds(status, memo):
        return True
    attachments = status.get("media_attachments")
    media = [as_object(item) for item in as_items(attachments)]
    if status.get("reblog"):
        return False  # a boost of another status
    content = status.get("content")
    if not isinstance(content, str):
        return None if media or not isinstance(attachments, list) else False
    if _letters(plain_text(content)) != _letters(fitted.text):
        return False
    if not isinstance(attachments, list) or as_time(status.get("created_at")) is None:
        return None
    alt_texts = [item.get("description") for item in media]
    return any(not isinstance(text, str) or _letters(text) == _letters(fitted.alt_text) for text in alt_texts)


def _letters(text: str) -> str:
    """A text's letters and digits, which servers leave unchanged; the whole text if it has none."""
    return "".join(character for character in text.casefold() if character.isalnum()) or text
