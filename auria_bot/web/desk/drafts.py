"""Drafts to review: the list, the page of a draft with its previews, and the decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Form
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from auria_bot.domain.artwork import ArtworkFile
from auria_bot.domain.mood import MOODS
from auria_bot.domain.pipeline import MODES
from auria_bot.errors import AuriaError, InputError, PreconditionFailed
from auria_bot.redaction import redacted_error
from auria_bot.services.accounts.accounts import Session
from auria_bot.services.gallery.picture_sizes import FORMATS
from auria_bot.services.studio.review import LONGEST_ALT, LONGEST_TEXT
from auria_bot.web.desk.access import PRIVATE, Typed, seen
from auria_bot.web.links import READ, Number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import APIRouter

    from auria_bot.domain.draft import Draft
    from auria_bot.services.publishing.post_creation import Preview
    from auria_bot.web.desk.access import DeskRoutes

__all__ = ["STATES", "add_drafts"]

STATES = ("made", "approved", "scheduled", "published", "withdrawn", "rejected")
"""What the list of drafts can be filtered by."""

_LISTED = 60  # drafts of a state
_OWN = "text_"  # the field of a channel's own text begins so


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    """The texts of a form."""

    text: str
    alt_text: str
    own: Mapping[str, str]  # by channel; "" for the common text
    shown: str = ""  # `Draft.shown` of the draft in the form

    @classmethod
    async def of(cls, request: Request) -> _Typed:
        """What a form holds, with line ends as they are stored."""
        form = await request.form()
        fields = {name: str(value).replace("\r\n", "\n") for name, value in form.items()}
        own = {name.removeprefix(_OWN): words.strip() for name, words in fields.items() if name.startswith(_OWN)}
        return cls(
            text=fields.get("text", ""), alt_text=fields.get("alt_text", ""), own=own, shown=fields.get("shown", "")
        )


def add_drafts(router: APIRouter, desk: DeskRoutes) -> None:
    """Add the routes."""
    _add_reading(router, desk)
    _add_decisions(router, desk)
    _add_texts(router, desk)


def _unchanged(desk: DeskRoutes, draft_id: int, shown: str | None, state: str = "") -> int:
    """The version of a draft, if it is still what a form showed.

    Args:
        desk: the desk.
        draft_id: of the draft.
        shown: its `Draft.shown` in the form; None if the decision holds whatever is shown.
        state: its state in the form; "" if the decision holds in any.

    Raises:
        NotFound: there is no such draft.
        PreconditionFailed: it is another, because somebody edited it, decided on it or restored a backup.
    """
    draft = desk.services.review.draft(draft_id)
    if shown not in {None, draft.shown} or state not in {"", draft.state}:
        raise PreconditionFailed
    return draft.version


def _waiting(desk: DeskRoutes) -> list[int]:
    """The drafts that wait for a decision, the oldest first."""
    return [one.id for one in reversed(desk.services.review.drafts(["made"], limit=_LISTED))]


def _draft_page(
    desk: DeskRoutes, request: Request, session: Session, draft: Draft, status: int = 200, **values: Any
) -> Response:
    """The page of a draft, with what was typed and why it was refused."""
    services, waiting = desk.services, _waiting(desk)
    others = [one for one in waiting if one != draft.id]
    later = next((one for one in others if one > draft.id), next(iter(others), None))
    earlier = next((one for one in reversed(others) if one < draft.id), None)
    typed = _Typed(text=draft.text, alt_text=draft.alt_text, own=draft.channel_texts)
    previews = services.post_creator.preview_draft(draft)
    return desk.page(
        "draft.html",
        request,
        session,
        status,
        **{
            "draft": draft,
            "previews": previews,
            "backends": {name: chosen.backend for name, chosen in services.settings.channels.items()},
            "broken": _broken(desk),
            "usual": draft.channels or services.settings.review.channels,
            "moods": list(MOODS),
            "modes": MODES,
            "next_id": later,
            "previous_id": earlier,
            "position": waiting.index(draft.id) + 1 if draft.id in waiting else 0,
            "waiting": len(waiting),
            "most_text": LONGEST_TEXT,
            "most_alt": LONGEST_ALT,
            "widths": services.picture_sizes.widths(draft),
            "size": services.picture_sizes.size(draft),
            "versions": services.review.versions(draft.id),
            "typed": typed,
            "message": "",
            **values,
        },
    )


def _broken(desk: DeskRoutes) -> set[str]:
    """The channels that cannot be constructed, so that no picture can be fitted to them."""
    found = set[str]()
    for name, make in desk.services.channels.items():
        try:
            make()
        except AuriaError:
            found.add(name)
    return found


def _add_reading(router: APIRouter, desk: DeskRoutes) -> None:
    reader = Depends(desk.reader)
    services = desk.services

    @router.api_route("", methods=READ)
    def drafts(request: Request, session: Session = reader, state: str = "made") -> Response:
        chosen = state if state in STATES else "made"
        found = services.review.drafts([chosen], limit=_LISTED)
        if chosen == "made":
            found = tuple(reversed(found))  # the oldest is reviewed first
        sizes = {draft.id: services.picture_sizes.widths(draft) for draft in found}
        return desk.page("drafts.html", request, session, drafts=found, state=chosen, states=STATES, sizes=sizes)

    @router.api_route("/drafts/{draft_id}", methods=READ)
    def draft(request: Request, draft_id: Number, session: Session = reader) -> Response:
        return _draft_page(desk, request, session, services.review.draft(draft_id))

    @router.api_route("/pictures/{draft_id}/{width}.{suffix}", methods=READ)
    def picture(draft_id: Number, width: Number, suffix: str, _: Session = reader) -> Response:
        file = services.picture_sizes.file(services.review.draft(draft_id), width, suffix)
        return FileResponse(file, media_type=FORMATS[suffix], headers={"Cache-Control": "private, max-age=86400"})

    @router.api_route("/films/{draft_id}", methods=READ)
    def film(draft_id: Number, _: Session = reader) -> Response:
        file = services.picture_sizes.film(services.review.draft(draft_id))
        headers = {"Cache-Control": "private, max-age=86400"}
        return FileResponse(file, media_type=ArtworkFile.named(file.name).media_type, headers=headers)

    @router.api_route("/previews/{draft_id}/{channel}.jpg", methods=READ)
    def preview(draft_id: Number, channel: str, _: Session = reader) -> Response:
        fitted = services.post_creator.fitted_picture(services.review.draft(draft_id), channel)
        return Response(
            fitted.content, media_type=fitted.media_type, headers={"Cache-Control": "private, max-age=3600"}
        )


def _add_decisions(router: APIRouter, desk: DeskRoutes) -> None:
    decider = Depends(desk.decider)
    services = desk.services

    def onwards(draft_id: int, done: str) -> Response:
        """The next draft that waits, or the list."""
        waiting = _waiting(desk)
        following = next((one for one in waiting if one > draft_id), next(iter(waiting), None))
        return seen("/desk" if following is None else f"/desk/drafts/{following}", done, draft_id)

    @router.post("/drafts/{draft_id}/approve")
    def approve(
        draft_id: Number,
        session: Session = decider,
        channel: Annotated[list[str] | None, Form()] = None,
        shown: Typed = "",
        state: Typed = "",
    ) -> Response:
        if not channel:
            raise InputError("choose at least one channel")
        version = _unchanged(desk, draft_id, shown, state)
        services.review_as(session.name).approve([draft_id], channels=channel, version=version)
        return onwards(draft_id, "approved")

    @router.post("/drafts/{draft_id}/reject")
    def reject(draft_id: Number, session: Session = decider, reason: Typed = "", state: Typed = "") -> Response:
        version = _unchanged(desk, draft_id, None, state)
        services.review_as(session.name).reject(draft_id, reason=reason, version=version)
        return onwards(draft_id, "rejected")

    @router.post("/drafts/{draft_id}/undo")
    def undo(
        draft_id: Number,
        session: Session = decider,
        state: Typed = "",
        shown: Annotated[str | None, Form()] = None,
    ) -> Response:
        """Take back what the form names: sent twice, it does not take back the edit before the decision, too."""
        version = _unchanged(desk, draft_id, shown, state)
        services.review_as(session.name).undo(draft_id, version=version)
        return seen(f"/desk/drafts/{draft_id}", "undone", draft_id)


def _add_texts(router: APIRouter, desk: DeskRoutes) -> None:
    writer, decider, typed_texts = Depends(desk.writer), Depends(desk.decider), Depends(_Typed.of)
    services = desk.services

    @router.post("/drafts/{draft_id}/edit")
    def edit(request: Request, draft_id: Number, session: Session = decider, typed: _Typed = typed_texts) -> Response:
        try:
            services.review_as(session.name).edit(
                draft_id,
                text=typed.text,
                alt_text=typed.alt_text,
                channel_texts=typed.own,
                version=_unchanged(desk, draft_id, typed.shown),
            )
        except (InputError, PreconditionFailed) as error:
            draft = services.review.draft(draft_id)
            return _draft_page(desk, request, session, draft, error.http_status, typed=typed, message=str(error))
        return seen(f"/desk/drafts/{draft_id}", "edited", draft_id)

    @router.post("/drafts/{draft_id}/check")
    def check(draft_id: Number, _: Session = writer, typed: _Typed = typed_texts) -> Response:
        """What each channel would make of texts that are being typed; nothing is saved."""
        draft = services.review.draft(draft_id)
        try:
            changed = draft.edit(
                text=typed.text[:LONGEST_TEXT],
                alt_text=typed.alt_text[:LONGEST_ALT],
                channel_texts={name: words[:LONGEST_TEXT] for name, words in typed.own.items()},
            )
        except AuriaError as error:
            return JSONResponse({"problem": redacted_error(error)}, 409, headers=PRIVATE)
        previews = services.post_creator.preview_draft(changed)
        return JSONResponse({one.channel: _counted(one) for one in previews}, headers=PRIVATE)


def _counted(preview: Preview) -> dict[str, Any]:
    return {
        "characters": preview.characters,
        "most": preview.most_characters,
        "text": preview.text,
        "alt_text": preview.alt_text,
        "dropped": list(preview.dropped),
        "problems": list(preview.problems),
    }
