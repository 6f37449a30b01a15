"""What goes wrong with Instagram's private API, and what it means: the package's many errors, brought down to six kinds.

Messages are made of the platform's own words, short and without secrets; the package's would quote whole answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, ClassVar

from auria_bot.errors import ChannelError, NotFound, OutcomeUnknown, Rejected, Throttled

__all__ = ["Meaning", "meaning"]

_APP = "open the Instagram app with this account, and do what it asks"
_WAIT = timedelta(hours=1)
_SOON = timedelta(minutes=10)


class _Kind(Enum):
    BLOCKED = "the operator is needed"
    ENDED = "the session ended"
    LATER = "not done, again later"
    REFUSED = "not done, no use repeating"
    UNCLEAR = "done or not"
    GONE = "there is no such thing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What an error says of what was tried."""

    Kind: ClassVar = _Kind

    kind: _Kind
    words: str
    wait: timedelta = _SOON

    def error(self) -> ChannelError | NotFound:
        """The error of this house, for those kinds that have one."""
        if self.kind is _Kind.LATER:
            return Throttled(self.words, until=datetime.now(UTC) + self.wait)
        if self.kind is _Kind.GONE:
            return NotFound(self.words)
        return OutcomeUnknown(self.words) if self.kind is _Kind.UNCLEAR else Rejected(self.words)


def meaning(error: Exception, client: Any, *, visible: bool, login: bool, hidden: tuple[str, ...]) -> Meaning:
    """What an error of the package means.

    Args:
        error: that was raised.
        client: whose last answer holds the platform's words.
        visible: whether the request that followers see was on its way.
        login: whether it was a login; there, whatever the platform says against it is for the operator.
        hidden: what must not stand in the words.
    """
    from instagrapi import exceptions as wrong

    if isinstance(error, wrong.PhotoNotUpload):
        error = _typed(error)
    status = _status(error)
    told = _words(error, client, hidden)
    words = f"{told} ({type(error).__name__})" if told else type(error).__name__
    if isinstance(error, wrong.ChallengeRequired) and _last_status(client) == 404 and not (login or visible):
        # The package takes a bare "Not Found" for a challenge in disguise; it may as well be a post that is gone.
        return Meaning(kind=_Kind.LATER, words="Instagram answered that there is nothing", wait=_WAIT)
    advice = {
        wrong.TwoFactorRequired: "add the secret totp_seed, the seed of the authenticator app",
        wrong.BadPassword: "see that the password is right, and look into the app",
        wrong.BadCredentials: "see that name and password are right",
        wrong.AccountSuspended: "Instagram suspended the account; look into the app",
        wrong.FeedbackRequired: "Instagram restricts what the account does; wait a day or two, and look into the app",
        wrong.ProxyAddressIsBlocked: "Instagram does not want to hear from this address; use another connection",
        wrong.SentryBlock: "Instagram does not want to hear from this address or device; wait, and look into the app",
        wrong.ClientNeedsUpgradeError: "Instagram wants a newer app: pip install -U instagrapi",
        wrong.CaptchaChallengeRequired: _APP,
        wrong.ReloginAttemptExceeded: _APP,
        wrong.ChallengeError: _APP,
    }
    for kind, what in advice.items():
        if isinstance(error, kind):
            return Meaning(kind=_Kind.BLOCKED, words=f"Instagram says: {words}; {what}")
    if isinstance(error, wrong.LoginRequired | wrong.ClientLoginRequired | wrong.ClientUnauthorizedError) and not login:
        return Meaning(kind=_Kind.ENDED, words=f"Instagram says: {words}")
    if isinstance(error, wrong.PleaseWaitFewMinutes | wrong.RateLimitError | wrong.ClientThrottledError):
        return Meaning(kind=_Kind.LATER, words=f"Instagram asks to wait: {words}", wait=_asked(error))
    if _broken(error):
        kind = _Kind.UNCLEAR if visible else _Kind.LATER
        return Meaning(kind=kind, words=f"the connection to Instagram broke ({type(error).__name__})")
    return _answered(error, status, words, visible=visible, login=login)


