from __future__ import annotations

import logging
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.corpus.sources.reddit import Reddit, user_agent
from auria_bot.corpus.sources.retry import RequestCounter
from auria_bot.errors import ChannelError, InputError, NotFound, SettingsError, Throttled, Unauthorised
from auria_bot.settings.sections import RedditSettings
from tests.platforms import MemorySecrets
from tests.platforms.reddit import CLIENT_ID, CLIENT_SECRET, NOW, RedditServer
from tests.reading_reddit import server

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["server"]  # the fixture

pytest.importorskip("praw")


def reader(server: RedditServer, *, secret: str = CLIENT_SECRET, **more: Any) -> Reddit:
    """The client under test, which never waits."""
    return Reddit(
        RedditSettings(**server.settings(**more)),
        MemorySecrets({"client_id": CLIENT_ID, "client_secret": secret}),
        meter=RequestCounter(sleep=lambda _: None),
    )


def test_a_page_is_read_as_reddit_has_it(server: RedditServer):
    """Newest first, unescaped, with the name to go on from, and no more than was asked for."""
    server.post("old pond &amp; moss / a frog jumps in / the sound of water", age=9)
    newest = server.post("rain <now> & here / a frog / water", age=1)
    page = reader(server).page("haiku", "new", {}, limit=1)
    assert [(post.id, post.title) for post in page.posts] == [(newest.id, newest.title)]
    assert page.after == f"t3_{newest.id}"
    last = reader(server).page("haiku", "new", {}, after=page.after)
    assert (len(last.posts), last.after, last.posts[0].created.timestamp()) == (1, "", NOW - 9)


def test_the_real_one_would_know_who_asks(server: RedditServer):
    """The name is by Reddit's rule, and one token serves for every request."""
    server.post()
    reddit = reader(server)
    for _ in range(3):
        reddit.page("haiku", "new", {})
    assert all(agent.startswith(user_agent("tester")) for agent in server.agents)
    assert server.asked["/api/v1/access_token"] == 1


@pytest.mark.parametrize("name", ["", "u", "two words", "x" * 30, "a/b"])
def test_without_an_account_name_nothing_is_asked(server: RedditServer, name: str):
    """The message says where it is to be given."""
    with pytest.raises(SettingsError, match=r"AURIA_CORPUS__REDDIT__USER"):
        reader(server, user=name).page("haiku", "new", {})
    assert not server.asked


def test_no_secret_crosses_a_network_in_the_clear(server: RedditServer):
    """Plain http is for this machine only."""
    for field in ("auth_url", "api_url"):
        with pytest.raises(SettingsError, match=f"corpus.reddit.{field} is .* use https"):
            reader(server, **{field: "http://reddit.example"}).page("haiku", "new", {})


