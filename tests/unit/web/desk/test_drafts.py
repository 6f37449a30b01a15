"""Drafts at the operator's desk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from auria_bot.bootstrap.application import build
from auria_bot.domain.draft import replaced_reason
from auria_bot.settings.sections import ChannelSettings
from tests.factories import artwork
from tests.operators import send, signed_in, token, with_operators

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """An application with two drafts to review and three operators."""
    return with_operators(tmp_path)


def test_a_draft_is_shown_with_its_preview_for_each_channel(application: Application) -> None:
    """Text, alt text, counters and the picture as each channel sends it."""
    page = signed_in(application).get("/desk/drafts/1").text
    assert "stone number 1" in page
    for channel in ("fake", "folder"):
        assert f"/desk/previews/1/{channel}.jpg" in page
    assert signed_in(application).get("/desk/previews/1/folder.jpg").headers["content-type"] == "image/jpeg"
    assert signed_in(application).get("/desk/previews/1/nowhere.jpg").status_code == 422


def test_approval_names_its_channels_and_leads_to_the_next_draft(application: Application) -> None:
    """The journal says who it was."""
    browser = signed_in(application)
    shown = application.review.draft(1).shown
    answer = browser.post(
        "/desk/drafts/1/approve", data={"csrf": token(browser), "channel": ["fake", "folder"], "shown": shown}
    )
    assert answer.headers["location"] == "/desk/drafts/2?done=approved&of=1"
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


def fields(page: str, action: str) -> dict[str, str]:
    """What the form of a page sends that leads there."""
    form = re.search(rf'<form method="post" action="{action}".*?</form>', page, re.DOTALL)
    assert form is not None
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0]))


def test_what_is_undone_twice_is_undone_once(application: Application) -> None:
    """A form that is sent again, or whose page is old, does not take back the edit before the decision."""
    browser = signed_in(application)
    for text in ("first words", "second words"):
        application.review.edit(1, text=text)
    choice = {**fields(browser.get("/desk/drafts/1").text, "/desk/drafts/1/approve"), "channel": "folder"}
    following = browser.post("/desk/drafts/1/approve", data=choice).headers["location"]
    for path, text in ((following, "second words"), ("/desk/drafts/1", "first words")):
        form = fields(browser.get(path).text, "/desk/drafts/1/undo")
        assert [browser.post("/desk/drafts/1/undo", data=form).status_code for _ in range(2)] == [303, 412], path
        assert (application.review.draft(1).state, application.review.draft(1).text) == ("made", text)


def test_a_decision_of_another_operator_is_not_reversed_unseen(application: Application) -> None:
    """Who still sees a draft as waiting neither withdraws its approval nor chooses a replaced version again."""
    browser = signed_in(application)
    forms = {
        (number, action): fields(browser.get(f"/desk/drafts/{number}").text, f"/desk/drafts/{number}/{action}")
        for number, action in ((1, "reject"), (2, "approve"))
    }
    application.review.approve([1], ["folder"])
    with application.store.begin() as unit:
        unit.drafts.save(unit.drafts.get(2).reject(replaced_reason(1), application.clock()))
    for (number, action), form in forms.items():
        answer = browser.post(f"/desk/drafts/{number}/{action}", data={**form, "channel": "folder"})
        assert answer.status_code == 412, action
    assert [application.review.draft(number).state for number in (1, 2)] == ["approved", "rejected"]


def test_an_edit_is_saved_or_shown_again_with_what_is_wrong(application: Application) -> None:
    """What was typed is not lost."""
    browser = signed_in(application)
    csrf = token(browser)
    typed = {"csrf": csrf, "text": "a new\r\npoem", "alt_text": "A pond.", "shown": application.review.draft(1).shown}
    assert browser.post("/desk/drafts/1/edit", data=typed).status_code == 303
    assert application.review.draft(1).text == "a new\npoem"
    typed["shown"] = application.review.draft(1).shown
    answer = browser.post("/desk/drafts/1/edit", data={**typed, "text": "kept words", "alt_text": "   "})
    assert answer.status_code == 422
    assert "the alt text is empty" in answer.text
    assert "kept words" in answer.text
    assert application.review.draft(1).alt_text == "A pond."


def test_what_was_shown_is_approved_or_nothing(application: Application) -> None:
    """A draft that was edited meanwhile, or by a form that does not say what it showed, is not; typed words stay."""
    browser = signed_in(application)
    csrf = token(browser)
    page = browser.get("/desk/drafts/1").text
    (shown,) = set(re.findall(r'name="shown" value="(\w+)"', page))
    assert page.count(shown) == 2
    application.review.edit(1, text="the words of another operator")
    choice = {"csrf": csrf, "channel": "folder", "shown": shown}
    assert browser.post("/desk/drafts/1/approve", data=choice).status_code == 412
    del choice["shown"]
    assert browser.post("/desk/drafts/1/approve", data=choice).status_code == 412
    answer = browser.post("/desk/drafts/1/edit", data={**choice, "text": "mine", "alt_text": "A pond."})
    assert (answer.status_code, "mine" in answer.text) == (412, True)
    assert (application.review.draft(1).state, application.review.draft(1).text) == (
        "made",
        "the words of another operator",
    )
    assert browser.post(
        "/desk/drafts/1/approve", data={**choice, "shown": application.review.draft(1).shown}
    ).is_redirect


def test_another_picture_has_another_address(application: Application) -> None:
    """A browser keeps pictures for a day, and the number of a draft may be used again after a restore."""
    draft = application.review.draft(1)
    page = signed_in(application).get("/desk/drafts/1").text
    addresses = re.findall(r'(?:src|href)="/desk/(?:pictures|previews)/1/[^"]+"', page)
    assert addresses != []
    assert all(address.endswith(f'?{draft.picture_sha256[:8]}"') for address in addresses)


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
    assert page.text.count("</textarea>") == page.text.count("<textarea")


def test_a_channel_can_have_a_text_of_its_own(application: Application) -> None:
    """Empty gives it the common text again."""
    browser = signed_in(application)
    texts = {"text": "common", "alt_text": "A pond."}
    shown = application.review.draft(1).shown
    send(browser, "/desk/drafts/1/edit", **texts, text_fake="for fake alone", text_folder="", shown=shown)
    assert application.review.draft(1).channel_texts == {"fake": "for fake alone"}
    assert "for fake alone" in browser.get("/desk/drafts/1").text
    shown = application.review.draft(1).shown
    send(browser, "/desk/drafts/1/edit", **texts, text_fake=" ", shown=shown)
    assert application.review.draft(1).channel_texts == {}


def test_texts_are_counted_as_each_channel_counts_before_they_are_saved(application: Application) -> None:
    """Nothing is changed by it, and a decided draft has nothing to count."""
    browser = signed_in(application)
    answer = send(browser, "/desk/drafts/1/check", text="four", alt_text="A pond.", text_folder="own text")
    assert answer.json()["fake"]["characters"] == 4
    assert answer.json()["folder"]["text"] == "own text"
    assert application.review.draft(1).text != "four"
    application.review.reject(1)
    assert send(browser, "/desk/drafts/1/check", text="x", alt_text="y").status_code == 409


def test_the_page_after_a_decision_says_what_was_done(application: Application) -> None:
    """With a way to undo it; an invented message is not shown."""
    browser = signed_in(application)
    following = browser.get(send(browser, "/desk/drafts/1/reject").headers["location"])
    assert "Draft 1 is rejected." in following.text
    assert 'action="/desk/drafts/1/undo"' in following.text
    assert 'class="done"' not in browser.get("/desk?done=nonsense&of=1").text
    assert "<b>" not in browser.get("/desk?done=rejected&of=<b>x</b>").text


def test_a_channel_that_does_not_work_is_previewed_without_a_picture(tmp_path: Path) -> None:
    """Its problem is named instead."""
    made = with_operators(tmp_path)
    broken = ChannelSettings(backend="fake", options={"nonsense": 1})
    settings = made.settings.model_copy(update={"channels": {**made.settings.channels, "odd": broken}})
    made.close()
    browser = signed_in(build(settings))
    page = browser.get("/desk/drafts/1").text
    assert "nonsense" in page
    assert "/desk/previews/1/fake.jpg" in page
    assert "/desk/previews/1/odd.jpg" not in page


def test_a_picture_in_another_width_or_format_is_not_there(application: Application) -> None:
    """The widths that are offered are; a suffix that is none is no error of the server."""
    browser = signed_in(application)
    assert browser.get("/desk/pictures/1/40.webp").status_code == 200
    for name in ("40.exe", "41.webp", "x.webp"):
        assert browser.get(f"/desk/pictures/1/{name}").status_code == 404
