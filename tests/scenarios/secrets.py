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
import json
import random
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import quote

import keyring
from keyring.backend import KeyringBackend

from auria_bot import registry
from auria_bot.errors import AuriaError, ChannelError
from auria_bot.redaction import clear_secrets
from tests.platforms import MemorySecrets, platform
from tests.scenarios.secret_search import Findings, Installation, log_restored, search
from tests.trials import Recorded, made, new_post

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.platforms import Platform

__all__ = ["try_backend", "try_database", "try_directly", "try_keyring"]

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


def try_backend(backend: str, folder: Path, findings: Findings, *, faults: Iterable[str] | None = None) -> None:
    """Every failure of a channel, through the command line.

    Args:
        backend: the channel's kind.
        folder: for its home.
        findings: is added to.
        faults: those to provoke; all that the platform knows when not given.
    """
    installation = Installation(folder / f"home-{backend}", findings)
    server = platform(backend)
    with clear_secrets(), log_restored():
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


def _provoke(installation: Installation, server: Platform, backend: str, fault: str) -> None:
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


def _crash(installation: Installation, backend: str, secrets: Iterable[str]) -> None:
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
    installation = Installation(folder / "home-database", findings)
    installation.environment |= {
        "AURIA_DATABASE__URL": f"postgresql://auria:{quote(secrets['password'], safe='')}@127.0.0.1:9/auria",
        "AURIA_CHANNELS__FOLDER__OPTIONS__API_KEY": secrets["option"],
        "AURIA_CHANNELS__FOLDER__OPTIONS__LOGIN__PASSWORD": secrets["login"],
        "AURIA_DATABASE__ECHO": "true",
    }
    with clear_secrets(), log_restored():
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
        Installation(folder / f"home-keyring-{backend}", findings),
        _Ring(),
        keyring.get_keyring(),
    )
    keyring.set_keyring(ring)
    try:
        with clear_secrets(), log_restored(), platform(backend) as server:
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
