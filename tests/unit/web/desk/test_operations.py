"""Health, notices and the journal at the operator's desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.job_schedule import JobRun, JobRunState, ScheduledTime
from auria_bot.errors import StepFailed
from auria_bot.services.operations.doctor import Finding
from auria_bot.web.desk import operations
from tests.operators import journal, send, signed_in, with_operators

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """An application with two drafts to review and three operators."""
    return with_operators(tmp_path)


def test_health_says_what_is_wrong_and_what_comes(application: Application) -> None:
    """No daemon ran, two drafts wait, and each job has a next time."""
    page = signed_in(application, "vera").get("/desk/health").text
    assert "no daemon has run yet" in page
    assert "publish fake" in page
    assert "Run all checks" not in page


def test_the_checks_of_the_doctor_are_shown(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """They run elsewhere, and when they fail, the page says so."""
    found = Finding(name="disk", state="warn", words="little space", advice="free some")
    monkeypatch.setattr(operations, "examine_apart", lambda _: (found,))
    browser = signed_in(application)
    page = send(browser, "/desk/health/examine").text
    assert "little space" in page
    assert "→ free some" in page

    def fails(_: object) -> None:
        raise StepFailed("the checks gave no answer")

    monkeypatch.setattr(operations, "examine_apart", fails)
    assert "the checks gave no answer" in send(browser, "/desk/health/examine").text


def test_a_missed_time_is_made_up_for_or_skipped(application: Application) -> None:
    """The journal says who decided."""
    slot = ScheduledTime(job="make", name="2026-11-20T04:00", due=application.clock())
    with application.store.begin() as unit:
        unit.job_runs.add(JobRun(slot=slot, state=JobRunState.ASKED))
    browser = signed_in(application, "eve")
    assert "Missed times" in browser.get("/desk/health").text
    send(browser, "/desk/health/missed", job="make", run="true")
    assert (journal(application).who, journal(application).action) == ("eve", "catch up")
    assert send(browser, "/desk/health/missed", job="make").status_code == 404
    assert send(signed_in(application, "vera"), "/desk/health/missed", job="make").status_code == 403


def test_notices_lead_to_what_they_are_about(application: Application) -> None:
    """Two drafts wait; once they are decided, their notices are gone."""
    application.notices.update()
    browser = signed_in(application)
    assert 'href="/desk/drafts/1"' in browser.get("/desk/notices").text
    for number in (1, 2):
        application.review.reject(number)
    application.notices.update()
    assert "/desk/drafts/1" not in browser.get("/desk/notices").text


def test_a_notice_is_dismissed_until_its_occasion_returns(application: Application) -> None:
    """Not by viewers; the journal says who did it."""
    application.notices.update()
    first = next(one for one in application.notices.open() if one.notice.subject == "1")
    assert "Dismiss" not in signed_in(application, "vera").get("/desk/notices").text
    assert send(signed_in(application, "vera"), "/desk/notices/dismiss", notice=str(first.id)).status_code == 403
    browser = signed_in(application, "eve")
    place = send(browser, "/desk/notices/dismiss", notice=str(first.id)).headers["location"]
    page = browser.get(place).text
    assert "Dismissed: Draft 1 waits for review. It returns if it comes up again." in page
    assert 'href="/desk/drafts/1"' not in page
    assert (journal(application).who, journal(application).action) == ("eve", "dismiss notice")
    assert send(browser, "/desk/notices/dismiss", notice=str(first.id)).status_code == 404
    application.notices.update()
    assert "1" not in {one.notice.subject for one in application.notices.open()}


def test_the_journal_is_read_page_by_page(application: Application) -> None:
    """The newest first."""
    for _ in range(40):
        application.review.reject(1)
        application.review.undo(1)
    browser = signed_in(application)
    page = browser.get("/desk/journal").text
    assert page.count("Draft 1</a>") == 60
    earlier = page.partition("/desk/journal?before=")[2].partition('"')[0]
    assert "operator add" in browser.get(f"/desk/journal?before={earlier}").text
