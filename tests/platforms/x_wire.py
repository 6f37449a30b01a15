"""The wire of the X of the tests: it reads requests, has them verified, answers them, and fails at any byte as it is told to."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.platforms.oauth1 import signed_nonce

if TYPE_CHECKING:
    from tests.platforms.x import XPlatform

__all__ = ["CONTRACT_PROBLEMS", "PROBLEMS", "Exchange", "Handler", "Refusal", "duplicate"]

_REFUSALS = {
    "400": (400, "invalid-request", "Invalid Request", "One or more parameters to your request was invalid."),
    "401": (401, "about:blank", "Unauthorized", "Unauthorized"),
    "402": (
        402,
        "credits",
        "CreditsDepleted",
        "Your enrolled account does not have any credits to fulfill this request.",
    ),
    "403": (403, "about:blank", "Forbidden", "You are not permitted to perform this action."),
    "403-app": (
        403,
        "oauth1-permissions",
        "Forbidden",
        "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint.",
    ),
    "403-suspended": (
        403,
        "about:blank",
        "Forbidden",
        "Your account is suspended and is not permitted to access this feature.",
    ),
    "404": (404, "about:blank", "Not Found", "Not Found"),
    "429": (429, "about:blank", "Too Many Requests", "Too Many Requests"),
    "500": (503, "about:blank", "Service Unavailable", "Service Unavailable"),
}
"""Fault to status, the problem's type, title and detail."""

_KNOWN = {"invalid-request", "resource-not-found", "internal-error"}
"""Types of problems in the contract that this server answers with."""

PROBLEMS = "https://api.twitter.com/2/problems/"
CONTRACT_PROBLEMS = "https://api.x.com/2/problems/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request, and the answer to it before a fault of the line changes that."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any  # parsed JSON; None without one
    status: int
    media_type: str
    answer: Any


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, detail: str, *, kind: str = "about:blank", title: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.fields = {"title": title or HTTPStatus(status).phrase, "detail": detail, "status": status}

    def body(self, *, contract: bool) -> dict[str, Any]:
        """The answer: a problem of a known type, or else what the contract calls an error."""
        if contract and self.kind not in _KNOWN:
            return {"code": self.status, "message": self.fields["detail"], **self.fields, "type": "about:blank"}
        prefix = CONTRACT_PROBLEMS if contract else PROBLEMS
        return {**self.fields, "type": "about:blank" if self.kind == "about:blank" else prefix + self.kind}


def duplicate() -> Refusal:
    """What X says to a text that it has already."""
    return Refusal(403, "You are not allowed to create a Tweet with duplicate content.")


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    platform: XPlatform
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        route, state = f"{self.command} {parts.path}", self.platform.state
        with state.lock:
            state.requests.append(route)
            faults = state.faults["DELETE /2/tweets/*" if self.command == "DELETE" else route]
            fault = state.faults_at.pop(len(state.requests), "") or (faults.popleft() if faults else "ok")
        if fault == "killed-before":
            self.platform.kill()
        if fault in {"cut-before", "killed-before"}:
            self._cut()
            return
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query, sent = parse_qsl(parts.query, keep_blank_values=True), None
        try:
            sent = json.loads(content) if content else None
            self._authenticate(parts.path, query)
            self._refuse(fault)
            status, body = self.platform.answer(self.command, parts.path, query, sent)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body(contract=self.platform.contract)
        except ValueError:
            status, body = 400, Refusal(400, "not JSON", kind="invalid-request").body(contract=self.platform.contract)
        if fault == "500-after":
            status, body = 500, Refusal(500, "Something is broken").body(contract=self.platform.contract)
        elif fault == "duplicate-after":
            status, body = 403, duplicate().body(contract=self.platform.contract)
        exchange = Exchange(
            method=self.command,
            path=parts.path,
            query=query,
            body=sent,
            status=status,
            media_type=self._media_type(status, body),
            answer=body,
        )
        with state.lock:
            state.exchanges.append(exchange)
        self._reply(status, self.platform.rewrite(self.command, parts.path, body), fault)

    def _media_type(self, status: int, body: dict[str, Any]) -> str:
        problem = self.platform.contract and status >= 400 and "code" not in body
        return "application/problem+json" if problem else "application/json; charset=utf-8"

    def _reply(self, status: int, body: dict[str, Any], fault: str) -> None:
        content = json.dumps(body).encode()
        if fault == "garbage":
            content = b"\x00<html>\xff something else entirely"
        elif fault == "list":
            content = b'["not", "an", "object"]'
        elif fault == "gate":
            status, content = 403, b"<html>Attention required!</html>"
        elif fault == "redirect":
            status, content = 307, b""
        headers = {
            "Content-Type": self._media_type(status, body),
            "Content-Length": str(len(content)),
            "Date": formatdate(self.platform.now(), usegmt=True),
            "x-access-level": self.platform.access_level,
        }
        if status == 429:
            headers["x-rate-limit-reset"] = str(int(self.platform.now()) + self.platform.reset_after)
        if status == 307:
            headers["Location"] = f"{self.platform.address}/elsewhere"
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            *(f"{key}: {value}" for key, value in headers.items()),
        ]
        answer = "\r\n".join([*lines, "", ""]).encode() + content
        if fault == "killed-after":
            self.platform.kill()
            fault = "cut-after"
        if fault == "slow":
            self.platform.stopping.wait(self.platform.slow)
        if fault == "trickle":
            self._trickle(answer)
            return
        if fault.startswith("cut"):
            length = {"cut-after": 0, "cut-within": len(answer) - len(content) // 2}.get(fault)
            self.wfile.write(answer[: int(fault.removeprefix("cut-at-")) if length is None else length])
            self._cut()
            return
        try:
            self.wfile.write(answer)
        except OSError:
            self.close_connection = True  # the client did not wait

    def _trickle(self, answer: bytes) -> None:
        """A byte now and then, so that no time-out between two bytes ever passes."""
        self.close_connection = True
        for number in range(len(answer)):
            try:
                self.wfile.write(answer[number : number + 1])
            except OSError:
                return
            if self.platform.stopping.wait(0.05):
                return

    def _cut(self) -> None:
        self.close_connection = True
        try:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is cut already

    def _authenticate(self, path: str, query: list[tuple[str, str]]) -> None:
        platform, sent = self.platform, self.headers.get("Authorization", "")
        nonce = signed_nonce(
            sent,
            method=self.command,
            url=platform.address + path,
            query=query,
            keys=platform.secrets(),
            now=platform.now(),
        )
        with platform.state.lock:
            if nonce is None or nonce in platform.state.nonces:
                raise Refusal(401, f"Unauthorized ({sent})")
            platform.state.nonces.add(nonce)

    def _refuse(self, fault: str) -> None:
        """Refuse as told, and repeat what was sent, as a careless server would: the client must not."""
        if fault in _REFUSALS:
            status, kind, title, detail = _REFUSALS[fault]
            raise Refusal(status, f"{detail} ({self.headers['Authorization']})", kind=kind, title=title)
