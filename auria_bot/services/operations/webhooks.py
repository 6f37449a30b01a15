"""Tells programs of events: a draft was made, a post was sent, a post needs attention.

Events are recorded once each in the database, by looking at what is there, and sent from there until every address has
taken them: at least once, and maybe twice after a power cut, with the same id. Each is signed as the Standard Webhooks
specification says (https://www.standardwebhooks.com, version 1), so that its receiver knows from whom and when it came.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import logging
import secrets
import socket
import ssl
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from auria_bot.domain.notice import WEBHOOK, Notice
from auria_bot.domain.post import PostState
from auria_bot.errors import AuriaError, InputError, NotFound, SettingsError
from auria_bot.redaction import redacted_error
from auria_bot.url_validation import public_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from auria_bot.domain.interfaces import Clock
    from auria_bot.domain.notice import PendingNotification
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = ["SECRET", "Hook", "Webhooks", "new_secret", "post_json", "signature"]

log = logging.getLogger(__name__)

SECRET = "secret"  # noqa: S105 - its name in the secret store
_SECRET_PREFIX = "whsec_"  # noqa: S105 - how the specification marks a secret
_BEGIN = "begin"  # the subject of the row that says since when events are recorded
_LOOKED_BACK, _KEPT = timedelta(days=30), timedelta(days=60)
_LEASE = timedelta(minutes=5)
_TIMEOUT = 15.0  # seconds for one delivery, resolving the name included
_RETRY_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440))
"""Before each further attempt; then it is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """An address that is told of events."""

    name: str
    url: str
    events: frozenset[str]
    allow_private: bool
    secret: Callable[[], str | None]


