"""Refreshing the corpus from Reddit: every listing that is asked for, then a check of known posts for deletions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from auria_bot.errors import AuriaError, ChannelError, NotFound, UsageError
from auria_bot.redaction import redacted
from auria_bot.services.publishing.channel_setup import TrialSecrets
from auria_bot.services.serialization import check_json, sync_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from auria_bot.corpus.sources.listing import Listing
    from auria_bot.corpus.sources.reddit import Reddit
    from auria_bot.corpus.sources.retry import RequestCounter
    from auria_bot.secret_store import SecretStore
    from auria_bot.services.corpus.deletion_check import CheckResult, DeletionChecker
    from auria_bot.services.corpus.reddit_sync import SubredditSync, SyncResult

    Read = Callable[[str, Callable[[SyncResult], None]], SyncResult]

__all__ = ["RedditRefresh", "RefreshRequest", "RefreshResult", "meter_json", "store_credentials"]

_DAY = 86_400.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRequest:
    """What to read."""

    subreddits: Sequence[str]
    listings: Sequence[str] = ("new",)
    times: Sequence[str] = ()  # periods of the listings top and search
    since: str = ""  # search by slices of time from this day on, as 2024-01-31
    until: str = ""  # to the end of this day; today by default
    limit: int = 0  # posts of a listing; 0 for all
    check: bool = True  # look known posts up for deletions
    dry_run: bool = False  # read and judge, keep nothing


@dataclass(slots=True, kw_only=True)
class RefreshResult:
    """What was read before the end, or before something stopped it."""

    synced: list[SyncResult] = field(default_factory=list)
    checked: CheckResult | None = None
    problems: list[AuriaError] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The result, ready for JSON."""
        return {
            "listings": [sync_json(each) for each in self.synced],
            "looked": check_json(self.checked),
            "problems": [redacted(str(each)) for each in self.problems],
        }

    def error(self) -> AuriaError | None:
        """The one error that stands for all problems; None when there were none."""
        if not self.problems:
            return None
        message = "; ".join(map(str, self.problems))
        return type(self.problems[0])(message, hint="auria corpus refresh continues where it stopped")


class RedditRefresh:
    """Reads listings and checks known posts.

    Usage::

        result = refresh.run(RefreshRequest(subreddits=["haiku"]), synced=print, checked=print)
    """

    def __init__(
        self,
        *,
        sync: SubredditSync,
        checker: DeletionChecker,
        clock: Callable[[], datetime],
        searches: Sequence[str],
        requests: int,
    ) -> None:
        self._sync, self._checker, self._clock = sync, checker, clock
        self._searches, self._requests = searches, requests

    def plan(self, request: RefreshRequest) -> Sequence[Read]:
        """What will be read of each subreddit; nothing is asked of Reddit.

        Raises:
            UsageError: an option has an invalid value.
        """
        from auria_bot.corpus.sources.listing import listings

        dry_run = request.dry_run
        if request.since or request.until:
            begin, end = self._period(request.since, request.until)
            return [lambda name, tell: self._sync.sync_period(name, since=begin, until=end, dry_run=dry_run, tell=tell)]
        kinds = dict.fromkeys(request.listings)
        found = [each for kind in kinds for each in listings(kind, times=request.times, searches=list(self._searches))]
        return [partial(self._read_listing, each, limit=request.limit, dry_run=request.dry_run) for each in found]

    def run(
        self,
        request: RefreshRequest,
        *,
        synced: Callable[[SyncResult], None],
        checked: Callable[[CheckResult], None],
    ) -> RefreshResult:
        """Read every listing of every subreddit, then check known posts.

        A subreddit that does not exist stops no other; a Reddit that does not answer stops everything.

        Calls `synced` after each page, and `checked` after each batch of known posts.

        Raises:
            UsageError: an option has an invalid value.
            SettingsError: there are no credentials for Reddit.
        """
        result, reads = RefreshResult(), self.plan(request)
        names = dict.fromkeys(name.strip().removeprefix("/").removeprefix("r/") for name in request.subreddits)
        for name in names:
            for read in reads:
                try:
                    result.synced.append(read(name, synced))
                except NotFound as error:
                    result.problems.append(error)
                    break
                except ChannelError as error:
                    result.problems.append(error)
                    return result
        if request.check and not request.dry_run:
            try:
                result.checked = self._checker.check(requests=self._requests, tell=checked)
            except ChannelError as error:
                result.problems.append(error)
        return result

    def _read_listing(
        self, listing: Listing, name: str, tell: Callable[[SyncResult], None], *, limit: int, dry_run: bool
    ) -> SyncResult:
        return self._sync.sync(name, listing, limit=limit, dry_run=dry_run, tell=tell)

    def _period(self, since: str, until: str) -> tuple[float, float]:
        if not since:
            raise UsageError("--until needs --since")
        begin = _day(since, "--since")
        end = _day(until, "--until") + _DAY if until else float(int(self._clock().timestamp()))
        if begin >= end:
            raise UsageError(f"--since {since} comes after --until {until or 'today'}")
        return begin, end


def meter_json(meter: RequestCounter) -> dict[str, Any]:
    """What was asked of Reddit so far, ready for JSON."""
    return {
        "requests": meter.requests,
        "repeated": meter.repeated,
        "waited": round(meter.waited, 1),
        "remaining": meter.remaining,
    }


def store_credentials(
    reddit: Reddit, secrets: SecretStore, answers: Mapping[str, str], *, place: str, check: bool
) -> None:
    """Try the credentials of an application on Reddit, and store them when Reddit accepts them.

    The answers are client_id and client_secret, the place "file" or "keyring"; `check` tries them first.

    Raises:
        ChannelError: Reddit does not accept them; nothing was stored.
    """
    from auria_bot.corpus.sources.reddit import Reddit as Client

    trial = TrialSecrets(answers, secrets)
    if check:
        Client(reddit.access, trial).check()
    trial.keep(place=place)


def _day(text: str, option: str) -> float:
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise UsageError(f"{option} takes a day such as 2024-01-31, not {text[:40]!r}") from None
