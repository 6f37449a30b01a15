"""Attacks on the web site: forged forms, script in texts, foreign files, uploads, passwords, keys, and what belongs to others.

Each case gets a running site with everything switched on, and returns "" where the attack was refused as documented,
else what it reached. What the answers and the log tell is looked at when all are done.
"""

from __future__ import annotations

import json
import re
import time
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from auria_bot.domain.artwork import Haiku, Style
from auria_bot.services.accounts.api_keys import SCOPES
from auria_bot.web.middleware import POLICY
from tests.exhibited import publish
from tests.operators import PASSWORD
from tests.scenarios.attacked_site import FORM, Answer, Site
from tests.scenarios.web_floods import FLOODS
from tests.scenarios.web_uploads import UPLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["CASES"]

_EXAMPLES = {
    "draft_id": "7",
    "post_id": "4",
    "session_id": "abcdef012345",
    "name": "eve",
    "channel": "folder",
    "key": "0" * 32,
    "action": "keep",
    "width": "320",
    "suffix": "jpg",
    "artwork_id": "1",
    "path": "browse",
}
_REFUSED = {303, 400, 401, 403, 404, 405, 409, 413, 422, 429}
_PUBLIC_FORMS = ("/desk/sign-in", "/desk/sign-in/passkey", "/studio", "/captions", "/captions/ratings")
_ELSEWHERE = {
    "another site's name": {"Origin": "https://evil.example"},
    "no name": {"Origin": "null"},
    "a sign of the browser": {"Sec_Fetch_Site": "cross-site"},
    "a neighbour's site": {"Sec_Fetch_Site": "same-site"},
}


def _path(template: str) -> str:
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: _EXAMPLES.get(found[1], "1"), template)


def _forms(site: Site) -> list[str]:
    """The address of every form of the desk that belongs to a session."""
    return [_path(path) for method, path in site.routes if method == "POST" and _is_desk(path)]


def _is_desk(path: str) -> bool:
    return path.startswith("/desk/") and not path.startswith("/desk/sign-in")


def _all_refused(site: Site, answers: Iterable[tuple[str, Answer]], allowed: set[int], before: object) -> str:
    wrong = [f"{name}: {one.status}" for name, one in answers if one.status not in allowed]
    if wrong:
        return ", ".join(wrong[:5])
    return "" if site.state() == before else "something was changed"


# Forged forms


def _forged(fields: Callable[[Site], dict[str, str]], **headers: str) -> Callable[[Site], str]:
    """Every form of the desk with the owner's cookie, as another site would have it sent."""

    def case(site: Site) -> str:
        cookie, _ = site.session("ada")
        site.session("eve")
        before = site.state()
        answers = [(path, site.form(path, fields(site), Cookie=cookie, **headers)) for path in _forms(site)]
        return _all_refused(site, answers, {403}, before)

    return case


def _public_forms(site: Site) -> str:
    """Forms that need no session, sent from another site."""
    before = site.state()
    answers = [
        (f"{path} {how}", site.form(path, {"name": "ada", "password": PASSWORD, "theme": "rain"}, **headers))
        for path in _PUBLIC_FORMS
        for how, headers in _ELSEWHERE.items()
    ]
    return _all_refused(site, answers, {403}, before)


def _without_session(site: Site) -> str:
    """Every page and form of the desk without a session leads to the sign-in."""
    before = site.state()
    paths = [(method, _path(path)) for method, path in site.routes if _is_desk(path)]
    answers = [(f"{method} {path}", site.ask(method, path, Content_Type=FORM)) for method, path in paths]
    return _all_refused(site, answers, {303}, before)


def _read_instead(site: Site) -> str:
    """A decision by a link or a picture's address."""
    cookie, token = site.session("ada")
    before = site.state()
    answers = [(path, site.ask("GET", f"{path}?csrf={token}", Cookie=cookie)) for path in _forms(site)]
    return _all_refused(site, answers, {200, 303, 404, 405}, before)


