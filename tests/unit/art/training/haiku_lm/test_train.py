import tomllib
from dataclasses import asdict, replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from auria_bot.art.checkpoint import read_json, verify  # noqa: E402 - after the skip
from auria_bot.art.packaged_weights import LANGUAGE_MODEL  # noqa: E402
from auria_bot.art.poets import causal_lm  # noqa: E402
from auria_bot.art.poets.causal_lm import adapted  # noqa: E402
from auria_bot.art.poets.verse_tokens import VerseTokens  # noqa: E402
from auria_bot.art.training.haiku_lm import train as recipe  # noqa: E402
from auria_bot.art.training.haiku_lm.dataset import HaikuSet, read_haiku  # noqa: E402
from auria_bot.art.training.loop import read_settings  # noqa: E402
from auria_bot.errors import InputError  # noqa: E402

SETTINGS = recipe.LoraSettings(steps=24, batch=8, rate=0.02, warm_up=2, rank=4, blocks=2)


@pytest.fixture
def tiny(tiny_lm, monkeypatch):
    """The tiny model in the place of the packaged one."""

    def load():
        return (
            transformers.AutoTokenizer.from_pretrained(tiny_lm),
            transformers.AutoModelForCausalLM.from_pretrained(tiny_lm).eval(),
        )

    monkeypatch.setattr(causal_lm, "load_smollm2", load)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield load
    torch.set_num_threads(before)


def test_it_learns_and_is_exported(tiny, haiku_data, tmp_path):
    """The loss falls; adapters, card and checksums are written, and the poet's loader takes them."""
    lines = []
    figures = recipe.train(
        data=haiku_data, folder=tmp_path / "run", out=tmp_path / "out", settings=SETTINGS, log=lines.append
    )
    tested = recipe.evaluate(data=haiku_data, model=tmp_path / "out")
    assert tested["loss_test"] < tested["loss_test_without"] - 0.03
    assert tested["loss_validation"] == figures["loss_validation"]
    verify(tmp_path / "out")
    card = (tmp_path / "out" / "card.md").read_text()
    assert "all but part 1 of 4" in card
    assert LANGUAGE_MODEL.sha256 in card
    _, net = adapted(tmp_path / "out")
    assert net(input_ids=torch.tensor([[1, 2]])).logits.shape[:2] == (1, 2)


def test_a_run_goes_on_as_the_same_run(tiny, haiku_data, tmp_path):
    """Stopped after some updates and started again it ends with the adapters of a run that was not stopped."""
    whole = recipe.train(
        data=haiku_data, folder=tmp_path / "a", out=tmp_path / "one", settings=SETTINGS, log=lambda _: None
    )
    recipe.train(
        data=haiku_data, folder=tmp_path / "b", out=tmp_path / "two", settings=SETTINGS, minutes=0, log=lambda _: None
    )
    assert read_json(tmp_path / "two" / "config.json")["training"]["steps"] == 1
    again = recipe.train(
        data=haiku_data, folder=tmp_path / "b", out=tmp_path / "two", settings=SETTINGS, log=lambda _: None
    )
    assert again == whole


def test_poet_and_judge_read_different_haiku(tiny, haiku_data):
    """The judge reads the fold that the poet leaves out, and together they read the training split."""
    haiku = read_haiku(haiku_data)
    readers = []
    for inside in (False, True):
        tokenizer, net = tiny()
        readers.append(recipe.LoraRecipe(net, VerseTokens(tokenizer), haiku, replace(SETTINGS, inside=inside)).read)
    poet, judge = ({poem.lines for poem in read} for read in readers)
    assert not poet & judge
    assert poet | judge == {poem.lines for poem in haiku.train}


def test_a_batch_weighs_what_its_losses_are_of(tiny, haiku_data):
    """As many tokens as have a loss; by them the shares of several workers are weighted."""
    tokenizer, net = tiny()
    made = recipe.LoraRecipe(net, VerseTokens(tokenizer), read_haiku(haiku_data), SETTINGS)
    batch = made._batch(0)
    assert recipe._asked(batch) == len(made._losses(batch))


def test_nothing_to_read_is_an_error(tiny, haiku_data):
    """Without haiku there is no training."""
    tokenizer, net = tiny()
    with pytest.raises(InputError, match="too few haiku"):
        recipe.LoraRecipe(net, VerseTokens(tokenizer), HaikuSet(train=[], validation=[], test=[]), SETTINGS)


def test_settings_come_from_the_file():
    """config/train/haiku_lm.toml holds the defaults, every one of them."""
    path = Path(__file__).parents[5] / "config" / "train" / "haiku_lm.toml"
    assert tomllib.loads(path.read_text()) == asdict(recipe.LoraSettings())
    assert read_settings(recipe.LoraSettings, path) == recipe.LoraSettings()
