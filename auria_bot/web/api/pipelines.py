"""Published pipelines: steps in an order of the operator's own, run for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Security
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from auria_bot.domain.artwork import LONGEST_THEME
from auria_bot.domain.mood import MOODS
from auria_bot.services.accounts.api_keys import ApiKey
from auria_bot.services.studio.review import LONGEST_TEXT
from auria_bot.web.api.answers import IdempotencyKey, Page, answer, file_answer, once
from auria_bot.web.api.runs import RUN_BEGUN, RunId, run_begun
from auria_bot.web.api.schemas import CLEANED, ArtworkOptions, Run
from auria_bot.web.runs import new_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.services.studio.published_pipelines import PublishedPipeline
    from auria_bot.services.studio.run_store import RunEvent
    from auria_bot.web.api.access import Access
    from auria_bot.web.app import WebApp

__all__ = [
    "Pipeline",
    "PipelineRequest",
    "PipelineResult",
    "PipelineStep",
    "PipelineStepResult",
    "pipelines_router",
]

_Name = Annotated[str, Path(min_length=1, max_length=40, pattern=r"^[a-z0-9][a-z0-9-]*$")]
_Feeling = Literal[*MOODS]  # type: ignore[valid-type]  # the names are known when this is imported
_File = Annotated[str, Path(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_-]+\.png$")]
_PNG: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}, "description": "A PNG."}
}


class PipelineStep(BaseModel):
    """A step of a pipeline."""

    name: str
    step: str = Field(description="What it does: poem, mood, painting, enlarge, style, caption, words or finish.")


class Pipeline(BaseModel):
    """A pipeline that can be run."""

    name: str
    steps: list[PipelineStep]
    published_at: AwareDatetime


class PipelineStepResult(PipelineStep):
    """What a step gave."""

    seconds: float
    found: dict[str, JsonValue] = Field(description="What it found, such as the poem, the mood or the caption.")
    pictures: list[str] = Field(description="Where its pictures are.")


class PipelineResult(BaseModel):
    """What a run of a pipeline gave."""

    run: str
    pipeline: str
    seed: int = Field(description="With it and the same options the result is the same.")
    steps: list[PipelineStepResult]


class PipelineRequest(ArtworkOptions):
    """What is given for all steps of a pipeline that its file does not set for a single one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"theme": "autumn rain"}, {}]})

    mood: _Feeling | None = None
    theme: Annotated[str, Field(max_length=LONGEST_THEME), CLEANED] | None = None
    poem: Annotated[str, Field(max_length=LONGEST_TEXT), CLEANED] | None = Field(
        None, description="Three lines, separated by / or line ends."
    )


def pipelines_router(web: WebApp, access: Access) -> APIRouter:
    """The routes of published pipelines."""
    router = APIRouter(prefix="/pipelines", tags=["pipelines"])
    published = web.services.published_pipelines
    reader = Security(access.caller, scopes=["read"])
    maker = Security(access.caller, scopes=["make"])

    @router.get("", response_model=Page[Pipeline])
    def list_pipelines(request: Request, _: ApiKey = reader) -> Response:
        """The pipelines that can be run, by name."""
        return answer(request, Page[Pipeline](items=[_value(one) for one in published.list()], next=None))

    @router.get("/{name}", response_model=Pipeline)
    def get_pipeline(request: Request, name: _Name, _: ApiKey = reader) -> Response:
        """A pipeline."""
        return answer(request, _value(published.get(name)))

    @router.post("/{name}/runs", status_code=202, response_model=Run, responses=RUN_BEGUN)
    def run_pipeline(
        request: Request,
        name: _Name,
        options: PipelineRequest,
        key: ApiKey = maker,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Run a pipeline, checked first; `Location` is where to watch it, as any other run."""
        chosen = published.prepare(name, options.model_dump(exclude_none=True))

        def begin() -> Response:
            run_id = new_key()

            def work(report: Callable[[RunEvent], None]) -> None:
                published.run(name, chosen, run_id, report=report)

            return run_begun(request, web.runs.start(None, work, pipeline=name, key=run_id))

        return once(web, request, key.author, idempotency_key, begin, content=options)

    @router.get("/{name}/runs/{run_id}", response_model=PipelineResult)
    def get_pipeline_result(request: Request, name: _Name, run_id: RunId, _: ApiKey = reader) -> Response:
        """What a run of a pipeline gave, once it is done; the latest 50 are kept."""
        outcome = published.outcome(run_id, of=name)
        place = f"{request.scope.get('root_path', '')}/pipelines/{name}/runs/{run_id}/pictures/"
        steps = [
            PipelineStepResult(**{**asdict(step), "pictures": [place + picture for picture in step.pictures]})
            for step in outcome.steps
        ]
        return answer(request, PipelineResult(run=run_id, pipeline=name, seed=outcome.seed, steps=steps))

    @router.get("/{name}/runs/{run_id}/pictures/{file}", response_class=FileResponse, responses=_PNG)
    def get_pipeline_picture(request: Request, name: _Name, run_id: RunId, file: _File, _: ApiKey = reader) -> Response:
        """A picture that a run of a pipeline gave."""
        path = published.picture(run_id, file, of=name)
        return file_answer(request, path, media_type="image/png", caching="private, no-cache")

    return router


def _value(one: PublishedPipeline) -> Pipeline:
    steps = [PipelineStep(name=name, step=step) for name, step in one.steps]
    return Pipeline(name=one.name, steps=steps, published_at=one.published_at)
