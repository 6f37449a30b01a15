"""Answers of a platform that are changed on their way: fields that drift, and a timeline that is empty.

Not a benchmark itself; `drift` and `publish-faults` let platforms answer so.
"""

from __future__ import annotations

import contextlib
import copy
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import auria_bot.channels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.platforms import Platform

__all__ = [
    "KINDS",
    "Change",
    "ChangedAnswers",
    "Drifting",
    "EmptyTimeline",
    "changed_answers",
    "changes",
    "drop_faults",
]

KINDS = ("missing", "null", "other type", "renamed", "extra")
_READ_BY = {
    "x": "x",
    "mastodon": "mastodon",
    "instagram_graph": "instagram",
}  # channels without a client library for answers
_NO_RECORD = {"error": "RecordNotFound", "message": "Could not locate record"}
_EMPTY: dict[str, tuple[str, str, int, Any]] = {
    "x": ("GET", r"/2/users/\d+/tweets", 200, {"meta": {"result_count": 0}}),
    "bluesky": ("GET", r"/xrpc/com\.atproto\.repo\.getRecord", 400, _NO_RECORD),
    "mastodon": ("GET", r"/api/v1/accounts/\d+/statuses", 200, []),
    "instagram": (
        "GET",
        r".*/feed/user/\d+/",
        200,
        {"items": [], "num_results": 0, "more_available": False, "status": "ok"},
    ),
    "instagram_graph": ("GET", r"/v[\d.]+/(me|\d+)/media", 200, {"data": []}),
}
"""Where each channel looks for a post: method, path, and what a platform that does not see the post answers."""


class ChangedAnswers(Protocol):
    """Changes answers on their way."""

    def json(self, method: str, path: str, answer: Any) -> Any:
        """An answer's content with the change."""
        ...

    def raw(self, method: str, path: str, answer: bytes) -> bytes:
        """A whole HTTP answer with the change."""
        ...


@contextlib.contextmanager
def changed_answers(server: Platform, change: ChangedAnswers) -> Iterator[None]:
    """Let a platform's answers be changed, until the block ends."""
    # X signs its address, so no proxy can stand before it; the others have one already.
    place: Any = server if server.backend == "x" else server.proxy  # type: ignore[attr-defined]  # each has its own
    before = place.rewrite
    place.rewrite = change.json if server.backend == "x" else change.raw
    try:
        yield
    finally:
        place.rewrite = before


def drop_faults(server: Platform) -> None:
    """Faults that no request came for must not wait for the next run."""
    if server.backend == "x":
        server.state.faults.clear()  # type: ignore[attr-defined]  # X's own
    else:
        server.proxy.forget_faults()  # type: ignore[attr-defined]  # the others have a proxy


