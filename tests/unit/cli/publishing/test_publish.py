"""`auria publish` and `auria posts`: what is sent, what became of it, and the operator's word on it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.interfaces import PreparedText
from auria_bot.testing import FakeChannel
from tests.publishing import approved

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application


Auria = Any


def test_once_sends_one_post_on_each_channel(application: Application, auria: Auria) -> None:
    """Without it all that is due goes out."""
    for number in (1, 2, 3):
        approved(application, number, channels=("fake", "folder"))
    code, out, _ = auria("publish", "--once", "--json")
    assert code == 0
    assert sorted(one["channel"] for one in json.loads(out) if one["state"] == "sent") == ["fake", "folder"]
    code, out, err = auria("publish")
    assert code == 0
    assert out.count("sent") == 4
    assert "4 published" in err


def test_only_on_the_channels_that_are_named(application: Application, auria: Auria) -> None:
    """A name that is not there is answered with those that are."""
    approved(application, channels=("fake", "folder"))
    auria("publish", "--channel", "fake")
    assert {post.channel: str(post.state) for post in application.publisher.posts()} == {
        "fake": "sent",
        "folder": "waiting",
    }
    code, _, err = auria("publish", "--channel", "myspace")
    assert code == 2
    assert "known: fake, folder" in err


def test_a_dry_run_shows_what_would_be_sent_and_what_is_left_out(
    application: Application, auria: Auria, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that channel would send it; nothing happens."""
    monkeypatch.setattr(
        FakeChannel,
        "fit",
        lambda _, text, alt: PreparedText(text=text.split("\n")[0], alt_text=alt, dropped=("#haiku",)),
    )
    approved(application)
    (plan,) = json.loads(auria("publish", "--dry-run", "--json")[1])
    assert (plan["action"], plan["text"], plan["dropped"]) == ("send", "stone number 1", ["#haiku"])
    _, out, _ = auria("publish", "--dry-run")
    assert "stone number 1" in out
    assert "A painting of lake 1." in out
    assert "text 14 of 5,000, alt text 21 of 1,500" in " ".join(out.split())
    assert "40x50, 1 kB; sent whole and unchanged" in out
    assert "#haiku" in out
    assert application.publisher.posts() == ()
    application.publisher.publish()
    assert "nothing would be published" in auria("publish", "--dry-run")[2]


def test_what_went_wrong_is_told_with_the_next_command(
    application: Application, channel: FakeChannel, auria: Auria
) -> None:
    """And the exit code is a channel's."""
    approved(application)
    channel.plan("late")
    channel.blind = True
    code, _, err = auria("publish")
    assert (code, "post 1 on fake is unknown" in err) == (11, True)
    code, _, err = auria("publish")
    assert code == 11
    assert "`auria posts resolve 1 --sent URL`, `--not-sent` (it is sent again) or `--give-up`" in err
    code, _, err = auria("publish")
    assert (code, "1 needs attention: auria posts --state needs_attention" in err) == (0, True)


def test_posts_are_listed_by_state(application: Application, channel: FakeChannel, auria: Auria) -> None:
    """With where they are, or why not."""
    assert "there is no post" in auria("posts")[2]
    approved(application, 1)
    approved(application, 2)
    channel.plan("refused")
    auria("publish")
    _, out, _ = auria("posts")
    assert "https://example.invalid/" in out
    assert "nothing was posted: the fake refused the post" in " ".join(out.split())
    (failed,) = json.loads(auria("posts", "--state", "failed", "--json")[1])
    assert (failed["id"], failed["attempts"][0]["outcome"]) == (1, "refused")
    assert json.loads(auria("posts", "--draft", "2", "--json")[1])[0]["receipt"]["cost"] == 0.015
    code, _, err = auria("posts", "--state", "lost")
    assert code == 2
    assert "known: cancelled, failed, needs_attention, sending, sent, unknown, waiting, withdrawing, withdrawn" in err


