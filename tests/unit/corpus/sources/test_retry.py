from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from auria_bot.corpus.sources.retry import RequestCounter, RetryPolicy
from auria_bot.errors import ChannelError, Throttled
from auria_bot.settings.sections import RedditSettings


def answer(status: int = 200, **headers: str) -> Any:
    """What a server says."""
    return SimpleNamespace(
        status_code=status, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def line(*answers: Any, **more: Any) -> tuple[RetryPolicy, Any, list[float], list[str]]:
    """A line, what is sent along it, and lists of its waits and of what is said of them."""
    waits, said, left = list[float](), list[str](), list(answers)
    meter = RequestCounter(sleep=waits.append, tell=lambda _seconds, why: said.append(why))
    access = RedditSettings(**{"timeout": 1.0, "max_wait": 60.0, "attempts": 4, "retry_delay": 2.0, **more})
    made = RetryPolicy(access=access, meter=meter)
    return made, lambda: left.pop(0), waits, said


def test_a_fault_of_the_server_is_asked_again_and_each_time_later():
    """Waits grow by the factor two, give or take a quarter."""
    tried, once, waits, said = line(answer(503), answer(500), answer(502), answer(200))
    assert tried.carried(once).status_code == 200
    assert [1.5 <= waits[0] <= 2.5, 3 <= waits[1] <= 5, 6 <= waits[2] <= 10] == [True] * 3
    assert said == ["Reddit answers 503", "Reddit answers 500", "Reddit answers 502"]
    assert (tried.meter.requests, tried.meter.repeated) == (4, 3)


def test_after_too_many_requests_it_waits_as_long_as_is_asked():
    """The reset that the answer names is waited for, and said."""
    tried, once, waits, said = line(answer(429, **{"x-ratelimit-reset": "17"}), answer(200))
    tried.carried(once)
    assert waits == [17.0]
    assert said == ["Reddit asks to wait"]


def test_a_longer_wait_than_we_are_patient_ends_the_run_and_says_until_when():
    """Nothing is slept, and the error tells the time."""
    tried, once, waits, _ = line(answer(429, retry_after="3600"))
    with pytest.raises(Throttled, match=r"again after .* UTC") as caught:
        tried.carried(once)
    assert waits == []
    assert caught.value.until is not None


def test_a_server_that_stays_away_is_given_up():
    """After the last attempt there is no wait any more."""
    tried, once, waits, _ = line(*[answer(500)] * 4)
    with pytest.raises(ChannelError, match="Reddit answers 500, 4 times in a row"):
        tried.carried(once)
    assert len(waits) == 3


def test_too_many_requests_again_and_again_are_given_up():
    """The last of them says until when."""
    tried, once, _, _ = line(*[answer(429, retry_after="1")] * 4)
    with pytest.raises(Throttled, match="4 times in a row"):
        tried.carried(once)


def test_other_answers_are_prawcores_to_judge():
    """A 401 and a 404 come back as they are, at once."""
    tried, once, waits, _ = line(answer(401), answer(404))
    assert [tried.carried(once).status_code, tried.carried(once).status_code] == [401, 404]
    assert waits == []


def test_a_wait_before_a_request_is_said():
    """Only one that is worth a word; and none is no wait."""
    tried, _, waits, said = line()
    for seconds in (42.0, 0.25, 0.0, -3.0):
        tried.meter.pace(seconds, 60.0)
    assert (waits, said, tried.meter.waited) == ([42.0, 0.25], ["Reddit's limit"], 42.25)


def test_a_window_that_is_too_long_is_not_waited_for():
    """The meter refuses as the line does."""
    tried, _, waits, _ = line()
    with pytest.raises(Throttled):
        tried.meter.pace(599.0, 60.0)
    assert waits == []


def test_limits_that_are_no_numbers_are_passed_over():
    """A strange header does no harm."""
    tried, once, _, _ = line(answer(200, **{"x-ratelimit-remaining": "lots", "x-ratelimit-reset": "nan"}))
    tried.carried(once)
    assert tried.meter.remaining is None
