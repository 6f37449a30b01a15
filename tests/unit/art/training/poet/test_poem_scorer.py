import tomllib
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.word_lstm import (  # noqa: E402 - after the skip
    PoemScorer,
    PoemScorerConfig,
    WordLstm,
    WordLstmConfig,
)
from auria_bot.art.training import loop  # noqa: E402
from auria_bot.art.training.poet.marks import MarkedPoem, Marks  # noqa: E402
from auria_bot.art.training.poet.negative_samples import Pairs  # noqa: E402
from auria_bot.art.training.poet.poem_scorer import (  # noqa: E402
    PLACES,
    PoemScorerRecipe,
    PoemScorerSettings,
    auc,
)

SETTINGS = PoemScorerSettings(
    steps=60,
    batch=32,
    rate=0.03,
    words_rate=1,
    width=8,
    hidden=12,
    drop_word=0,
    drop_input=0,
    drop_output=0,
    average=0.8,
)
WORDS = 24
POET = {"words.weight": torch.from_numpy(np.random.default_rng(0).normal(0, 1, (WORDS, 12)).astype(np.float32))}


@pytest.fixture(autouse=True)
def one_thread():
    """So small a net is only held up by a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pairs(seed, count=48):
    """Poems whose words rise by one against poems of the same words in any order."""
    rng = np.random.default_rng(seed)
    real, written = [], []
    for _ in range(count):
        first = int(rng.integers(4, WORDS - 9))
        body = list(range(first, first + 9))
        mixed = rng.permutation(body).tolist()
        for table, words in ((real, body), (written, mixed)):
            table.append([1, *words[:3], 2, *words[3:6], 2, *words[6:], 3])
    rows = np.arange(count)
    return Pairs(real=np.array(real), written=np.array(written), rows=rows, formal=rows % 2 == 0)


def recipe():
    """A small critic of such poems."""
    return PoemScorerRecipe(pairs(1), pairs(2), POET, SETTINGS)


def test_it_learns_to_tell_poems_from_imitations():
    """Forty updates raise the share of pairs told rightly from chance to nearly all, on pairs never seen."""
    made = recipe()
    assert made.evaluate()["auc"] < 0.75
    for number in range(SETTINGS.steps):
        made.step(number, SETTINGS.steps)
    found = made.evaluate()
    assert found["auc"] > 0.9
    assert found["accuracy"] > 0.75
    assert found["pairs"] == 48


@pytest.mark.parametrize("is_corrected", [False, True], ids=["marked", "corrected"])
def test_it_learns_what_a_reader_says(is_corrected):
    """Of pairs that say nothing, and a reader's marks or corrections, it learns which word is fit; others are told."""
    rng = np.random.default_rng(3)
    poems = [[1, *rng.integers(4, WORDS, 8).tolist(), 3] for _ in range(200)]
    marked = [
        MarkedPoem(tokens=[5 if word == 9 else word for word in poem], fit=False, corrected=[*poem[:4], 9, *poem[5:]])
        if is_corrected
        else MarkedPoem(tokens=poem, fit=9 in poem)
        for poem in poems
    ]
    same = replace(pairs(1), written=pairs(1).real)
    made = PoemScorerRecipe(same, pairs(2), POET, SETTINGS, Marks.of(marked))
    assert "auc_marks" not in recipe().evaluate()
    for number in range(SETTINGS.steps):
        made.step(number, SETTINGS.steps)
    assert made.evaluate()["corrected" if is_corrected else "auc_marks"] > 0.8


def test_it_begins_with_the_poet():
    """Of its sizes it reads as the poet's layers do, in the middle of a line, told nothing; of others it can begin."""
    poet = WordLstm(WordLstmConfig(words=WORDS, width=8, hidden=12)).eval()
    scorer = PoemScorer(PoemScorerConfig(words=WORDS, width=8, hidden=12)).eval()
    scorer.begin_with(poet.state_dict())
    tokens = torch.tensor([[1, 7, 8, 9]])
    expected, found = poet.words(tokens.T), scorer.words(tokens)
    for mine, theirs in zip(scorer.layers, poet.layers, strict=True):
        (expected, _), (found, _) = theirs(expected), mine(found)
        assert torch.allclose(found[0], expected[:, 0], atol=1e-4)
    deeper = PoemScorer(PoemScorerConfig(words=WORDS, width=8, hidden=12, layers=3)).eval()
    deeper.begin_with(poet.state_dict())
    assert torch.equal(deeper.layers[1].weight_hh_l0, scorer.layers[1].weight_hh_l0)


def test_a_stopped_training_goes_on_as_the_same(tmp_path):
    """Two sittings give the same net as one."""
    whole, parts = recipe(), recipe()
    loop.run(whole, tmp_path / "a", steps=8)
    loop.run(parts, tmp_path / "b", steps=8, minutes=0)
    again = recipe()
    assert loop.run(again, tmp_path / "b", steps=8).finished
    for mine, theirs in zip(again.average.parameters(), whole.average.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)


def test_poems_too_long_for_the_net_are_left_out():
    """A pair of which one poem has more tokens than the net's places is not shown."""
    long = np.full((1, PLACES + 1), 5)
    made = Pairs(real=long, written=np.full((1, 3), 5), rows=np.zeros(1, int), formal=np.ones(1, bool))
    one = pairs(1, count=1)
    assert len(PoemScorerRecipe(one, made, POET, SETTINGS).held_out.rows) == 0


@pytest.mark.parametrize(
    ("real", "written", "expected"),
    [([2, 3], [0, 1], 1.0), ([0, 1], [2], 0.0), ([1], [1], 0.5), ([0, 2], [1], 0.5), ([], [1], 0.5)],
)
def test_auc(real, written, expected):
    """It counts how often a real poem is rated above a written one, ties by half."""
    assert auc(np.array(real, float), np.array(written, float)) == expected


def test_settings_come_from_the_file():
    """config/train/poet_critic.toml holds the defaults, every one of them."""
    path = Path(__file__).parents[5] / "config" / "train" / "poet_critic.toml"
    assert tomllib.loads(path.read_text()) == asdict(PoemScorerSettings())
    assert (
        loop.read_settings(PoemScorerSettings, path)
        == loop.read_settings(PoemScorerSettings, None)
        == PoemScorerSettings()
    )


def test_a_poem_is_judged_alone_and_by_the_order_of_its_words():
    """Neighbours in the batch change nothing, another order of words does."""
    torch.manual_seed(1)
    net = PoemScorer(PoemScorerConfig(words=20, width=6, hidden=5)).eval()
    tokens = torch.zeros(3, PLACES, dtype=torch.int64)
    tokens[0, :5], tokens[1, :5] = torch.tensor([1, 7, 8, 9, 3]), torch.tensor([1, 9, 8, 7, 3])
    tokens[2] = torch.arange(PLACES) % 19 + 1
    with torch.no_grad():
        logits = net(tokens)
        assert logits.shape == (3,)
        assert torch.allclose(net(tokens[:1]), logits[:1], atol=1e-6)
    assert abs(float(logits[0] - logits[1])) > 1e-5


def test_nothing_is_dropped_when_it_serves():
    """In evaluation mode a poem always gets the same logit, in training mode it does not."""
    torch.manual_seed(1)
    net = PoemScorer(PoemScorerConfig(words=20, width=6, hidden=5, drop_word=0.5))
    tokens = torch.arange(PLACES)[None] % 19 + 1
    with torch.no_grad():
        assert len({float(net(tokens)) for _ in range(4)}) > 1
        net.eval()
        assert len({float(net(tokens)) for _ in range(4)}) == 1