def _too_low(name: str, *, owners_only: bool) -> Callable[[Site], str]:
    """Forms for which an operator's role does not do."""

    def case(site: Site) -> str:
        cookie, token = site.session(name)
        site.session("ada")
        before = site.state()
        own = ("/desk/account/password", "/desk/account/passkeys", "/desk/sign-out", "/desk/sessions/", "/check")
        paths = [path for path in _forms(site) if not any(part in path for part in own)]
        paths = [path for path in paths if "/operators" in path or not owners_only]
        answers = [(path, site.form(path, {"csrf": token, "role": "owner"}, Cookie=cookie)) for path in paths]
        return _all_refused(site, answers, {403}, before)

    return case


def _session_as_key(site: Site) -> str:
    """The REST interface takes no cookie."""
    cookie, _ = site.session("ada")
    before = site.state()
    body = json.dumps({"action": "approve", "channels": []})
    answers = [
        (path, site.ask("POST", path, body, Cookie=cookie, Content_Type="application/json"))
        for path in ("/api/v1/drafts/7/decisions", "/api/v1/runs", "/api/v1/posts/4/outcome")
    ]
    return _all_refused(site, answers, {401}, before)


FORGED: dict[str, Callable[[Site], str]] = {
    "forms without a token": _forged(lambda _: {}),
    "forms with another session's token": _forged(lambda site: {"csrf": site.session("eve")[1]}),
    **{
        f"forms of elsewhere, by {how}": _forged(lambda site: {"csrf": site.session("ada")[1]}, **headers)
        for how, headers in _ELSEWHERE.items()
    },
    "public forms of elsewhere": _public_forms,
    "the desk without a session": _without_session,
    "decisions by reading": _read_instead,
    "decisions of a viewer": _too_low("vera", owners_only=False),
    "operators changed by an editor": _too_low("eve", owners_only=True),
    "a session instead of a key": _session_as_key,
}

# Script in texts

HOSTILE = "\"'></script><x-injected onmouseover=alert(1)><script>alert(1)</script>{{7*7}}"


