"""Model files are written whole, verified by hash, and refused when they are not what they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.art.checkpoint import read_json, verify, write_checksums, write_json
from auria_bot.errors import ModelCorrupt, ModelMissing
from auria_bot.files import sha256_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder with checksums."""
    folder = tmp_path / "poet"
    write_json(folder / "config.json", {"width": 4})
    (folder / "model.onnx").write_bytes(b"net")
    (folder / "card.md").write_text("# card")
    write_checksums(folder)
    return folder


def test_an_untouched_model_verifies(model: Path) -> None:
    """The hash names the model: the same for the same files, whatever the prose beside them says."""
    first = verify(model)
    (model / "card.md").write_text("# better card")
    assert verify(model) == first
    assert first == sha256_of(model / "SHA256SUMS")


def test_what_a_killed_export_left_is_no_part_of_a_model(model: Path) -> None:
    """Its folder begins with a dot, and is not copied with the model."""
    before = verify(model)
    (model / ".new-killed").mkdir()
    (model / ".new-killed" / "raw.onnx").write_bytes(b"half")
    write_checksums(model)
    assert verify(model) == before


def test_a_changed_file_is_corrupt(model: Path) -> None:
    """One flipped byte is found, and the message says what to do."""
    (model / "model.onnx").write_bytes(b"nut")
    with pytest.raises(ModelCorrupt, match=r"model\.onnx does not match.*reinstall"):
        verify(model)


@pytest.mark.parametrize("name", ["model.onnx", "SHA256SUMS"])
def test_a_lost_file_is_missing(model: Path, name: str) -> None:
    """A listed file that is gone is named."""
    (model / name).unlink()
    with pytest.raises(ModelMissing, match=name):
        verify(model)


def test_json_is_read_back_or_refused(tmp_path: Path) -> None:
    """JSON comes back; a missing file and a broken one are told apart."""
    write_json(tmp_path / "a.json", {"b": ["é"]})
    assert read_json(tmp_path / "a.json") == {"b": ["é"]}
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ModelCorrupt):
        read_json(tmp_path / "a.json")
    with pytest.raises(ModelMissing):
        read_json(tmp_path / "none.json")


def test_weights_survive_in_half_precision(tmp_path: Path) -> None:
    """Floats are stored in half precision and come back as float32; whole numbers stay exact."""
    torch = pytest.importorskip("torch")
    from auria_bot.art.checkpoint import load_weights, save_weights

    tensors = {"w": torch.linspace(-1, 1, 9), "n": torch.tensor([2**30 + 1])}
    save_weights(tmp_path / "w.safetensors", tensors, half=True)
    back = load_weights(tmp_path / "w.safetensors")
    assert back["w"].dtype is torch.float32
    assert torch.allclose(back["w"], tensors["w"], atol=1e-3)
    assert torch.equal(back["n"], tensors["n"])
    (tmp_path / "w.safetensors").write_bytes(b"\x00" * 40)
    with pytest.raises(ModelCorrupt):
        load_weights(tmp_path / "w.safetensors")