def _typed(error: Exception) -> Any:
    """An upload's error as what the answer says that it is; the package has one kind for them all."""
    from instagrapi import exceptions as wrong

    response = getattr(error, "response", None)
    message = _message(response, "message")
    if message == "login_required":
        return wrong.LoginRequired(response=response)
    if message in {"challenge_required", "checkpoint_required"}:
        return wrong.ChallengeRequired("challenge", response=response)
    if message == "feedback_required":
        return wrong.FeedbackRequired(response=response)
    if _status(error) == 429 or "wait a few minutes" in message:
        return wrong.ClientThrottledError(response=response)
    return error


def _answered(error: Exception, status: int, words: str, *, visible: bool, login: bool) -> Meaning:
    """What an answer means that is none of the errors with a name of their own."""
    from instagrapi import exceptions as wrong

    gone = wrong.NotFoundError | wrong.ClientNotFoundError | wrong.MediaUnavailable | wrong.InvalidMediaId
    trouble = status >= 500 or isinstance(error, wrong.ClientJSONDecodeError)
    if status == 403:
        made = _Kind.BLOCKED, f"Instagram forbids it: {words}; {_APP}"
    elif login and not trouble:
        made = _Kind.BLOCKED, f"Instagram did not let the account in: {words}; {_APP}"
    elif isinstance(error, gone) and not visible:
        made = _Kind.GONE, f"Instagram has no such thing: {words}"
    elif "media_needs_reupload" in words:
        made = _Kind.LATER, f"Instagram wants the picture once more: {words}"
    elif 400 <= status < 500 or (isinstance(error, wrong.PrivateError) and not status):
        made = _Kind.REFUSED, f"Instagram does not take it: {words}"
    else:
        kind = _Kind.UNCLEAR if visible else _Kind.LATER
        made = kind, f"Instagram is in trouble, or its answer makes no sense: {words}, status {status}"
    return Meaning(kind=made[0], words=made[1])


def _broken(error: Exception) -> bool:
    """Whether no whole answer came."""
    from instagrapi import exceptions as wrong
    from requests import RequestException

    kinds = wrong.ClientConnectionError | wrong.ClientRequestTimeout | wrong.ClientIncompleteReadError
    return isinstance(error, kinds | RequestException | OSError)


def _status(error: Exception) -> int:
    """The HTTP status of the answer; 0 where the error does not tell."""
    status = getattr(getattr(error, "response", None), "status_code", None) or getattr(error, "code", None)
    return status if isinstance(status, int) else 0


def _last_status(client: Any) -> int:
    return int(getattr(client.last_response, "status_code", 0) or 0)


def _asked(error: Exception) -> timedelta:
    """How long the platform asks to wait."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    asked = str(headers.get("retry-after", ""))
    return timedelta(seconds=min(int(asked), 86_400)) if asked.isascii() and asked.isdigit() else _WAIT


def _message(response: Any, *keys: str) -> str:
    """What an answer says in so many words; "" where it says nothing."""
    try:
        return _told(response.json(), *keys)
    except (AttributeError, ValueError):
        return ""


def _told(answer: Any, *keys: str) -> str:
    told = answer if isinstance(answer, dict) else {}
    return next((told[key] for key in keys if isinstance(told.get(key), str)), "")


def _words(error: Exception, client: Any, hidden: tuple[str, ...]) -> str:
    """The platform's words in the answer that failed, without secrets."""
    response = getattr(error, "response", None)
    keys = ("feedback_message", "message")
    words = _told(client.last_json, *keys) if response is None else _message(response, *keys)
    session = client.sessionid
    for secret in (*hidden, *((session,) if session else ())):
        words = words.replace(secret, "***")
    return " ".join(words.split())[:200]