class _Elements(HTMLParser):
    """What of a page would be run or was not meant to be there."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        is_run = tag == "script" and values.get("type") != "application/ld+json"
        if is_run and not str(values.get("src", "")).startswith("/static/"):
            self.wrong.append("a script of its own")
        if tag in {"x-injected", "iframe", "object", "embed", "base"}:
            self.wrong.append(tag)
        self.wrong += [name for name in values if name.startswith("on") or name == "style"]
        link = str(values.get("href") or values.get("src") or values.get("action") or "").strip().lower()
        if link.startswith(("javascript:", "data:text", "vbscript:")):
            self.wrong.append(link[:20])


def _wrong_in(path: str, answer: Answer) -> list[str]:
    kind = answer.headers.get("content-type", "")
    found = [] if answer.headers.get("content-security-policy", "").startswith(POLICY[:30]) else ["no policy"]
    if kind.startswith("text/html"):
        seen = _Elements()
        seen.feed(answer.text)
        found += seen.wrong + (["an expression was evaluated"] if "<script>alert(1)</script>49" in answer.text else [])
    elif kind.startswith(("application/xml", "application/atom+xml")):
        found += ["x-injected" for one in ET.fromstring(answer.body).iter() if "x-injected" in str(one.tag)]  # noqa: S314 - our own
    elif answer.headers.get("x-content-type-options") != "nosniff":
        found.append("its type may be guessed")
    return [f"{path}: {one}" for one in found]


def _script(site: Site) -> str:
    """Poem, theme, mood, texts, painting, reason, name of a browser, search, file name: none becomes markup."""
    made, wrong = site.application, list[str]()
    lines = (HOSTILE, "<x-injected>", "]]><x-injected>")
    style = Style(key="<x-injected>", title=HOSTILE, artist=HOSTILE, year="<x-injected>")
    art: dict[str, Any] = {"haiku": Haiku(lines=lines, syllables=(5, 7, 5)), "style": style, "theme": HOSTILE}
    shown = publish(
        made,
        90,
        channel="elsewhere",
        alt_text=HOSTILE,
        post_text=HOSTILE,
        mood="<x-injected>",
        url="javascript:alert(1)",
        **art,
    )
    draft = made.review.drafts(["made"])[0].id
    made.review.edit(draft, text=HOSTILE, alt_text=HOSTILE)
    made.review.reject(made.review.drafts(["made"])[-1].id, reason=HOSTILE)
    made.publisher.pause("folder", reason=HOSTILE)
    site.form("/desk/sign-in", {"name": "ada", "password": PASSWORD}, source="127.9.9.9", User_Agent=HOSTILE[:150])
    cookie, _ = site.session("ada")
    time.sleep(1.5)  # the index of the gallery is looked at once a second
    entry = next(one for one in made.gallery.entries() if one.id == shown)
    quoted = "%22%3E%3Cx-injected%20onclick=alert(1)%3E"
    paths = (
        *("/", "/browse", f"/artworks/{entry.slug}", f"/search?q={quoted}", f"/search?mood={quoted}", f"/{quoted}"),
        *("/wall", "/wall/works.json", "/feed.xml", "/feed.json", "/sitemap.xml", "/api/v1/artworks"),
        *(f"/desk/drafts/{draft}", f"/desk/drafts/{shown}", f"/desk/drafts/{quoted}", f"/desk?state={quoted}"),
        *(f"/desk?done=approved&of={quoted}", f"/desk?done={quoted}", f"/desk/calendar?month={quoted}", "/desk"),
        *("/desk/journal", "/desk/account", "/desk/channels", "/desk/posts", "/desk/moods", "/desk/notices"),
        *("/desk/engagement", "/desk/health", "/desk?state=rejected", "/desk?state=published", "/desk/calendar"),
    )
    answers = {path: site.ask("GET", path, Cookie=cookie) for path in paths}
    wrong += [one for path, answer in answers.items() for one in _wrong_in(path, answer)]
    if sum("x-injected" in answer.text for answer in answers.values()) < len(paths) // 2:
        wrong.append("the texts are not on the pages")
    wrong += _wrong_in("sign-in", site.form("/desk/sign-in", {"name": HOSTILE, "password": "x"}, source="127.3.3.3"))
    wrong += _wrong_in("studio", site.form("/studio", {"theme": HOSTILE, "mood": HOSTILE}, source="127.3.3.4"))
    made.publisher.resume("folder")
    return "; ".join(wrong)


# Files that nobody is meant to read

_UP = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "..%255c", "%252e%252e%252f", "....//", "..;/")
_ROOTS = (
    "/static/",
    "/pictures/1/",
    "/artworks/",
    "/desk/pictures/7/",
    "/desk/previews/7/",
    "/studio/",
    "/",
    "/api/v1/",
)


def _traversal(site: Site) -> str:
    """Paths that climb out of a folder, and a byte that ends names in C."""
    cookie, _ = site.session("ada")
    targets = ("secrets/web-operators.json", "secrets/api-keys.json", "auria.db")
    paths = [f"{root}{up * 8}etc/passwd" for root in _ROOTS for up in _UP]
    paths += [f"{root}{up * 3}{target}" for root in _ROOTS for up in _UP[:2] for target in targets]
    paths += [f"{root}{name}%00.jpg" for root in _ROOTS for name in ("1", "320", "/etc/passwd")]
    paths += ["/static//etc/passwd", "//etc/passwd", "/pictures/1/-1.jpg", "/pictures/1/99999999999999999999.jpg"]
    paths += [f"/studio/{'0' * 32}/pictures/{up}work.json" for up in _UP]
    wrong = list[str]()
    for path in paths:
        answer = site.ask("GET", path, Cookie=cookie)
        if answer.status < 300 or any(one in answer.text for one in ("root:x", '"operators"', "SQLite format")):
            wrong.append(f"{path}: {answer.status}")
    return ", ".join(wrong[:5])


def _redirects(site: Site) -> str:
    """No address makes the site lead elsewhere."""
    wrong = list[str]()
    for path in (
        "//evil.example/",
        "/\\evil.example/",
        "/%5cevil.example/",
        "/%09/evil.example/",
        "/%2f%2fevil.example/",
    ):
        for query in ("", "?lang=de"):
            there = site.ask("GET", path + query).headers.get("location", "/")
            if not re.match(r"/(?![/\\])", there):
                wrong.append(f"{path}{query}: {there}")
    return ", ".join(wrong)


TEXTS: dict[str, Callable[[Site], str]] = {
    "script in texts": _script,
    "paths that climb": _traversal,
    "redirects elsewhere": _redirects,
}

# Sessions and passwords


def _fixation(site: Site) -> str:
    """A chosen cookie becomes no session; signing in gives a new one, and ends the browser's earlier one."""
    first = site.sign_in("eve", source="127.8.0.1", cookie="chosen-by-somebody")
    token = first.headers["set-cookie"].partition("=")[2].partition(";")[0]
    if not all(part in first.headers["set-cookie"].lower() for part in ("httponly", "samesite=strict", "path=/desk")):
        return f"the cookie is open: {first.headers['set-cookie']}"
    second = site.sign_in("eve", source="127.8.0.1", cookie=token)
    again = second.headers["set-cookie"].partition("=")[2].partition(";")[0]
    signed_in = [
        name
        for name, cookie in (("a chosen one", "chosen-by-somebody"), ("the earlier one", token))
        if site.ask("GET", "/desk", Cookie=f"auria_session={cookie}").status == 200
    ]
    if again in {token, "chosen-by-somebody"} or signed_in:
        return f"still signed in: {', '.join(signed_in) or 'the same'}"
    cookie = f"auria_session={again}"
    form_token = re.search(r'name="csrf" value="([^"]+)"', site.ask("GET", "/desk/account", Cookie=cookie).text)
    site.form("/desk/sign-out", {"csrf": form_token[1] if form_token else ""}, Cookie=cookie)
    return "the session outlives its end" if site.ask("GET", "/desk", Cookie=cookie).status == 200 else ""


