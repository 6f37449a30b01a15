"""New versions of drafts at the operator's desk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.operators import send, signed_in, token, with_operators

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """An application with two drafts to review and three operators."""
    return with_operators(tmp_path)


def test_a_restyled_draft_is_followed_by_events_and_replaces_the_old_one(application: Application) -> None:
    """The events are numbered, so that a broken connection goes on; the page leads to the new draft."""
    browser = signed_in(application)
    made = application.studio.make(_request()).drafts[0]
    csrf = token(browser)
    place = browser.post(f"/desk/drafts/{made.id}/restyle", data={"csrf": csrf, "mood": "stormy"}).headers["location"]
    assert browser.head(f"{place}/events").headers["content-type"].startswith("text/event-stream")
    stream = browser.get(f"{place}/events").text
    ids = [int(number) for number in re.findall(r"^id: (\d+)$", stream, re.MULTILINE)]
    assert ids == list(range(1, len(ids) + 1))
    assert '"step": "style", "state": "done"' in stream
    assert "event: end" in stream
    rest = browser.get(f"{place}/events", headers={"last-event-id": str(ids[-1] - 1)}).text
    assert [int(number) for number in re.findall(r"^id: (\d+)$", rest, re.MULTILINE)] == ids[-1:]
    new = int(re.search(r"drafts/(\d+)", browser.get(place).headers["location"])[1])
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


def _request():
    from auria_bot.domain.pipeline import ArtworkRequest

    return ArtworkRequest(seed=5)


def test_two_versions_stand_side_by_side_and_either_can_be_approved(application: Application) -> None:
    """Approving the earlier one rejects the later one."""
    browser = signed_in(application)
    old = application.studio.make(_request()).drafts[0]
    assert browser.get(f"/desk/drafts/{old.id}/versions").status_code == 404
    new = application.review.repaint(old.id, _request())
    page = browser.get(f"/desk/drafts/{new.id}/versions").text
    assert f'action="/desk/drafts/{old.id}/approve"' in page
    assert f'action="/desk/drafts/{new.id}/approve"' in page
    send(browser, f"/desk/drafts/{old.id}/approve", channel="folder", shown=old.shown)
    assert [application.review.draft(one).state for one in (old.id, new.id)] == ["approved", "rejected"]
