"""The Helm chart rendered by Helm's own library, and what the checkers say: `make test-live` installs both."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.bench import chart as bench
from tests.scenarios.chart import CHART, problems, render, tools, value_sets

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(tools() is None, reason="the chart's tools are not installed: make .venv-chart/.installed"),
]


def test_the_chart_renders_and_nothing_is_wrong_with_it():
    """The benchmark chart passes."""
    assert bench.run().passed


def test_the_checkers_find_what_is_wrong(tmp_path: Path):
    """A misspelt field, a container that may become root, a probe that nothing answers: schema, policy and our own check each say so."""
    broken, python = tmp_path / "chart", tools()
    shutil.copytree(CHART, broken)
    assert python is not None
    for name, right, wrong in (
        ("daemon.yaml", "publishNotReadyAddresses", "publishNotReadyAdresses"),
        ("_helpers.tpl", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"),
        ("web.yaml", "/robots.txt", "/robot.txt"),
        ("monitoring.yaml", "interval:", "intervall:"),
    ):
        file = broken / "templates" / name
        file.write_text(file.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    _, rendered = render(python, [value_sets()[1]], chart=broken)
    (done,) = rendered.values()
    found = "\n".join([*done.wrong, *problems(done.documents)])
    for said in ("publishNotReadyAdresses", "CKV_K8S_20", "unknown field .spec.endpoints[0].intervall", "/robot.txt"):
        assert said in found


def test_helm_refuses_values_that_the_schema_does_not_know(tmp_path: Path):
    """A misspelt value is an error, not ignored."""
    values, python = tmp_path / "wrong-values.yaml", tools()
    values.write_text("persistance: {size: 1Gi}\n")
    assert python is not None
    with pytest.raises(RuntimeError, match="persistance"):
        render(python, [values])
