"""One worker of a training: what it is told, as JSON."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.art import training
from auria_bot.art.stylists import style_import
from auria_bot.errors import InputError
from auria_bot.services.models import training_worker
from auria_bot.services.models.training_worker import ClusterWorker, _unpacked, main, packed, work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Net:
    """Sizes of a net."""

    widths: tuple[int, ...] = (1, 2)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings that hold others."""

    steps: int = 5
    net: Net = field(default_factory=Net)


def test_a_recipes_arguments_travel_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Folders, a painting's file and settings arrive as what they were."""
    monkeypatch.setattr(style_import, "read_file", lambda path: SimpleNamespace(path=path))
    given = {
        "content": tmp_path,
        "earlier": tmp_path / "film-waves",
        "painting": SimpleNamespace(path=tmp_path / "a.png"),
        "name": "harbour",
        "settings": Recipe(steps=9, net=Net(widths=(3, 4))),
        "minutes": 1.5,
    }
    back = _unpacked(json.loads(json.dumps(packed(given))))
    assert (back["content"], back["painting"].path, back["name"]) == (tmp_path, tmp_path / "a.png", "harbour")
    assert back["earlier"] == tmp_path / "film-waves"
    assert (back["settings"], back["minutes"]) == (given["settings"], 1.5)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the parent is told."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(training_worker, "send", found.append)
    return found


def task(rank: int, folder: Path) -> dict[str, Any]:
    """What a worker is told."""
    limits = {"minutes": None, "steps": 8, "limit": None}
    group = {"rank": rank, "size": 2, "place": rank, "host": "127.0.0.1", "port": 5, "threads": 1}
    places = {"given": {"data": str(folder)}, "folder": str(folder / "run"), "out": str(folder / "model")}
    return {"recipe": "a_recipe", **group, **places, **limits}


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What became of the group, whose recipe says a line, and fails where its data are called "few"."""
    happened: list[str] = []

    def join(*, rank: int, opened: Callable[[int], None], **_: object) -> Any:
        happened.append(f"{rank} joined")
        opened(5)
        return SimpleNamespace(leave=lambda: happened.append(f"{rank} left"))

    def train(*, data: Path, log: Callable[[str], None], **_: object) -> dict[str, float]:
        if data.name == "few":
            raise InputError("the data are too few")
        log("step 1")
        return {"loss": 0.5}

    recipe = ModuleType("a_recipe")
    recipe.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_recipe", recipe)
    monkeypatch.setattr(training, "workers", SimpleNamespace(join=join), raising=False)
    monkeypatch.setattr(training_worker, "watch_parent", lambda: None)
    return happened


def test_only_the_first_worker_speaks(tmp_path: Path, sent: list[dict[str, Any]], group: list[str]):
    """All leave the group when they are done."""
    assert work(task(0, tmp_path)) == {"loss": 0.5}
    assert sent == [{"event": "open", "port": 5}, {"event": "log", "line": "step 1"}]
    sent.clear()
    work(task(1, tmp_path))
    assert [one for one in sent if one["event"] == "log"] == []
    assert group == ["0 joined", "0 left", "1 joined", "1 left"]


def test_a_worker_ends_with_its_figures_or_its_error(
    tmp_path: Path, sent: list[dict[str, Any]], group: list[str], monkeypatch: pytest.MonkeyPatch
):
    """It is told what to do on its standard input; one that cannot do it leaves the group, too."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(task(0, tmp_path))))
    main()
    assert sent[-1] == {"event": "done", "metrics": {"loss": 0.5}}
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(task(0, tmp_path / "few"))))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert sent[-1] == {"event": "failed", "error": "InputError", "message": "the data are too few"}
    assert group == ["0 joined", "0 left"] * 2


def test_a_worker_of_a_cluster_trains_in_the_folder_of_its_unit(
    tmp_path: Path, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    """Its model is not kept: it is that of the first worker."""
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(training_worker, "work", asked.append)
    unit = tmp_path / "worker-1"
    assert ClusterWorker()(task(0, tmp_path), {"rank": 1, "place": 0}, unit, lambda *_: None) == ({}, {})
    assert (asked[0]["rank"], asked[0]["folder"], asked[0]["out"]) == (1, str(unit / "run"), str(unit / "model"))
    assert sent == []
