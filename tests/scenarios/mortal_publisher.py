"""A publisher that can be killed at a boundary: `python -m tests.scenarios.mortal_publisher`, told what to do line by line.

The process imports everything once and forks for every line, so that a thousand publishers need not start Python a
thousand times. A line is a JSON object: `home` (with the secrets), `database` (its URL), `channel`, `options` of the channel, and
`kill`, a boundary and at which post, or null; `once` for one round only; and `resume`, whether a paused channel is resumed
first, as its operator would; and `withdraw`, the post to withdraw instead of publishing, or null. It answers with the child's process id, and, when it is gone, with the signal that
ended it or 0, and what it printed. Time is not waited for: before each round every lease has run out and everything is due.

Not a benchmark itself.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from sqlalchemy import update

from auria_bot import registry
from auria_bot.bootstrap.application import build
from auria_bot.channels import films
from auria_bot.domain.post import TERMINAL, PostState
from auria_bot.secret_store import SecretStore
from auria_bot.services.publishing.publisher import Publisher
from auria_bot.services.publishing.sending import AttemptLog
from auria_bot.services.publishing.withdrawal import Withdrawal
from auria_bot.settings.schema import Settings
from auria_bot.settings.sections import DatabaseSettings
from auria_bot.store import unit_of_work as _unit_of_work  # noqa: F401 - imported before the children are born
from auria_bot.store.engine import connect
from auria_bot.store.posts import Posts
from auria_bot.store.schema import posts
from tests.factories import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.bootstrap.application import Application

__all__ = ["BOUNDARIES", "DELETIONS", "ENCODING", "main"]

BOUNDARIES = ("before-claim", "after-claim", "after-upload", "before-sending", "after-sending", "after-commit")
"""Where a publisher can be killed; the last but two lie between the note that it is about to send, the answer and its commit."""

DELETIONS = ("withdrawal-requested", "before-deletion", "after-deletion")
"""Where one that withdraws a post can be killed; the last lies between the answer and its commit."""

ENCODING = "after-encoding"
"""Where one that encodes a film anew can be killed: before the film is kept."""

_LIBRARIES = (
    "PIL.Image",
    "av",
    "psycopg",
    "PIL.JpegImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.ImageCms",
    "PIL.ImageSequence",
    "PIL.PngImagePlugin",
    "auria_bot.art.films.video_writer",
    "auria_bot.art.voice",
    "auria_bot.services.models.versions",
    "auria_bot.services.operations.backup_contents",
    "auria_bot.services.visitors.works",
    "regex",
    "tweepy",
    "atproto",
    "mastodon",
    "instagrapi",
    "requests",
    "httpx",
)
_ROUNDS = 15
_SETTLING = 0.12  # seconds between two rounds: platforms are told to be sure of an absence after 0.1 s


def application(home: Path, database: str, channel: str, options: dict[str, Any]) -> Application:
    """An application with one channel, whose secrets lie in the home."""
    made = build(Settings(home=home, database=DatabaseSettings(url=SecretStr(database)), channels={}))
    kind = registry.find("channel", channel)
    chosen = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    one = kind(kind.Config(**chosen, name=channel), home=home, secrets=SecretStore(home, channel))
    made.channels = {channel: lambda: one}
    return made


def _mortal(boundary: str, number: int) -> None:
    """Let this process be killed at a boundary of its n-th post."""
    seen = 0

    def reached(_: object = None) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrapped(owner: Any, name: str, *, after: bool) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def call(*given: Any, **named: Any) -> Any:
            if not after:
                reached()
            result = real(*given, **named)
            if after:
                reached()
            return result

        setattr(owner, name, call)

    places = {
        "before-claim": (Posts, "claim", False),
        "after-claim": (Publisher, "_claim", True),
        "after-upload": (AttemptLog, "confirm_send", False),
        "before-sending": (AttemptLog, "confirm_send", True),
        "after-sending": (AttemptLog, "record_sent", False),
        "after-commit": (AttemptLog, "record_sent", True),
        "withdrawal-requested": (Withdrawal, "request", True),
        "before-deletion": (AttemptLog, "confirm_send", True),
        "after-deletion": (AttemptLog, "record_outcome", False),
        ENCODING: (films, "encode", True),
    }
    owner, name, after = places[boundary]
    wrapped(owner, name, after=after)


def _time_passes(url: str) -> None:
    """Every lease has run out, and everything is due."""
    engine = connect(url)
    with engine.begin() as connection:
        open_states = [str(state) for state in PostState if state not in TERMINAL]
        connection.execute(update(posts).where(posts.c.state.in_(open_states)).values(due=NOW))
        connection.execute(update(posts).where(posts.c.state.in_(["sending", "withdrawing"])).values(lease_until=NOW))
    engine.dispose()


def _publish(told: dict[str, Any]) -> None:
    """Run one round, in which the process may be killed, or else rounds until every post is final."""
    home = Path(told["home"])
    if told["kill"]:
        _mortal(*told["kill"])
    with contextlib.closing(application(home, told["database"], told["channel"], told["options"])) as made:
        for pause in made.publisher.paused() if told["resume"] else ():
            made.publisher.resume(pause.name)
        if told["withdraw"]:
            made.publisher.withdraw(made.publisher.withdrawal.plan([told["withdraw"]]))
            return
        for _ in range(1 if told["kill"] or told["once"] else _ROUNDS):
            _time_passes(told["database"])
            done = made.publisher.publish()
            states = {post.state for post in made.publisher.posts()}
            if states <= TERMINAL | {PostState.NEEDS_ATTENTION}:
                return
            time.sleep(_SETTLING)
    print("; ".join(done.problems))


def main() -> None:
    """Do what each line says, in a process of its own."""
    for library in _LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    for name in registry.BACKENDS["channel"]:
        registry.find("channel", name)
    gc.freeze()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            status = 0
            try:
                _publish(told)
            except BaseException:  # noqa: BLE001 - told to the parent
                traceback.print_exc()
                status = 1
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        os.close(writer)
        print(json.dumps({"pid": child}), flush=True)
        with os.fdopen(reader, encoding="utf-8", errors="replace") as words:
            said = words.read()
        _, status = os.waitpid(child, 0)
        print(json.dumps({"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, "said": said}), flush=True)


if __name__ == "__main__":
    main()
