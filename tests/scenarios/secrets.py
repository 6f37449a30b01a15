"""Secrets are planted everywhere, every failure is provoked with logging at DEBUG, and all that is left behind is searched.

For each social channel, through the real command line and before its platform: wrong credentials, every fault that the platform
knows, the platform away, an exception that nobody foresaw, `--debug`; for the database, a password in its address. Every logger of
every library is set to DEBUG and heard by Auria's own handlers. Searched are the log, stdout and stderr, crash files,
the database as rows and as bytes, every file of the home but the vault's, and what each listing command prints with --json. A
secret counts as told when eight characters of it stand there, plain, percent-encoded, in base64 at any shift or in
hexadecimal; so do the platform's own tokens, which the channels renewed, and any Authorization header that is not masked.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import io
import json
import logging
import os
import random
import re
import sqlite3
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import quote, quote_plus

import keyring
from keyring.backend import KeyringBackend
from PIL import Image

from auria_bot import registry, telemetry
from auria_bot.bootstrap.application import build
from auria_bot.cli.app import app
from auria_bot.cli.error_reporting import reported
from auria_bot.domain.post import PostState
from auria_bot.errors import AuriaError, ChannelError
from auria_bot.redaction import clear_secrets
from auria_bot.settings.loading import load
from tests.factories import artwork
from tests.platforms import MemorySecrets, platform
from tests.trials import Recorded, made, new_post

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.platforms import Platform

__all__ = ["Findings", "forms", "search", "try_backend", "try_database", "try_directly", "try_keyring"]

_WINDOW = 8  # characters of a secret that count as telling it
_LISTINGS = (
    ("channels",),
    ("channels", "--json"),
    ("channels", "check"),
    ("channels", "check", "--json"),
    ("posts",),
    ("posts", "--json"),
    ("posts", "show", "1", "--json"),
    ("drafts", "--json"),
    ("publish", "--dry-run", "--json"),
    ("config",),
    ("config", "--json"),
    ("doctor", "--json"),
)
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


def forms(secret: str) -> set[str]:
    """Every piece of a secret that must not be found, in every form: written apart from the product's own list."""
    raw = secret.encode()
    whole = {secret, quote(secret, safe=""), quote_plus(secret), raw.hex(), json.dumps(secret)[1:-1]}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        whole |= {encoded[4 if shift else 0 : -2], encoded[4 if shift else 0 : -2].replace("+", "-").replace("/", "_")}
    found = {one[at : at + _WINDOW] for one in whole for at in range(len(one) - _WINDOW + 1)}
    return {one for one in found if not one.isdigit()}  # an account's public number may begin a token


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
    for secret in secrets:
        hit = next((form for form in forms(secret) if form in text and form not in public), None)
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


class _Installation:
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
def _log_restored() -> Iterator[None]:
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


def try_backend(backend: str, folder: Path, findings: Findings, *, faults: Iterable[str] | None = None) -> None:
    """Every failure of a channel, through the command line.

    Args:
        backend: the channel's kind.
        folder: for its home.
        findings: is added to.
        faults: those to provoke; all that the platform knows when not given.
    """
    installation = _Installation(folder / f"home-{backend}", findings)
    server = platform(backend)
    with clear_secrets(), _log_restored():
        with server:
            planted, public = server.secrets(), f"{backend} {server.options()}"
            wrong = _wrong(planted)
            options = [word for key, value in server.options().items() for word in ("--set", f"{key}={_text(value)}")]
            variables = {f"AURIA_SECRET_{backend.upper()}_{key.upper()}": key for key in planted}
            installation.environment |= {name: wrong[key] for name, key in variables.items()}
            _expect(
                installation.run("--debug", "channels", "add", backend, *options),
                {4, 11},
                "wrong credentials are accepted",
            )
            installation.run("channels", "add", backend, "--no-check", *options)
            installation.run("channels", "check", backend)
            installation.environment |= {name: planted[key] for name, key in variables.items()}
            _expect(
                installation.run("channels", "add", backend, *options),
                {0},
                f"not set up: {installation.left[-1][-2000:]}",
            )
            for name in variables:
                del installation.environment[name]
            findings.provoked[backend] += 2
            for fault in server.faults if faults is None else faults:
                _provoke(installation, server, backend, fault)
            for listing in _LISTINGS:
                installation.run(*listing)
            installation.environment |= {name: wrong[key] for name, key in variables.items()}
            installation.approve(backend)
            installation.run("--debug", "publish", "--channel", backend)
            for name in variables:
                del installation.environment[name]
            _crash(installation, backend, [*planted.values(), *installation.kept()])
        installation.run("channels", "check", backend)  # the platform is gone
        installation.run("channels", "resume", backend)
        installation.run("--debug", "publish")
        installation.run("doctor", "--json")
        findings.provoked[backend] += 4
        installation.search([*planted.values(), *wrong.values()], backend, public=public)


