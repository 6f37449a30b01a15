"""Platforms whose answers change: each field missing, null, of another type or renamed, and unknown fields.

For each social channel, before its platform on this machine: first a round without changes, which lists the fields of all answers;
then a round for each change of each field. A round checks the channel, publishes a post whose answer is cut off, looks for it,
publishes a second one and, where the channel takes films, a film, looks for these too, measures them, counts followers and deletes
the last one, all while the change is in force; then the change is
undone, and what was unclear is looked up again. What counts is what followers see: a post seen twice is a double, a post
that is called absent, vanished or deleted and is seen, or called sent and is not, is lost. Nothing but the program's own errors may be raised.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from auria_bot.domain.interfaces import DeletingChannel
from auria_bot.errors import ChannelError, NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised
from auria_bot.files import sha256_of
from tests.platforms import TAKES_FILMS, MemorySecrets, platform
from tests.platforms.proxy import FaultyProxy
from tests.scenarios.changed_answers import Drifting, changed_answers, changes, drop_faults
from tests.scenarios.films import film_file
from tests.trials import Recorded, made, new_post, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auria_bot.domain.interfaces import Channel
    from auria_bot.domain.post import Post, Receipt
    from tests.platforms import Platform
    from tests.scenarios.changed_answers import Change

__all__ = ["Drifted", "drift", "fields"]

_IMPATIENT: dict[str, dict[str, float]] = {
    "x": {"processing": 2.0},
    "mastodon": {"processing": 0.2},
    "instagram_graph": {"max_wait": 0.4},
}
"""Options by which a channel does not wait long for a file whose processing it cannot follow."""

_PATIENCE = 3.0  # seconds until what was unclear must be clear again, once nothing is changed


@dataclass(slots=True)
class Drifted:
    """What came of the rounds of a channel."""

    rounds: int = 0
    fields: int = 0
    applied: int = 0  # rounds in which the change met an answer
    unclear: int = 0  # posts whose outcome stayed unknown while the change was in force
    wrong: list[str] = field(default_factory=list)  # "double ...", "lost ...", "crash ...", "sentence ..."


def fields(channel: str, root: Path) -> list[Change]:
    """Every change of every field that the answers of a round hold."""
    with _served(channel) as (server, drifting, options):
        _Round(server, drifting, options, root / f"{channel}-first").run()
        return changes(channel, drifting)


def drift(channel: str, changes: list[Change], root: Path) -> Drifted:
    """A round for each change."""
    result = Drifted(fields=len({(change.endpoint, change.path) for change in changes}))
    with _served(channel) as (server, drifting, options):
        for number, change in enumerate(changes):
            folder = root / f"{channel}-{number}"
            drifting.change, drifting.applied = change, False
            one = _Round(server, drifting, options, folder)
            one.run()
            result.rounds += 1
            result.applied += drifting.applied
            result.unclear += one.unclear
            result.wrong += [f"{wrong} ({channel}: {change})" for wrong in one.wrong]
            shutil.rmtree(folder, ignore_errors=True)
    return result


@contextlib.contextmanager
def _served(channel: str) -> Iterator[tuple[Platform, Drifting, dict[str, Any]]]:
    """A platform whose answers pass through what changes them, and the options that lead there."""
    drifting, server = Drifting(), platform(channel)
    with contextlib.ExitStack() as stack:
        stack.enter_context(server)
        options = server.options() | _IMPATIENT.get(channel, {})
        stack.enter_context(changed_answers(server, drifting))
        if "appview" in options:
            behind = int(options["appview"].rpartition(":")[2])
            before = stack.enter_context(FaultyProxy(behind, mutation=lambda *_: False))
            before.rewrite = drifting.raw
            options["appview"] = before.address
        yield server, drifting, options


class _Round:
    """Everything that a channel does, once."""

    def __init__(self, server: Platform, drifting: Drifting, options: dict[str, Any], folder: Path) -> None:
        self._server, self._drifting, self._options, self._folder = server, drifting, options, folder
        self._secrets = MemorySecrets(server.secrets())
        self.wrong: list[str] = []
        self.unclear = 0
        folder.mkdir(parents=True)

    def run(self) -> None:
        """Check, publish with the answer cut off, look, publish again, look, measure, count, delete; then undo the change."""
        self._call("check", lambda: self._channel().check())
        waiting, receipt = [], None
        pictures = [new_post(self._folder), new_post(self._folder)]
        for fault, new in zip(("cut-after", "ok", "ok"), [*pictures, *self._films()], strict=False):
            watch = Recorded(new)
            self._server.fail_next(fault)
            if (receipt := self._settled(watch)) is None:
                waiting.append(watch)
            drop_faults(self._server)
        self._call("audience", lambda: self._channel().audience())
        if receipt is not None:
            self._delete(watch, receipt)
        self._drifting.change = None
        for watch in waiting:
            self._clear_up(watch)
        for post in self._server.visible():
            if "number" in post["text"]:
                self._server.remove(post["id"])

    def _films(self) -> list[Post]:
        """A post of a film, which all rounds share; none where there are no films."""
        if self._backend not in TAKES_FILMS or find_spec("av") is None:
            return []
        film = self._folder.parent / f"{self._backend}.mp4"
        if not film.exists():
            film_file(film)
        return [replace(new_post(self._folder), film=str(film), film_sha256=sha256_of(film))]

    def _channel(self) -> Channel:
        """The channel, as another process makes it."""
        return made(self._backend, self._folder, None, vault=self._secrets, options=self._options)

    @property
    def _backend(self) -> str:
        return self._server.backend

    def _settled(self, watch: Recorded) -> Receipt | None:
        """Publish, look where the outcome is unknown, and once more where it is called absent; the receipt, if it came to one."""
        for _ in range(2):
            receipt: Receipt | str | None = self._publish(watch)
            if receipt is None and watch.calls:
                receipt = self._find(watch)
            if isinstance(receipt, str):
                break
            if receipt is not None:
                self._measure(receipt)
                return receipt
            if not watch.calls:
                break  # it failed before anything was sent
        if len(shown(self._server, watch.post)) > 1:
            self.wrong.append("double: two posts are seen")
        self.unclear += 1
        return None

    def _publish(self, watch: Recorded) -> Receipt | None:
        receipt, error = self._call("publish", lambda: self._channel().publish(watch.post, watch))
        seen = len(shown(self._server, watch.post))
        if seen > 1:
            self.wrong.append("double: two posts are seen after publishing")
        if receipt is not None and not seen:
            self.wrong.append("lost: called sent, and not seen")
        if error is not None and not isinstance(error, OutcomeUnknown) and seen and watch.calls == 1:
            self.wrong.append(f"lost: called not sent ({error}), and seen")
        return receipt  # type: ignore[no-any-return]  # what the channel gave

    def _find(self, watch: Recorded) -> Receipt | str | None:
        """The receipt; None for a post that is absent; the error's name where it cannot be told."""
        receipt, error = self._call("find", lambda: self._channel().find(watch.post))
        seen = len(shown(self._server, watch.post))
        if error is not None:
            return type(error).__name__
        if receipt is None and seen:
            self.wrong.append("lost: called absent, and seen")
        if receipt is not None and not seen:
            self.wrong.append("lost: called found, and not seen")
        return receipt  # type: ignore[no-any-return]  # what the channel gave

    def _measure(self, receipt: Receipt) -> None:
        counts, error = self._call("measure", lambda: self._channel().measure(receipt))
        if isinstance(error, NotFound):
            self.wrong.append(f"lost: called vanished, and seen ({error})")
        if counts is not None:
            values = (counts.likes, counts.reposts, counts.replies, counts.quotes, counts.saves, counts.views)
            if any(not (value is None or (isinstance(value, int) and value >= 0)) for value in values):
                self.wrong.append(f"crash: counts are not numbers: {values}")

    def _delete(self, watch: Recorded, receipt: Receipt) -> None:
        channel = self._channel()
        if not isinstance(channel, DeletingChannel):
            return
        _, error = self._call("delete", lambda: channel.delete(receipt, watch))
        seen = len(shown(self._server, watch.post))
        if error is None and seen:
            self.wrong.append("lost: called deleted, and seen")
        if isinstance(error, Rejected | Throttled | Unauthorised) and not seen:
            self.wrong.append(f"lost: called not deleted ({error}), and gone")
        there, error = self._call("is_published", lambda: channel.is_published(receipt))
        if error is None and there != bool(seen):
            self.wrong.append(f"lost: {'still there' if there else 'gone'} as the channel says, and seen {seen} times")

    def _clear_up(self, watch: Recorded) -> None:
        """What was unclear is clear once nothing is changed any more."""
        end = time.monotonic() + _PATIENCE
        while True:
            receipt, error = self._call("find afterwards", lambda: self._channel().find(watch.post))
            if isinstance(error, Unauthorised):
                self._call("check afterwards", lambda: self._channel().check())  # as the operator does
            if not isinstance(error, Throttled | Unauthorised) or time.monotonic() > end:
                break
            time.sleep(0.05)
        seen = len(shown(self._server, watch.post))
        if error is not None:
            self.wrong.append(f"lost: it stays unclear afterwards ({error})")
        elif (receipt is not None) != bool(seen):
            self.wrong.append(f"lost: {'found' if receipt else 'absent'} afterwards, and seen {seen} times")

    def _call(self, what: str, call: Callable[[], Any]) -> tuple[Any, Exception | None]:
        """What a call gives, or its error; every error is one of the program's own, with a sentence."""
        try:
            return call(), None
        except (ChannelError, NotFound) as error:
            text = str(error)
            if len(text.split()) < 3 or len(text) > 700 or "\n" in text or "Traceback" in text:
                self.wrong.append(f"sentence: {what} says {text[:200]!r}")
            return None, error
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            self.wrong.append(f"crash: {what} raises {type(error).__name__}: {str(error)[:200]}")
            return None, OutcomeUnknown("a crash")
