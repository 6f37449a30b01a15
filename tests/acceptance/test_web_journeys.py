"""What people do on the web pages, from beginning to end, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import browser, missing
from tests.scenarios.web_journeys import JOURNEYS, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

WALKS = [(journey, script) for journey in JOURNEYS for script in (True, False) if script or journey.without_script]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser."""
    with browser() as found:
        yield found


@pytest.mark.parametrize(
    ("journey", "script"), WALKS, ids=[f"{one.name}{'' if script else '-without-script'}" for one, script in WALKS]
)
def test_a_journey_comes_to_its_end(chromium: Any, journey: Any, script: bool) -> None:
    """Nothing goes wrong on the way, and the console stays silent."""
    assert walk(chromium, journey, script=script) == []


def test_a_journey_is_walked_by_keyboard_alone(chromium: Any) -> None:
    """Everything is reached by the Tab key, and shows that it has the focus; web-accessible walks all of them so."""
    (visitor,) = (journey for journey in JOURNEYS if journey.name == "visitor")
    assert walk(chromium, visitor, by_keyboard=True) == []
