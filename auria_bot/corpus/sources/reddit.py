"""Read Reddit through PRAW without an account: pages of a listing, and posts by their ids.

Every request only reads. Reddit's limits are kept by prawcore, which spreads requests evenly over a window of ten
minutes; every wait happens here and is reported, so that nothing sleeps silently.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from auria_bot import __version__
from auria_bot.corpus.sources.retry import RequestCounter, RetryPolicy, requestor
from auria_bot.corpus.sources.stream import Tally
from auria_bot.corpus.sources.submission import listed
from auria_bot.errors import BackendMissing, ChannelError, InputError, NotFound, SettingsError, Unauthorised, UsageError
from auria_bot.url_validation import checked_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auria_bot.corpus.sources.submission import Submission
    from auria_bot.domain.interfaces import Secrets
    from auria_bot.settings.sections import RedditSettings

__all__ = ["INFO_BATCH", "PAGE", "Ask", "Page", "Reddit", "user_agent"]

PAGE = 100
"""Posts of a page: the most that Reddit gives."""

INFO_BATCH = 100
"""Posts that can be asked for by their ids at once."""

Ask: TypeAlias = Callable[[str, dict[str, "str | int"]], Any]
"""Sends a GET request, path and parameters; gives the decoded answer."""

_SUBREDDIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{1,23}")
_USER = re.compile(r"[A-Za-z0-9_-]{3,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a listing."""

    posts: tuple[Submission, ...]  # in the listing's order
    after: str  # the name from which it goes on; "" at the end
    stickied: frozenset[str] = frozenset()  # ids that stand out of order
    bad: int = 0  # children that could not be read
    unread: frozenset[str] = frozenset()  # ids of such children, of posts that were asked for by their ids


def user_agent(user: str) -> str:
    """The name that Reddit's rules ask for: `platform:app:version (by /u/name)`.

    Raises:
        SettingsError: it is no account's name.
    """
    import sys

    plain = user.strip().removeprefix("/").removeprefix("u/")
    if not _USER.fullmatch(plain):
        raise SettingsError(
            f"corpus.reddit.user is {user[:40]!r}; Reddit wants to know whom to ask: give your account's name there,"
            " or in"
            " AURIA_CORPUS__REDDIT__USER"
        )
    return f"{sys.platform}:auria-bot:{__version__} (by /u/{plain})"


