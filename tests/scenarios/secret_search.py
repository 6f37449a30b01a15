"""A home whose commands run in this process with every log at DEBUG, and the search for secrets in all that they leave behind."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import io
import json
import logging
import os
import re
import sqlite3
import sys
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import quote, quote_plus

from PIL import Image

from auria_bot import telemetry
from auria_bot.bootstrap.application import build
from auria_bot.cli.app import app
from auria_bot.cli.error_reporting import reported
from auria_bot.domain.post import PostState
from auria_bot.settings.loading import load
from tests.factories import artwork

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


__all__ = ["Findings", "Installation", "forms", "log_restored", "search"]

_WINDOW = 8  # characters of a secret that count as telling it
_UNMASKED = (
    re.compile(r"(?i)\bauthorization['\"]?\s*[=:,]\s*(?!\*\*\*)[^\s'\"]"),
    re.compile(r"(?i)\boauth_(?:token|signature|nonce|consumer_key)['\"]?\s*[=:]\s*(?!['\"]?\*\*\*)['\"]?\w"),
    re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}"),
    re.compile(r"(?i)\bbearer\s+(?!\*\*\*)[\w.~+/-]{8,}"),
)
_TELLING = re.compile(r"session|token|auth|cookie|csrf|jwt|password|secret|mid|claim", re.IGNORECASE)


@dataclasses.dataclass(slots=True)
class Findings:
    """What was searched, for what, and what was found."""

    searched: Counter[str] = dataclasses.field(default_factory=Counter)  # bytes by where they were left
    provoked: Counter[str] = dataclasses.field(default_factory=Counter)  # failures by channel
    secrets: int = 0
    told: list[str] = dataclasses.field(default_factory=list)


@cache
def forms(secret: str) -> frozenset[str]:
    """Every piece of a secret that must not be found, in every form: written apart from the product's own list."""
    raw = secret.encode()
    whole = {secret, quote(secret, safe=""), quote_plus(secret), raw.hex(), json.dumps(secret)[1:-1]}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        whole |= {encoded[4 if shift else 0 : -2], encoded[4 if shift else 0 : -2].replace("+", "-").replace("/", "_")}
    found = {one[at : at + _WINDOW] for one in whole for at in range(len(one) - _WINDOW + 1)}
    return frozenset(one for one in found if not one.isdigit())  # an account's public number may begin a token


def search(text: str, secrets: Iterable[str], place: str, findings: Findings, *, public: str = "") -> None:
    """Look for every secret, and for headers that should be masked.

    Args:
        text: what was left behind.
        secrets: what must not stand in it.
        place: where it was left.
        findings: is added to.
        public: what may be told although a secret holds it too, such as the platform's name in a token.
    """
    findings.searched[place] += len(text)
    wanted = [forms(secret) for secret in secrets]
    every = set().union(*wanted)  # all as long as a window: the text is read once for all of them
    seen = {window for at in range(len(text)) if (window := text[at : at + _WINDOW]) in every}
    for told in wanted:
        hit = next((form for form in told & seen if form not in public), None)
        if hit is not None:
            at = text.index(hit)
            findings.told.append(f"{place} tells {hit!r} of a secret: ...{text[max(0, at - 60) : at + 40]!r}...")
    for looks in _UNMASKED:
        if found := looks.search(text):
            findings.told.append(f"{place} tells {text[found.start() : found.end() + 20]!r}")


