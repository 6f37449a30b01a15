"""Weights of packages are compared with their checksum before anything reads them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import auria_bot
from auria_bot.art import packaged_weights
from auria_bot.art.minilm import MiniLM
from auria_bot.art.packaged_weights import PackagedWeights, checked, locate, require
from auria_bot.art.safety_filter import StandardSafetyFilter
from auria_bot.errors import BackendMissing, ModelCorrupt, ModelMissing

ALL = [value for value in vars(packaged_weights).values() if isinstance(value, PackagedWeights)]


@pytest.mark.parametrize("weights", ALL, ids=lambda weights: weights.module)
def test_what_is_installed_is_what_was_pinned(weights: PackagedWeights):
    """Or it is not installed here, which is said with the command."""
    try:
        path = locate(weights)
    except BackendMissing as error:
        assert weights.command in str(error)  # noqa: PT017 - either is right
        return
    assert checked(weights) == path


@pytest.mark.parametrize("weights", ALL, ids=lambda weights: weights.module)
def test_other_bytes_are_refused(weights: PackagedWeights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """And a package without its file is said to be incomplete."""
    spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(packaged_weights, "find_spec", lambda _: spec)
    with pytest.raises(ModelMissing, match="force-reinstall"):
        checked(weights)
    (tmp_path / weights.file).parent.mkdir(exist_ok=True)
    (tmp_path / weights.file).write_bytes(b"other weights")
    with pytest.raises(ModelCorrupt, match="does not match its checksum"):
        checked(weights)


def test_the_users_of_packages_refuse_other_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Before a runtime sees them."""
    spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(packaged_weights, "find_spec", lambda _: spec)
    for name in ("model.onnx", "open-nsfw.onnx"):
        (tmp_path / name).write_bytes(b"other weights")
    with pytest.raises(ModelCorrupt, match=r"model\.onnx does not match"):
        MiniLM()
    from PIL import Image

    judge = StandardSafetyFilter(StandardSafetyFilter.Config(), tmp_path)
    with pytest.raises(ModelCorrupt, match=r"open-nsfw\.onnx does not match"):
        judge.nudity(Image.new("RGB", (64, 64)))


def test_a_changed_file_is_hashed_anew(tmp_path: Path):
    """Although a file that stayed is hashed once."""
    file = tmp_path / "weights"
    file.write_bytes(b"1")
    digest = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    require(file, digest)
    file.write_bytes(b"22")
    with pytest.raises(ModelCorrupt):
        require(file, digest)


def test_no_other_module_looks_for_weights_in_packages():
    """A package's folder is found by `find_spec` here, and by those that need a font or ask what is installed."""
    root = Path(auria_bot.__file__).parent
    users = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if re.search(r"find_spec\(|\.get_model_file_path\(", path.read_text(encoding="utf-8"))
    }
    assert users <= {
        "art/packaged_weights.py",
        "art/exporters/card.py",  # a font
        "art/exporters/pdf.py",  # a font, and whether its library is installed
        "art/films/video.py",  # only whether PyAV is installed
        "art/poets/causal_lm.py",  # only whether torch is installed
        "channels/films.py",  # only whether PyAV is installed
        "cli/operations/daemon.py",  # only whether the web server's packages are installed
        "execution/cluster.py",  # only whether Ray is installed
        "services/engagement/engagement_plot.py",  # a font
        "services/models/comparison_plot.py",  # only whether matplotlib is installed
    }


def test_whoever_opens_a_network_has_checked_it():
    """Every call of the runtime outside tests of equality is in a module that verifies."""
    root = Path(auria_bot.__file__).parent / "art"
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        opens = any(
            isinstance(node, ast.Call) and ast.unparse(node.func) in {"runtime.load", "load"}
            for node in ast.walk(ast.parse(text))
        )
        if opens and path.name not in {"parity.py", "checkpoint.py"}:
            assert re.search(r"verif(y|ied)\(|checked\(|require\(", text), path
