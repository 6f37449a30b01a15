"""The notebooks hold no outputs, use names that exist, and run from the first cell to the last."""

from __future__ import annotations

import ast
import json
import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from auria_bot.cli.app import COMMANDS

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
LAB = ("ipykernel", "jupyterlab", "nbclient")


def _cells(notebook: Path) -> list[dict[str, object]]:
    cells: list[dict[str, object]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_there_is_one_for_each_kind_of_model():
    """Those that have a recipe of their own and ship."""
    assert [notebook.stem for notebook in NOTEBOOKS] == ["captioner", "film", "painter", "poet", "style"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_without_outputs_and_its_names_exist(notebook: Path):
    """Every cell compiles; what is imported of Auria's is there; a command that is started is one of hers."""
    commands = set()
    for cell in _cells(notebook):
        assert (cell["outputs"], cell["execution_count"]) == ([], None)
        tree = ast.parse("".join(cell["source"]))  # type: ignore[arg-type]  # lines
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("auria_bot"):
                module = import_module(node.module)
                assert not [one.name for one in node.names if not hasattr(module, one.name)]
            if isinstance(node, ast.List):
                words = [one.value for one in node.elts if isinstance(one, ast.Constant)]
                if "auria_bot" in words:
                    commands.add(words[words.index("auria_bot") + 1])
                    assert "--debug" in words
    assert commands <= set(COMMANDS)
    assert commands


@pytest.mark.slow
@pytest.mark.skipif(
    not all(find_spec(name) for name in LAB) or sys.platform == "win32",
    reason="the extra lab is not installed: make lab, or pip install -r requirements/extras/lab.txt",
)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In a home of its own and without training data, so that its training is not tried; the last cell says so."""
    import nbformat
    from nbclient import NotebookClient

    for name in [name for name in os.environ if name.startswith("AURIA_")]:
        monkeypatch.delenv(name)
    kernel = tmp_path / "kernels" / "python3"
    kernel.mkdir(parents=True)
    started = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": started, "display_name": "3", "language": "python"}))
    for name, value in {
        "AURIA_HOME": "home",
        "JUPYTER_PATH": "",
        "IPYTHONDIR": "ipython",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTER_CONFIG_DIR": "config",
    }.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    opened = nbformat.read(notebook, as_version=4)
    where = {"metadata": {"path": str(notebook.parent)}}
    NotebookClient(opened, timeout=240, kernel_name="python3", resources=where).execute()
    assert "there is no training data" in str(opened.cells[-1]["outputs"]) or "name the footage" in str(
        opened.cells[-1]["outputs"]
    )