class Webhooks:
    """Records events and sends them.

    Usage::

        webhooks.update()  # every minute
        webhooks.send()    # where something is due
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        hooks: Mapping[str, Hook],
        site: str,
        post: Callable[[Hook, bytes, Mapping[str, str]], int] | None = None,
    ) -> None:
        """Tell `hooks`, with links to the site at this address.

        `post` sends a body with headers, and returns the status of the answer.
        """
        self._store, self._clock, self._site, self._post = store, clock, site, post or post_json
        self.hooks = hooks
        """Whom events are sent to, by name."""

    def update(self) -> int:
        """Record new events; how many. Nothing is recorded while there is nobody to tell.

        Raises:
            StoreError: the database cannot be used.
        """
        if not self.hooks:
            return 0
        now = self._clock()
        wanted = frozenset[str]().union(*(hook.events for hook in self.hooks.values()))
        with self._store.begin() as unit:
            known = dict(unit.notices.recorded_at(WEBHOOK))
            if known.get(_BEGIN, now) > now:  # recorded by a clock that was ahead
                unit.notices.forget(WEBHOOK, {_BEGIN})
                del known[_BEGIN]
            if _BEGIN not in known:
                begin = Notice(kind=WEBHOOK, subject=_BEGIN, title="", body="")
                unit.notices.add(begin, at=now, send=False)
            since = max(known.get(_BEGIN, now), now - _LOOKED_BACK)
            count, kept = 0, {_BEGIN}
            for event, subject, data in self._events(unit, since):
                kept.add(name := f"{event} {subject}")
                if event in wanted and name not in known:
                    body = json.dumps({"type": event, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False)
                    count += unit.notices.add(Notice(kind=WEBHOOK, subject=name, title=event, body=body), at=now)
            # A post may need attention for longer than that, and is not told again.
            unit.notices.forget(WEBHOOK, {name for name, at in known.items() if at < now - _KEPT} - kept)
        return count

    def has_due(self) -> bool:
        """Whether an event is to be sent now.

        Raises:
            StoreError: the database cannot be used.
        """
        if not self.hooks:
            return False
        with self._store.read() as unit:
            return unit.notices.has_due(now=self._clock(), webhooks=True)

    def send(self) -> int:
        """Send what is due; how many events reached everybody. An address that fails is left alone until the next time.

        Raises:
            StoreError: the database cannot be used.
        """
        now = self._clock()
        with self._store.begin() as unit:
            due = unit.notices.claim_due(now=now, until=now + _LEASE, webhooks=True)
        complete, failing = 0, set[str]()
        for pending in due:
            delivered, failed = self._deliver(pending, failing)
            failing |= failed
            is_over = pending.tries > len(_RETRY_DELAYS)
            retry_at = None if is_over or not failed else self._clock() + _RETRY_DELAYS[pending.tries - 1]
            if failed and is_over:
                log.error("An event was given up for %s", ", ".join(sorted(failed)), extra={"action": WEBHOOK})
            with self._store.begin() as unit:
                unit.notices.record_delivery(pending, delivered=delivered, next_at=retry_at)
            complete += not failed
        return complete

    def test(self, name: str) -> int:
        """Send an address an event of the type `test`; the status of its answer.

        Raises:
            NotFound: there is no such webhook.
            SettingsError: it has no secret, or its address cannot be used.
            InputError: it does not answer.
        """
        if (hook := self.hooks.get(name)) is None:
            known = ", ".join(sorted(self.hooks)) or "none"
            raise NotFound(f"there is no webhook {name[:40]!r}; known: {known}; set [web.webhooks.NAME] in auria.toml")
        now = self._clock()
        body = json.dumps({"type": "test", "timestamp": now.isoformat(), "data": {}}).encode()
        try:
            return self._send(hook, f"msg_test_{int(now.timestamp())}", body)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise InputError(f"{name} does not answer: {redacted_error(error)}") from None

    def _deliver(self, pending: PendingNotification, failing: set[str]) -> tuple[set[str], set[str]]:
        """Send an event to everybody who lacks it; the names of those who have it now, and of those who do not."""
        event, delivered, failed = pending.notice.title, set(pending.delivered), set[str]()
        identity = f"msg_{hashlib.sha256(pending.notice.body.encode()).hexdigest()[:32]}"
        for hook in self.hooks.values():
            if event not in hook.events or hook.name in delivered:
                continue
            try:
                if hook.name in failing:
                    failed.add(hook.name)
                    continue
                status = self._send(hook, identity, pending.notice.body.encode())
            except (AuriaError, OSError, ValueError, http.client.HTTPException) as error:
                log.warning("The webhook %s failed: %s", hook.name, redacted_error(error), extra={"action": WEBHOOK})
                failed.add(hook.name)
                continue
            if 200 <= status < 300:
                delivered.add(hook.name)
            else:
                log.warning("The webhook %s answered %d", hook.name, status, extra={"action": WEBHOOK})
                failed.add(hook.name)
        return delivered, failed

    def _send(self, hook: Hook, identity: str, body: bytes) -> int:
        secret = hook.secret()
        if not secret:
            raise SettingsError(f"the webhook {hook.name} has no secret: auria web webhooks secret {hook.name}")
        seconds = int(self._clock().timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "auria",
            "Webhook-Id": identity,
            "Webhook-Timestamp": str(seconds),
            "Webhook-Signature": signature(secret, identity, seconds, body),
        }
        return self._post(hook, body, headers)

    def _events(self, unit: Unit, since: datetime) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """The type, the subject and the data of every event since then, recorded already or not."""
        for draft in unit.drafts.made_since(since):
            poem, link = list(draft.artwork.haiku.lines), f"{self._site}/api/v1/drafts/{draft.id}"
            yield (
                "draft.made",
                str(draft.id),
                {"draft": draft.id, "haiku": poem, "mood": draft.artwork.mood, "url": link},
            )
        for out in unit.published.posted_since(since):
            sent = {"post": out.post_id, "draft": out.draft_id, "channel": out.channel, "published_url": out.url}
            yield "post.sent", str(out.post_id), {**sent, "url": f"{self._site}/api/v1/posts/{out.post_id}"}
        for post in unit.posts.list({PostState.NEEDS_ATTENTION}):
            stuck = {"post": post.id, "draft": post.draft_id, "channel": post.channel, "reason": post.message}
            link = f"{self._site}/api/v1/posts/{post.id}"
            yield "post.needs_attention", f"{post.id}.{post.fencing}", {**stuck, "url": link}


def new_secret() -> str:
    """A random secret of 256 bits, written as the specification says."""
    return _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, identity: str, seconds: int, body: bytes) -> str:
    """The signature of an event: HMAC-SHA256 over its id, its time and its body.

    Raises:
        SettingsError: the secret is not Base64.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except ValueError:
        raise SettingsError("the secret of a webhook must be Base64, after whsec_") from None
    signed = b".".join((identity.encode(), str(seconds).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def post_json(hook: Hook, body: bytes, headers: Mapping[str, str]) -> int:
    """Send a body; the status of the answer. Redirects are not followed, and the answer is not read.

    Raises:
        SettingsError: the address may not be used.
        OSError, ValueError, HTTPException: it does not answer, not in time, or its address cannot be used.
    """
    outcome: list[int | Exception] = []

    def work() -> None:
        try:
            outcome.append(_exchange(hook, body, headers))
        except Exception as error:  # noqa: BLE001 - raised again below
            outcome.append(error)

    # A name that resolves slowly and an answer that drips have no deadline of their own; a thread that hangs ends
    # with the process.
    thread = threading.Thread(target=work, name="webhook", daemon=True)
    thread.start()
    thread.join(_TIMEOUT)
    if not outcome:
        raise TimeoutError(f"no answer within {_TIMEOUT:.0f} s")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _exchange(hook: Hook, body: bytes, headers: Mapping[str, str]) -> int:
    parts = urlsplit(hook.url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    address = public_address(host, port, allow_private=hook.allow_private)
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    with socket.create_connection((address, port), timeout=_TIMEOUT) as plain:
        connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if is_secure else plain
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body=body, headers={**headers, "Host": parts.netloc})
            return connection.getresponse().status
        finally:
            connection.close()
