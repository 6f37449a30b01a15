"""The transformers captioner with a tiny BLIP of random weights, saved to disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot.art.captioners.blip import Blip
from auria_bot.errors import ModelMissing, PictureError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder as the hub has them: config, weights, processor."""
    import torch

    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("blip")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "sea", "sky", "rock", "wave", "a", "the"]
    (place / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    tokenizer = transformers.BertTokenizer(vocab_file=str(place / "vocab.txt"))
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    text = {
        "vocab_size": len(words),
        "hidden_size": 16,
        "encoder_hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 32,
        "bos_token_id": 5,
        "pad_token_id": 0,
        "eos_token_id": 3,
        "sep_token_id": 3,
        "projection_dim": 8,
    }
    vision = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 16,
        "projection_dim": 8,
    }
    config = transformers.BlipConfig(text_config=text, vision_config=vision, image_text_hidden_size=8, projection_dim=8)
    transformers.BlipForConditionalGeneration(config).save_pretrained(place)
    images = transformers.BlipImageProcessor(size={"height": 32, "width": 32})
    transformers.BlipProcessor(images, tokenizer).save_pretrained(place)
    return place


def test_any_model_folder_describes(folder: Path, tmp_path: Path) -> None:
    """A picture gets the same sentence every time, in plain form, and the weights name the model."""
    picture = tmp_path / "p.png"
    Image.effect_noise((50, 40), 60).convert("RGB").save(picture)
    captioner = Blip(Blip.Config(model=str(folder), longest=6, beams=2, device="cpu"), tmp_path)
    said = captioner.describe(picture)
    assert said == captioner.describe(picture)
    assert said[0].isupper()
    assert said.endswith(".")
    assert len(captioner.models()["blip"]) == 64


def test_a_broken_picture_is_a_picture_error(folder: Path, tmp_path: Path) -> None:
    """Before any model is loaded."""
    (tmp_path / "p.png").write_bytes(b"no picture")
    with pytest.raises(PictureError):
        Blip(Blip.Config(model=str(folder)), tmp_path).describe(tmp_path / "p.png")


def test_no_model_named_is_a_setting_to_fix(tmp_path: Path) -> None:
    """The message says which setting."""
    with pytest.raises(SettingsError, match=r"captioner\.options\.model"):
        Blip(Blip.Config(), tmp_path)


def test_a_folder_without_a_model_is_a_missing_model(tmp_path: Path) -> None:
    """With the folder's name in the message."""
    Image.new("RGB", (20, 20)).save(tmp_path / "p.png")
    with pytest.raises(ModelMissing, match="nothing-here"):
        Blip(Blip.Config(model=str(tmp_path / "nothing-here"), device="cpu"), tmp_path).describe(tmp_path / "p.png")
