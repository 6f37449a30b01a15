"""A web site with everything switched on, served over a socket, for the attacks on it; every answer is kept and looked through."""

from __future__ import annotations

import contextlib
import http.client
import logging
import re
import resource
import tempfile
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from auria_bot.art.pictures import decode_picture
from auria_bot.errors import AuriaError
from auria_bot.services.accounts.api_keys import SCOPES
from auria_bot.serving.restyling import ServedStyles, StylePool
from auria_bot.serving.server import Pools
from auria_bot.serving.server import create_app as model_server
from auria_bot.web.app import create_app
from auria_bot.web.server import WebServer
from tests.browser import running, served
from tests.operators import PASSWORD
from tests.scenarios.desk import busy_desk, open_to_visitors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auria_bot.bootstrap.application import Application

__all__ = ["FORM", "Answer", "Site", "attacked", "stand_in_captioner"]

FORM = "application/x-www-form-urlencoded"
_FILES = 8192  # sockets that both ends of a thousand connections need, with room
_WAIT = 60.0  # seconds that a busy machine may take
_LEAKS = ("Traceback (most recent", 'File "/', "$argon2", "root:x:0:", "sqlalchemy.exc")
_COOKIE = re.compile(r"auria_session=([^;]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of the site."""

    status: int
    headers: Mapping[str, str]  # in lower case; one of each name
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


@dataclass(slots=True, kw_only=True)
class Site:
    """The site that is attacked, as its clients see it."""

    application: Application
    port: int
    routes: tuple[tuple[str, str], ...]  # method and path template of every route of its own pages
    keys: Mapping[str, str]  # an API key of each scope alone
    clients: int  # that come at once
    patience: float  # seconds within which a reader is answered beside them
    log: list[str] = field(default_factory=list)
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    sessions: dict[str, tuple[str, str]] = field(default_factory=dict)  # cookie and form token, by operator

    def ask(
        self, method: str, path: str, body: bytes | str = b"", *, source: str = "127.0.0.1", **headers: str
    ) -> Answer:
        """Send a request from an address of this machine; underscores in names of headers become dashes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_WAIT, source_address=(source, 0))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request(method, path, body.encode() if isinstance(body, str) else body, named)
            reply = connection.getresponse()
            kept = {name.lower(): value for name, value in reply.getheaders()}
            answer = Answer(status=reply.status, headers=kept, body=reply.read())
        self.answers.append((f"{method} {path}", answer))
        return answer

    def form(self, path: str, fields: Mapping[str, Any], *, source: str = "127.0.0.1", **headers: str) -> Answer:
        """Send a form."""
        return self.ask("POST", path, urlencode(fields, doseq=True), source=source, **{"Content_Type": FORM, **headers})

    def sign_in(self, name: str, *, password: str = PASSWORD, source: str = "127.0.0.1", cookie: str = "") -> Answer:
        """Try to sign in."""
        known = {"Cookie": f"auria_session={cookie}"} if cookie else {}
        return self.form("/desk/sign-in", {"name": name, "password": password}, source=source, **known)

    def session(self, name: str) -> tuple[str, str]:
        """The cookie and the form token of an operator's session, which is begun at first."""
        if name not in self.sessions:
            found = _COOKIE.search(self.sign_in(name, source="127.9.9.9").headers.get("set-cookie", ""))
            if found is None:
                raise AssertionError(f"{name} cannot sign in")
            cookie = f"auria_session={found[1]}"
            page = self.ask("GET", "/desk/account", Cookie=cookie).text
            token = re.search(r'name="csrf" value="([^"]+)"', page)
            if token is None:
                raise AssertionError("the account's page has no form")
            self.sessions[name] = cookie, token[1]
        return self.sessions[name]

    def state(self) -> object:
        """Everything that an attack must not change."""
        made = self.application
        with made.store.read() as unit:
            journal = len(unit.journal.list(limit=1000))
        drafts = [(draft.id, str(draft.state), draft.text, draft.alt_text) for draft in made.review.drafts([])]
        posts = [(post.id, str(post.state), post.due) for post in made.publisher.posts()]
        people = [(one.name, one.role, len(made.accounts.sessions(one.name))) for one in made.accounts.operators()]
        paused = [pause.name for pause in made.publisher.paused()]
        return drafts, posts, people, paused, journal

    def leaks(self) -> list[str]:
        """What the answers or the log tell that nobody may know, and answers that say that something failed."""
        secrets = (*_LEAKS, str(self.application.settings.home))
        found = [f"{name} tells {secret!r}" for name, one in self.answers for secret in secrets if secret in one.text]
        found += [f"{name} fails with {one.status}" for name, one in self.answers if one.status in {500, 502, 504}]
        hidden = (PASSWORD, *self.keys.values(), *(cookie.partition("=")[2] for cookie, _ in self.sessions.values()))
        found += [f"the log tells a secret: {line[:80]}" for line in self.log for one in hidden if one in line]
        return found + [line for line in self.log if "unexpectedly" in line]


class _StandIn:
    """A model server's pool that decodes every picture, as the real one does, and sees a hostile caption in each."""

    model = None

    def submit(self, content: bytes, *, deadline: float, drawn: bool) -> Future[dict[str, Any]]:
        done = Future[dict[str, Any]]()
        try:
            picture = decode_picture(content, most_pixels=30_000_000)
        except AuriaError as error:
            done.set_exception(error)
            return done
        words = [{"text": word, "attention": [[0.5, 0.5]], "veil": "AAAA"} for word in ("a", "\"'><x-injected>")]
        done.set_result(
            {
                "model": {"name": "captioner", "version": "v1", "sha256": "ab" * 32},
                "width": picture.width,
                "height": picture.height,
                "picture": "AAAA",
                "captions": [{"text": "a \"'><x-injected>", "confidence": 0.5, "words": words}],
            }
        )
        return done

    def close(self) -> None:
        """Nothing is held."""


class _Kept(logging.Handler):
    """Keeps every record of the program's own."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(f"{record.getMessage()} {record.exc_text or ''}")


@contextlib.contextmanager
def stand_in_captioner() -> Iterator[str]:
    """The address of a model server without a model; pictures to restyle are refused or decoded by its own pool."""
    with tempfile.TemporaryDirectory() as models:
        found = ServedStyles(models=Path(models), banks=(), state=())
        styles = StylePool(find=lambda: found, waiting=8, most_pixels=30_000_000)
        stand_in: Any = _StandIn()
        pools = Pools(captions=stand_in, styles=styles, poems=stand_in, pictures=stand_in)
        pool = model_server(pools, largest=2_000_000, deadline=30)
        with running(WebServer(pool)) as address:
            yield address


@contextlib.contextmanager
def attacked(home: Path, *, clients: int = 1000, patience: float = 20.0) -> Iterator[Site]:
    """A busy site in a folder, with gallery, desk, REST interface, live studio, wall and captions."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    logger, lines = logging.getLogger("auria_bot"), list[str]()
    handler, level = _Kept(lines), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    application = busy_desk(home, waiting=3)
    try:
        with stand_in_captioner() as captioner:
            open_to_visitors(
                application, captioner=captioner.removeprefix("http://"), studio_per_visitor=2, studio_queue=3
            )
            keys = {scope: application.api_keys.add(f"only-{scope}", [scope]) for scope in SCOPES}
            with served(application) as address:
                port = int(address.rpartition(":")[2])
                yield Site(
                    application=application,
                    port=port,
                    routes=_routes(application),
                    keys=keys,
                    log=lines,
                    clients=clients,
                    patience=patience,
                )
    finally:
        _wait_for_visitors(application)
        application.close()
        logger.removeHandler(handler)
        logger.setLevel(level)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _routes(application: Application) -> tuple[tuple[str, str], ...]:
    app = create_app(application)
    parts = [app, *(make() for make in app.state.parts.values())]
    included = [getattr(route, "original_router", None) for part in parts for route in part.routes]
    return tuple(
        (method, route.path)
        for router in included
        if router is not None
        for route in router.routes
        for method in sorted(route.methods)
    )


def _wait_for_visitors(application: Application) -> None:
    """Let the visitors' studio finish, so that it does not work on in a deleted folder."""
    for _ in range(600):
        if not application.visitor_studio.queue_length:
            return
        threading.Event().wait(0.1)
