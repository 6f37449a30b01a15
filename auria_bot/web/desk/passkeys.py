"""Passkeys: signing in with one, and an operator's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auria_bot.errors import AuriaError, InputError, NotFound, NotPermitted
from auria_bot.services.accounts.accounts import Session
from auria_bot.web.desk.access import PRIVATE, Typed, seen
from auria_bot.web.desk.accounts import ACCOUNT, account_page, sign_in_page, signed_in
from auria_bot.web.links import READ
from auria_bot.web.middleware import check_origin, client_network

if TYPE_CHECKING:
    from fastapi import APIRouter

    from auria_bot.web.desk.access import DeskRoutes

__all__ = ["add_passkeys"]


def add_passkeys(router: APIRouter, desk: DeskRoutes) -> None:
    """Add the routes."""
    _add_signing_in(router, desk)
    _add_own(router, desk)


def _require(desk: DeskRoutes) -> None:
    if not desk.services.passkeys.is_available:
        raise NotFound("passkeys need web.url with HTTPS, or localhost")


def _add_signing_in(router: APIRouter, desk: DeskRoutes) -> None:
    passkeys = desk.services.passkeys

    @router.api_route("/sign-in/passkey", methods=READ)
    def options_to_sign_in() -> Response:
        _require(desk)
        return JSONResponse(passkeys.options_to_sign_in(), headers=PRIVATE)

    @router.post("/sign-in/passkey")
    def sign_in(request: Request, answer: Typed = "") -> Response:
        check_origin(request, desk.services.public_url)
        _require(desk)
        agent = request.headers.get("user-agent", "")
        try:
            token = passkeys.sign_in(answer, address=client_network(request), agent=agent)
        except NotPermitted as error:
            return sign_in_page(desk, request, error)
        return signed_in(desk, request, token)


def _add_own(router: APIRouter, desk: DeskRoutes) -> None:
    reader, writer = Depends(desk.reader), Depends(desk.writer)
    accounts, passkeys = desk.services.accounts, desk.services.passkeys

    @router.api_route("/account/passkeys/new", methods=READ)
    def options_to_add(session: Session = reader) -> Response:
        _require(desk)
        return JSONResponse(passkeys.options_to_add(session.name), headers=PRIVATE)

    @router.post("/account/passkeys")
    def add(
        request: Request, session: Session = writer, password: Typed = "", name: Typed = "", answer: Typed = ""
    ) -> Response:
        _require(desk)
        try:
            accounts.check_password(session.name, password)
            added = passkeys.add(session.name, answer, called=name)
        except (InputError, NotPermitted) as error:
            return account_page(desk, request, session, error)
        return seen(ACCOUNT, "passkey", added.name)

    @router.post("/account/passkeys/{passkey_id}/name")
    def rename(request: Request, passkey_id: str, session: Session = writer, name: Typed = "") -> Response:
        try:
            passkeys.rename(session.name, passkey_id, name)
        except AuriaError as error:
            return account_page(desk, request, session, error)
        return seen(ACCOUNT, "passkey.name", name)

    @router.post("/account/passkeys/{passkey_id}/remove")
    def remove(request: Request, passkey_id: str, session: Session = writer) -> Response:
        try:
            gone = passkeys.remove(session.name, passkey_id, by=session.name)
        except NotFound as error:
            return account_page(desk, request, session, error)
        return seen(ACCOUNT, "passkey.removed", gone.name)