def _wrong(planted: dict[str, str]) -> dict[str, str]:
    """Credentials of the same form that the platform does not know."""
    chance = random.Random(str(planted))
    return {key: "".join(chance.sample(value, len(value))) + "-wrong9xyz" for key, value in planted.items()}


def _text(value: Any) -> str:
    return json.dumps(list(value)) if isinstance(value, tuple | list) else str(value)


def _expect(code: int, allowed: set[int], words: str) -> None:
    if code not in allowed:
        raise RuntimeError(f"exit code {code}: {words}")


def _provoke(installation: _Installation, server: Platform, backend: str, fault: str) -> None:
    """One fault at one post's publishing, then whatever the operator would do."""
    installation.approve(backend)
    server.fail_next(fault)
    installation.run("--debug", "publish", "--json", "--channel", backend)
    installation.run("publish", "--channel", backend)
    installation.run("channels", "resume", backend)
    for post in installation.undecided():
        installation.run("posts", "show", str(post))
        installation.run("posts", "resolve", str(post), "--not-sent")
    installation.findings.provoked[backend] += 1


def _crash(installation: _Installation, backend: str, secrets: Iterable[str]) -> None:
    """An unexpected error with every secret in its message, in its cause and in a header."""
    words = " ".join(secrets)

    def fail(*_: object, **__: object) -> None:
        cause = KeyError({"Authorization": f"Bearer {words}"})
        encoded = base64.b64encode(words.encode()).decode()
        raise RuntimeError(f"failed with {words}, {encoded}, {quote(words)}") from cause

    # What a channel raises although it should not is written into the database.
    kind = registry.find("channel", backend)
    for method in ("publish", "find", "check"):
        installation.approve(backend)
        with mock.patch.object(kind, method, fail):
            installation.run("publish", "--json", "--channel", backend)
            installation.run("--debug", "publish", "--channel", backend)
            installation.run("channels", "check", backend, "--json")
            installation.run("posts", "--json")
            installation.findings.provoked["crash"] += 1
    for target in (
        "auria_bot.services.publishing.publisher.Publisher.posts",
        "auria_bot.services.publishing.publisher.Publisher.check",
    ):
        with mock.patch(target, fail):
            for arguments in (("posts",), ("--debug", "posts"), ("channels", "check"), ("channels", "check", "--json")):
                installation.run(*arguments)
                installation.findings.provoked["crash"] += 1