def _brute_force(site: Site) -> str:
    """The fourth wrong password of an address waits; a right one waits too; the operator's own address does not."""
    site.session("ada")
    statuses = [site.sign_in("ada", password=f"wrong {number}", source="127.7.0.1").status for number in range(6)]
    if statuses[:3] != [403] * 3 or set(statuses[3:]) != {429}:
        return f"answered with {statuses}"
    refused = site.sign_in("ada", source="127.7.0.1")
    if refused.status != 429 or not refused.headers.get("retry-after", "").isdigit():
        return f"a right password after wrong ones: {refused.status}"
    known = site.sign_in("ada", source="127.9.9.9")
    return "" if known.status == 303 else f"the operator is kept out: {known.status}"


def _unknown_names(site: Site) -> str:
    """A name that nobody has is refused in the same words."""
    answers = [site.sign_in(name, password="wrong", source=f"127.7.1.{n}") for n, name in enumerate(("vera", "nobody"))]  # noqa: S106
    texts = {re.sub(r'value="(?:vera|nobody)"', "", one.text) for one in answers}
    return "" if len(texts) == 1 and {one.status for one in answers} == {403} else "the answers differ"


# Keys


def _scopes(site: Site) -> str:
    """Every operation with each key that lacks its scope, without a key, and with a key elsewhere than in its header."""
    document = json.loads(site.ask("GET", "/api/v1/openapi.json").body)
    wrong, before, number = list[str](), site.state(), 0
    for template, operations in document["paths"].items():
        for method, operation in operations.items():
            if not operation.get("security"):
                continue
            path = "/api/v1" + _path(template)
            allowed = {scope for one in operation["security"] for scopes in one.values() for scope in scopes}
            bodies = list(operation.get("requestBody", {}).get("content", {})) or ["application/json"]
            sent = ("{}", bodies[0]) if method != "get" else ("", "")
            for scope in SCOPES.keys() - allowed:
                number += 1
                key = {"Authorization": f"Bearer {site.keys[scope]}"}
                answer = site.ask(method.upper(), path, sent[0], Content_Type=sent[1], **key)
                if answer.status not in {403, 422}:
                    wrong.append(f"{method} {path} with {scope}: {answer.status}")
            for bare in (path, f"{path}?access_token={site.keys['read']}", f"{path}?key={site.keys['decide']}"):
                number += 1
                answer = site.ask(method.upper(), bare, sent[0], source=f"127.6.{number % 250}.1", Content_Type=sent[1])
                if answer.status not in {401, 422}:
                    wrong.append(f"{method} {bare[:40]} without a key: {answer.status}")
    return ", ".join(wrong[:8]) or ("" if site.state() == before else "something was changed")