class Reddit:
    """Reddit, read only.

    Args:
        access: how it is reached.
        secrets: with "client_id" and "client_secret" of an application.
        meter: counts requests, and reports every wait.
    """

    def __init__(self, access: RedditSettings, secrets: Secrets, *, meter: RequestCounter | None = None) -> None:
        self.access, self._secrets = access, secrets
        self.meter = meter or RequestCounter()
        self._ask: Ask | None = None
        self._pause: Callable[[], float] = float

    def page(
        self, subreddit: str, path: str, params: Mapping[str, str | int], *, after: str = "", limit: int = PAGE
    ) -> Page:
        """A page of a listing.

        Args:
            path: "new", "top" or "search".
            params: what the listing is given beside.
            after: the name of the post that it goes on from, such as "t3_1abcd".
            limit: the most posts, up to PAGE.

        Raises:
            NotFound: there is no such subreddit, or it is closed.
            Unauthorised: Reddit does not take the credentials.
            Throttled: Reddit asks to wait longer than allowed.
            ChannelError: Reddit does not answer, or not sensibly.
            InputError: the name can be no subreddit's.
        """
        if not _SUBREDDIT.fullmatch(subreddit):
            raise UsageError(f"{subreddit[:40]!r} is not a subreddit; give its name as in r/NAME, without the r/")
        asked = {**params, "limit": min(limit, PAGE), "raw_json": 1, **({"after": after} if after else {})}
        found = self._answer(f"r/{subreddit}/{path}", asked, what=f"r/{subreddit}")
        posts, children, bad = _read(found, f"r/{subreddit}")
        stickied = frozenset(str(one.get("id")) for one in children if one.get("stickied") is True)
        further = found["data"].get("after")
        return Page(posts=posts, after=further if isinstance(further, str) else "", stickied=stickied, bad=bad)

    def posts(self, ids: Sequence[str]) -> Page:
        """The posts with these ids as they are now, in any order; unknown ids are left out.

        Those of `unread` are known to Reddit; `bad` counts the children that may be any post.

        Args:
            ids: at most INFO_BATCH, without the "t3_".

        Raises:
            As for `page`.
        """
        names = ",".join(f"t3_{one}" for one in ids[:INFO_BATCH])
        what = "the posts that are known"
        posts, children, bad = _read(self._answer("api/info", {"id": names, "raw_json": 1}, what=what), what)
        told = {one["id"] for one in children if isinstance(one.get("id"), str)}
        unread = told.intersection(ids) - {post.id for post in posts}
        return Page(posts=posts, after="", bad=max(0, bad - len(unread)), unread=frozenset(unread))

    def _answer(self, path: str, params: dict[str, str | int], *, what: str) -> Any:
        """What Reddit says, as JSON; its and PRAW's errors as Auria's."""
        if self._ask is None:
            self._ask = self._connected()
        import praw.exceptions
        import prawcore

        self.meter.pace(self._pause(), self.access.max_wait)
        try:
            return self._ask(path, params)
        except prawcore.exceptions.ResponseException as error:
            raise _translated(error.response.status_code, what) from None
        except (prawcore.exceptions.PrawcoreException, praw.exceptions.PRAWException) as error:
            raise ChannelError(f"Reddit's answer for {what} cannot be used ({type(error).__name__})") from None

    def _connected(self) -> Ask:
        """A PRAW instance's way of asking; nothing is sent yet.

        Raises:
            BackendMissing: PRAW is not installed.
            SettingsError: no credentials, or a wrong address.
        """
        try:
            import praw
        except ImportError:
            raise BackendMissing("reading Reddit needs a package: pip install 'auria-bot[corpus]'") from None
        client_id, client_secret = self._secret("client_id"), self._secret("client_secret")
        access = self.access
        # Everything that a praw.ini or a variable of PRAW's could add is said here, so that no account is ever used.
        made = praw.Reddit(
            "DEFAULT",
            client_id=client_id,
            client_secret=client_secret,
            user_agent=user_agent(access.user),
            reddit_url=checked_address(access.auth_url, setting="corpus.reddit.auth_url"),
            oauth_url=checked_address(access.api_url, setting="corpus.reddit.api_url"),
            username=None,
            password=None,
            refresh_token=None,
            redirect_uri=None,
            check_for_updates=False,
            check_for_async=False,
            requestor_class=requestor(),
            requestor_kwargs={"policy": RetryPolicy(access=access, meter=self.meter)},
        )
        made.read_only = True
        # What prawcore knows of the next request's time; PRAW itself does not tell it.
        core: Any = made._read_only_core  # noqa: SLF001
        limiter = core.rate_limiter
        self._pause = lambda: ((limiter.next_request_timestamp_ns or 0) - time.monotonic_ns()) / 1e9

        def ask(path: str, params: dict[str, str | int]) -> Any:
            return made.request(method="GET", path=path, params=params)

        return ask

    def _secret(self, name: str) -> str:
        found = self._secrets.get(name)
        if not found:
            raise SettingsError(
                f'Reddit\'s {name} is missing: make an application of the kind "script" at reddit.com/prefs/apps,'
                " then run"
                " `auria corpus login`, or set AURIA_SECRET_REDDIT_CLIENT_ID and AURIA_SECRET_REDDIT_CLIENT_SECRET"
            )
        return found

    def check(self) -> None:
        """Try the credentials with one request.

        Raises:
            As for `page`.
        """
        self._answer("api/info", {"id": "t3_1", "raw_json": 1}, what="a trial")


def _read(found: Any, what: str) -> tuple[tuple[Submission, ...], list[dict[str, Any]], int]:
    """The posts of a listing, the children that they were read from, and how many of these could not be read.

    Raises:
        ChannelError: it is no listing.
    """
    tally = Tally()
    try:
        posts = tuple(listed(found, tally=tally))
    except InputError:
        raise ChannelError(f"Reddit's answer for {what} is no listing; try again later") from None
    children = (child.get("data") for child in found["data"]["children"] if isinstance(child, dict))
    return posts, [one for one in children if isinstance(one, dict)], tally.bad


def _translated(status: int, what: str) -> Exception:
    if status == 401:
        return Unauthorised("Reddit does not take the client id and secret; `auria corpus login` takes new ones")
    if status in {302, 301, 404}:
        return NotFound(f"Reddit has no {what}, or it is banned")
    if status in {403, 451}:
        return NotFound(f"Reddit does not show {what} to this application: it is private or closed")
    return ChannelError(f"Reddit answers {status} for {what}")