def _tokens(value: Any, name: str = "", *, telling: bool = False) -> Iterator[str]:
    """The secrets within what a channel keeps: tokens of a session's JSON, parts of a session's line."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _tokens(item, key, telling=telling or bool(_TELLING.search(key)))
    elif isinstance(value, str):
        with contextlib.suppress(ValueError):
            inner = json.loads(value)
            if isinstance(inner, dict):
                yield from _tokens(inner, name)
                return
        for part in value.split(":::") if ":::" in value else [value]:
            if (telling or part.startswith("eyJ")) and len(part) >= 12 and not part.startswith(("did:", "http")):
                yield part


class Installation:
    """A home with an environment of its own, in which commands run in this process."""

    def __init__(self, home: Path, findings: Findings) -> None:
        self.home, self.findings = home, findings
        self.environment = {"AURIA_HOME": str(home), "AURIA_LOGGING__LEVEL": "debug", "AURIA_DATABASE__ECHO": "true"}
        self.left: list[str] = []
        self._number = 0

    def run(self, *arguments: str) -> int:
        """Run a command as `main` does, every logger at DEBUG; its output is collected."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
        said = io.StringIO()
        code = 0
        with (
            mock.patch.dict(os.environ, kept | self.environment, clear=True),
            mock.patch.object(telemetry, "set_up", _loud),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            mock.patch.object(sys, "stdin", io.StringIO()),
            mock.patch.object(sys, "argv", ["auria", *arguments]),
        ):
            try:
                with reported(debug="--debug" in arguments):
                    app(list(arguments), prog_name="auria")
            except SystemExit as done:
                code = int(done.code or 0)
        self.left.append(said.getvalue())
        return code

    def approve(self, channel: str) -> None:
        """An approved draft for a channel."""
        self._number += 1
        self.home.mkdir(parents=True, exist_ok=True)
        source = self.home / "source.jpg"
        Image.new("RGB", (432, 540), (self._number, 90, 120)).save(source)
        with mock.patch.dict(os.environ, self.environment), contextlib.closing(build(load())) as application:
            folder = f"run-{self._number}"
            kept = application.pictures.keep(
                folder, dict.fromkeys(("painting.png", "full.png", "post.jpg", "card.jpg"), source)
            )
            digest = hashlib.sha256((kept / "post.jpg").read_bytes()).hexdigest()
            with application.store.begin() as unit:
                draft = unit.drafts.add(
                    artwork(self._number), folder=folder, picture_sha256=digest, made_at=application.clock()
                )
            application.review.approve([draft.id], channels=[channel])

    def undecided(self) -> list[int]:
        """Posts whose outcome is open."""
        with mock.patch.dict(os.environ, self.environment), contextlib.closing(build(load())) as application:
            return [post.id for post in application.publisher.posts([PostState.NEEDS_ATTENTION, PostState.WAITING])]

    def kept(self) -> set[str]:
        """What the secret store holds: what was planted, and every token that a channel stored."""
        found: set[str] = set()
        for file in (self.home / "secrets").glob("*.json"):
            values = json.loads(file.read_text())
            found |= {
                value
                for key, value in values.items()
                if not key.endswith("*from") and "{" not in value and ":::" not in value
            }
            found |= {token for key, value in values.items() for token in _tokens(value, key, telling=False)}
        return {value for value in found if len(value) >= _WINDOW}

    def search(self, secrets: Iterable[str], name: str, public: str = "") -> None:
        """Search all that is left."""
        wanted = {secret for secret in {*secrets, *self.kept()} if len(secret) >= _WINDOW}
        self.findings.secrets += len(wanted)
        search("\n".join(self.left), wanted, f"{name}: log and terminal", self.findings, public=public)
        for file in sorted(self.home.rglob("*")):
            if file.is_file() and file.parent.name != "secrets":
                kind = (
                    "crash file"
                    if file.parent.name == "logs"
                    else "database"
                    if file.name.startswith("auria.db")
                    else "file"
                )
                search(
                    file.read_bytes().decode("latin-1"),
                    wanted,
                    f"{name}: {kind} {file.name}",
                    self.findings,
                    public=public,
                )
        if (database := self.home / "auria.db").exists():
            with contextlib.closing(sqlite3.connect(database)) as connection:
                search(
                    "\n".join(connection.iterdump()), wanted, f"{name}: database's rows", self.findings, public=public
                )


_set_up = telemetry.set_up


def _loud(**words: Any) -> None:
    """Set the log up as usual, then log everything at DEBUG into Auria's handlers."""
    _set_up(**{**words, "level": "debug"})
    root = logging.getLogger()
    root.setLevel(logging.DEBUG)
    for handler in [*root.handlers, *logging.getLogger("auria_bot").handlers]:
        if handler.filters:
            handler.setLevel(logging.DEBUG)
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger) and not logger.name.startswith("uvicorn"):  # a platform's own
            logger.setLevel(logging.DEBUG)


@contextlib.contextmanager
def log_restored() -> Iterator[None]:
    """Give every logger its level and handlers back at the end."""
    loggers = [
        logging.getLogger(),
        *(one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)),
    ]
    before = [(one, one.level, one.handlers[:], one.propagate) for one in loggers]
    try:
        yield
    finally:
        for one in logging.root.manager.loggerDict.values():
            if isinstance(one, logging.Logger) and not one.name.startswith("uvicorn"):  # a platform's own
                one.setLevel(logging.NOTSET)
        for one, level, handlers, propagate in before:
            one.setLevel(level)
            one.handlers[:] = handlers
            one.propagate = propagate
