"""Plain data for JSON: complete, with stable keys, and nothing that JSON cannot say."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

from auria_bot.domain.job_schedule import JobRun, JobRunState, Lease, ScheduledTime
from auria_bot.domain.notice import Notice, RecordedNotice
from auria_bot.domain.post import Attempt, Outcome, Receipt
from auria_bot.errors import NotFound
from auria_bot.services import serialization
from auria_bot.services.accounts.api_keys import ApiKey
from auria_bot.services.corpus.corpus_versions import Change
from auria_bot.services.corpus.deletion_check import CheckResult
from auria_bot.services.corpus.reddit_sync import SyncResult
from auria_bot.services.publishing.post_creation import Preview
from auria_bot.services.publishing.withdrawal import WithdrawalPlan
from auria_bot.services.schedule.jobs import DraftInventory
from auria_bot.services.studio.plan import Failure
from auria_bot.store.drafts import Entry
from tests.applications import fake_application
from tests.factories import NOW, add_draft

if TYPE_CHECKING:
    from pathlib import Path


class Pictures:
    """A folder in which only the post's picture is left."""

    def shown(self, folder: str, name: str) -> str:
        """Where a picture is."""
        if name != "post.jpg":
            raise NotFound("it is gone")
        return f"/pictures/{folder}/{name}"


def test_drafts_runs_and_posts(tmp_path: Path):
    """A draft with its artwork and the pictures that are left; a run with its failures; a post with its attempts."""
    application = fake_application(tmp_path)
    with application.store.begin() as unit:
        draft = unit.drafts.save(add_draft(unit).approve(("folder",), NOW))
        post = unit.posts.add(unit.drafts.save(draft.schedule()), "folder", due=NOW, picture="p.jpg", key="k")
    application.close()
    found = serialization.draft_json(draft, Pictures())
    assert (found["state"], found["decided_at"], found["channels"]) == ("approved", NOW.isoformat(), ["folder"])
    assert found["pictures"] == {
        "full": None,
        "post": "/pictures/run-1/post.jpg",
        "card": None,
        "painting": None,
    }
    failure = Failure(artwork=2, step="poem", error="StepCrashed", message="it crashed", log="log.txt")
    run = SimpleNamespace(
        run="r", seed=1, seconds=1.23456, peak_bytes=9, steps={"poem": 1.0}, drafts=[draft], failures=[failure]
    )
    told = serialization.run_json(run, Pictures())
    assert (told["seconds"], told["drafts"][0]["id"], told["failures"][0]["sketch"]) == (1.235, 1, 2)
    waiting = serialization.post_json(post)
    assert (waiting["receipt"], waiting["attempts"], waiting["vanished_at"]) == (None, [], None)
    attempts = (
        Attempt(number=1, started_at=NOW, sending_at=NOW, ended_at=NOW, outcome=Outcome.SENT, message="ok"),
        Attempt(number=2, started_at=NOW, sending_at=None, ended_at=None, outcome=None, message=""),
    )
    from dataclasses import replace

    sent = replace(post, receipt=Receipt(id="7", url="https://x.com/7", at=NOW, cost=0.015))
    full = serialization.post_json(sent, attempts)
    assert full["receipt"] == {"id": "7", "url": "https://x.com/7", "at": NOW.isoformat(), "cost": 0.015}
    assert [one["outcome"] for one in full["attempts"]] == ["sent", None]
    plan = serialization.withdrawal_json(WithdrawalPlan(post=post, action="none", problem="it cannot be"))
    assert plan == {"post": waiting, "action": "none", "problem": "it cannot be"}
    json.dumps([found, told, waiting, full, plan])


