"""Signing in and out, an operator's own account, and, for owners, all operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.errors import AuriaError, InputError, InvalidTransition, NotPermitted
from auria_bot.services.accounts.accounts import ROLES, Session
from auria_bot.web.desk.access import COOKIE, Typed, seen
from auria_bot.web.links import READ
from auria_bot.web.middleware import check_origin, client_network

if TYPE_CHECKING:
    from fastapi import APIRouter

    from auria_bot.web.desk.access import DeskRoutes

__all__ = ["ACCOUNT", "account_page", "add_accounts", "sign_in_page", "signed_in"]

_MONTH = 30 * 86_400  # seconds
ACCOUNT = "/desk/account"
"""The page of one's own account."""


def add_accounts(router: APIRouter, desk: DeskRoutes) -> None:
    """Add the routes."""
    _add_signing_in(router, desk)
    _add_own_account(router, desk)
    _add_operators(router, desk)


def _add_signing_in(router: APIRouter, desk: DeskRoutes) -> None:
    writer, accounts = Depends(desk.writer), desk.services.accounts

    @router.api_route("/sign-in", methods=READ)
    def show(request: Request) -> Response:
        return sign_in_page(desk, request)

    @router.post("/sign-in")
    def sign_in(request: Request, name: Typed = "", password: Typed = "") -> Response:
        check_origin(request, desk.services.public_url)
        address, agent = client_network(request), request.headers.get("user-agent", "")
        try:
            token = accounts.sign_in(name.strip(), password, address=address, agent=agent)
        except NotPermitted as error:
            return sign_in_page(desk, request, error, name=name[:40])
        return signed_in(desk, request, token)

    @router.post("/sign-out")
    def sign_out(request: Request, _: Session = writer) -> Response:
        accounts.sign_out(request.cookies[COOKIE])
        answer = seen("/desk/sign-in")
        answer.delete_cookie(COOKIE, path="/desk")
        return answer


def sign_in_page(desk: DeskRoutes, request: Request, error: NotPermitted | None = None, *, name: str = "") -> Response:
    """The page to sign in, with what was refused."""
    answer = desk.page(
        "sign_in.html",
        request,
        None,
        error.http_status if error else 200,
        message=str(error) if error else "",
        name=name,
        any_operator=error is not None or bool(desk.services.accounts.operators()),
        has_passkeys=desk.services.passkeys.is_available,
    )
    if seconds := getattr(error, "seconds", 0):
        answer.headers["Retry-After"] = str(seconds)
    return answer


def signed_in(desk: DeskRoutes, request: Request, token: str) -> Response:
    """Lead to the desk with a session that begins; the browser's session of before ends."""
    if earlier := request.cookies.get(COOKIE):
        desk.services.accounts.sign_out(earlier)
    answer = seen("/desk")
    is_secure = desk.services.public_url.startswith("https://")
    answer.set_cookie(COOKIE, token, max_age=_MONTH, path="/desk", httponly=True, samesite="strict", secure=is_secure)
    return answer


def account_page(
    desk: DeskRoutes, request: Request, session: Session, error: AuriaError | None = None, *, typed: str = ""
) -> Response:
    """The account, with what was refused; owners see all operators with their sessions."""
    accounts = desk.services.accounts
    everybody = accounts.operators() if session.may_manage else ()
    return desk.page(
        "account.html",
        request,
        session,
        error.http_status if error else 200,
        sessions=accounts.sessions(session.name),
        operators=[(one, accounts.sessions(one.name)) for one in everybody],
        roles=ROLES,
        passkeys=desk.services.passkeys.list(session.name),
        has_passkeys=desk.services.passkeys.is_available,
        message=str(error) if error else "",
        typed=typed,
    )


def _add_own_account(router: APIRouter, desk: DeskRoutes) -> None:
    reader, writer = Depends(desk.reader), Depends(desk.writer)
    accounts = desk.services.accounts

    @router.api_route("/account", methods=READ)
    def account(request: Request, session: Session = reader) -> Response:
        return account_page(desk, request, session)

    @router.api_route("/sessions", methods=READ)
    def earlier_address(_: Session = reader) -> Response:
        return seen(ACCOUNT)

    @router.post("/sessions/{session_id}/end")
    def end(session_id: str, session: Session = writer) -> Response:
        accounts.end_session(session.name, session_id)
        return seen(ACCOUNT, "session")

    @router.post("/account/password")
    def password(request: Request, session: Session = writer, old: Typed = "", new: Typed = "") -> Response:
        try:
            accounts.change_password(request.cookies[COOKIE], old, new)
        except InputError as error:
            return account_page(desk, request, session, error)
        return seen(ACCOUNT, "password")


def _add_operators(router: APIRouter, desk: DeskRoutes) -> None:
    owner = Depends(desk.owner)
    accounts = desk.services.accounts

    @router.post("/operators")
    def add(
        request: Request, session: Session = owner, name: Typed = "", password: Typed = "", role: Typed = ""
    ) -> Response:
        name = name.strip()
        try:
            accounts.add(name, password, role=role, by=session.name, is_new=True)
        except InputError as error:
            return account_page(desk, request, session, error, typed=name[:40])
        return seen(ACCOUNT, "operator", name)

    @router.post("/operators/{name}/role")
    def role(request: Request, name: str, session: Session = owner, role: Typed = "") -> Response:
        try:
            accounts.set_role(name, role, by=session.name)
        except (InputError, InvalidTransition) as error:
            return account_page(desk, request, session, error)
        return seen(ACCOUNT, "role", name)

    @router.post("/operators/{name}/end")
    def end(name: str, session: Session = owner) -> Response:
        accounts.end_sessions(name, by=session.name)
        return seen(ACCOUNT, "sessions", name)

    @router.post("/operators/{name}/remove")
    def remove(request: Request, name: str, session: Session = owner) -> Response:
        try:
            accounts.remove(name, by=session.name)
        except InvalidTransition as error:
            return account_page(desk, request, session, error)
        return seen(ACCOUNT, "removed", name)
