"""What runs on a node of a cluster."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot import __version__
from auria_bot.execution import node_worker
from auria_bot.execution.node_worker import NodeWorker, digest_of, packed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NodeWorker]:
    """A worker of a node whose temporary files are the test's."""
    monkeypatch.setattr(node_worker.tempfile, "tempdir", str(tmp_path))
    made = NodeWorker(600 << 20)
    yield made
    made.close()


def line(action: str = "", **state: Any) -> str:
    """A unit as it arrives."""
    value = {"name": "01-poem", "order": [0, 1], "function": "tests.unit.execution.actions:Actions", "group": "01"}
    value |= {"interpreter": "", "deadline": 60.0, "state": {"action": action, **state}, "files": {}}
    return json.dumps(value)


def test_a_unit_brings_its_files_and_takes_new_ones_back(worker: NodeWorker) -> None:
    """As bytes; what it printed comes too."""
    ((finished, new),) = list(worker.run(line("write", source="in.bin"), "{}", {"in.bin": b"ab"}))
    assert new == {"double.bin": b"abab"}
    message = json.loads(finished)
    assert message["files"]["double"]["size"] == 4
    assert message["log"] == "write is performed\n"
    assert message["peak"] > 0


def test_a_worker_says_which_version_it_has(worker: NodeWorker) -> None:
    """And where it is."""
    assert json.loads(worker.about()) == {"version": __version__, "node": os.uname().nodename, "pid": os.getpid()}


def test_folders_of_the_same_content_are_used_in_place(worker: NodeWorker, tmp_path: Path) -> None:
    """Nothing is sent."""
    folder = models(tmp_path / "models")
    assert worker.missing({str(folder): digest_of(folder)}) == []
    ((finished, _),) = list(worker.run(line(), json.dumps({"models": str(folder)}), {}))
    assert json.loads(finished)["state"]["request"] == {"models": str(folder)}


def test_other_folders_are_unpacked_and_named_in_the_request(worker: NodeWorker, tmp_path: Path) -> None:
    """The request names the caller's folder, the function gets the node's; a second worker finds it there."""
    folder, there = models(tmp_path / "models"), "/of/another/machine"
    wanted = {there: digest_of(folder)}
    assert worker.missing(wanted) == [there]
    worker.unpack(there, wanted[there], packed(folder))
    ((finished, _),) = list(worker.run(line(), json.dumps({"backends": [{"models": there, "n": 1}]}), {}))
    (backend,) = json.loads(finished)["state"]["request"]["backends"]
    assert backend["n"] == 1
    assert digest_of(tmp_path / backend["models"]) == wanted[there]
    other = NodeWorker(0)
    assert other.missing(wanted) == []
    other.close()


@pytest.mark.parametrize("trap", ["link", "open", "foreign"])
def test_a_folder_that_others_made_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str) -> None:
    """Every user may write to the folder of temporary files: models are not loaded from what another put there."""
    monkeypatch.setattr(node_worker.tempfile, "tempdir", str(tmp_path))
    planted, digest = tmp_path / f"auria-cluster-{os.getuid()}", "0" * 64
    real = tmp_path / "elsewhere" if trap == "link" else planted
    (real / digest).mkdir(parents=True)
    if trap == "link":
        planted.symlink_to(real)
    elif trap == "open":
        planted.chmod(0o777)
    else:
        planted.chmod(0o700)
        user = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: user + 1)
        planted.rename(tmp_path / f"auria-cluster-{user + 1}")
    worker = NodeWorker(0)
    assert worker.missing({"/of/another/machine": digest}) == ["/of/another/machine"]
    assert worker._root.stat().st_mode & 0o777 == 0o700
    worker.close()
    assert not worker._root.exists()


def test_the_folder_of_a_user_is_for_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its mode was."""
    monkeypatch.setattr(node_worker.tempfile, "tempdir", str(tmp_path))
    folder = tmp_path / f"auria-cluster-{os.getuid()}"
    folder.mkdir(mode=0o755)
    worker = NodeWorker(0)
    worker.close()
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert folder.stat().st_mode & 0o777 == 0o700


def models(folder: Path) -> Path:
    """A folder of models of which one is a link, as promoted ones are."""
    (folder / "poet").mkdir(parents=True)
    (folder / "poet" / "config.json").write_text("{}")
    (folder.parent / "elsewhere").mkdir()
    (folder.parent / "elsewhere" / "model.onnx").write_bytes(b"weights")
    (folder / "painter").symlink_to(folder.parent / "elsewhere")
    return folder


def test_a_digest_follows_links_and_tells_contents_apart(tmp_path: Path) -> None:
    """A missing folder has none."""
    folder = models(tmp_path / "models")
    before = digest_of(folder)
    (tmp_path / "elsewhere" / "model.onnx").write_bytes(b"Weights")
    assert digest_of(folder) != before
    assert digest_of(tmp_path / "none") == ""


def test_an_interpreter_that_is_not_there_is_told(worker: NodeWorker) -> None:
    """Another node could not run it either; nothing is repeated."""
    unit = json.dumps(json.loads(line()) | {"interpreter": "/no/such/python"})
    ((failed, _),) = list(worker.run(unit, "{}", {}))
    assert json.loads(failed)["error"] == "BackendMissing"


def test_the_scratch_of_a_killed_worker_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a living one stays, and so does what is young."""
    monkeypatch.setattr(node_worker.tempfile, "tempdir", str(tmp_path))
    living = NodeWorker(0)
    monkeypatch.setattr(node_worker, "_YOUNG", -1.0)
    stray = living._root / "worker-killed"
    stray.mkdir()
    other = NodeWorker(0)
    assert not stray.exists()
    assert living._scratch.is_dir()
    for worker in (living, other):
        worker.close()