def test_a_praw_ini_cannot_bring_in_an_account(server: RedditServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Settings of PRAW in the folder or the environment change nothing."""
    import praw.config

    monkeypatch.setattr(praw.config.Config, "CONFIG", None)
    (tmp_path / "praw.ini").write_text(
        "[DEFAULT]\nusername=u\npassword=p\nrefresh_token=r\ntimeout=1\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("praw_username", "u")
    monkeypatch.setenv("praw_password", "p")
    monkeypatch.setenv("praw_site", "elsewhere")
    server.post()
    assert len(reader(server).page("haiku", "new", {}).posts) == 1  # the stand-in gives tokens to applications only


@pytest.mark.parametrize("fault", ["cut-before", "cut-after", "cut-within", "garbage", "500", "503", "429"])
def test_what_fails_is_asked_again(server: RedditServer, fault: str):
    """One fault costs one more request, whatever it is."""
    server.post()
    server.fail_next(fault)
    reddit = reader(server)
    assert len(reddit.page("haiku", "new", {}).posts) == 1
    assert reddit.meter.repeated == 1


def test_silence_is_given_up_and_asked_again(server: RedditServer):
    """An answer that does not come within the time is asked for again."""
    server.post()
    server.fail_next("slow")
    reddit = reader(server, timeout=1.0)
    assert len(reddit.page("haiku", "new", {}).posts) == 1
    assert reddit.meter.repeated == 1


def test_an_answer_that_drips_is_given_up(server: RedditServer):
    """The time is for the whole answer, not for each byte."""
    server.post()
    # Straight to the server: the proxy would wait for the whole answer.
    direct = reader(server, timeout=1.0, api_url=server.direct)
    direct.page("haiku", "new", {})
    server.drips = 0.02
    assert len(direct.page("haiku", "new", {}).posts) == 1
    assert direct.meter.repeated == 1


def test_a_server_that_is_away_is_said_so(server: RedditServer):
    """The error names what happened and that the next run goes on."""
    server.post()
    server.fail_next(*["500"] * 5)
    with pytest.raises(ChannelError, match=r"Reddit answers 500, 5 times in a row; .* goes on"):
        reader(server).page("haiku", "new", {})


def test_a_wait_that_is_too_long_ends_it(server: RedditServer):
    """Nothing is slept through in silence."""
    server.post()
    server.fail_next("429-long")
    with pytest.raises(Throttled) as caught:
        reader(server).page("haiku", "new", {})
    assert caught.value.until is not None


def test_where_the_limit_is_used_up_the_rest_of_the_window_is_waited_for_and_said(monkeypatch: pytest.MonkeyPatch):
    """The fourth of three requests waits, and Reddit never has to say "too many"."""
    said = list[tuple[float, str]]()
    monkeypatch.setattr(
        "prawcore.rate_limit.time", SimpleNamespace(monotonic_ns=time.monotonic_ns, sleep=lambda _: None)
    )
    with RedditServer(limit=3, window=300.0) as server:
        server.post()
        reddit = reader(server)
        reddit.meter.tell = lambda seconds, why: said.append((seconds, why))
        for _ in range(3):
            reddit.page("haiku", "new", {})
        said.clear()  # prawcore spreads the requests of a window
        reddit.meter.sleep = lambda _: server.end_window()
        reddit.page("haiku", "new", {})
        ((seconds, why),) = said
        assert (250 < seconds <= 300, why, reddit.meter.repeated) == (True, "Reddit's limit", 0)


def test_a_window_that_is_too_long_ends_it():
    """Nothing is asked once nothing is left."""
    with RedditServer(limit=1, window=600.0) as server:
        server.post()
        reddit = reader(server, max_wait=30)
        reddit.page("haiku", "new", {})
        with pytest.raises(Throttled):
            reddit.page("haiku", "new", {})
        assert server.asked["/r/haiku/new"] == 1


def test_a_token_that_is_no_longer_good_is_renewed(server: RedditServer, monkeypatch: pytest.MonkeyPatch):
    """A 401 costs a new token, not the walk."""
    monkeypatch.setattr("prawcore.sessions.random.random", lambda: 0.0)
    server.post()
    reddit = reader(server)
    reddit.page("haiku", "new", {})
    server.expire_tokens()
    assert len(reddit.page("haiku", "new", {}).posts) == 1
    assert server.asked["/api/v1/access_token"] == 2


def test_credentials_that_are_not_taken(server: RedditServer):
    """The message says what takes new ones, and holds none."""
    wrong = f"not-{CLIENT_SECRET}"
    with pytest.raises(Unauthorised, match="auria corpus login") as caught:
        reader(server, secret=wrong).check()
    assert wrong not in str(caught.value)


def test_without_credentials_it_says_how_to_get_some(server: RedditServer):
    """Nothing is asked."""
    with pytest.raises(SettingsError, match=r"client_secret is missing: .*AURIA_SECRET_REDDIT_CLIENT_SECRET"):
        reader(server, secret="").check()
    assert not server.asked


def test_subreddits_that_are_not_there_or_closed(server: RedditServer):
    """Each is told by its name."""
    server.post(subreddit="closed")
    server.private.add("closed")
    with pytest.raises(NotFound, match="no r/nowhere"):
        reader(server).page("nowhere", "new", {})
    with pytest.raises(NotFound, match="does not show r/closed"):
        reader(server).page("closed", "new", {})


@pytest.mark.parametrize("name", ["", "a", "r/haiku", "../api/me", "haiku?x=1", "ha iku", "x" * 40])
def test_a_name_that_is_no_subreddits_is_not_asked_for(server: RedditServer, name: str):
    """It could lead elsewhere."""
    with pytest.raises(InputError, match="is not a subreddit"):
        reader(server).page(name, "new", {})
    assert not server.asked


def test_known_posts_by_their_ids(server: RedditServer):
    """Deleted and removed ones are told, what Reddit does not know is left out."""
    up, deleted, removed, purged = (server.post() for _ in range(4))
    for one, how in ((deleted, "deleted"), (removed, "removed"), (purged, "purged")):
        server.take_away(one.id, how)
    found = {
        post.id: post.removed
        for post in reader(server).posts([up.id, deleted.id, removed.id, purged.id, "zzzzz"]).posts
    }
    assert found == {up.id: False, deleted.id: True, removed.id: True}


def test_no_secret_in_the_libraries_own_logs(server: RedditServer, caplog: pytest.LogCaptureFixture):
    """Even where every record is written, through the mask, neither secret nor token stands in one."""
    from auria_bot.redaction import redacted, register_secret

    caplog.set_level(logging.DEBUG)
    server.post()
    register_secret(CLIENT_SECRET)
    reader(server).page("haiku", "new", {})
    said = "\n".join(redacted(f"{record.getMessage()} {record.args}") for record in caplog.records)
    assert "Fetching" in said  # prawcore was heard
    assert CLIENT_SECRET not in said
    assert not any(token in said for token in server.tokens)
    assert not any(redacted(token) == token for token in server.tokens)  # guarded by its value too
