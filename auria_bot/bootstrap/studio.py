"""Composes the studio: the backends of its roles, unfinished runs, making and review."""

from __future__ import annotations

import contextlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.bootstrap.publishing import PublishingServices
from auria_bot.files import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from auria_bot.art.portraits.portrait import PortraitPainter
    from auria_bot.domain.interfaces import Stylist
    from auria_bot.execution.work_unit import Executor, Requirements
    from auria_bot.services.films.film_drafts import FilmDrafts
    from auria_bot.services.models.trainer import Trainer
    from auria_bot.services.portraits.portraits import Portraits
    from auria_bot.services.prints.printing import CanvasPainter
    from auria_bot.services.studio.pipelines import PipelineRunner
    from auria_bot.services.studio.plan import BackendSpec, StudioConfig
    from auria_bot.services.studio.planner import RunPlanner
    from auria_bot.services.studio.published_pipelines import PublishedPipelines
    from auria_bot.services.studio.review import Review
    from auria_bot.services.studio.run_store import RunStore
    from auria_bot.services.studio.studio import Studio
    from auria_bot.settings.sections import BackendSettings

__all__ = ["StudioServices"]

_STEPS = "auria_bot.services.studio.step_worker:StepWorker"  # its FUNCTION; to import that would take a moment
_WITH_BANK = {"magenta", "photorealistic"}  # stylists whose styles are those of the style bank