def _guessed_keys(site: Site) -> str:
    """Wrong, damaged and revoked keys: refused, soon slowly, and never the right key beside them."""
    gone = site.application.api_keys.add("gone", ["read"])
    site.application.api_keys.revoke("gone")
    wrong = [gone, "auria_" + "A" * 43, "auria_", "", "x" * 5000, f"{site.keys['read']}x", site.keys["read"][:-1]]
    statuses = [
        site.ask(
            "GET", "/api/v1/drafts", source="127.5.0.1", Authorization=f"Bearer {wrong[number % len(wrong)]}"
        ).status
        for number in range(20)
    ]
    right = site.ask("GET", "/api/v1/drafts", source="127.5.0.1", Authorization=f"Bearer {site.keys['read']}").status
    if not set(statuses) <= {401, 429} or 429 not in statuses:
        return f"answered with {sorted(set(statuses))}"
    return "" if right == 200 else f"the right key is kept waiting: {right}"


# What belongs to others


def _others(site: Site) -> str:
    """Drafts, sessions, visitors' artworks, answers and receipts of somebody else."""
    made, wrong = site.application, list[str]()
    (ada, _), (eve, token) = site.session("ada"), site.session("eve")
    other = made.accounts.sessions("ada")[0].id
    draft = made.review.drafts(["made"])[0]
    before = site.state()
    seen = {
        "another's session": site.form(f"/desk/sessions/{other}/end", {"csrf": token}, Cookie=eve).status,
        "a draft's picture": site.ask("GET", f"/pictures/{draft.id}/320.jpg").status,
        "a draft's page": site.ask("GET", f"/artworks/{draft.id}").status,
        "a draft by REST": site.ask("GET", f"/api/v1/artworks/{draft.id}").status,
        "a draft embedded": site.ask("GET", f"/oembed?url=http://127.0.0.1/artworks/{draft.id}").status,
        "a draft beyond all": site.ask("GET", f"/desk/drafts/{2**70}", Cookie=ada).status,
        "a run of nobody": site.ask("GET", "/desk/runs/AAAAAAAA/events", Cookie=ada).status,
        "an artwork of nobody": site.ask("GET", f"/studio/{'f' * 32}").status,
        "a damaged receipt": site.form("/captions/ratings", {"receipt": "e30=.AAAA", "stars": 5}).status,
    }
    wrong += [f"{name}: {status}" for name, status in seen.items() if status not in _REFUSED - {303}]
    asked = site.form("/studio", {"theme": "autumn rain"}, source="127.4.0.1")
    cookie = asked.headers.get("set-cookie", "").partition(";")[0]
    place = asked.headers.get("location", "/studio/none")
    for action in ("keep", "offer", "remove"):
        for thief in ("", "auria_visitor=guess", f"auria_visitor={'a' * 32}"):
            status = site.form(f"{place}/{action}", {}, source="127.4.0.2", Cookie=thief).status
            if status != 403:
                wrong.append(f"{action} of another's artwork: {status}")
    if site.ask("GET", place, Cookie=cookie).status != 200:
        wrong.append("the visitor cannot see what was asked for")
    if site.state() != before:
        wrong.append("something was changed")
    return ", ".join(wrong)


ACCESS: dict[str, Callable[[Site], str]] = {
    "a session that was fixed before": _fixation,
    "guessed passwords": _brute_force,
    "names that nobody has": _unknown_names,
    "keys of too little scope": _scopes,
    "guessed keys": _guessed_keys,
    "what belongs to others": _others,
}

CASES: dict[str, Callable[[Site], str]] = {**FORGED, **TEXTS, **UPLOADS, **ACCESS, **FLOODS}
"""Every attack; the last ones are those with a thousand clients."""
