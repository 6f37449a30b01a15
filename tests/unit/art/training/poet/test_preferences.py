"""Tests of auria_bot.art.training.poet.preferences."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.word_lstm import WordLstm, WordLstmConfig  # noqa: E402 - after the skip
from auria_bot.art.training.poet.marks import MarkedPoem, Marks  # noqa: E402
from auria_bot.art.training.poet.preferences import PreferenceLoss, Preferences, log_likelihood  # noqa: E402
from auria_bot.art.training.workers import ALONE, Workers  # noqa: E402
from auria_bot.corpus.language.verse_rules import POSITIONS  # noqa: E402
from auria_bot.corpus.language.words import SPECIALS, Vocabulary  # noqa: E402

BODY = ("pond", "moon", "frog", "rain", "crow", "snow", "hill", "road")
VOCABULARY = Vocabulary(words=(*SPECIALS, *BODY))
CONFIG = WordLstmConfig(
    words=len(VOCABULARY),
    width=8,
    hidden=12,
    positions=POSITIONS,
    drop_word=0,
    drop_input=0,
    drop_hidden=0,
    drop_output=0,
    drop_weight=0,
)
VECTORS = np.eye(len(VOCABULARY), 384, dtype=np.float32)


def preferences(count: int = 64) -> Preferences:
    """A reader who puts a frog where the poet has a crow."""
    rng = np.random.default_rng(1)
    marked = []
    for _ in range(count):
        first, last = (str(word) for word in rng.choice([word for word in BODY if word not in {"crow", "frog"}], 2))
        lines = [[[first], [word], [last]] for word in ("crow", "frog")]
        marked.append(MarkedPoem(tokens=VOCABULARY.encode(lines[0]), fit=False, corrected=VOCABULARY.encode(lines[1])))
    marked.append(MarkedPoem(tokens=VOCABULARY.encode([["pond"]]), fit=True))
    return Preferences(Marks.of(marked), VOCABULARY, VECTORS)


def test_the_corrected_poem_becomes_the_likelier_one() -> None:
    """After some updates the net prefers what the reader wrote, in pairs that it never saw too."""
    torch.manual_seed(1)
    net, pairs = WordLstm(CONFIG), preferences()
    assert len(pairs) == 56
    loss = PreferenceLoss(pairs, net, pairs=16, strength=0.5)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    before = float(loss(net, np.random.default_rng(0), ALONE).detach())
    assert before == pytest.approx(np.log(2), abs=1e-4)  # the net is its own reference
    for number in range(30):
        optimizer.zero_grad()
        loss(net, np.random.default_rng(number), ALONE).backward()
        optimizer.step()
    assert float(loss(net, np.random.default_rng(0), ALONE).detach()) < 0.5 * before
    assert pairs.accuracy(net) == 1
    loss.begin_with(net)
    assert float(loss(net, np.random.default_rng(0), ALONE).detach()) == pytest.approx(before, abs=1e-4)


def test_a_poem_has_the_likelihood_of_its_words() -> None:
    """Padding counts nothing, and among a few candidates only their share is compared."""
    torch.manual_seed(1)
    net = WordLstm(CONFIG).eval()
    batch = preferences().sample(3, np.random.default_rng(0))
    whole = log_likelihood(net, batch)
    column = batch.tokens[:, :1]
    assert (column > 0).all()
    with torch.no_grad():
        scores = net.score(net(column[:-1], batch.places[:-1, :1], batch.kinds[:1], batch.themes[:1])).log_softmax(-1)
        expected = scores.gather(2, column[1:, :, None]).sum()
    assert float(whole[0].detach()) == pytest.approx(float(expected), abs=1e-4)
    assert (log_likelihood(net, batch, common=4) >= whole - 1e-4).all()
    assert torch.allclose(log_likelihood(net, batch, common=len(VOCABULARY)), whole)


def test_two_workers_share_the_pairs() -> None:
    """Their losses sum to that of one, who reads all pairs."""
    net = WordLstm(CONFIG).eval()
    other = WordLstm(CONFIG).eval()
    loss = PreferenceLoss(preferences(), net, pairs=5, strength=0.5)
    each = [float(loss(other, np.random.default_rng(0), Workers(rank=rank, size=2)).detach()) for rank in (0, 1)]
    assert sum(each) == pytest.approx(float(loss(other, np.random.default_rng(0), ALONE).detach()), abs=1e-5)


def test_without_corrections_nothing_is_preferred() -> None:
    """Marks alone give no pair."""
    marks = Marks.of([MarkedPoem(tokens=VOCABULARY.encode([["pond"]]), fit=True)])
    pairs = Preferences(marks, VOCABULARY, VECTORS)
    assert len(pairs) == 0
    assert pairs.accuracy(WordLstm(CONFIG)) == 0