class StudioServices(PublishingServices):
    """Making and reviewing drafts."""

    @cached_property
    def runs(self) -> RunStore:
        """The unfinished runs."""
        from auria_bot.services.studio.run_store import RunStore

        if self.bucket is None:
            return RunStore(self.settings.home / "studio")
        from auria_bot.services.studio.shared_runs import SharedRuns

        home = self.settings.home
        shared = SharedRuns(bucket=self.bucket, store=self.store, clock=self.clock, home=home)
        return RunStore(home / "studio", shared)

    @cached_property
    def studio(self) -> Studio:
        """Makes drafts."""
        from auria_bot.services.studio.studio import Studio

        config = self.studio_config
        find_style = self._find_style if self.settings.stylist.backend in _WITH_BANK else None
        return Studio(
            config=config,
            planner=self._planner(config, self.unfit_words, find_style),
            store=self.store,
            pictures=self.pictures,
            runs=self.runs,
            executor=self.executor,
            clock=self.clock,
        )

    def _planner(
        self,
        config: StudioConfig,
        faults: Callable[[str], Sequence[str]],
        find_style: Callable[[str], object] | None = None,
    ) -> RunPlanner:
        from auria_bot.services.studio.planner import RunPlanner

        return RunPlanner(
            config=config,
            store=self.store,
            clock=self.clock,
            faults=faults,
            preferences=self.preferences,
            approvals=self.approvals,
            find_style=find_style,
        )

    @cached_property
    def executor(self) -> Executor:
        """Runs the studio's units of work."""
        chosen, memory = self.settings.execution, self.settings.studio.memory_mb << 20
        if chosen.engine == "ray":
            from auria_bot.execution.cluster import RayExecutor
            from auria_bot.execution.dispatcher import DriverOptions

            return RayExecutor(
                DriverOptions(
                    address=chosen.address,
                    memory=memory,
                    wait=chosen.wait,
                    start=chosen.start,
                    idle=chosen.idle,
                    attempts=chosen.attempts,
                )
            )
        from auria_bot.execution.local import ChildProcessExecutor, ResourceLimits

        return ChildProcessExecutor(ResourceLimits(memory=memory))

    def worker_ahead(self) -> AbstractContextManager[object]:
        """For the length of a block, a worker on this machine that imports what the steps of a new run need.

        It is started at once and taken by the first run of the block, or ended with the block. On a cluster, and where
        the first step has an interpreter of its own, there is none.
        """
        from auria_bot.domain.pipeline import ROLES
        from auria_bot.execution.local import ChildProcessExecutor

        chosen: dict[str, BackendSettings] = {role: getattr(self.settings, role) for role in ROLES}
        if chosen[ROLES[0]].interpreter or not isinstance(self.executor, ChildProcessExecutor):
            return contextlib.nullcontext()
        here = {role: backend.backend for role, backend in chosen.items() if not backend.interpreter}
        return self.executor.start_ahead(_STEPS, here)

    def trainer(self, **options: Any) -> Trainer:
        """Runs the recipes of models; the options are those of `Trainer`."""
        from auria_bot.services.models.trainer import Trainer

        return Trainer(
            home=self.settings.home,
            registry=self.model_registry,
            experiments=self.experiments,
            executor=self.executor if self.settings.execution.engine == "ray" else None,
            **options,
        )

    def try_executor(self) -> None:
        """Make sure that the executor can run every step.

        Raises:
            SettingsError: a step asks for an environment that only a cluster makes.
            ClusterError: the cluster cannot be reached, or does not have what a step asks for.
            BackendMissing: Ray is not installed.
        """
        from auria_bot.domain.pipeline import STEPS
        from auria_bot.execution.work_unit import Requirements

        needs = dict.fromkeys((step.name for step in STEPS), Requirements()) | self._requirements()
        with scratch_folder() as name, self.executor.open(name, needs):
            pass

    @property
    def pipelines(self) -> PipelineRunner:
        """Runs steps in an order of the operator's own."""
        from auria_bot.domain.pipeline import ArtworkRequest
        from auria_bot.services.studio.pipelines import PipelineRunner
        from auria_bot.services.studio.plan import Plan

        config = self.studio_config

        def plan(seed: int) -> Plan:
            return Plan(
                run="pipeline",
                seed=seed,
                request=ArtworkRequest(seed=seed),
                backends=dict(config.backends),
                shared_options=config.shared_options,
                candidates=config.candidates,
                rounds=config.rounds,
                size=config.size,
            )

        return PipelineRunner(self.executor, config=config, plan=plan)

    @cached_property
    def published_pipelines(self) -> PublishedPipelines:
        """The pipelines that programs may run."""
        from auria_bot.services.studio.published_pipelines import PublishedPipelines

        return PublishedPipelines(
            folder=self.settings.home / "pipelines",
            runner=lambda: self.pipelines,
            clock=self.clock,
            faults=self.unfit_words,
        )

    @property
    def studio_config(self) -> StudioConfig:
        """The settings that every run of the studio begins with."""
        from auria_bot.domain.pipeline import ROLES
        from auria_bot.services.studio.plan import StudioConfig

        self.model_registry.refresh()
        chosen = self.settings.studio
        return StudioConfig(
            backends={role: self.backend_spec(role) for role in ROLES},
            shared_options=self._shared_options(),
            candidates=chosen.candidates,
            rounds=chosen.rounds,
            size=chosen.size,
            recent=chosen.recent,
            hemisphere=self.settings.hemisphere,
            deadline=chosen.deadline,
            deadlines=dict(chosen.deadlines),
            requirements=self._requirements(),
        )

    def _requirements(self) -> dict[str, Requirements]:
        """What the settings say about steps, by name."""
        from auria_bot.execution.work_unit import Requirements

        return {
            name: Requirements(
                pip=step.pip,
                image=step.image,
                cpus=step.cpus,
                gpus=step.gpus,
                memory=step.memory_mb << 20,
                resources=tuple(sorted(step.resources.items())),
            )
            for name, step in self.settings.execution.steps.items()
        }

    def _find_style(self, wanted: str) -> None:
        """Make sure that there is the style that is asked for."""
        from auria_bot.services.models.catalogue import find_style

        find_style(self.settings, wanted)

    @cached_property
    def review(self) -> Review:
        """Carries out the operator's decisions about drafts."""
        return self.review_as("")

    def review_as(self, who: str) -> Review:
        """The same, for an operator whom the journal names."""
        from auria_bot.services.studio.review import Review

        return Review(
            store=self.store_as(who),
            studio=self.studio,
            clock=self.clock,
            pictures=self.pictures,
            channels=tuple(self.settings.channels),
            usual=self.settings.review.channels,
            faults=self.unfit_words,
        )

    @cached_property
    def canvas_painter(self) -> CanvasPainter:
        """Paints drafts anew at any size."""
        from auria_bot.services.prints.printing import CanvasPainter

        return CanvasPainter(
            pictures=self.pictures,
            backends={role: self.backend_spec(role) for role in ("enlarger", "stylist")},
            shared_options=self._shared_options(),
            size=self.settings.studio.size,
            folder=self.settings.home / "cache" / "prints",
        )

    @cached_property
    def portraits(self) -> Portraits:
        """Makes portraits, and keeps the one in use."""
        from auria_bot.services.portraits.portraits import Portraits

        def painter() -> PortraitPainter:
            from auria_bot.art.portraits.portrait import PortraitPainter
            from auria_bot.services.models.catalogue import style_bank

            return PortraitPainter(self.settings.models_folder, bank=lambda: style_bank(self.settings))

        return Portraits(self.settings.home, painter)

    @cached_property
    def video_stylist(self) -> Stylist:
        """The stylist of the settings, in this process: a video has too many frames to start one for each."""
        made: Stylist = self._backend("stylist")
        return made

    @cached_property
    def film_drafts(self) -> FilmDrafts:
        """Makes drafts of films."""
        from auria_bot.services.films.film_drafts import FilmDrafts, FilmRoles
        from auria_bot.services.models.catalogue import style_bank

        return FilmDrafts(
            store=self.store,
            pictures=self.pictures,
            clock=self.clock,
            roles=lambda: FilmRoles(
                poet=self._backend("poet"),
                mood_reader=self._backend("mood_reader"),
                text_writer=self._backend("text_writer"),
                safety_filter=self._backend("safety_filter"),
            ),
            bank=lambda: style_bank(self.settings),
        )

    def _backend(self, role: str) -> Any:
        """A role's backend of the settings, in this process."""
        from auria_bot import registry
        from auria_bot.settings.options import configure

        spec = self.backend_spec(role)
        kind = registry.find_chosen(role, spec.name, section=role)
        return kind(configure(role, kind, spec.options, self._shared_options()), models=Path(spec.models))

    def backend_spec(self, role: str) -> BackendSpec:
        """The backend that the settings choose for a role."""
        from auria_bot.services.studio.plan import BackendSpec

        chosen: BackendSettings = getattr(self.settings, role)
        return BackendSpec(
            name=chosen.backend,
            options=dict(chosen.options),
            models=str(self.settings.models_folder),
            python=str(chosen.interpreter or ""),
        )

    def _shared_options(self) -> dict[str, Any]:
        banks = self.settings.home / "styles"
        return {
            "language": self.settings.language,
            "signature": self.settings.review.signature,
            "banks": [str(index.parent) for index in sorted(banks.glob("*/bank.json"))],
            "cache": str(self.settings.home / "cache" / "compiled"),
            **({"onnx_device": device} if (device := self.settings.execution.device) != "cpu" else {}),
        }
