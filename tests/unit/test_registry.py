"""Names lead to classes, other distributions can add some, and an unknown name lists the known ones."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint

import pytest

from auria_bot import registry
from auria_bot.errors import BackendMissing, UnknownName


def _outside(monkeypatch: pytest.MonkeyPatch, **points: str) -> None:
    def entry_points(*, group: str) -> list[EntryPoint]:
        found = [EntryPoint(name=name, value=value, group="auria_bot.mood_reader") for name, value in points.items()]
        return [point for point in found if point.group == group]

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, known in registry.BACKENDS.items() for name in known]
)
def test_every_name_leads_to_a_class(kind: str, name: str):
    """Each name's class can be imported and has a Config; optional ones at most lack their own package."""
    try:
        found = registry.find(kind, name)
    except BackendMissing:
        assert name in {"causal-lm", "diffusers", "blip"}
    else:
        assert isinstance(found, type)
        assert isinstance(found.Config, type)


def test_unknown_names_list_the_known():
    """An unknown name lists the known ones, shortened when it is long."""
    with pytest.raises(UnknownName, match=r"no painter named 'atn'; known: attn, diffusers, fake"):
        registry.find("painter", "atn")
    with pytest.raises(UnknownName) as caught:
        registry.find("painter", "x" * 10_000)
    assert len(str(caught.value)) < 200
    with pytest.raises(UnknownName, match="no kind of backend named 'sculptor'; known: poet"):
        registry.names("sculptor")


def test_outsiders_are_found_by_their_entry_point(monkeypatch: pytest.MonkeyPatch):
    """Another distribution's name is listed and imported; it cannot take one of Auria's own."""
    _outside(monkeypatch, outsider="collections:OrderedDict", minilm="collections:Counter")
    assert registry.names("mood_reader") == ("minilm", "fake", "outsider")
    assert registry.find("mood_reader", "outsider").__name__ == "OrderedDict"
    assert registry.find("mood_reader", "minilm").__name__ != "Counter"
    assert registry.names("poet") == tuple(registry.BACKENDS["poet"])


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch):
    """A backend whose package is not installed says which, and how to install it."""
    _outside(monkeypatch, outsider="no_such_package.painter:Painter")
    with pytest.raises(BackendMissing, match=r"'no_such_package'.*pip install"):
        registry.find("mood_reader", "outsider")


def test_a_bad_entry_point_is_named(monkeypatch: pytest.MonkeyPatch):
    """An entry point that leads to no class says so, with the kind, name and target."""
    _outside(monkeypatch, outsider="collections:Missing")
    with pytest.raises(BackendMissing, match=r"'outsider'.*collections:Missing"):
        registry.find("mood_reader", "outsider")


def test_a_group_of_a_former_name_is_read_with_one_notice(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """An entry point of the current group has precedence."""
    points = {
        "auria_bot.gate": [EntryPoint(name="a", value="collections:Counter", group="auria_bot.gate")],
        "auria_bot.safety_filter": [],
    }
    monkeypatch.setattr("importlib.metadata.entry_points", lambda *, group: points[group])
    registry._notify.cache_clear()
    assert [registry.find("safety_filter", "a").__name__ for _ in range(2)] == ["Counter", "Counter"]
    points["auria_bot.safety_filter"] = [EntryPoint(name="a", value="collections:OrderedDict", group="x")]
    assert registry.find("safety_filter", "a").__name__ == "OrderedDict"
    assert [record.getMessage().partition("; ")[0] for record in caplog.records] == [
        "The entry point a is in the group auria_bot.gate, which is now called auria_bot.safety_filter"
    ]
