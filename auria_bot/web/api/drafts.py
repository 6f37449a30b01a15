"""Drafts and the decisions on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query, Security
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from auria_bot.domain.draft import LAST_ID
from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.services.accounts.api_keys import ApiKey
from auria_bot.services.serialization import draft_json, journal_json, preview_json
from auria_bot.web.api import schemas
from auria_bot.web.api.answers import (
    Cursor,
    IdempotencyKey,
    IfMatch,
    Limit,
    Page,
    answer,
    check_unchanged,
    cursor_of,
    file_answer,
    once,
    page,
    place_before,
)
from auria_bot.web.api.runs import RUN_BEGUN, run_begun
from auria_bot.web.api.schemas import Decision, Draft, JournalEntry, Preview, Repainting, Restyling
from auria_bot.web.links import CANONICAL

if TYPE_CHECKING:
    from auria_bot.domain import draft as domain
    from auria_bot.services.studio.review import Review
    from auria_bot.web.api.access import Access
    from auria_bot.web.app import WebApp

__all__ = ["drafts_router"]

DraftId = Annotated[int, Path(ge=1, le=LAST_ID), CANONICAL]
_State = Literal["made", "approved", "rejected", "scheduled", "published", "withdrawn"]
_EXAMPLES: Any = {
    "approve": {"value": {"action": "approve", "channels": []}},
    "reject": {"value": {"action": "reject", "reason": "too dark"}},
    "edit": {"value": {"action": "edit", "alt_text": "A pond at night."}},
    "undo": {"value": {"action": "undo"}},
    "restyle": {"value": {"action": "restyle", "mood": "stormy"}},
    "repaint": {"value": {"action": "repaint"}},
}


def drafts_router(web: WebApp, access: Access) -> APIRouter:
    """The routes of drafts."""
    router = APIRouter(prefix="/drafts", tags=["drafts"])
    _add_reads(router, web, access)
    _add_decisions(router, web, access)
    return router


def _add_reads(router: APIRouter, web: WebApp, access: Access) -> None:
    services = web.services
    reader = Security(access.caller, scopes=["read"])

    @router.get("", response_model=Page[Draft])
    def list_drafts(
        request: Request,
        _: ApiKey = reader,
        state: Annotated[list[_State] | None, Query(max_length=6, description="Any of these; all if none.")] = None,
        limit: Limit = 20,
        cursor: Cursor = "",
    ) -> Response:
        """Drafts, newest first."""
        before = place_before(cursor)
        rows = services.review.drafts(state or [], before=before, limit=limit + 1)
        return answer(request, page(rows, limit, lambda one: _value(web, one), lambda one: cursor_of(one.id)))

    @router.get("/{draft_id}", response_model=Draft)
    def get_draft(request: Request, draft_id: DraftId, _: ApiKey = reader) -> Response:
        """A draft."""
        return answer(request, _value(web, services.review.draft(draft_id)))

    @router.get(
        "/{draft_id}/picture",
        response_class=FileResponse,
        responses={200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}},
    )
    def get_picture(
        request: Request,
        draft_id: DraftId,
        _: ApiKey = reader,
        width: Annotated[
            int, Query(ge=1, le=10_000, description="At least so many pixels, if it has them."), CANONICAL
        ] = 960,
    ) -> Response:
        """The picture of a draft as JPEG."""
        draft = services.review.draft(draft_id)
        file = services.picture_sizes.file(draft, services.picture_sizes.nearest(draft, width), "jpg")
        return file_answer(request, file, media_type="image/jpeg", caching="private, max-age=86400")

    @router.get("/{draft_id}/previews", response_model=Page[Preview])
    def list_previews(request: Request, draft_id: DraftId, _: ApiKey = reader) -> Response:
        """How each channel would publish a draft."""
        found = services.post_creator.preview_draft(services.review.draft(draft_id))
        items = [Preview.model_validate(preview_json(one)) for one in found]
        return answer(request, Page[Preview](items=items, next=None))

    @router.get("/{draft_id}/decisions", response_model=Page[JournalEntry])
    def list_decisions(
        request: Request,
        draft_id: DraftId,
        _: ApiKey = reader,
        limit: Limit = 20,
        cursor: Cursor = "",
    ) -> Response:
        """What was decided on a draft, newest first."""
        before = place_before(cursor)
        rows = services.review.journal(draft_id, before=before, limit=limit + 1)
        return answer(request, page(rows, limit, _entry, lambda one: cursor_of(one.id)))


def _add_decisions(router: APIRouter, web: WebApp, access: Access) -> None:
    services = web.services
    decider = Security(access.caller, scopes=["decide"])

    @router.post(
        "/{draft_id}/decisions",
        response_model=Draft,
        responses=RUN_BEGUN,
    )
    def decide(
        request: Request,
        draft_id: DraftId,
        decision: Annotated[Decision, Body(openapi_examples=_EXAMPLES)],
        key: ApiKey = decider,
        if_match: IfMatch = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Approve, reject, edit or undo at once; restyle or repaint as a run."""

        def carry_out() -> Response:
            draft, review = services.review.draft(draft_id), services.review_as(key.author)
            version = draft.version if check_unchanged(_value(web, draft), if_match) else None
            if isinstance(decision, Restyling | Repainting):
                return run_begun(request, _begin(web, review, draft_id, decision))
            return answer(request, _value(web, _decided(review, draft_id, decision, version)))

        return once(web, request, key.author, idempotency_key, carry_out, content=decision)


def _decided(
    review: Review,
    draft_id: int,
    decision: schemas.Approval | schemas.Rejection | schemas.Edit | schemas.Undo,
    version: int | None,
) -> domain.Draft:
    """Carry a decision out at once; return the draft as it is then."""
    if isinstance(decision, schemas.Approval):
        return review.approve([draft_id], decision.channels, version=version)[0]
    if isinstance(decision, schemas.Rejection):
        return review.reject(draft_id, decision.reason, version=version)
    if isinstance(decision, schemas.Edit):
        return review.edit(
            draft_id,
            text=decision.text,
            alt_text=decision.alt_text,
            channel_texts=decision.channel_texts,
            version=version,
        )
    return review.undo(draft_id, version=version)


def _begin(web: WebApp, review: Review, draft_id: int, decision: Restyling | Repainting) -> Any:
    """Begin another version of a draft."""
    review.open_to_rework(draft_id)
    if isinstance(decision, Repainting):
        return web.runs.start(draft_id, lambda report: review.repaint(draft_id, ArtworkRequest(), progress=report))
    requested = ArtworkRequest(**decision.model_dump(exclude={"action"})).validated()
    web.services.studio.check(requested)
    return web.runs.start(draft_id, lambda report: review.restyle(draft_id, requested, progress=report))


def _value(web: WebApp, draft: domain.Draft) -> Draft:
    picture = f"{web.services.public_url}/api/v1/drafts/{draft.id}/picture"
    more = {"version": draft.version, "replaced_by": draft.replaced_by, "picture": picture}
    return Draft.model_validate(draft_json(draft, web.services.pictures) | more)


def _entry(entry: Any) -> JournalEntry:
    values = journal_json(entry)
    return JournalEntry.model_validate(values | {"details": values["words"]})
