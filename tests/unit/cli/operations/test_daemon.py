"""`auria schedule` tells what is to come and what was; `auria daemon` starts the daemon."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from auria_bot.bootstrap.application import build
from auria_bot.cli.app import app
from auria_bot.domain.job_schedule import CatchUp
from auria_bot.errors import InputError
from auria_bot.execution import parent_watch
from auria_bot.services.schedule.job_scheduler import JobScheduler, LeaderElection
from auria_bot.services.schedule.jobs import JobOutcome, JobResult
from auria_bot.settings.sections import PostingSettings
from tests.factories import add_draft
from tests.publishing import approved
from tests.scenarios.outages import Listener

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application

Auria = Any


def lived(application: Application) -> None:
    """A day on which a draft was made, and three on which no daemon ran and an operator is asked about the last."""
    leader = LeaderElection(store=application.store, clock=application.clock, holder="vm:1")
    leader.heartbeat()
    schedules = [found for found in application.job_scheduler.schedules.values() if found.job == "make"]
    one = JobScheduler(
        store=application.store, clock=application.clock, schedules=schedules, zone=application.job_scheduler.zone
    )
    one.claim(leader.lease)
    application.clock.advance(hours=19)
    one.settle(*one.claim(leader.lease), JobResult(outcome=JobOutcome.DONE, summary="made 3 in 8.0 s"))
    application.clock.advance(days=3, hours=2)
    from dataclasses import replace

    asking = replace(schedules[0], catch_up=CatchUp.ASK)
    JobScheduler(
        store=application.store, clock=application.clock, schedules=[asking], zone=application.job_scheduler.zone
    ).claim(leader.lease)


def test_the_week_to_come_and_the_week_that_was(application: Application, auria: Auria) -> None:
    """With what there is to approve, and whether a daemon runs."""
    approved(application)
    lived(application)
    code, out, err = auria("schedule")
    assert code == 0
    assert "The coming week, UTC" in out
    coming, _, ran = out.partition("The last week")
    assert coming.count("18:00 publish fake") == 7
    assert coming.count("measure") == coming.count("measure (next at ") == 1
    days = [line.split()[:3] for line in coming.splitlines() if "04:00 make" in line]
    assert (days[0], days[-1], len(days)) == (["Thu", "26", "Nov"], ["Wed", "02", "Dec"], 7)
    last, _, other = ran.partition("Other runs that were not done")
    assert re.search(r"make +2026-11-25 04:00 +1 +asked", last)
    assert [line.split()[1] for line in other.splitlines() if "make" in line] == ["2026-11-24", "2026-11-23"]
    assert "made 3 in 8.0 s" not in out  # it went well, and something came after it
    assert "make of 2026-11-25T04:00 was missed: auria schedule --run make, or --skip make" in err
    assert "drafts that wait for review: 0; approved ones that wait for their time: 1" in err
    assert "there is none to approve yet; the daemon makes some" in err
    assert "no daemon is running: auria daemon" in err


def test_the_schedule_fits_a_terminal(application: Application, auria: Auria, screen: Any) -> None:
    """Of 80 columns, without losing a word."""
    lived(application)
    screen(80)
    out = auria("schedule")[1]
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out


def test_times_for_a_channel_that_is_not_there(
    application: Application, auria: Auria, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Are told: a slip in a channel's name would else leave it at the usual times."""
    wrong = application.settings.schedule.model_copy(update={"channels": {"fokder": PostingSettings(at=("09:00",))}})
    with closing(
        build(application.settings.model_copy(update={"schedule": wrong}), clock=application.clock)
    ) as slipped:
        monkeypatch.setattr("auria_bot.bootstrap.application.build", lambda _: slipped)
        err = auria("schedule")[2]
    assert "schedule.channels has times for 'fokder', which is no channel; known: fake, folder" in err


def test_a_running_daemon_is_named(application: Application, auria: Auria) -> None:
    """A running daemon is named by machine and process; few approved drafts give a hint."""
    LeaderElection(store=application.store, clock=application.clock, holder="vm:1").heartbeat()
    with application.store.begin() as unit:
        add_draft(unit, 9)
    err = auria("schedule")[2]
    assert "the daemon is vm:1" in err
    assert "unless you approve some: auria review" in err
    for number in (1, 2):
        approved(application, number)
    assert "without a post" not in auria("schedule")[2]


def test_programs_read_json(application: Application, auria: Auria) -> None:
    """One document with all of it."""
    told = json.loads(auria("schedule", "--json")[1])
    assert (told["daemon"], told["ran"]) == (None, [])
    lived(application)
    told = json.loads(auria("schedule", "--json")[1])
    assert told["daemon"]["holder"] == "vm:1"
    assert [one["state"] for one in told["ran"]] == ["asked", "skipped", "skipped", "done"]
    assert told["last_done"] == {"make": "2026-11-22T04:00:00+00:00"}
    assert told["stock"] == {"made": 0, "approved": 0, "per_day": 1, "low": True}
    assert {one["job"] for one in told["coming"]} >= {
        "make",
        "measure",
        "reconcile",
        "publish fake",
        "publish folder",
    }


