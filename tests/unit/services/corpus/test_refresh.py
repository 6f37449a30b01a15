"""Refreshing reads every listing, goes on where it can, and reports what stopped it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from auria_bot.errors import ChannelError, InputError, NotFound
from auria_bot.secret_store import SecretStore
from auria_bot.services.corpus.deletion_check import CheckResult
from auria_bot.services.corpus.reddit_sync import SyncResult
from auria_bot.services.corpus.refresh import (
    RedditRefresh,
    RefreshRequest,
    RefreshResult,
    meter_json,
    store_credentials,
)
from tests.factories import NOW


class Sync:
    """Records what is read; some subreddits fail."""

    def __init__(self) -> None:
        self.read: list[Any] = []

    def sync(self, subreddit: str, listing: Any, *, limit: int, dry_run: bool, tell: Any) -> SyncResult:
        self.read.append((subreddit, listing.name, limit, dry_run))
        if subreddit == "nowhere":
            raise NotFound("Reddit has no r/nowhere")
        if subreddit == "broken":
            raise ChannelError("Reddit does not answer")
        found = SyncResult(subreddit=subreddit, listing=listing.name)
        tell(found)
        return found

    def sync_period(self, subreddit: str, *, since: float, until: float, dry_run: bool, tell: Any) -> SyncResult:
        self.read.append((subreddit, since, until, dry_run))
        return SyncResult(subreddit=subreddit, listing="search")


class Checker:
    """Looks nothing up, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    def check(self, *, requests: int, tell: Any) -> CheckResult:
        if self.fails:
            raise ChannelError("Reddit does not answer")
        found = CheckResult(posts=requests)
        tell(found)
        return found


def refreshed(request: RefreshRequest, *, fails: bool = False) -> tuple[RefreshResult, list[Any]]:
    """The result, and what was read."""
    sync = Sync()
    service = RedditRefresh(
        sync=sync,  # type: ignore[arg-type]
        checker=Checker(fails=fails),  # type: ignore[arg-type]
        clock=lambda: NOW,
        searches=("moon",),
        requests=7,
    )
    return service.run(request, synced=lambda _: None, checked=lambda _: None), sync.read


def test_every_listing_of_every_subreddit_is_read_once():
    """Names are taken as people write them; then known posts are checked."""
    done, read = refreshed(
        RefreshRequest(subreddits=["/r/haiku", "r/haiku", "poems"], listings=["new", "new"], limit=5)
    )
    assert read == [("haiku", "new", 5, False), ("poems", "new", 5, False)]
    assert done.checked is not None
    assert (done.checked.posts, done.error()) == (7, None)
    assert done.to_json()["looked"]["posts"] == 7


def test_a_missing_subreddit_stops_no_other_and_an_absent_reddit_stops_all():
    """The problems stand for one error with its hint."""
    done, read = refreshed(RefreshRequest(subreddits=["nowhere", "haiku"], listings=["new", "top"], times=["day"]))
    assert [name for name, *_ in read] == ["nowhere", "haiku", "haiku"]
    error = done.error()
    assert isinstance(error, NotFound)
    assert error.hint == "auria corpus refresh continues where it stopped"
    done, read = refreshed(RefreshRequest(subreddits=["nowhere", "broken", "haiku"]))
    assert [name for name, *_ in read] == ["nowhere", "broken"]
    assert str(done.error()) == "Reddit has no r/nowhere; Reddit does not answer"
    assert done.to_json()["looked"] is None


def test_a_failed_check_is_a_problem_like_others():
    """What was read stays; a dry run and a request without it check nothing."""
    done, _ = refreshed(RefreshRequest(subreddits=["haiku"]), fails=True)
    assert (len(done.synced), len(done.problems), done.checked) == (1, 1, None)
    for request in (RefreshRequest(subreddits=[], dry_run=True), RefreshRequest(subreddits=[], check=False)):
        assert refreshed(request, fails=True)[0].problems == []


def test_days_become_slices_of_time():
    """From the first second of one to the last of the other, or until now."""
    _, read = refreshed(RefreshRequest(subreddits=["haiku"], since="2026-11-01", until="2026-11-02", dry_run=True))
    assert read == [("haiku", 1793491200.0, 1793491200.0 + 2 * 86_400, True)]
    _, read = refreshed(RefreshRequest(subreddits=["haiku"], since="2026-11-01"))
    assert read[0][2] == float(int(NOW.timestamp()))


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [("", "2026-01-01", "--until needs"), ("yesterday", "", "a day such as"), ("2026-02-01", "2026-01-01", "after")],
)
def test_periods_that_cannot_be(since: str, until: str, message: str):
    """The message names the option."""
    with pytest.raises(InputError, match=message):
        refreshed(RefreshRequest(subreddits=["haiku"], since=since, until=until))


def test_what_was_asked_of_reddit_is_counted():
    """Seconds to a tenth."""
    meter = SimpleNamespace(requests=3, repeated=1, waited=1.26, remaining=None)
    assert meter_json(meter) == {"requests": 3, "repeated": 1, "waited": 1.3, "remaining": None}  # type: ignore[arg-type]


def test_credentials_are_kept_when_reddit_takes_them(tmp_path: Any, monkeypatch: pytest.MonkeyPatch):
    """Unless they are not to be tried."""
    tried: list[str] = []

    class Client:
        def __init__(self, _: Any, secrets: Any) -> None:
            self.secrets = secrets

        def check(self) -> None:
            tried.append(self.secrets.get("client_id"))
            raise ChannelError("refused")

    monkeypatch.setattr("auria_bot.corpus.sources.reddit.Reddit", Client)
    secrets, reddit = SecretStore(tmp_path, "reddit", environment={}), SimpleNamespace(access=None)
    answers = {"client_id": "an-identifier", "client_secret": "a-secret-value"}
    with pytest.raises(ChannelError):
        store_credentials(reddit, secrets, answers, place="file", check=True)  # type: ignore[arg-type]
    assert (tried, secrets.get("client_id")) == (["an-identifier"], None)
    store_credentials(reddit, secrets, answers, place="file", check=False)  # type: ignore[arg-type]
    assert secrets.get("client_id") == "an-identifier"
