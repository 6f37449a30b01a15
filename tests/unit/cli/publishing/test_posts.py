"""`auria posts at` and `auria posts withdraw`: times of posts, and deletions that need a yes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.publishing import approved

if TYPE_CHECKING:
    import pytest

    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeChannel

Auria = Any


def states(application: Application) -> dict[str, str]:
    """The state of each channel's post."""
    return {post.channel: str(post.state) for post in application.publisher.posts()}


def test_without_a_terminal_nothing_is_deleted_by_itself(
    application: Application, channel: FakeChannel, auria: Auria
) -> None:
    """What would be done is shown, and the command that does it."""
    approved(application)
    auria("publish")
    code, out, err = auria("posts", "withdraw", "1")
    assert code != 0
    assert out == ""
    assert "https://example.invalid/" in err
    assert "auria posts withdraw 1 --yes" in err
    assert (states(application), channel.deletions) == ({"fake": "sent"}, 0)


def test_a_terminal_s_no_is_a_no(application: Application, auria: Auria, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator is asked; only a yes withdraws."""
    approved(application)
    auria("publish")
    answers = [False, True]
    monkeypatch.setattr("auria_bot.cli.publishing.posts.require_confirmation", lambda *_: answers.pop(0))
    code, _, err = auria("posts", "withdraw", "1")
    assert code != 0
    assert "nothing was withdrawn" in err
    assert states(application) == {"fake": "sent"}
    code, out, _ = auria("posts", "withdraw", "1")
    assert code == 0
    assert "withdrawn" in out


def test_a_dry_run_only_tells(application: Application, channel: FakeChannel, auria: Auria) -> None:
    """What would be cancelled, deleted or not possible, in text and JSON."""
    approved(application, 1)
    auria("publish")
    approved(application, 2)
    application.post_creator.schedule()
    code, out, _ = auria("posts", "withdraw", "1", "2", "--dry-run")
    assert code == 0
    assert "delete" in out
    assert "cancel" in out
    code, out, _ = auria("posts", "withdraw", "1", "2", "--dry-run", "--json")
    assert [(plan["post"]["id"], plan["action"]) for plan in json.loads(out)] == [(1, "delete"), (2, "cancel")]
    assert channel.deletions == 0


def test_a_draft_s_posts_on_one_channel(application: Application, auria: Auria) -> None:
    """Only those that are named; the draft counts as published as long as something is out."""
    draft = approved(application, channels=("fake", "folder"))
    auria("publish")
    code, out, _ = auria("posts", "withdraw", "--draft", str(draft.id), "--channel", "folder", "--yes", "--json")
    assert code == 0
    (post,) = json.loads(out)
    assert (post["channel"], post["state"]) == ("folder", "withdrawn")
    assert [attempt["action"] for attempt in post["attempts"]] == ["publish", "withdraw"]
    assert states(application) == {"fake": "sent", "folder": "withdrawn"}
    assert json.loads(auria("drafts", "--json")[1])[0]["state"] == "published"
    gallery = (application.settings.home / "published" / "index.html").read_text(encoding="utf-8")
    assert "<article" not in gallery
    auria("posts", "withdraw", "--draft", str(draft.id), "--yes")
    assert json.loads(auria("drafts", "--json")[1])[0]["state"] == "withdrawn"
    assert "withdrawn" in auria("show", str(draft.id))[1]


def test_what_is_not_deleted_is_an_error(application: Application, channel: FakeChannel, auria: Auria) -> None:
    """With the platform's words; the history shows the attempt."""
    approved(application)
    auria("publish")
    channel.plan_deletions("refused")
    code, out, err = auria("posts", "withdraw", "1", "--yes")
    assert code != 0
    assert "sent" in out
    assert "it is still published: the fake refused the post" in err
    out = auria("posts", "show", "1")[1]
    assert "withdraw" in out
    assert "the fake refused the post" in out


def test_posts_are_also_listed_by_that_name(application: Application, auria: Auria) -> None:
    """As other lists are, the newest first; an option that would not count there is refused."""
    for number in (1, 2, 3):
        approved(application, number)
    application.publisher.publish()
    code, out, err = auria("posts", "list", "-n", "2", "--json")
    assert (code, [one["id"] for one in json.loads(out)]) == (0, [3, 2])
    assert "only the newest 2 are listed; more: --limit 4" in err
    assert "only the newest" not in auria("posts", "list", "-n", "3")[2]
    assert "only the newest 2" in auria("drafts", "-n", "2")[2]
    code, _, err = auria("posts", "--json", "show", "1")
    assert (code, "options of `auria posts show` stand after its name" in err) == (2, True)


def test_something_must_be_named(application: Application, auria: Auria) -> None:
    """Neither posts nor a draft."""
    code, _, err = auria("posts", "withdraw")
    assert code != 0
    assert "name the posts to withdraw" in err


def test_a_post_deleted_by_hand_is_resolved(application: Application, channel: FakeChannel, auria: Auria) -> None:
    """The operator says so; nothing is deleted."""
    approved(application)
    auria("publish")
    code, out, _ = auria("posts", "resolve", "1", "--withdrawn")
    assert code == 0
    assert "withdrawn" in out
    assert channel.deletions == 0


def test_a_post_gets_its_own_time(application: Application, auria: Auria) -> None:
    """In the operator's zone, in one word or two; the lists of posts and of the coming week show it."""
    approved(application)
    application.post_creator.schedule()
    code, out, _ = auria("posts", "at", "1", "2026-11-22", "18:30")
    assert code == 0
    assert "at 2026-11-22 18:30" in out
    assert "at 2026-11-22 18:30" in auria("posts")[1]
    assert "2026-11-22 18:30" in auria("posts", "show", "1")[1]
    assert "18:30 post 1 on fake" in auria("schedule")[1]
    (coming,) = json.loads(auria("schedule", "--json")[1])["posts"]
    assert (coming["id"], coming["timed_at"]) == (1, "2026-11-22T18:30:00+00:00")
    code, out, _ = auria("posts", "at", "1", "2026-11-22T18:30+01:00", "--json")
    assert json.loads(out)["due"] == "2026-11-22T17:30:00+00:00"
    assert json.loads(auria("posts", "at", "1", "now", "--json")[1])["due"] == application.clock().isoformat()
    code, _, err = auria("posts", "at", "1", "2020-01-01", "10:00")
    assert code == 2
    assert "is past" in err
    code, _, err = auria("posts", "at", "1", "soon")
    assert code == 2
    assert "'soon' is not a time" in err
