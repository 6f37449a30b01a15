"""What people do on the web pages, from beginning to end, in a real browser.

A journey makes its own application and walks through it; what it came to is asked of the application, not of the page.
Journeys that a page promises without JavaScript are walked without it, too.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.domain.post import PostState
from auria_bot.settings.captions import CaptionSettings
from auria_bot.settings.web import WebSettings
from tests.browser import served
from tests.exhibited import exhibited
from tests.operators import PASSWORD
from tests.scenarios.caption_serve import free_port, pictures
from tests.scenarios.caption_serve import served as captioner
from tests.scenarios.desk import busy_desk, open_to_visitors
from tests.scenarios.keyboard import KeyboardPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.bootstrap.application import Application

__all__ = ["JOURNEYS", "Journey", "walk"]

_PATIENCE = 60_000  # milliseconds that a page may take on a busy machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """One journey."""

    name: str
    open: Callable[[Path], Application]  # the application in a folder
    steps: Callable[[Any, str, Application], None]  # walks in a page at an address; raises where something is wrong
    without_script: bool = True  # whether it is promised without JavaScript


def walk(
    chromium: Any, journey: Journey, *, script: bool = True, width: int = 390, by_keyboard: bool = False
) -> list[str]:
    """Walk a journey on a screen so wide; what went wrong, with every error on the console."""
    home, faults = Path(tempfile.mkdtemp(prefix=f"auria-{journey.name}-")), list[str]()
    application = journey.open(home)
    context = chromium.new_context(
        viewport={"width": width, "height": 844}, has_touch=True, java_script_enabled=script, locale="en-GB"
    )
    context.set_default_timeout(_PATIENCE)
    page = context.new_page()
    page.on("console", lambda said: faults.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    try:
        with served(application) as site:
            journey.steps(KeyboardPage(page) if by_keyboard else page, site, application)
    except Exception as error:  # noqa: BLE001 - what goes wrong is the result
        faults.append(f"{type(error).__name__} at {page.url}: {error}"[:400])
    finally:
        context.close()
        application.close()
        shutil.rmtree(home, ignore_errors=True)
    return faults


def _desk(home: Path) -> Application:
    """A busy desk, whose last two drafts can be restyled and repainted."""
    application = busy_desk(home, waiting=3)
    application.studio.make(ArtworkRequest(seed=5, count=2))
    return application


def _sign_in(page: Any, site: str) -> None:
    page.goto(f"{site}/desk")
    page.get_by_label("Name").fill("eve")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/desk")


def _operator(page: Any, site: str, application: Application) -> None:
    """Sign in, review five drafts with each decision, move a post in the calendar, resolve one that needs attention."""
    _sign_in(page, site)
    first, second, third, fourth, fifth = (draft.id for draft in reversed(application.review.drafts(["made"])))
    page.locator(".drafts a").first.click()
    page.get_by_role("button", name="Approve").click()
    page.get_by_text(f"Draft {first} is approved.").wait_for()
    page.locator("details.reject summary").click()
    page.get_by_label("Reason").fill("too dark")
    page.locator("details.reject button").click()
    page.get_by_text(f"Draft {second} is rejected.").wait_for()
    page.get_by_label("Text of the post").fill("a better text\n\n— Auria")
    page.get_by_role("button", name="Save the texts").click()
    page.get_by_text("The texts are saved.").wait_for()
    page.get_by_role("button", name="Approve").click()
    page.get_by_text(f"Draft {third} is approved.").wait_for()
    page.get_by_label("Mood").select_option("stormy")
    page.get_by_role("button", name="Restyle").click()
    page.get_by_text(f"This version took the place of draft {fourth}.").wait_for()
    page.goto(f"{site}/desk/drafts/{fifth}")
    page.get_by_role("button", name="Repaint").click()
    page.get_by_text(f"This version took the place of draft {fifth}.").wait_for()
    states = [str(application.review.draft(one).state) for one in (first, second, third, fourth, fifth)]
    _expect(states, ["approved", "rejected", "approved", "rejected", "rejected"])
    _expect(application.review.draft(third).text.splitlines()[0], "a better text")

    page.get_by_role("link", name="Calendar").click()
    entry = page.locator(".entry.expected").first
    entry.locator("summary").click()
    entry.get_by_label("Date").fill("2026-12-03")
    entry.get_by_label("Time").fill("08:15")
    entry.get_by_role("button", name="Move").click()
    page.get_by_text("Moved to 2026-12-03 08:15.").wait_for()
    timed = [post for post in application.publisher.posts({PostState.WAITING}) if post.timed_at]
    _expect({f"{post.due:%Y-%m-%d %H:%M}" for post in timed}, {"2026-12-03 08:15"})

    page.get_by_role("link", name="Posts").click()
    page.locator(".drafts a").first.click()
    needed = application.publisher.posts({PostState.UNKNOWN})[0]
    page.get_by_role("button", name="It is not published; send it again").click()
    page.get_by_text(f"The decision on post {needed.id} is recorded.").wait_for()
    _expect(application.publisher.post(needed.id)[0].state, PostState.WAITING)
    _expect({entry.who for entry in application.review.journal(limit=6)}, {"eve"})


def _keyboard(page: Any, site: str, application: Application) -> None:
    """The operator's journey by keyboard alone."""
    page.goto(f"{site}/desk")
    page.keyboard.type("eve")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk")
    page.wait_for_load_state()
    first, second = (draft.id for draft in reversed(application.review.drafts(["made"])[-2:]))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/drafts/{first}")
    page.wait_for_load_state()
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_label("Shortcuts with single keys").uncheck()
    page.reload()
    for key in ("?", "a", "j"):
        page.keyboard.press(key)
    shown = [page.locator(kind).locator("visible=true").count() for kind in ("#shortcuts:checked", "kbd", "dialog")]
    _expect((page.url, shown), (f"{site}/desk/drafts/{first}", [0, 0, 0]))
    page.get_by_label("Shortcuts with single keys").check()
    page.reload()
    page.keyboard.press("a")
    page.get_by_text(f"Draft {first} is approved.").wait_for()
    page.wait_for_load_state()
    page.keyboard.press("r")
    page.keyboard.type("too dark")
    page.keyboard.press("Enter")
    page.get_by_text(f"Draft {second} is rejected.").wait_for()
    page.wait_for_load_state()
    page.keyboard.press("u")
    page.get_by_text("The last decision is taken back").wait_for()
    _expect([str(application.review.draft(one).state) for one in (first, second)], ["approved", "made"])

    page.goto(f"{site}/desk/calendar")
    movable = page.locator(".entry[draggable]").first
    day = movable.evaluate("entry => entry.closest('.day').dataset.date")
    movable.locator("a").focus()
    for key in ("m", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.get_by_text("Moved to").wait_for()
    timed = [post for post in application.publisher.posts({PostState.WAITING}) if post.timed_at]
    _expect({(f"{post.due:%Y-%m-%d}" > day) for post in timed}, {True})


def _passkey(page: Any, site: str, application: Application) -> None:
    """Add a passkey of the browser's own authenticator, and sign in with it."""
    site = site.replace("127.0.0.1", "localhost")  # an address can have no passkeys
    application.settings = application.settings.model_copy(update={"web": WebSettings(url=site)})
    devices = page.context.new_cdp_session(page.context.pages[0])
    devices.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
    able = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    device = devices.send("WebAuthn.addVirtualAuthenticator", {"options": {**kind, **able}})["authenticatorId"]
    _sign_in(page, site)
    page.goto(f"{site}/desk/account")
    page.get_by_label("Name of the passkey").fill("My phone")
    page.locator("#passkey-password").fill(PASSWORD)
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("The passkey My phone is added.").wait_for()
    for times in (1, 2):
        page.goto(f"{site}/desk/account")
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url("**/desk")
        (credential,) = devices.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
        _expect((credential["rpId"], credential["signCount"]), ("localhost", 1 + times))
    (kept,) = application.passkeys.list("eve")
    _expect((kept.name, kept.used_at is not None), ("My phone", True))
    page.goto(f"{site}/desk/account")
    page.locator("#passkeys summary", has_text="Remove").click()
    page.get_by_role("button", name="Remove My phone").click()
    page.get_by_text("The passkey My phone is removed.").wait_for()
    _expect(application.passkeys.list("eve"), ())


def _expect(found: object, wanted: object) -> None:
    if found != wanted:
        raise AssertionError(f"{found} instead of {wanted}")


def _captions(home: Path) -> Application:
    """A gallery with the page of captions, which asks a model server at a port of its own."""
    application = exhibited(home / "web", 1)
    chosen = CaptionSettings(page=True, server=f"127.0.0.1:{free_port()}", deadline=60)
    application.settings = application.settings.model_copy(update={"captions": chosen})
    return application


def _caption(page: Any, site: str, application: Application) -> None:
    """Bring a picture, see where a word was seen, and send stars, a better caption and the picture."""
    port = int(application.settings.captions.server.rpartition(":")[2])
    picture = application.settings.home / "mine.jpg"
    picture.write_bytes(pictures(1)[0])
    with captioner(application.settings.home.parent / "serve", port):
        page.goto(site)
        page.get_by_role("link", name="Captions").click()
        page.get_by_label("Your picture").set_input_files(str(picture))
        page.get_by_role("button", name="Describe it").click()
        page.locator(".best .word").nth(1).click()
        page.get_by_text("4 stars").locator("xpath=..").click()
        page.get_by_label("Or a better caption").fill("a disc over the sea")
        page.get_by_label("Auria may keep").check()
        page.get_by_role("button", name="Send the rating").click()
        page.get_by_text("Thank you").wait_for()
    (kept,) = application.caption_ratings.recent()
    _expect((kept.stars, kept.correction, bool(kept.picture)), (4, "a disc over the sea", True))


def _open_studio(home: Path) -> Application:
    """A gallery whose live studio is open."""
    application = exhibited(home, 2)
    open_to_visitors(application)
    return application


def _visitor(page: Any, site: str, application: Application) -> None:
    """Ask for an artwork, watch until it is there, keep it by its link, and offer it to the operator."""
    page.goto(site)
    page.get_by_role("link", name="Studio").click()
    page.get_by_label("theme").fill("autumn rain")
    page.get_by_label("Mood").select_option("wistful")
    page.locator("main form button").click()
    page.wait_for_url("**/studio/*")
    page.get_by_role("button", name="Keep").wait_for()
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("button", name="Keep").wait_for(state="detached")
    page.get_by_role("button", name="Offer").click()
    page.get_by_role("button", name="Offer").wait_for(state="detached")
    (draft,) = application.review.drafts(["made"])
    kept = application.visitor_studio.work(page.url.rpartition("/")[2])
    _expect((kept.is_kept, kept.draft, draft.artwork.mood), (True, draft.id, "wistful"))


def _integrator(page: Any, site: str, application: Application) -> None:
    """Read about the interface, have an artwork made with a key, watch its events, and approve it."""
    page.goto(f"{site}/api")
    page.get_by_role("heading", name="For programs").wait_for()
    page.locator("#make_artwork summary").click()
    key = application.api_keys.add("bot", ["read", "make", "decide"])
    headers = {"Authorization": f"Bearer {key}"}
    begun = page.request.post(f"{site}/api/v1/runs", headers=headers, data={"theme": "first snow", "seed": 5})
    _expect(begun.status, 202)
    place = site + begun.headers["location"]
    events = page.request.get(f"{place}/events", headers={**headers, "Accept": "text/event-stream"}).text()
    _expect(events.count("event: end"), 1)
    again = page.request.get(
        f"{place}/events", headers={**headers, "Accept": "text/event-stream", "Last-Event-ID": "2"}
    ).text()
    _expect((again.startswith("id: 3\n"), events.endswith(again)), (True, True))
    made = page.request.get(place, headers=headers).json()["draft"]
    decision = {"action": "approve", "channels": ["folder"]}
    answer = page.request.post(f"{site}/api/v1/drafts/{made}/decisions", headers=headers, data=decision)
    _expect((answer.status, str(application.review.draft(made).state)), (200, "approved"))
    _expect(application.review.journal(limit=1)[0].who, "key:bot")


JOURNEYS = (
    Journey(name="operator", open=_desk, steps=_operator),
    Journey(name="operator-keyboard", open=busy_desk, steps=_keyboard, without_script=False),
    Journey(name="passkey", open=busy_desk, steps=_passkey, without_script=False),
    Journey(name="caption", open=_captions, steps=_caption),
    Journey(name="visitor", open=_open_studio, steps=_visitor),
    Journey(name="integrator", open=_open_studio, steps=_integrator, without_script=False),
)
"""Every journey; `make bench NAME=web-journeys` walks them all."""
