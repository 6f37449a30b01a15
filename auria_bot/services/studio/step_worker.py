"""Performs the studio's units of work: one step of one artwork, in whatever process it is called.

request: the plan's JSON
state:   {"step", "artwork", "poems", "styles", "fingerprints" (of the run's earlier artworks), "reuse" (a key),
"watched" (whether pictures of what there is so far are reported)}
result:  {"key", "changes"}, or {"key", "reused": true} where the key is the one to reuse, or {"rejected": reason}
"""

from __future__ import annotations

import gc
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot import registry
from auria_bot.domain.artwork import ArtworkInProgress, Haiku
from auria_bot.domain.pipeline import STEPS, steps_from
from auria_bot.errors import NotFound
from auria_bot.memory import return_memory
from auria_bot.services.studio.plan import Plan
from auria_bot.services.studio.steps import PictureRejected, StepContext, cache_key, work_of
from auria_bot.settings.options import configure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.domain.artwork import ArtworkFile
    from auria_bot.execution.work_unit import Report

__all__ = ["FUNCTION", "StepWorker"]

FUNCTION = f"{__name__}:StepWorker"
"""The import string for units of work."""


class StepWorker:
    """Performs steps, and keeps the backends that the same or a later step needs."""

    def __init__(self) -> None:
        self._request: Mapping[str, Any] | None = None
        self._plan: Plan | None = None
        self._backends: dict[str, Future[Any]] = {}
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="loader")
        self._imports: list[Future[Any]] = []

    def import_ahead(self, backends: Mapping[str, str]) -> None:
        """Begin to import backends, by role and one after the other, in a thread, before there is a request.

        What cannot be imported is told by the step that needs it.
        """
        self._imports = [self._loader.submit(registry.find, role, name) for role, name in backends.items()]

    def prepare(self, request: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Begin to load the backends of the steps that follow, in a thread beside the step that `state` names.

        What cannot be loaded is told by the step that needs it.
        """
        for later in self._imports:
            later.cancel()  # loading a backend imports it
        plan, roles = self._plan_of(request), {step.name: step.roles for step in STEPS}
        for role in dict.fromkeys(role for step in state.get("next", ()) for role in roles[step]):
            if role in plan.backends and role not in self._backends:
                self._backends[role] = self._loader.submit(self._load, role)

    def __call__(
        self, request: Mapping[str, Any], state: Mapping[str, Any], folder: Path, report: Report
    ) -> tuple[dict[str, Any], dict[str, ArtworkFile]]:
        """Perform the step that `state` names; see the module."""
        plan, step = self._plan_of(request), state["step"]
        self._release({role for later in steps_from(step) for role in later.roles})
        artwork = ArtworkInProgress.from_json(state["artwork"])
        context = StepContext(
            plan=plan,
            folder=folder,
            backend=self._backend,
            poems=(*(Haiku.from_json(poem) for poem in state["poems"]), *plan.recent_poems),
            styles=(*state["styles"], *plan.recent_styles),
            fingerprints=(*state["fingerprints"], *plan.fingerprints),
            report=report if state.get("watched") else None,
        )
        key = cache_key(step, artwork, context)
        if key == state["reuse"]:
            return {"key": key, "reused": True}, {}
        try:
            changed = work_of(step).run(artwork, context)
        except PictureRejected as rejection:
            return {"rejected": str(rejection)}, {}
        old, new = artwork.to_json(), changed.to_json()
        changes = {name: value for name, value in new.items() if old[name] != value and name != "files"}
        files = {kind: file for kind, file in changed.files.items() if artwork.files.get(kind) != file}
        return {"key": key, "changes": changes}, files

    def _plan_of(self, request: Mapping[str, Any]) -> Plan:
        """The plan; read once for all units that share the request."""
        if self._plan is None or request is not self._request:
            self._request, self._plan = request, Plan.from_json(request)
            self._release(set())
            if cache := self._plan.shared_options.get("cache"):
                from auria_bot.art import runtime

                runtime.keep_compiled_in(Path(cache))
                runtime.compute_on(str(self._plan.shared_options.get("onnx_device", "cpu")))
        return self._plan

    def _backend(self, role: str) -> Any:
        if role not in self._backends or self._backends[role].exception() is not None:
            made: Future[Any] = Future()
            made.set_result(self._construct(role))
            self._backends[role] = made
        return self._backends[role].result()

    def _load(self, role: str) -> Any:
        backend = self._construct(role)
        if load := getattr(backend, "load", None):
            load()
        return backend

    def _construct(self, role: str) -> Any:
        plan = self._plan
        spec = plan.backends.get(role) if plan else None
        if plan is None or spec is None:
            raise NotFound(f"the plan names no {role}")
        kind = registry.find_chosen(role, spec.name, section=role)
        return kind(configure(role, kind, spec.options, plan.shared_options), models=Path(spec.models))

    def _release(self, needed: set[str]) -> None:
        """Drop the backends that are not needed, and give their memory back to the system."""
        idle = self._backends.keys() - needed
        for role in idle:
            del self._backends[role]
        if idle:
            _return_memory()


def _return_memory() -> None:
    """Return freed memory to the system; torch's objects form cycles, which only the collector frees."""
    if "torch" in sys.modules:
        gc.collect()
    return_memory()
