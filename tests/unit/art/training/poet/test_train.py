import json
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.word_lstm import WordLstm, WordLstmConfig  # noqa: E402 - after the skip
from auria_bot.art.training import loop  # noqa: E402
from auria_bot.art.training.poet import train as recipe  # noqa: E402
from auria_bot.art.training.poet.dataset import build, choose_words, machine_haiku  # noqa: E402
from auria_bot.art.training.poet.export import stored_weights  # noqa: E402
from auria_bot.art.training.poet.marks import MarkedPoem, Marks  # noqa: E402
from auria_bot.art.training.poet.poem_scorer import PoemScorerSettings  # noqa: E402
from auria_bot.errors import InputError  # noqa: E402

LINES = (
    ["old pond", "a frog leaps into the water", "it rains"],
    ["winter moon", "the river under the ice", "goes on"],
    ["snow", "an empty road to the village", "one crow"],
    ["autumn wind", "the leaves run ahead of me", "down hill"],
)
SETTINGS = recipe.PoetSettings(
    steps=30,
    batch=4,
    least=1,
    most=200,
    themed=0,
    width=8,
    hidden=12,
    rate=0.02,
    warm_up=2,
    common=10,
    sampled=5,
    machine_from=1.0,
    preferred=0,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder of a few hundred small haiku and stanzas, written here."""
    pytest.importorskip("zstandard")
    import zstandard

    folder = tmp_path_factory.mktemp("data")
    nouns = [
        "moon",
        "pond",
        "crow",
        "hill",
        "road",
        "leaf",
        "gate",
        "stone",
        "lake",
        "field",
        "star",
        "wave",
        "boat",
        "bird",
    ]
    rows = [
        {
            "lines": [f"{first} {line[0]}", *line[1:-1], f"{line[-1]} {second}"],
            "form": "free",
            "tier": "poets",
            "nature": 1,
        }
        for first in nouns
        for second in nouns
        for line in LINES
    ]
    packed = zstandard.ZstdCompressor().compress("\n".join(map(json.dumps, rows)).encode())
    (folder / "haiku.jsonl.zst").write_bytes(packed)
    (folder / "pd_poetry.jsonl.zst").write_bytes(
        zstandard.ZstdCompressor().compress(json.dumps({"lines": ["the river runs", "over the stone"] * 4}).encode())
    )
    return folder


def test_training_lowers_perplexity_and_can_be_resumed(data, tmp_path):
    """Thirty steps in two sittings learn, and give the same net as in one sitting."""
    whole = recipe.PoetRecipe(build(data, tmp_path / "a", least=1, most=200, themed=0), SETTINGS)
    before = whole.evaluate()["perplexity"]
    for number in range(30):
        figures = whole.step(number, 30)
    assert figures["loss"] > 0
    assert whole.evaluate()["perplexity"] < 0.85 * before

    recipe.loop.run(_Until(recipe.PoetRecipe(whole.dataset, SETTINGS), 12), tmp_path / "b", steps=30, minutes=0)
    again = recipe.PoetRecipe(whole.dataset, SETTINGS)
    outcome = recipe.loop.run(again, tmp_path / "b", steps=30)
    assert outcome.finished
    for mine, theirs in zip(again.average.parameters(), whole.average.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-5)


class _Until:
    """A recipe whose sitting is cut short by a budget of no minutes."""

    def __init__(self, inner, _steps):
        self.inner, self.name = inner, inner.name

    def __getattr__(self, name):
        return getattr(self.inner, name)


def test_the_exported_model_is_the_trained_one(data, tmp_path):
    """One call trains and exports; torch and the ONNX file give the same likelihoods; the serving files are complete."""
    pytest.importorskip("onnx")
    import numpy as np

    from auria_bot.art import runtime
    from auria_bot.art.checkpoint import verify
    from auria_bot.art.evaluation.poet import evaluate, load_net

    metrics = recipe.train(
        data=data,
        folder=tmp_path / "run",
        out=tmp_path / "out",
        steps=3,
        settings=SETTINGS,
        log=lambda _: None,
        scorer=PoemScorerSettings(pairs=64, steps=2, batch=8, width=4, hidden=4, worn=2),
    )
    assert 0 <= metrics["critic_auc"] <= 1
    assert "**Poem scorer**" in (tmp_path / "out" / "card.md").read_text()
    assert metrics["perplexity_validation"] > 1
    assert len(verify(tmp_path / "out")) == 64
    net, vocabulary = load_net(tmp_path / "out")
    rng = np.random.default_rng(0)
    feeds = {
        "token": np.array([1, 5]),
        "position": np.array([0, 3]),
        "kind": np.array([0, 2]),
        "theme": rng.normal(0, 0.05, (2, 384)).astype(np.float32),
        "hidden": rng.normal(0, 1, (2, 2, 12)).astype(np.float32),
        "cell": rng.normal(0, 1, (2, 2, 12)).astype(np.float32),
    }
    with torch.no_grad():
        expected = net.step(*(torch.from_numpy(value) for value in feeds.values()))
    for name in runtime.RUNTIMES:
        pytest.importorskip(name)
        found = runtime.load(tmp_path / "out" / "model.onnx", runtime=name).run(feeds)
        for tensor, key in zip(expected, ("likelihoods", "hidden_next", "cell_next"), strict=True):
            assert np.allclose(tensor.numpy(), found[key], atol=2e-3)
    assert evaluate(data=data, model=tmp_path / "out")["test_haiku"] > 0
    assert len(vocabulary) == net.config.words


def test_machine_poems_are_read_in_training_alone(data, tmp_path):
    """Haiku of a language model are read beside the human ones, outside splits and words; the card says so."""
    pytest.importorskip("onnx")
    import shutil

    import zstandard

    human = recipe.PoetRecipe(build(data, tmp_path / "a", least=1, most=200, themed=0), SETTINGS)
    both = shutil.copytree(data, tmp_path / "data")
    row = json.dumps({"lines": ["moon over the pond", "the river under the snow", "a crow on the hill"], "form": "575"})
    packed = zstandard.ZstdCompressor().compress("\n".join([row] * 20).encode())
    (both / "haiku_machine.jsonl.zst").write_bytes(packed)
    dataset = build(both, tmp_path / "b", least=1, most=200, themed=0, machine=machine_haiku(both))
    assert len(dataset.rows("machine")) == 20
    mixed = recipe.PoetRecipe(dataset, replace(SETTINGS, machine_from=0.5))
    machine = [number for number in range(30) if set(mixed._draw(number, 30)[0]) <= set(dataset.rows("machine"))]
    assert machine == [15, 17, 19, 21, 23, 25, 27, 29]
    for split in ("train", "validation", "test"):
        assert len(dataset.rows(split)) == len(human.dataset.rows(split))
    assert dataset.vocabulary == human.dataset.vocabulary
    recipe.train(
        data=both,
        folder=tmp_path / "run",
        out=tmp_path / "out",
        steps=2,
        minutes=0,
        settings=replace(SETTINGS, machine_from=0.5),
        log=lambda _: None,
    )
    assert "every second update was of 20 haiku that a language model\n" in (tmp_path / "out" / "card.md").read_text()


def test_corrections_are_preferred_and_a_stopped_training_goes_on_as_the_same(data, tmp_path):
    """From their share of the updates on, with the poet of that moment as reference, which a checkpoint keeps."""
    dataset = build(data, tmp_path / "a", least=1, most=200, themed=0)
    poems = [dataset.tokens[row].tolist() for row in dataset.rows("train")[:64]]
    marks = Marks.of([MarkedPoem(tokens=poem, fit=False, corrected=[*poem[:-2], 5, 3]) for poem in poems])
    settings = replace(SETTINGS, preferred=4, preferred_from=0.3)
    whole, parts = (recipe.PoetRecipe(dataset, settings, marks=marks) for _ in range(2))
    recipe.loop.run(whole, tmp_path / "b", steps=12)
    assert whole.evaluate()["corrected"] > 0.9
    recipe.loop.run(_Until(parts, 6), tmp_path / "c", steps=12, minutes=0)
    again = recipe.PoetRecipe(dataset, settings, marks=marks)
    assert recipe.loop.run(again, tmp_path / "c", steps=12).finished
    for name, net in whole.modules().items():
        for mine, theirs in zip(net.parameters(), again.modules()[name].parameters(), strict=True):
            assert torch.allclose(mine, theirs, atol=1e-5)
    assert "reference" not in recipe.PoetRecipe(dataset, replace(settings, preferred=0), marks=marks).modules()


def test_a_poet_is_refined_from_an_earlier_one(data, tmp_path):
    """In its words, whatever the data say, from its weights, and with its training on record; other sizes are refused."""
    pytest.importorskip("onnx")
    train = {"data": data, "steps": 2, "minutes": 0, "log": lambda _: None}
    recipe.train(folder=tmp_path / "a", out=tmp_path / "first", settings=SETTINGS, **train)
    still = replace(SETTINGS, rate=0.0, most=12)
    recipe.train(folder=tmp_path / "b", out=tmp_path / "second", settings=still, earlier=tmp_path / "first", **train)
    first, second = (stored_weights(tmp_path / name) for name in ("first", "second"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    noted = json.loads((tmp_path / "second" / "config.json").read_text())["training"]["earlier"]
    assert noted["steps"] == 1
    with pytest.raises(InputError, match="other words or sizes"):
        recipe.train(
            folder=tmp_path / "c",
            out=tmp_path / "third",
            settings=replace(SETTINGS, hidden=16),
            earlier=tmp_path / "first",
            **train,
        )


def test_a_stopped_training_has_no_critic_yet(data, tmp_path):
    """A poet whose training was stopped is exported without a critic, and one left by an earlier poet is taken away."""
    pytest.importorskip("onnx")
    (tmp_path / "out").mkdir()
    for name in ("critic.onnx", "worn_lines.txt"):
        (tmp_path / "out" / name).write_bytes(b"an earlier one")
    metrics = recipe.train(
        data=data, folder=tmp_path / "run", out=tmp_path / "out", minutes=1e-9, settings=SETTINGS, log=lambda _: None
    )
    assert "critic_auc" not in metrics
    assert not {"critic.onnx", "worn_lines.txt"} & {path.name for path in (tmp_path / "out").iterdir()}
    assert "**Poem scorer**" not in (tmp_path / "out" / "card.md").read_text()


def test_remarks_stay_on_the_card(tmp_path):
    """Remarks in metrics.json close the card, however often figures are added."""
    from auria_bot.art.checkpoint import write_json
    from auria_bot.art.training.poet.export import describe

    write_json(tmp_path / "config.json", {"net": {"words": 9, "layers": 2, "hidden": 4, "width": 3}, "training": {}})
    write_json(tmp_path / "metrics.json", {"remarks": ["Looked at twice."]})
    for number in range(2):
        assert describe(tmp_path, {"figure": number}) == {"figure": number}
        assert (tmp_path / "card.md").read_text().endswith("\n- Looked at twice.\n")


def test_settings_come_from_the_file():
    """config/train/poet.toml holds the defaults, every one of them."""
    import tomllib
    from dataclasses import asdict
    from pathlib import Path

    path = Path(__file__).parents[5] / "config" / "train" / "poet.toml"
    assert tomllib.loads(path.read_text()) == asdict(recipe.PoetSettings())
    assert loop.read_settings(recipe.PoetSettings, path) == recipe.PoetSettings()


def test_words_are_chosen():
    """Names, blocked words and words outside the dictionary are not learned; the commonest come first."""
    poem = [["moon", "moon", "jennifer", "shit", "london", "xqzzt", "pond"]]
    assert choose_words([poem], least=1, most=10).words[4:] == ("moon", "pond")


def test_a_step_is_the_whole_run_in_pieces():
    """Reading a poem word by word gives what reading it at once gives."""
    torch.manual_seed(1)
    net = WordLstm(WordLstmConfig(words=30, width=8, hidden=12)).eval()
    tokens, places = torch.randint(4, 30, (5, 3)), torch.randint(0, 48, (5, 3))
    kinds, themes = torch.tensor([0, 3, 5]), torch.randn(3, 384) / 20
    with torch.no_grad():
        whole = net.score(net(tokens, places, kinds, themes)).log_softmax(-1)
        state = torch.zeros(2, 3, 12), torch.zeros(2, 3, 12)
        for place in range(5):
            scores, *state = net.step(tokens[place], places[place], kinds, themes, *state)
            assert torch.allclose(scores, whole[place], atol=1e-5)


def test_the_settings_of_the_refining_are_known():
    """config/train/poet_refine.toml begins at once with a machine's haiku beside human ones, the rate falling."""
    path = Path(__file__).parents[5] / "config" / "train" / "poet_refine.toml"
    settings = loop.read_settings(recipe.PoetSettings, path)
    assert (settings.machine_from, settings.plain_from, settings.verse_until) == (0.0, 0.0, 0.0)
