"""The x channel keeps to X's published contract, where a copy of it is available."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.platforms.openapi import Contract
from tests.scenarios.contract_x import compare, contract_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not contract_file().is_file(), reason="X's contract is not at hand: set X_API_CONTRACT to its file"
)


def test_requests_and_answers_are_valid(tmp_path: Path) -> None:
    """Of every operation that the channel uses, with every fault."""
    done = compare(tmp_path, contract_file())
    assert done.wrong == []
    assert len(done.operations) == (11 if find_spec("av") else 7)


def test_what_the_contract_does_not_know_is_found() -> None:
    """An old parameter, an unknown field, a missing count and an undeclared status are found."""
    contract = Contract(contract_file())
    assert contract.request("GET", "/2/tweets", [("ids", "1"), ("tweet.fields", "text")], None)
    assert contract.request("GET", "/2/tweets", [("ids", "one")], None)
    assert contract.request("POST", "/2/tweets", [], {"text": "rain", "colour": "blue"})
    assert contract.request("POST", "/2/tweets", [], None)
    assert contract.request("GET", "/2/nothing", [], None)
    counts = {"followers_count": 1, "following_count": 1, "tweet_count": 1, "listed_count": 1}
    answer = {"data": {"id": "1", "public_metrics": counts}}
    assert contract.answer("GET", "/2/users/me", 200, "application/json", answer)
    assert contract.answer("GET", "/2/users/me", 204, "application/json", {})
