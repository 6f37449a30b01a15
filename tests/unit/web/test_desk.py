"""The operator's desk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.applications import fake_application
from tests.exhibited import HOST, visitor
from tests.factories import artwork
from tests.publishing import approved

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """An application with two drafts to review, an editor and a viewer."""
    made = fake_application(tmp_path)
    for number in (1, 2):
        made.review.undo(approved(made, number).id)
    made.accounts.add("ada", PASSWORD)
    made.accounts.add("vera", PASSWORD, role="viewer")
    return made


def signed_in(application: Application, name: str = "ada") -> TestClient:
    """The browser of an operator who has signed in."""
    browser = visitor(application)
    answer = browser.post("/desk/sign-in", data={"name": name, "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    return browser


def token(browser: TestClient) -> str:
    """What the forms of the session contain."""
    return re.search(r'name="csrf" value="([^"]+)"', browser.get("/desk").text)[1]


def test_everything_but_signing_in_needs_a_session(application: Application) -> None:
    """Whoever is not signed in is led to the form, and changes nothing."""
    browser = visitor(application)
    for path in ("/desk", "/desk/drafts/1", "/desk/pictures/1/40.jpg", "/desk/previews/1/fake.jpg", "/desk/sessions"):
        assert browser.get(path).headers["location"] == "/desk/sign-in"
    assert browser.post("/desk/drafts/1/reject").headers["location"] == "/desk/sign-in"
    assert application.review.draft(1).state == "made"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(application: Application) -> None:
    """It is for the desk only, and a session that was planted before is not taken over."""
    browser = visitor(application)
    browser.cookies.set("auria_session", "planted", domain="127.0.0.1", path="/desk")
    cookie = browser.post("/desk/sign-in", data={"name": "ada", "password": PASSWORD}).headers["set-cookie"]
    assert "planted" not in cookie
    for part in ("HttpOnly", "SameSite=strict", "Path=/desk"):
        assert part in cookie


def test_a_wrong_password_is_refused_and_slowed(application: Application) -> None:
    """The third failure makes the next attempt wait, also with the right password."""
    browser = visitor(application)
    codes = [browser.post("/desk/sign-in", data={"name": "ada", "password": "x"}).status_code for _ in range(3)]
    answer = browser.post("/desk/sign-in", data={"name": "ada", "password": PASSWORD})
    assert codes == [403, 403, 403]
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_a_draft_is_shown_with_its_preview_for_each_channel(application: Application) -> None:
    """Text, alt text, counters and the picture as each channel sends it."""
    page = signed_in(application).get("/desk/drafts/1").text
    assert "stone number 1" in page
    for channel in ("fake", "folder"):
        assert f"/desk/previews/1/{channel}.jpg" in page
    assert signed_in(application).get("/desk/previews/1/folder.jpg").headers["content-type"] == "image/jpeg"
    assert signed_in(application).get("/desk/previews/1/nowhere.jpg").status_code == 422


def test_the_language_is_chosen_in_the_gallery(application: Application) -> None:
    """The desk follows that choice, and offers no links that it does not answer."""
    browser = signed_in(application)
    assert "?lang=de" in browser.get("/").text
    browser.get("/?lang=de")
    page = browser.get("/desk").text
    assert '<html lang="de">' in page
    assert "?lang=" not in page


def test_approval_names_its_channels_and_leads_to_the_next_draft(application: Application) -> None:
    """The journal says who it was."""
    browser = signed_in(application)
    answer = browser.post("/desk/drafts/1/approve", data={"csrf": token(browser), "channel": ["fake", "folder"]})
    assert answer.headers["location"] == "/desk/drafts/2"
    assert application.review.draft(1).channels == ("fake", "folder")
    with application.store.read() as unit:
        assert (unit.journal.list()[0].who, unit.journal.list()[0].action) == ("ada", "approve")
    assert browser.post("/desk/drafts/2/approve", data={"csrf": token(browser)}).status_code == 422


def test_rejection_keeps_the_reason_and_can_be_undone(application: Application) -> None:
    """What the terminal can decide, the desk can."""
    browser = signed_in(application)
    csrf = token(browser)
    browser.post("/desk/drafts/2/reject", data={"csrf": csrf, "reason": "too <dark>"})
    assert application.review.draft(2).reason == "too <dark>"
    assert "too &lt;dark&gt;" in browser.get("/desk?state=rejected").text
    assert "changed after its approval" not in browser.get("/desk/drafts/2").text
    browser.post("/desk/drafts/2/undo", data={"csrf": csrf})
    assert application.review.draft(2).state == "made"
    assert browser.post("/desk/drafts/2/undo", data={"csrf": csrf}).status_code == 409


def test_an_edit_is_saved_or_shown_again_with_what_is_wrong(application: Application) -> None:
    """What was typed is not lost."""
    browser = signed_in(application)
    csrf = token(browser)
    typed = {"csrf": csrf, "text": "a new\r\npoem", "alt_text": "A pond."}
    assert browser.post("/desk/drafts/1/edit", data=typed).status_code == 303
    assert application.review.draft(1).text == "a new\npoem"
    answer = browser.post("/desk/drafts/1/edit", data={**typed, "text": "kept words", "alt_text": "   "})
    assert answer.status_code == 422
    assert "the alt text is empty" in answer.text
    assert "kept words" in answer.text
    assert application.review.draft(1).alt_text == "A pond."


@pytest.mark.parametrize(
    ("csrf", "headers"),
    [
        ("", {}),
        ("x" * 32, {}),
        (None, {"origin": "https://evil.example"}),
        (None, {"sec-fetch-site": "cross-site"}),
        (None, {"origin": "null"}),
    ],
)
def test_forms_of_other_sites_are_refused(application: Application, csrf: str | None, headers: dict[str, str]) -> None:
    """Without the session's token, or from elsewhere, nothing is decided; signing in from elsewhere neither."""
    browser = signed_in(application)
    data = {"csrf": token(browser) if csrf is None else csrf}
    assert browser.post("/desk/drafts/1/reject", data=data, headers=headers).status_code == 403
    assert application.review.draft(1).state == "made"
    if headers:
        login = {"name": "ada", "password": PASSWORD}
        assert visitor(application).post("/desk/sign-in", data=login, headers=headers).status_code == 403