class EmptyTimeline:
    """A platform that shows none of the account's posts where the channel looks for one."""

    def __init__(self, backend: str) -> None:
        self._method, self._path, self._status, self._content = _EMPTY[backend]
        self.applied = False

    def json(self, method: str, path: str, answer: Any) -> Any:
        """An answer's content, empty if it is the timeline."""
        return self._content if self._is_timeline(method, path) else answer

    def raw(self, method: str, path: str, answer: bytes) -> bytes:
        """A whole HTTP answer, empty if it is the timeline."""
        if not self._is_timeline(method, path):
            return answer
        body = json.dumps(self._content).encode()
        head = f"HTTP/1.1 {self._status} As Told\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        return f"{head}\r\nConnection: close\r\n\r\n".encode() + body

    def _is_timeline(self, method: str, path: str) -> bool:
        found = method == self._method and re.fullmatch(self._path, path.partition("?")[0]) is not None
        self.applied = self.applied or found
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change to all answers of an endpoint."""

    endpoint: str  # method and path, with "*" for ids
    path: tuple[str, ...]  # names of nested fields, "[]" for the items of an array
    kind: str  # one of KINDS

    def __str__(self) -> str:
        return f"{self.endpoint} {'.'.join(self.path) or 'the answer'} {self.kind}"


class Drifting:
    """Changes answers on their way, as it is told to, and lists the fields that it sees."""

    def __init__(self, change: Change | None = None) -> None:
        self.change = change
        self.applied = False
        self.seen: dict[tuple[str, tuple[str, ...]], None] = {}  # in the order in which they came

    def json(self, method: str, path: str, answer: Any) -> Any:
        """An answer with the change."""
        endpoint = f"{method} {_general(path)}"
        self.seen.update(dict.fromkeys((endpoint, place) for place in _places(answer)))
        if self.change is None or self.change.endpoint != endpoint:
            return answer
        answer = copy.deepcopy(answer)
        for owner, name in _owners(answer, self.change.path):
            self.applied = True
            _apply(owner, name, self.change.kind)
        return answer

    def raw(self, method: str, path: str, answer: bytes) -> bytes:
        """The same for a whole HTTP answer."""
        head, _, body = answer.partition(b"\r\n\r\n")
        try:
            content = json.loads(body)
        except ValueError:
            return answer
        changed = json.dumps(self.json(method, path, content)).encode()
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
        return b"\r\n".join([*lines, b"Content-Length: %d" % len(changed)]) + b"\r\n\r\n" + changed


def _general(path: str) -> str:
    """A path without its query, with "*" for parts that are ids."""
    parts = path.partition("?")[0].split("/")
    return "/".join("*" if re.search(r"\d{4}", part) or re.fullmatch(r"\d+", part) else part for part in parts)


def _places(answer: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every field, and of every object (for extra fields)."""
    if isinstance(answer, dict):
        yield (*path, "+")
        for name, value in answer.items():
            yield (*path, name)
            yield from _places(value, (*path, name))
    elif isinstance(answer, list) and answer:
        yield from _places(answer[0], (*path, "[]"))


def _owners(answer: Any, path: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects that hold the field of that path, and its name."""
    if path[:1] == ("[]",):
        for item in answer if isinstance(answer, list) else ():
            yield from _owners(item, path[1:])
    elif isinstance(answer, dict) and len(path) == 1 and (path[0] in answer or path[0] == "+"):
        yield answer, path[0]
    elif isinstance(answer, dict) and len(path) > 1 and path[0] in answer:
        yield from _owners(answer[path[0]], path[1:])


def _apply(owner: dict[str, Any], name: str, kind: str) -> None:
    if kind == "extra":
        owner |= {"new_field": {"id": "1", "items": [None]}, "": 7, "type": owner.get("type", "new")}
    elif kind == "null":
        owner[name] = None
    elif kind == "renamed":
        owner[f"{name}_v2"] = owner.pop(name)
    elif kind == "missing":
        del owner[name]
    else:
        value = owner[name]
        owner[name] = {"value": value} if isinstance(value, str) else "other" if value is not None else 7


def changes(channel: str, drifting: Drifting) -> list[Change]:
    """Every change of every field of the answers so far.

    Of the channels that read answers themselves, fields that they never name are left out, but for what surrounds a field that they do.
    """
    places = list(drifting.seen)
    if channel in _READ_BY:
        names = _named(_READ_BY[channel])
        places = [(endpoint, place) for endpoint, place in places if place[-1] == "+" or place[-1] in names]
    found = []
    for endpoint, place in places:
        kinds = ("extra",) if place[-1] == "+" else KINDS[:-1]
        found += [Change(endpoint=endpoint, path=place, kind=kind) for kind in kinds]
    return found


def _named(package: str) -> set[str]:
    """Every word that stands as a text of its own in the modules of a channel's package."""
    modules = (Path(auria_bot.channels.__path__[0]) / package).glob("*.py")
    sources = "\n".join(module.read_text(encoding="utf-8") for module in modules)
    return set(re.findall(r"[\"'](\w+)[\"']", sources))