def test_previews_changes_and_the_journal():
    """Each with the keys that programs rely on."""
    preview = Preview(
        draft_id=1,
        channel="x",
        action="send",
        due=NOW,
        text="t",
        alt_text="a",
        dropped=("#tag",),
        picture="p",
        problems=(),
    )
    assert serialization.preview_json(preview)["dropped"] == ["#tag"]
    change = Change(added=1, removed=0, same=2, came=(("a", "b", "c"),), went=())
    assert serialization.change_json(("v1", "v2"), change)["came"] == [["a", "b", "c"]]
    entry = Entry(id=1, at=NOW, who="me", action="approve", draft_id=3, details="folder")
    assert serialization.journal_json(entry) == {
        "id": 1,
        "at": NOW.isoformat(),
        "who": "me",
        "action": "approve",
        "draft_id": 3,
        "words": "folder",
    }
    version = SimpleNamespace(name="v", made_at=NOW, verses=3, sha256="ab", settings={"forms": {"575": 3}})
    assert serialization.corpus_version_json(version)["forms"] == {"575": 3}


def test_what_the_daemon_did():
    """Its lease or none, the stock of drafts, and runs with their times."""
    assert serialization.leader_json(None) is None
    lease = Lease(name="daemon", holder="vm:1", fencing=1, heartbeat=NOW, until=NOW)
    assert serialization.leader_json(lease) == {
        "holder": "vm:1",
        "heartbeat": NOW.isoformat(),
        "until": NOW.isoformat(),
    }
    stock = DraftInventory(made=1, approved=2, per_day=1, ahead=3, low=4)
    assert serialization.inventory_json(stock) == {"made": 1, "approved": 2, "per_day": 1, "low": True}
    slot = ScheduledTime(job="make", name="2026-11-21T04:00", due=NOW)
    run = JobRun(slot=slot, state=JobRunState.DONE, tries=1, started_at=NOW, summary="made 3")
    found = serialization.job_run_json(run)
    assert (found["job"], found["words"], found["started_at"], found["ended_at"]) == (
        "make",
        "made 3",
        NOW.isoformat(),
        None,
    )


def test_what_was_read_from_reddit():
    """A listing with its report, and the check of known posts, when there was one."""
    result = SyncResult(
        subreddit="haiku",
        listing="new",
        posts=5,
        bad=1,
        resumed=False,
        finished=True,
        gap=False,
        full=("a slice",),
    )
    found = serialization.sync_json(result)
    assert (found["posts"], found["unreadable"], found["new_poems"], found["full"]) == (5, 1, 0, ["a slice"])
    assert found.keys() >= result.report.to_json().keys() | {"subreddit", "listing", "resumed", "finished", "gap"}
    assert serialization.check_json(None) is None
    check = CheckResult(posts=1, requests=1, deleted=1, missing=0, buried=1, doubted=0, finished=True)
    assert serialization.check_json(check)["buried"] == 1


def test_notices_and_keys():
    """A notice with what became of it, without its picture's path; a key without its secret."""
    notice = Notice(kind="review", subject="3", title="A draft waits", body="auria review", picture="/home/p.jpg")
    recorded = RecordedNotice(id=7, at=NOW, tries=2, is_delivered=True, notice=notice)
    assert serialization.notice_json(recorded) == {
        "id": 7,
        "kind": "review",
        "subject": "3",
        "at": NOW.isoformat(),
        "title": "A draft waits",
        "body": "auria review",
        "tries": 2,
        "delivered": True,
    }
    assert serialization.api_key_json(ApiKey(name="bot", scopes=("read",), added_at=NOW)) == {
        "name": "bot",
        "scopes": ["read"],
        "added_at": NOW.isoformat(),
        "expires_at": None,
        "used_at": None,
    }


def test_the_path_of_a_picture(tmp_path: Path):
    """None where it is gone."""
    application = fake_application(tmp_path)
    with application.store.begin() as unit:
        draft = add_draft(unit)
    pictures = application.pictures
    assert serialization.picture_path(pictures, draft, "post") is None
    place = pictures.root / draft.folder / draft.artwork.files["post"].name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"picture")
    assert serialization.picture_path(pictures, draft, "post") == str(place)
    application.close()