def test_the_own_origin_is_accepted(application: Application) -> None:
    """As browsers send it."""
    browser = signed_in(application)
    headers = {"origin": HOST, "sec-fetch-site": "same-origin"}
    answer = browser.post("/desk/drafts/1/reject", data={"csrf": token(browser)}, headers=headers)
    assert answer.status_code == 303


def test_viewers_look_and_decide_nothing(application: Application) -> None:
    """The page offers no decision, and the routes refuse one."""
    browser = signed_in(application, "vera")
    assert "/approve" not in browser.get("/desk/drafts/1").text
    for action in ("approve", "reject", "edit", "undo", "restyle", "repaint"):
        assert browser.post(f"/desk/drafts/1/{action}", data={"csrf": token(browser)}).status_code == 403


def test_sessions_are_listed_and_can_be_ended(application: Application) -> None:
    """Another browser's session ends at once; signing out ends one's own."""
    one, two = signed_in(application), signed_in(application)
    session = re.search(r"/desk/sessions/(\w+)/end", one.get("/desk/sessions").text)[1]
    assert one.post(f"/desk/sessions/{session}/end", data={"csrf": token(one)}).status_code == 303
    assert two.get("/desk").status_code == 303
    assert one.post("/desk/sign-out", data={"csrf": token(one)}).headers["location"] == "/desk/sign-in"
    assert one.get("/desk").status_code == 303


def test_a_restyled_draft_is_followed_by_events_and_replaces_the_old_one(application: Application) -> None:
    """The events are numbered, so that a broken connection goes on; the page leads to the new draft."""
    browser = signed_in(application)
    made = application.studio.make(_request()).drafts[0]
    csrf = token(browser)
    place = browser.post(f"/desk/drafts/{made.id}/restyle", data={"csrf": csrf, "mood": "stormy"}).headers["location"]
    stream = browser.get(f"{place}/events").text
    ids = [int(number) for number in re.findall(r"^id: (\d+)$", stream, re.MULTILINE)]
    assert ids == list(range(1, len(ids) + 1))
    assert '"step": "style", "state": "done"' in stream
    assert "event: end" in stream
    rest = browser.get(f"{place}/events", headers={"last-event-id": str(ids[-1] - 1)}).text
    assert [int(number) for number in re.findall(r"^id: (\d+)$", rest, re.MULTILINE)] == ids[-1:]
    new = int(browser.get(place).headers["location"].rpartition("/")[2])
    assert application.review.draft(new).artwork.mood == "stormy"
    assert application.review.draft(made.id).state == "rejected"
    with application.store.read() as unit:
        assert unit.journal.list(draft_id=made.id)[0].who == "ada"


def test_a_run_that_fails_says_why(application: Application) -> None:
    """Draft 1 has no painting that could be restyled; a wrong mood is refused at once."""
    browser = signed_in(application)
    csrf = token(browser)
    answer = browser.post("/desk/drafts/1/restyle", data={"csrf": csrf, "style": "no such painting at all"})
    browser.get(answer.headers["location"] + "/events")
    page = browser.get(answer.headers["location"])
    assert page.status_code in {200, 303}
    assert browser.post("/desk/drafts/1/restyle", data={"csrf": csrf, "mood": "hungry"}).status_code == 422
    assert browser.get("/desk/runs/nothing").status_code == 404


def test_what_strangers_wrote_is_text_on_the_desk(application: Application) -> None:
    """A draft's texts cannot end the page's own markup."""
    hostile = "</textarea><script>alert(1)</script>"
    with application.store.begin() as unit:
        made = unit.drafts.add(
            artwork(9, post_text=hostile, alt_text=hostile, theme=hostile),
            folder="run-9",
            picture_sha256="0" * 64,
            made_at=application.clock(),
        )
    page = signed_in(application).get(f"/desk/drafts/{made.id}")
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert page.text.count("</textarea>") == 2


def _request():
    from auria_bot.domain.pipeline import ArtworkRequest

    return ArtworkRequest(seed=5)
