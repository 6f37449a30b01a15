"""The values of the Helm chart: each is described, allowed by the schema, and used; what Helm makes of them is tried in tests/live."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import yaml

from auria_bot import __version__
from tests.scenarios.chart import CHART, ROOT, value_sets

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES = (CHART / "values.yaml").read_text(encoding="utf-8")
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
_WHOLE = {
    "nodeSelector",
    "tolerations",
    "requests",
    "limits",
    "ingressNamespace",
    "monitoringNamespace",
    "operatorNamespace",
}  # used as they are


def _paths(values: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict) and value and name not in _WHOLE:
            yield from _paths(value, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def _allowed(schema: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, below in schema["properties"].items():
        found = SCHEMA["$defs"][below["$ref"].rpartition("/")[2]] if "$ref" in below else below
        if "properties" in found and name not in _WHOLE:
            yield from _allowed(found, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def test_each_value_has_a_comment():
    """The line above a value says what it means; that above a table may be left out."""
    lines = VALUES.splitlines()
    for number, line in enumerate(lines):
        if re.match(r" *[a-zA-Z_]+: *\S", line) and not line.lstrip().startswith("#"):
            assert lines[number - 1].lstrip().startswith("# "), line


def test_the_schema_knows_the_values_that_there_are():
    """It allows exactly the values that values.yaml has, and the defaults and the three tried sets fit it."""
    assert set(_allowed(SCHEMA)) - {"global"} == set(_paths(yaml.safe_load(VALUES)))
    validator = jsonschema_rs.validator_for(SCHEMA)
    for text in (VALUES, *(file.read_text(encoding="utf-8") for file in value_sets())):
        assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"daemon": {"replicas": 2}},
        {"image": {"repository": "Auria"}},
        {"image": {"repository": "auria", "digest": "sha256:12"}},
        {"database": {"secretName": "", "secretKey": "url"}},
        {"persistence": {"accessMode": "ReadOnlyMany"}},
        {"serve": {"autoscaling": {"targetCPU": 0}}},
        {"web": {"trustedProxies": ["everybody"]}},
        {"daemon": {"resources": {"requests": {"cpu": 1, "memory": "1Gi"}}}},
        {"networkPolicy": {"ingressNamespace": {}}},
        {"ingress": {"host": "https://auria.example.org"}},
    ],
)
def test_the_schema_refuses_wrong_values(wrong: dict[str, Any]):
    """A second daemon, an image that cannot be, a container without limits, a policy that lets everybody in."""
    assert not jsonschema_rs.is_valid(SCHEMA, wrong)


def test_each_value_is_used_and_each_used_value_exists():
    """In a template, or by the table that it is in."""
    templates = "\n".join(path.read_text(encoding="utf-8") for path in (CHART / "templates").iterdir())
    used = {name.rstrip(".") for name in re.findall(r"\.Values\.([\w.]+)", templates)}
    used |= {
        f"{part}.{name}" for part in ("daemon", "web", "serve") for name in ("resources", "nodeSelector", "tolerations")
    }
    paths = set(_paths(yaml.safe_load(VALUES)))
    assert {path for path in paths if not any(path == name or path.startswith(f"{name}.") for name in used)} == set()
    assert {name for name in used if not any(path == name or path.startswith(f"{name}.") for path in paths)} == set()


def test_the_chart_is_of_this_version():
    """Its version and the program's are those of the package, and alerts and dashboard are the deployed ones."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == chart["version"] == __version__
    for name in ("prometheus-rules.yml", "grafana-dashboard.json"):
        assert (CHART / "files" / name).read_text("utf-8") == (ROOT / "deploy" / name).read_text("utf-8")
