"""What the routes of the desk share: whose session a request belongs to, what it may do, and how a page is rendered."""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from auria_bot.errors import NotPermitted, SignInRequired
from auria_bot.services.accounts.accounts import Session
from auria_bot.web.middleware import check_origin
from auria_bot.web.page_cache import smaller

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.web.app import WebApp

__all__ = ["COOKIE", "PRIVATE", "SHORTCUTS", "DeskRoutes", "Typed", "seen"]

COOKIE = "auria_session"
"""The cookie with a session's token."""

SHORTCUTS = "auria_shortcuts"
"""The cookie that says "off" where single keys do nothing; the page's script writes it."""

PRIVATE: Final = {"Cache-Control": "no-store"}
"""Headers of what only a signed-in operator sees."""

Typed = Annotated[str, Form()]
"""A field of a form."""

_LONGEST_SUBJECT = 60  # characters of what a page's message is about


class DeskRoutes:
    """What the routes share."""

    def __init__(self, web: WebApp) -> None:
        self.web, self.services, self.runs = web, web.services, web.runs

    def reader(self, request: Request) -> Session:
        """The session of a request.

        Raises:
            SignInRequired: there is none.
        """
        session = self.services.accounts.session(request.cookies.get(COOKIE, "")[:200])
        if session is None:
            raise SignInRequired
        return session

    def writer(self, request: Request, csrf: Typed = "") -> Session:
        """The session of a form, which must come from a page of this session.

        Raises:
            SignInRequired: nobody is signed in.
            NotPermitted: the form came from elsewhere.
        """
        session = self.reader(request)
        check_origin(request, self.services.public_url)
        if not compare_digest(csrf.encode(), session.csrf.encode()):
            raise NotPermitted("the form is out of date; load the page again")
        return session

    def decider(self, request: Request, csrf: Typed = "") -> Session:
        """The same for a decision.

        Raises:
            SignInRequired: nobody is signed in.
            NotPermitted: the form came from elsewhere, or the operator may only look.
        """
        session = self.writer(request, csrf)
        if not session.may_decide:
            raise NotPermitted("viewers look; ask an editor to decide")
        return session

    def owner(self, request: Request, csrf: Typed = "") -> Session:
        """The same for what concerns other operators.

        Raises:
            SignInRequired: nobody is signed in.
            NotPermitted: the form came from elsewhere, or the operator is no owner.
        """
        session = self.writer(request, csrf)
        if not session.may_manage:
            raise NotPermitted("only owners manage operators")
        return session

    def page(
        self, template: str, request: Request, session: Session | None, status: int = 200, **values: Any
    ) -> Response:
        """Render a page of the desk."""
        view = self.web.view(request)
        values.setdefault("done", _done(request, view.language.keys) if status == 200 else None)
        values["shortcuts"] = request.cookies.get(SHORTCUTS) != "off"
        body = self.web.renderer.page(f"desk/{template}", view, session=session, zone=self.services.zone, **values)
        # Compressed although it holds a token: no other site can have it asked for, because of the cookie.
        return smaller(request, body.encode(), {**PRIVATE, "Content-Type": "text/html; charset=utf-8"}, status)


def _done(request: Request, known: frozenset[str]) -> Mapping[str, str] | None:
    """What the form before did, as the address tells it: a key of the catalogue and what it was about."""
    key, subject = request.query_params.get("done", ""), request.query_params.get("of", "")
    if f"desk.done.{key}" not in known:
        return None
    return {"key": key, "of": subject[:_LONGEST_SUBJECT]}


def seen(path: str, done: str = "", of: object = "") -> Response:
    """Lead the browser to a page after a form; the page says what was done, by `desk.done.*` of the catalogue."""
    mark = "&" if "?" in path else "?"
    query = f"{mark}{urlencode({'done': done, 'of': of})}" if done else ""
    return RedirectResponse(path + query, 303, headers=PRIVATE)