def test_notices_are_listed_while_their_occasion_lasts(application: Application, auria: Auria) -> None:
    """As the desk lists them."""
    assert "there is no notice" in auria("notify", "list")[2]
    with application.store.begin() as unit:
        add_draft(unit, 9)
    assert "2 new, 2 logged, as notify.addresses is empty" in auria("notify", "send")[1]
    listed_text = " ".join(auria("notify", "list")[1].split())
    assert "Draft 1 waits for review" in listed_text
    assert " / Review it: auria review" in listed_text
    titles = [one["title"] for one in json.loads(auria("notify", "list", "--json")[1])]
    assert "Draft 1 waits for review" in titles
    listed = next(one for one in json.loads(auria("notify", "list", "--json")[1]) if one["subject"] == "1")
    assert auria("notify", "dismiss", str(listed["id"]))[1] == "dismissed: Draft 1 waits for review\n"
    assert auria("notify", "dismiss", str(listed["id"]), "--json")[0] == 5
    assert "Draft 1 waits" not in auria("notify", "list")[1]


def test_the_operator_answers(application: Application, auria: Auria) -> None:
    """Yes or no, not both, and only where there is a question."""
    assert auria("schedule", "--run", "make")[0] == 5
    lived(application)
    assert auria("schedule", "--run", "make", "--skip", "make")[0] == 2
    assert auria("schedule", "--skip", "make") == (0, "", "make of 2026-11-25T04:00: skipped: your decision\n")
    with application.store.read() as unit:
        (line,) = unit.journal.list()
    assert (line.action, line.details) == ("let go", "make of 2026-11-25T04:00: skipped: your decision")


def test_the_command_starts_the_daemon(application: Application, auria: Auria, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the settings as they are read, once or for good."""
    called: list[str] = []
    monkeypatch.setattr("auria_bot.settings.loading.load", lambda: application.settings)
    monkeypatch.setattr("auria_bot.telemetry.set_up", lambda **_: None)
    monkeypatch.setattr("auria_bot.daemon.Daemon.once", lambda _: called.append("once"))
    monkeypatch.setattr("auria_bot.daemon.Daemon.run", lambda _: called.append("run"))
    assert auria("daemon", "--once")[0] == 0
    assert auria("daemon")[0] == 0
    assert auria("daemon", "--web")[0] == 0
    assert called == ["once", "run", "run"]


def test_the_web_server_needs_its_packages_and_a_daemon_that_stays(
    auria: Auria, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are said before anything is started."""
    assert "either --once or --web" in auria("daemon", "--web", "--once")[2]
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    code, _, err = auria("daemon", "--web")
    assert code != 0
    assert "pip install" in err


NOTICE = {"kind": "standstill", "subject": "database", "title": "Auria stands still", "body": "It is away."}


@pytest.fixture(autouse=True)
def _hopeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home whose settings are wrong, and whose database is a folder."""
    (tmp_path / "auria.toml").write_text("[studio\n", encoding="utf-8")
    (tmp_path / "auria.db").mkdir()
    monkeypatch.setenv("AURIA_HOME", str(tmp_path))


@pytest.mark.filterwarnings("ignore:'.*' is deprecated:DeprecationWarning")
def test_a_notice_is_relayed(monkeypatch: pytest.MonkeyPatch):
    """To each address but those that have it; the answer tells which have it now, and never shows an address."""
    pytest.importorskip("apprise")
    answers: list[dict] = []
    monkeypatch.setattr(parent_watch, "send", answers.append)
    with Listener() as listener:
        given = {"addresses": [listener.address, "json://me:s3cret@127.0.0.1:1/x"], "delivered": [], "notice": NOTICE}
        done = CliRunner().invoke(app, ["notify", "relay"], input=json.dumps(given))
        (answer,) = answers
        assert (done.exit_code, len(answer["delivered"]), answer["failed"]) == (1, 1, ("address 2 (json)",))
        assert "s3cret" not in done.output
        again = {**given, "addresses": [listener.address], "delivered": answer["delivered"]}
        assert CliRunner().invoke(app, ["notify", "relay"], input=json.dumps(again)).exit_code == 0
        assert listener.titles == ["Auria stands still"]


@pytest.mark.parametrize(
    "given", ["", "[]", '{"addresses": []}', '{"addresses": [], "delivered": [], "notice": {"a": 1}}']
)
def test_words_that_cannot_be_read_are_refused(given: str):
    """With a sentence."""
    done = CliRunner().invoke(app, ["notify", "relay"], input=given)
    assert isinstance(done.exception, InputError)