def try_directly(backend: str, folder: Path, findings: Findings) -> None:
    """What a channel raises and stores by itself, without any masking."""
    with clear_secrets(), platform(backend) as server:
        planted, wrong = server.secrets(), _wrong(server.secrets())
        said: list[str] = []
        for fault in server.faults:
            channel, watch = made(backend, folder, server), Recorded(new_post(folder))
            server.fail_next(fault)
            for act in (
                lambda c, w: c.publish(w.post, w),
                lambda c, w: c.find(w.post),
                lambda c, w: c.check(),
                lambda c, _: c.audience(),
            ):
                said += [_said(act, channel, watch), repr(channel), watch.post.memo]
            findings.provoked[f"{backend}, directly"] += 1
        channel = made(backend, folder, server, vault=MemorySecrets(wrong))
        watch = Recorded(new_post(folder))
        said += [
            _said(lambda c, w: c.publish(w.post, w), channel, watch),
            _said(lambda c, _: c.check(), channel, watch),
        ]
        search(
            "\n".join(said),
            [*planted.values(), *wrong.values()],
            f"{backend}: a channel's own words",
            findings,
            public=backend,
        )


def _said(act: Any, channel: Any, watch: Recorded) -> str:
    try:
        return repr(act(channel, watch))
    except ChannelError as error:
        return f"{error} {error!r}"
    except AuriaError as error:
        return str(error)


def try_database(folder: Path, findings: Findings) -> None:
    """A database that cannot be reached, with a password in its address, and secrets among the settings."""
    secrets = {
        "password": "pl@nt3d/v4ult-9:p4ss%w0rd",
        "option": "planted-api-key-0123",
        "login": "planted-login-pass-word-77",
    }
    installation = _Installation(folder / "home-database", findings)
    installation.environment |= {
        "AURIA_DATABASE__URL": f"postgresql://auria:{quote(secrets['password'], safe='')}@127.0.0.1:9/auria",
        "AURIA_CHANNELS__FOLDER__OPTIONS__API_KEY": secrets["option"],
        "AURIA_CHANNELS__FOLDER__OPTIONS__LOGIN__PASSWORD": secrets["login"],
        "AURIA_DATABASE__ECHO": "true",
    }
    with clear_secrets(), _log_restored():
        for command in (
            *_LISTINGS,
            ("publish",),
            ("approve", "1"),
            ("db", "upgrade"),
            ("db", "current"),
            ("channels", "pause", "folder"),
        ):
            installation.run(*command)
            installation.run("--debug", *command)
            findings.provoked["database"] += 2
        installation.environment["AURIA_DATABASE__URL"] = f"mysql://auria:{secrets['password']}@h/x"
        installation.run("--debug", "drafts")
        installation.environment["AURIA_DATABASE__URL"] = (
            f"postgresql://auria:{secrets['password']}@127.0.0.1:notaport/x"
        )
        installation.run("--debug", "drafts")
        findings.provoked["database"] += 2
        installation.search(secrets.values(), "database")


class _Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring has no types there
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """What is held."""
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Hold it."""
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Delete the entry."""
        del self.held[service, username]


def try_keyring(backend: str, folder: Path, findings: Findings) -> None:
    """The same with secrets in the keyring: then no file of the home holds one, the secret store's included."""
    installation, ring, before = (
        _Installation(folder / f"home-keyring-{backend}", findings),
        _Ring(),
        keyring.get_keyring(),
    )
    keyring.set_keyring(ring)
    try:
        with clear_secrets(), _log_restored(), platform(backend) as server:
            planted, public = server.secrets(), f"{backend} {server.options()}"
            variables = {f"AURIA_SECRET_{backend.upper()}_{key.upper()}": value for key, value in planted.items()}
            installation.environment |= variables
            options = [word for key, value in server.options().items() for word in ("--set", f"{key}={_text(value)}")]
            code = installation.run("channels", "add", backend, "--secrets", "keyring", *options)
            _expect(code, {0}, f"not set up: {installation.left[-1][-2000:]}")
            for name in variables:
                del installation.environment[name]
            _provoke(installation, server, backend, "401")
            for listing in _LISTINGS:
                installation.run(*listing)
            if not ring.held or installation.kept():
                findings.told.append(f"{backend}: the vault's file holds what belongs into the keyring")
            installation.search([*planted.values(), *ring.held.values()], f"{backend}, keyring", public)
    finally:
        keyring.set_keyring(before)
