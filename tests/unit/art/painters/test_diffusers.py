"""The diffusers painter, with a tiny pipeline of random weights."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from auria_bot.art.painters.diffusers import DiffusersPainter
from auria_bot.domain.artwork import Haiku
from auria_bot.domain.interfaces import Painter
from auria_bot.errors import InputError, ModelCorrupt, ModelMissing

POEM = Haiku(lines=("winter solitude", "in a world of one colour", "the sound of the wind"), syllables=(5, 7, 5))


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """A Stable Diffusion pipeline of a few thousand random weights, saved to disk."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    transformers = pytest.importorskip("transformers")
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    folder = tmp_path_factory.mktemp("pipeline")
    letters = [chr(code) for code in range(97, 123)] + [","]
    tokens = letters + [f"{letter}</w>" for letter in letters] + ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = transformers.CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=16)
    torch.manual_seed(0)
    text = transformers.CLIPTextModel(
        transformers.CLIPTextConfig(
            vocab_size=len(tokens),
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=16,
            bos_token_id=len(tokens) - 2,
            eos_token_id=len(tokens) - 1,
            pad_token_id=len(tokens) - 1,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=16,
        attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 8),
        norm_num_groups=4,
        latent_channels=4,
        sample_size=16,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    )
    made = StableDiffusionPipeline(
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet,
        vae=vae,
        scheduler=DDIMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    made.save_pretrained(folder / "saved", safe_serialization=True)
    return folder / "saved"


@pytest.fixture(scope="module")
def painter(pipeline, tmp_path_factory):
    """The painter over that pipeline."""
    return DiffusersPainter(
        DiffusersPainter.Config(pipeline=str(pipeline), steps=2, size=16, device="cpu"),
        models=tmp_path_factory.mktemp("models"),
    )


@pytest.mark.filterwarnings("ignore")
def test_paints(painter, tmp_path):
    """It writes as many pictures as asked, of the size set, and fills the Painter role."""
    made = painter.paint(POEM, seed=1, count=2, folder=tmp_path)
    assert isinstance(painter, Painter)
    for each in made:
        with Image.open(each.path) as picture:
            assert picture.size == (16, 16)
    assert made[0].path.read_bytes() != made[1].path.read_bytes()


@pytest.mark.filterwarnings("ignore")
def test_seed(painter, tmp_path):
    """The same seed gives the same bytes, another seed gives others."""
    one, again, other = (
        painter.paint(POEM, seed=seed, count=1, folder=tmp_path / name)[0]
        for seed, name in ((4, "a"), (4, "b"), (5, "c"))
    )
    assert one.path.read_bytes() == again.path.read_bytes()
    assert one.path.read_bytes() != other.path.read_bytes()


def test_models_hash(painter, pipeline):
    """The provenance hash changes when a file of the pipeline changes."""
    before = painter.models()["painter"]
    extra = pipeline / "note.txt"
    extra.write_text("changed")
    after = painter.models()["painter"]
    extra.unlink()
    assert len(before) == 64
    assert before != after


def test_unset(tmp_path):
    """Without a pipeline the message says which setting is missing."""
    pytest.importorskip("diffusers")
    with pytest.raises(ModelMissing, match="pipeline"):
        DiffusersPainter(models=tmp_path)


def test_no_download(tmp_path):
    """A hub name is not fetched unless that is allowed."""
    pytest.importorskip("diffusers")
    with pytest.raises(ModelMissing, match="allow_download"):
        DiffusersPainter(DiffusersPainter.Config(pipeline="someone/something"), models=tmp_path)


def test_no_pickles(tmp_path):
    """A folder with pickled weights only is refused before anything is read from it."""
    pytest.importorskip("diffusers")
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ModelMissing, match="safetensors"):
        DiffusersPainter(DiffusersPainter.Config(pipeline=str(tmp_path)), models=tmp_path)


def test_corrupt(tmp_path):
    """A folder that is no pipeline is named in the error."""
    pytest.importorskip("diffusers")
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelCorrupt, match="cannot be loaded"):
        DiffusersPainter(DiffusersPainter.Config(pipeline=str(tmp_path)), models=tmp_path)


def test_manner(painter):
    """Options with unknown fields are refused; missing ones take their defaults."""
    assert painter.prompt(POEM).startswith("a painting of winter solitude, in a world")
    broken = DiffusersPainter.__new__(DiffusersPainter)
    broken.config = DiffusersPainter.Config(manner="a {colour} painting")
    with pytest.raises(InputError, match="manner"):
        broken.prompt(POEM)
