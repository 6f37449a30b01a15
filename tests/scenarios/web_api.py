"""The REST interface, examined by schemathesis with keys of each scope.

Requests are derived from the OpenAPI document: examples, the limits of every field, random valid and invalid ones, and
sequences that use what earlier answers gave. All of schemathesis' checks are made of each answer. It runs in process,
over the real services with a database and pictures; only the studio makes each artwork at once, and the model server
is one that knows one caption and one picture.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from unittest import mock

from auria_bot.services.accounts.api_keys import SCOPES
from auria_bot.services.captions.client import CaptionClient
from auria_bot.services.studio.studio import RunResult
from auria_bot.settings.web import WebSettings
from auria_bot.web.app import create_app
from tests.exhibited import exhibited
from tests.publishing import approved

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from auria_bot.bootstrap.application import Application

__all__ = ["KEYS", "MISSING", "Findings", "examine"]

MISSING = "" if find_spec("schemathesis") else "schemathesis is not installed: pip install schemathesis"
"""Why nothing can be examined; "" if it can."""

KEYS: tuple[tuple[str, ...], ...] = (tuple(SCOPES), *((scope,) for scope in SCOPES))
"""The scopes of each key that it is examined with."""

_DOCUMENT = "/api/v1/openapi.json"
_ACCEPTED = ("2xx", "3xx", "401", "403", "404", "409", "429", "5xx")
_WITH_RULES = (
    "/runs",
    "/pipelines/{name}/runs",
    "/drafts/{draft_id}/decisions",
    "/posts/{post_id}/outcome",
    "/posts/{post_id}/time",
    "/captions",
    "/styles",
    "/ratings",
)
"""What may refuse a request that the document allows: for a text that must not be published, a time that is past, an
unknown painting or channel, bytes that are no picture, a receipt of nobody. A check of our own makes sure that it is for such a rule."""

_CAPTIONS = {
    "model": {"name": "captioner", "version": "v1", "sha256": "ab" * 32},
    "width": 400,
    "height": 300,
    "captions": [{"text": "A dog.", "confidence": 0.5, "words": [{"text": "a", "attention": [[1.0]]}]}],
}
"""What the model server answers; it has tests of its own."""

_RESTYLED = b"\xff\xd8\xff\xd9"  # a JPEG's begin and end

_LIMIT = 100_000  # calls a minute; the limits have tests of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found."""

    requests: int
    statuses: Counter[int]  # of the answers
    operations: int  # that were examined
    failures: tuple[str, ...]  # of checks, and errors

    @property
    def server_errors(self) -> int:
        """Answers of 5xx."""
        return sum(count for status, count in self.statuses.items() if status >= 500)

    def __add__(self, other: Findings) -> Findings:
        return Findings(
            requests=self.requests + other.requests,
            statuses=self.statuses + other.statuses,
            operations=max(self.operations, other.operations),
            failures=self.failures + other.failures,
        )


class _Crowd:
    """Gives every request an address of its own, so that wrong keys on purpose do not slow each other down."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._numbers = app, itertools.count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = next(self._numbers)
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        await self._app({**scope, "client": (address, 1)} if scope["type"] == "http" else scope, receive, send)


def examine(home: Path, scopes: Sequence[str], *, examples: int, phases: Sequence[str] = ()) -> Findings:
    """Examine every operation with a key of these scopes.

    Args:
        home: an empty folder.
        scopes: of the key.
        examples: random requests for each operation and mode.
        phases: of schemathesis; all if empty.
    """
    import schemathesis

    _register()
    application = _application(home)
    key = application.api_keys.add("examiner", scopes)
    every = ("examples", "coverage", "fuzzing", "stateful")
    config = schemathesis.Config.from_dict(
        {
            "seed": 1,
            "headers": {"Authorization": f"Bearer {key}"},
            "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
            "phases": {phase: {"enabled": not phases or phase in phases} for phase in every},
            "continue-on-failure": True,
            "checks": {"positive_data_acceptance": {"expected-statuses": [*_ACCEPTED, "412"]}},
            "operations": [
                {
                    "include-path": path,
                    "checks": {"positive_data_acceptance": {"expected-statuses": [*_ACCEPTED, "412", "422"]}},
                }
                for path in _WITH_RULES
            ],
        }
    )
    schema = schemathesis.openapi.from_asgi(_DOCUMENT, _Crowd(create_app(application)), config=config)
    try:
        with (
            mock.patch.object(CaptionClient, "caption", return_value=_CAPTIONS),
            mock.patch.object(CaptionClient, "restyle", return_value=_RESTYLED),
        ):
            return _run(schema)
    finally:
        application.close()


def _register() -> None:
    """Register the check that a request that the document allows is never called malformed."""
    import schemathesis

    def valid_requests_are_well_formed(_: Any, response: Any, case: Any) -> None:
        generation = case.meta.generation if case.meta is not None else None
        if generation is None or not generation.mode.is_positive or response.status_code != 422:
            return
        found = response.json()
        if found.get("type") == "urn:auria:problem:invalid-request":
            raise AssertionError(f"a valid request is called malformed: {found['detail']}")

    schemathesis.check(valid_requests_are_well_formed)


def _run(schema: Any) -> Findings:
    from schemathesis.engine import events, from_schema

    statuses, operations, requests = Counter[int](), set[str](), 0
    failures: dict[str, str] = {}
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            error = getattr(event, "value", None) or getattr(event, "exception", None)
            failures[f"error {error}"] = f"error: {error}"
        if not isinstance(event, events.ScenarioFinished):
            continue
        operations.add(str(event.label))
        for case_id, interaction in event.recorder.interactions.items():
            requests += 1
            response = interaction.response
            if response is None:
                failures[f"no answer {event.label}"] = f"{event.label}: no answer"
                continue
            statuses[response.status_code] += 1
            for check in event.recorder.checks.get(case_id, ()):
                if check.failure_info is not None:
                    told = check.failure_info.failure
                    sent = f"{interaction.request.method} {interaction.request.uri}"
                    failures.setdefault(
                        f"{check.name} {event.label} {told.title}",
                        f"{event.label}: {check.name}: {told.title}: {told.message[:300]} ({sent[:300]})",
                    )
    return Findings(requests=requests, statuses=statuses, operations=len(operations), failures=tuple(failures.values()))


def _application(home: Path) -> Application:
    """Published artworks, drafts in every state and posts, and a studio that takes no time."""
    application = exhibited(home, 3)
    web = WebSettings(address="0.0.0.0:8620", url="http://testserver", api_calls=_LIMIT)
    application.settings = application.settings.model_copy(update={"web": web})
    for number in range(4, 12):
        draft = approved(application, number)
        if number % 2:
            application.review.undo(draft.id)
    application.post_creator.schedule([4])
    _make_at_once(application)
    return application


def _make_at_once(application: Application) -> None:
    """Let the studio make each artwork without any step."""
    numbers = itertools.count(100)

    def make(*_: object, **__: object) -> RunResult:
        draft = application.review.undo(approved(application, next(numbers)).id)
        return RunResult(run="run", seed=1, drafts=(draft,), failures=(), seconds=0.0, peak_bytes=0, steps=())

    for name in ("make", "restyle", "repaint"):
        setattr(application.studio, name, make)
