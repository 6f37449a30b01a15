"""The REST interface keeps what its OpenAPI document says."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest

from tests.scenarios.web_api import KEYS, MISSING, examine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.parametrize("scopes", KEYS, ids="-".join)
def test_every_answer_is_as_the_document_says(tmp_path: Path, scopes: tuple[str, ...]) -> None:
    """No check of schemathesis fails, and nothing is answered with 5xx."""
    phases = ("examples", "coverage", "fuzzing") if len(scopes) > 1 else ("examples",)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # schemathesis' own
        found = examine(tmp_path, scopes, examples=3, phases=phases)
    assert found.failures == ()
    assert found.server_errors == 0
    assert found.operations >= 15
