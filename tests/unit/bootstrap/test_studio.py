"""The studio as the settings describe it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot import registry
from auria_bot.bootstrap.application import build
from auria_bot.domain.pipeline import ROLES
from auria_bot.execution.local import ChildProcessExecutor
from auria_bot.services.studio.step_worker import FUNCTION
from auria_bot.settings.execution import ExecutionSettings
from auria_bot.settings.schema import Settings
from auria_bot.settings.sections import BackendSettings
from tests.applications import fake_application, fake_settings

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_every_role_of_the_studio_has_a_backend_in_the_registry() -> None:
    """The default settings name classes that are there."""
    settings = Settings()
    assert {role: getattr(settings, role).backend in registry.names(role) for role in ROLES} == dict.fromkeys(
        ROLES, True
    )


def test_the_operators_style_banks_are_offered(tmp_path: Path) -> None:
    """Every folder under styles in the home that holds a bank; one without, of an addition that failed, is none."""
    for name in ("mine", "unfinished"):
        (tmp_path / "styles" / name).mkdir(parents=True)
    (tmp_path / "styles" / "mine" / "bank.json").touch()
    assert fake_application(tmp_path)._shared_options()["banks"] == [str(tmp_path / "styles" / "mine")]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked of a local executor's `start_ahead`."""
    asked: list[Any] = []

    @contextlib.contextmanager
    def start_ahead(_: object, function: str, hint: dict[str, str]) -> Iterator[None]:
        asked.append((function, hint))
        yield
        asked.append("over")

    monkeypatch.setattr(ChildProcessExecutor, "start_ahead", start_ahead)
    return asked


def test_the_worker_ahead_imports_what_the_settings_choose(tmp_path: Path, started: list[Any]) -> None:
    """In the order of the steps, but not what runs in an interpreter of its own; nothing is opened for it."""
    apart = BackendSettings(backend="diffusers", interpreter=tmp_path / "python")
    app = build(fake_settings(tmp_path).model_copy(update={"painter": apart}))
    with app.worker_ahead():
        assert started == [(FUNCTION, {role: "fake" for role in ROLES if role != "painter"})]
        assert next(iter(started[0][1])) == "poet"
    assert started[1:] == ["over"]
    assert app._store is None


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"execution": ExecutionSettings(engine="ray")},
        {"poet": BackendSettings(backend="fake", interpreter=Path("/elsewhere/python"))},
    ],
)
def test_no_worker_is_started_ahead_where_it_would_not_be_taken(
    tmp_path: Path, started: list[Any], elsewhere: dict[str, Any]
) -> None:
    """On a cluster, and where the first step has an interpreter of its own."""
    with build(fake_settings(tmp_path).model_copy(update=elsewhere)).worker_ahead():
        pass
    assert started == []
