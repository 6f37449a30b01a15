"""A channel in memory whose failures tests program, and a clock that stands still."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.interfaces import ConfirmSend, Limits, PreparedText, Question, Secrets
from auria_bot.domain.post import Post, Receipt
from auria_bot.errors import NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FakeChannel", "FakeClock"]


class FakeClock:
    """A clock that stands still until it is advanced."""

    def __init__(self, now: datetime = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """What it shows."""
        return self.now

    def advance(self, **by: float) -> None:
        """Go on, e.g. `advance(minutes=5)`."""
        self.now += timedelta(**by)


class FakeChannel:
    """A platform in memory, whose next failures can be programmed.

    `plan` takes an outcome for each coming `publish`: "ok", "refused", "throttled", "unauthorised", "broken" (an error
    before anything is sent), "lost" (OutcomeUnknown, and not posted), "late" (OutcomeUnknown, but posted), "bug" (an
    exception that no channel should raise, right before the visible change). `plan_deletions` takes the same for each
    coming `delete`. `plan_finds` takes one for each coming `find`: "ok", "throttled", "unauthorised", "unclear",
    "bug". `blind` makes every `find` raise OutcomeUnknown, and `locked` every `check` Unauthorised.
    """

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        name: str = "fake"
        script: tuple[str, ...] = ()  # outcomes of the next calls of publish; see `FakeChannel.plan`

    QUESTIONS = (Question(name="token", prompt="Any text", secret=True),)
    deletion_obstacle = ""

    def __init__(self, config: Config, home: Path, secrets: Secrets) -> None:
        self.config = config
        self.name = config.name
        self.home = home
        self.secrets = secrets
        self.posts: dict[str, tuple[Post, Receipt]] = {}
        self.asked: list[Post] = []  # the posts passed to `find`
        self.mutations = 0
        self.deletions = 0
        self.account = ""
        self.blind = False
        self.locked = False
        self.clock = FakeClock()
        self._script = deque(config.script)
        self._finds = deque[str]()
        self._deletions = deque[str]()

    def plan(self, *outcomes: str) -> None:
        """Program the next calls of `publish`."""
        self._script.extend(outcomes)

    def plan_finds(self, *outcomes: str) -> None:
        """Program the next calls of `find`."""
        self._finds.extend(outcomes)

    def plan_deletions(self, *outcomes: str) -> None:
        """Program the next calls of `delete`."""
        self._deletions.extend(outcomes)

    def limits(self) -> Limits:
        """Generous limits."""
        return Limits(characters=5000, alt_characters=1500, picture_bytes=20_000_000, picture_pixels=8192, hashtags=30)

    def fit(self, text: str, alt_text: str) -> PreparedText:
        """Return the text unchanged, if it is short enough."""
        if len(text) > 5000 or len(alt_text) > 1500:
            raise Rejected(f"{self.name} takes a text of at most 5000 characters and an alt text of at most 1500")
        return PreparedText(text=text, alt_text=alt_text)

    def check(self) -> str:
        """Report success, unless the channel is locked."""
        if self.locked:
            raise Unauthorised("the fake still rejects the password")
        return f"{self.name} is a fake, and ready"

    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        """Store the post, or fail as planned."""
        outcome = self._script.popleft() if self._script else "ok"
        self._early(outcome)
        ready("fake memo")
        if outcome == "lost":
            raise OutcomeUnknown("the connection broke")
        if outcome == "bug":
            raise RuntimeError("the fake has a bug")
        self.mutations += 1
        receipt = Receipt(
            id=f"{self.name}-{self.mutations}", url=f"https://example.invalid/{post.key}", at=self.clock(), cost=0.015
        )
        self.posts.setdefault(post.key, (replace(post), receipt))
        if outcome == "late":
            raise OutcomeUnknown("the connection broke after the post was sent")
        return receipt

    def _early(self, outcome: str) -> None:
        if outcome == "refused":
            raise Rejected("the fake refused the post")
        if outcome == "throttled":
            raise Throttled("the fake asks to wait", until=self.clock() + timedelta(minutes=15))
        if outcome == "unauthorised":
            raise Unauthorised("the fake rejects the password")
        if outcome == "broken":
            raise RuntimeError("the fake could not upload the picture")

    def find(self, post: Post) -> Receipt | None:
        """The receipt of an earlier attempt, or fail as planned."""
        self.asked.append(post)
        outcome = self._finds.popleft() if self._finds else "ok"
        if outcome == "throttled":
            raise Throttled("the fake cannot tell yet")
        if outcome == "unauthorised":
            raise Unauthorised("the fake rejects the password now")
        if outcome == "bug":
            raise RuntimeError("the fake cannot search")
        if self.blind or outcome == "unclear":
            raise OutcomeUnknown("the fake is blind")
        found = self.posts.get(post.key)
        return found[1] if found else None

    def delete(self, receipt: Receipt, ready: ConfirmSend) -> None:
        """Delete the post, or fail as planned."""
        outcome = self._deletions.popleft() if self._deletions else "ok"
        self._early(outcome)
        ready()
        if outcome == "lost":
            raise OutcomeUnknown("the connection broke")
        if outcome == "bug":
            raise RuntimeError("the fake has a bug")
        self.deletions += 1
        self.posts = {key: kept for key, kept in self.posts.items() if kept[1].id != receipt.id}
        if outcome == "late":
            raise OutcomeUnknown("the connection broke after the post was deleted")

    def is_published(self, receipt: Receipt) -> bool:
        """Whether the post was published and not deleted."""
        return any(kept.id == receipt.id for _, kept in self.posts.values())

    def measure(self, receipt: Receipt) -> Engagement:
        """As many likes as the receipt's id has characters."""
        if all(kept.id != receipt.id for _, kept in self.posts.values()):
            raise NotFound(f"the fake has no post {receipt.id}")
        return Engagement(at=self.clock(), likes=len(receipt.id), reposts=1, replies=0)

    def account_id(self) -> str:
        """The account that tests chose; "" is not noted."""
        return self.account

    def audience(self) -> Audience:
        """A hundred followers."""
        return Audience(at=self.clock(), followers=100)
