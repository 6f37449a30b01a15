"""Platforms for the tests: each a real server on this machine that the real client libraries talk to over HTTP.

A platform keeps what was posted, refuses what the real one refuses, and fails as it is told to. `PLATFORMS` says which
class stands for which channel of the registry; the contracts and the benchmarks run over all of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAULTS", "PLATFORMS", "TAKES_FILMS", "MemorySecrets", "Platform", "platform", "ready"]

FAULTS = (
    "cut-before",  # the connection breaks before the visible mutation's request is read
    "cut-after",  # the mutation happens, and the connection breaks before a byte of the answer
    "cut-within",  # the mutation happens, and the connection breaks within the answer
    "slow",  # the mutation happens, and the answer takes longer than the client waits
    "garbage",  # the mutation happens, and the answer is not what it should be
    "500",  # the mutation does not happen: an error of the server
    "500-after",  # the mutation happens: an error of the server all the same
    "401",  # the credentials are not accepted
    "403",  # the request is forbidden
    "429",  # too many requests, with the time of the reset
)
"""What the next visible mutation can be told to do; a platform that knows more (402 on X) says so itself."""


class Platform(Protocol):
    """A stand-in server, or a real one, on a free port of 127.0.0.1."""

    backend: str  # the channel's name in the registry
    faults: tuple[str, ...]  # those of FAULTS, and its own, that it can be told to do

    def __enter__(self) -> Self:
        """Start it."""
        ...

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        ...

    def options(self) -> dict[str, Any]:
        """The channel's options that point it at this server, with time-outs and waits as short as they may be."""
        ...

    def secrets(self) -> dict[str, str]:
        """Credentials that it accepts."""
        ...

    def fail_next(self, *faults: str) -> None:
        """What the coming visible mutations do, one fault each; afterwards all is well again."""
        ...

    def fail_next_deletions(self, *faults: str) -> None:
        """What the coming requests to delete a post do, one fault each."""
        ...

    def visible(self) -> list[dict[str, Any]]:
        """What followers see, the newest first: each with "id", "text" and "alt_text"."""
        ...

    def remove(self, post_id: str) -> None:
        """Delete a post, as its owner or a moderator would."""
        ...

    def like(self, post_id: str, times: int) -> None:
        """Let followers like a post."""
        ...


PLATFORMS: dict[str, str] = {
    "x": "tests.platforms.x:XPlatform",
    "bluesky": "tests.platforms.bluesky:BlueskyPlatform",
    "mastodon": "tests.platforms.mastodon:MastodonPlatform",
    "instagram": "tests.platforms.instagram:InstagramPlatform",
    "instagram_graph": "tests.platforms.instagram_graph:InstagramGraphPlatform",
}
"""Channel's backend to "module:Class"; those that need npm say so by skipping where it is missing."""


TAKES_FILMS = tuple(backend for backend in PLATFORMS if backend != "instagram")
"""Channels that take films: Instagram's private interface does not."""


def platform(backend: str) -> Platform:
    """A platform for a channel's backend, not yet started."""
    module, _, name = PLATFORMS[backend].partition(":")
    made: Platform = getattr(import_module(module), name)()
    return made


class MemorySecrets:
    """A channel's secrets in memory."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = dict(values or {})

    def get(self, name: str) -> str | None:
        """A secret's value."""
        return self.values.get(name)

    def put(self, name: str, value: str) -> None:
        """Keep it."""
        self.values[name] = value


def ready(memo: str = "") -> None:
    """A `confirm_send` that always succeeds."""