def test_a_post_is_shown_with_every_attempt(application: Application, channel: FakeChannel, auria: Auria) -> None:
    """Their times, outcomes and the platform's words; what it says cannot redraw the terminal."""
    approved(application)
    channel.plan("throttled", "ok")
    auria("publish")
    application.clock.advance(hours=1)  # type: ignore[attr-defined]  # the fake clock
    auria("publish")
    code, out, _ = auria("posts", "show", "1")
    assert code == 0
    for words in (
        "post  1, sent, of draft 1 on fake",
        "$0.015",
        "throttled",
        "2026-11-21 10:00:00",
        "the fake asks to wait",
    ):
        assert words in " ".join(out.split()).replace("post 1,", "post  1,"), words
    shown = json.loads(auria("posts", "show", "1", "--json")[1])
    assert [one["outcome"] for one in shown["attempts"]] == ["throttled", "sent"]
    assert [one["sending_at"] is None for one in shown["attempts"]] == [True, False]
    code, _, err = auria("posts", "show", "9")
    assert (code, "there is no post 9" in err) == (5, True)


def test_a_post_that_was_not_tried_yet(application: Application, auria: Auria) -> None:
    """It is said so."""
    approved(application)
    application.post_creator.schedule()
    code, out, err = auria("posts", "show", "1")
    assert (code, "waiting" in out, err) == (0, True, "nothing was tried yet\n")


def test_the_operator_resolves(application: Application, channel: FakeChannel, auria: Auria) -> None:
    """Out, at an address; not out, and sent again; or given up."""
    channel.blind = True
    for number in (1, 2, 3):
        approved(application, number)
        channel.plan("lost")
        auria("publish")
    auria("publish")
    assert {str(post.state) for post in application.publisher.posts()} == {"needs_attention"}
    code, out, _ = auria("posts", "resolve", "1", "--sent", "https://x.com/auria/status/77", "--json")
    assert (code, json.loads(out)["receipt"]["id"]) == (0, "77")
    code, out, err = auria("posts", "resolve", "2", "--not-sent")
    assert (code, "waiting" in out, "send it now: auria publish" in err) == (0, True, True)
    assert auria("posts", "resolve", "3", "--give-up")[0] == 0
    auria("publish")
    assert [str(post.state) for post in reversed(application.publisher.posts())] == ["sent", "sent", "failed"]
    code, _, err = auria("posts", "resolve", "3", "--not-sent")
    assert (code, "is failed; --not-sent is for posts that are needs_attention or unknown" in err) == (6, True)


@pytest.mark.parametrize("words", [(), ("--not-sent", "--give-up"), ("--sent", "https://x.com/1", "--not-sent")])
def test_one_word_is_enough(auria: Auria, words: tuple[str, ...]) -> None:
    """None, or two that contradict each other, are refused."""
    code, _, err = auria("posts", "resolve", "1", *words)
    assert code == 2
    assert "auria posts resolve 1 takes one of --sent URL, --not-sent, --give-up and --withdrawn" in err


def test_an_address_is_needed(application: Application, channel: FakeChannel, auria: Auria) -> None:
    """`--sent` without one says so."""
    approved(application)
    channel.plan("late")
    auria("publish")
    code, _, err = auria("posts", "resolve", "1", "--sent", "")
    assert (code, "address is missing" in err) == (2, True)


def test_a_post_an_hour_and_no_more(application: Application, auria: Auria, channel: FakeChannel) -> None:
    """What went out since the hour began counts; looking up sends nothing."""
    for number in range(1, 3):
        approved(application, number)
    assert auria("publish", "--look-up") == (0, "", "nothing is approved and due; approve a draft: auria approve ID\n")
    hour = application.clock().strftime("%Y-%m-%dT%H:%M:%S%z")
    for _ in range(2):
        assert auria("publish", "--once", "--since", hour)[0] == 0
    assert channel.mutations == 1
