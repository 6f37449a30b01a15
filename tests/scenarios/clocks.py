"""What clocks do to publishing: tokens that end, leases that run out, a clock that is set back.

Scenes on this machine, each with the real publisher and a database: a token that is refused between upload and post (on every social
channel, before its platform); a lease that runs out while the picture is uploaded, and while the answer is awaited, with and without
another publisher that takes over; a clock set back by an hour at each stage of a post. After each scene the posts must be where the
protocol says, no follower may see one twice, and none may wait longer than the hour and its lease.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from pydantic import SecretStr

from auria_bot.bootstrap.application import Application, build
from auria_bot.domain.post import PostState
from auria_bot.services.publishing.publisher import LEASE
from auria_bot.settings.schema import Settings
from auria_bot.settings.sections import DatabaseSettings
from auria_bot.store.engine import upgrade
from auria_bot.testing import FakeChannel, FakeClock
from tests.applications import fake_application
from tests.platforms import platform
from tests.publishing import approved
from tests.scenarios.publishing import fill, own_pictures
from tests.trials import made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auria_bot.domain.interfaces import ConfirmSend
    from auria_bot.domain.post import Post

__all__ = ["SCENES", "expired_token"]

HOUR = timedelta(hours=1)
PAST = timedelta(seconds=LEASE.total_seconds() + 1)


class _Scene:
    """An application with one approved post to the fake channel, whose calls can be made to take any time."""

    def __init__(self, home: Path) -> None:
        self.clock = FakeClock()
        self.application = fake_application(home, clock=self.clock)
        self.channel = cast("FakeChannel", self.application.channels["fake"]())
        self.channel.clock = self.clock
        approved(self.application)
        self.application.post_creator.schedule()
        self._real = self.channel.publish

    def state(self) -> PostState:
        """Where the post stands."""
        return self.application.publisher.posts()[0].state

    def publish(self) -> None:
        """A round."""
        self.application.publisher.publish()

    def during(self, *, upload: Callable[[], None] = lambda: None, answer: Callable[[], None] = lambda: None) -> None:
        """What happens once while the picture is uploaded, and once while the answer is awaited."""

        def publish(post: Post, ready: ConfirmSend) -> Any:
            self.channel.publish = self._real  # type: ignore[method-assign]  # it happens once
            upload()
            receipt = self._real(post, ready)
            answer()
            return receipt

        self.channel.publish = publish  # type: ignore[method-assign]  # the fake's, for one call

    def told(self, what: str, *, state: PostState, posted: int) -> Iterator[str]:
        """What is not as the protocol says."""
        if (self.state(), self.channel.mutations) != (state, posted):
            yield f"{what}: the post is {self.state()} after {self.channel.mutations} mutations, not {state} after {posted}"


def lease_during_upload(home: Path) -> Iterator[str]:
    """The lease runs out while the picture is uploaded: the worker sends nothing, the next one does."""
    scene = _Scene(home)
    scene.during(upload=lambda: scene.clock.advance(seconds=PAST.total_seconds()))
    scene.publish()
    yield from scene.told("after the slow upload", state=PostState.SENDING, posted=0)
    scene.publish()
    yield from scene.told("in the next round", state=PostState.SENT, posted=1)


def lease_during_upload_taken_over(home: Path) -> Iterator[str]:
    """The same, and another publisher sends the post meanwhile: the first must not send it again."""
    scene = _Scene(home)

    def another() -> None:
        scene.clock.advance(seconds=PAST.total_seconds())
        scene.publish()

    scene.during(upload=another)
    scene.publish()
    yield from scene.told("taken over during the upload", state=PostState.SENT, posted=1)


def lease_during_answer(home: Path) -> Iterator[str]:
    """The lease ends while the answer is awaited: the receipt is stored."""
    scene = _Scene(home)
    scene.during(answer=lambda: scene.clock.advance(seconds=PAST.total_seconds()))
    scene.publish()
    yield from scene.told("after the slow answer", state=PostState.SENT, posted=1)


def lease_during_answer_taken_over(home: Path) -> Iterator[str]:
    """The same, and another publisher looks the post up meanwhile: found or not, it goes out once."""
    for finds in ("ok", "throttled", "unclear"):
        scene = _Scene(home / finds)

        def another(scene: _Scene = scene, finds: str = finds) -> None:
            scene.clock.advance(seconds=PAST.total_seconds())
            scene.channel.plan_finds(finds)
            scene.publish()

        scene.during(answer=another)
        scene.publish()
        yield from scene.told(f"looked up meanwhile ({finds})", state=PostState.SENT, posted=1)


def clock_back_while_sending(home: Path) -> Iterator[str]:
    """Set back by an hour during the upload, and during the answer: the post goes out once, in this round."""
    for moment in ("upload", "answer"):
        scene = _Scene(home / moment)
        scene.during(**{moment: lambda scene=scene: scene.clock.advance(hours=-1)})
        scene.publish()
        scene.publish()
        yield from scene.told(f"set back during the {moment}", state=PostState.SENT, posted=1)


def clock_back_before_the_lookup(home: Path) -> Iterator[str]:
    """Set back by an hour when a post may or may not be out: nothing is sent again, and it is resolved within the hour."""
    for fault, finds in (("late", "ok"), ("late", "throttled"), ("lost", "ok"), ("lost", "throttled")):
        scene = _Scene(home / f"{fault}-{finds}")
        scene.channel.plan(fault)
        scene.channel.plan_finds(finds)
        scene.publish()
        scene.clock.advance(hours=-1)
        scene.publish()
        scene.clock.advance(seconds=HOUR.total_seconds())
        scene.publish()
        scene.clock.advance(minutes=1)  # what cannot be told yet is asked again
        scene.publish()
        yield from scene.told(f"set back while unknown ({fault}, {finds})", state=PostState.SENT, posted=1)


def clock_back_after_a_vanished_worker(home: Path) -> Iterator[str]:
    """Set back by an hour after a worker vanished with a post: it is free again after the hour and the lease, not later."""
    scene = _Scene(home)
    with scene.application.store.begin() as unit:
        unit.posts.claim(now=scene.clock(), lease=LEASE, channels=("fake",))
    scene.clock.advance(hours=-1)
    scene.publish()
    yield from scene.told("right after the clock was set back", state=PostState.SENDING, posted=0)
    scene.clock.advance(seconds=(HOUR + LEASE).total_seconds())
    scene.publish()
    yield from scene.told("an hour and a lease later", state=PostState.SENT, posted=1)


def clock_back_when_sent(home: Path) -> Iterator[str]:
    """Set back by an hour after a post went out: it is not due again."""
    scene = _Scene(home)
    scene.publish()
    scene.clock.advance(hours=-1)
    for _ in range(4):
        scene.publish()
        scene.clock.advance(minutes=30)
    yield from scene.told("after the clock was set back", state=PostState.SENT, posted=1)


def clock_back_while_throttled(home: Path) -> Iterator[str]:
    """Set back by an hour while a platform is waited for: sent after the hour and the wait, once."""
    scene = _Scene(home)
    scene.channel.plan("throttled")
    scene.publish()
    scene.clock.advance(hours=-1)
    scene.publish()
    yield from scene.told("while it waits", state=PostState.WAITING, posted=0)
    scene.clock.advance(seconds=(HOUR + timedelta(minutes=15)).total_seconds())
    scene.publish()
    yield from scene.told("an hour and the wait later", state=PostState.SENT, posted=1)


def expired_token(home: Path, channel: str) -> Iterator[str]:
    """The token is accepted for the upload and refused for the post: nothing is out, the channel is paused; then all is well."""
    home.mkdir(parents=True)
    url = f"sqlite:///{home / 'auria.db'}"
    upgrade(url)
    fill(url, [1, 2], own_pictures(home), channel=channel)
    with platform(channel) as server:
        one = made(channel, home, server)
        application = build(
            Settings(home=home, database=DatabaseSettings(url=SecretStr(url)), channels={}),
            clock=lambda: datetime.now(UTC),
        )
        application.channels = {channel: lambda: one}
        with closing(application):
            server.fail_next("401")
            application.publisher.publish()
            yield from _as_told(application, server, "after the refusal", [PostState.WAITING] * 2, 0)
            if [pause.by for pause in application.publisher.paused()] != ["auria"]:
                yield f"{channel}: the channel is not paused"
            application.publisher.publish()
            yield from _as_told(application, server, "while it is paused", [PostState.WAITING] * 2, 0)
            application.publisher.resume(channel)
            application.publisher.publish()
            yield from _as_told(application, server, "when it goes on", [PostState.SENT] * 2, 2)


def _as_told(application: Application, server: Any, when: str, states: list[PostState], seen: int) -> Iterator[str]:
    found = [post.state for post in application.publisher.posts()]
    if found != states or len(server.visible()) != seen:
        words = [post.message for post in application.publisher.posts()]
        yield f"{server.backend} {when}: {found} with {len(server.visible())} visible, not {states} with {seen}; {words}"


SCENES: tuple[Callable[[Path], Iterator[str]], ...] = (
    lease_during_upload,
    lease_during_upload_taken_over,
    lease_during_answer,
    lease_during_answer_taken_over,
    clock_back_while_sending,
    clock_back_before_the_lookup,
    clock_back_after_a_vanished_worker,
    clock_back_when_sent,
    clock_back_while_throttled,
)
"""Every scene on the fake channel; each gives what was not as the protocol says."""
