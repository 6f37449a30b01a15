"""What X means by an answer that is no success: whether the post is out, and whether to wait, to give up or to ask the operator.

Each of 401, 402, 403 (of a text, of an account, a duplicate), 429 and 5xx has its own meaning. What X said is repeated without
any key or token that it may hold. Knows no request.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from auria_bot.errors import OutcomeUnknown, Rejected, Throttled, Unauthorised
from auria_bot.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.errors import ChannelError

__all__ = ["Answered", "DuplicateText", "ErrorClassifier", "Stage", "as_object", "kind_of"]

_GRACE = timedelta(seconds=1)  # after the reset of a limit
_LONGEST = 90_000  # seconds: the limits of a day are the longest
_SKEW = timedelta(minutes=4)  # X takes signatures of clocks that are up to five minutes off
_CONSOLE = "https://console.x.com"

_CREDIT = frozenset({"credits", "usage-capped", "spend-cap-reached"})
_ACCOUNT = frozenset({"client-forbidden", "unsupported-authentication", "account-suspended"})
"""Problems by the last part of their type; with these, every other post would be forbidden as well."""

_ACCOUNT_WORDS = re.compile(r"suspend|locked|access (?:this feature|level)|subset of|enrolled|verify", re.IGNORECASE)
_DUPLICATE = re.compile(r"duplicate", re.IGNORECASE)


class Stage(Enum):
    """What a failed request was for."""

    READING = "reading"  # it changes nothing
    PREPARING = "preparing"  # an upload that nobody sees
    VISIBLE = "visible"  # the post itself


class DuplicateText(OutcomeUnknown):
    """X has this very text already: of an earlier attempt, or of another post."""


class Answered(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, headers: Mapping[str, str], content: bytes, reason: str) -> None:
        super().__init__(status)
        self.status, self._headers = status, headers
        try:
            problem = json.loads(content)
        except (ValueError, RecursionError):
            problem = {}
        self.problem: dict[str, Any] = as_object(problem)
        first = self.problem.get("errors")
        nested = as_object(first[0]) if isinstance(first, list) and first else {}
        found = (self.problem.get("detail"), nested.get("message"), nested.get("detail"), self.problem.get("title"))
        self.words = next((one for one in found if isinstance(one, str) and one), reason)

    def until(self, now: datetime) -> datetime | None:
        """When the limit is reset, by this machine's clock: `now` is X's. None where X does not say."""
        resets = [
            self._number(f"{prefix}-reset")
            for prefix in ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
            if prefix == "x-rate-limit" or self._number(f"{prefix}-remaining") == 0
        ]
        known = [reset for reset in resets if reset is not None]
        wait = max(known) - now.timestamp() if known else self._number("retry-after")
        if wait is None:
            return None
        return datetime.now(UTC) + timedelta(seconds=min(max(wait, 0), _LONGEST)) + _GRACE

    def _number(self, header: str) -> float | None:
        value = str(self._headers.get(header, ""))
        return float(value) if value.isascii() and value.isdecimal() and len(value) < 15 else None


class ErrorClassifier:
    """Turns answers into errors, for the channel of that name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def error(self, answered: Answered, stage: Stage, *, ahead: timedelta) -> ChannelError:
        """What an answer means at this stage.

        Args:
            answered: the answer.
            stage: what was asked.
            ahead: how far X's clock is ahead of this machine's.
        """
        status, kind = answered.status, kind_of(answered.problem)
        said = f"X answers {status}: {_clean(answered.words)}"
        found: ChannelError
        if status == 402 or kind in _CREDIT:
            found = Unauthorised(f"{said}; the credit at X is used up: buy more at {_CONSOLE}")
        elif status == 429:
            found = Throttled(said, until=answered.until(datetime.now(UTC) + ahead))
        elif status == 401:
            found = Unauthorised(f"{said}; {self._cure(ahead)}")
        elif status == 403:
            found = self._forbidden(answered, said, stage)
        elif status >= 500 or status == 408:
            found = OutcomeUnknown(said) if stage is Stage.VISIBLE else Throttled(said)
        elif status < 400 or status in {404, 405}:
            found = Unauthorised(f"{said}; is the channel's address right?")
        else:
            found = OutcomeUnknown(said) if stage is Stage.READING else Rejected(said)
        return found

    def _cure(self, ahead: timedelta) -> str:
        if abs(ahead) > _SKEW:
            return (
                f"this machine's clock is {abs(round(ahead.total_seconds() / 60))} minutes off from X's: set it right"
            )
        return f"make new keys, then `auria channels add {self._name}`"

    def _forbidden(self, answered: Answered, said: str, stage: Stage) -> ChannelError:
        """A 403: of this text, of the account, or of a gate that stands before X."""
        kind = kind_of(answered.problem)
        if not answered.problem:
            return Throttled(f"{said}; it came from a gate before X")
        if kind == "oauth1-permissions" or "app permissions" in answered.words:
            return Unauthorised(
                f"{said}; give the app 'Read and write', make a new access token, then `auria channels add {self._name}`"
            )
        if kind in _ACCOUNT or _ACCOUNT_WORDS.search(answered.words):
            return Unauthorised(f"{said}; look at the account, and at {_CONSOLE}")
        if stage is not Stage.VISIBLE:
            return Unauthorised(said)
        return DuplicateText(said) if _DUPLICATE.search(answered.words) else Rejected(said)


def _clean(words: str) -> str:
    """What X said, short, on one line, and without any secret that it may repeat."""
    printable = "".join(one if one.isprintable() else " " for one in redacted(words))
    return " ".join(printable.split())[:200] or "no words"


def as_object(value: Any) -> dict[str, Any]:
    """The value where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def kind_of(problem: Mapping[str, Any]) -> str:
    """The last part of a problem's type."""
    return str(problem.get("type", "")).rsplit("/", 1)[-1]
