import shutil

import numpy as np
import pytest

from auria_bot.art.poets.decoding import DecodedPoem
from auria_bot.art.poets.ranking import faults
from auria_bot.art.poets.word_lstm import PoemScorer, WordLstm
from auria_bot.corpus.language.words import SPECIALS, Vocabulary, models_folder, words
from auria_bot.domain.interfaces import Poet
from auria_bot.domain.mood import find_mood
from auria_bot.errors import InputError, ModelCorrupt, ModelMissing

if not (models_folder() / "poet" / "SHA256SUMS").is_file():
    pytest.skip("models/poet is not there", allow_module_level=True)

CONFIG = WordLstm.Config(candidates=16, considered=4)


@pytest.fixture(scope="module")
def poet():
    """The poet that ships, looking at few candidates."""
    return WordLstm(CONFIG, models=models_folder())


def test_it_is_a_poet(poet):
    """The class has the role's methods and names its models by hash."""
    assert isinstance(poet, Poet)
    assert all(len(value) == 64 for value in poet.models().values())


def test_the_same_seed_writes_the_same_poems(poet):
    """Seed, theme and mood decide the poems, also in a new object; another seed writes others."""
    asked = {"seed": 7, "count": 2, "theme": "snow at night", "mood": find_mood("still")}
    first = poet.compose(**asked)
    assert first == WordLstm(CONFIG, models=models_folder()).compose(**asked)
    assert first != poet.compose(**asked | {"seed": 8})
    assert len({verse.haiku.text for verse in first}) == 2


def test_poems_pass_every_check(poet):
    """A hundred poems are exact, clean, original and open differently."""
    poems = poet.write(seed=1, count=100)
    assert len(poems) == 100
    assert all(not faults([words(line) for line in haiku.lines], poet._guard) for haiku in poems)
    assert len({haiku.lines[0] for haiku in poems}) == 100
    assert all(haiku.syllables == (5, 7, 5) for haiku in poems)


def test_the_share_of_fit_poems_falls_with_faults_and_with_repeated_first_lines(poet, monkeypatch):
    """Nearly all of the shipped poet's are fit; the same seeds give the same share."""
    share = poet.fit_share([1, 2], each=24)
    assert share > 0.9
    assert poet.fit_share([1, 2], each=24) == share
    pool = poet._pool
    monkeypatch.setattr(poet, "_pool", lambda *given, **more: tuple(part[::2] for part in pool(*given, **more)))
    assert poet.fit_share([1, 2], each=24) < 0.6
    monkeypatch.setattr(poet, "_is_usable", lambda _: False)
    assert poet.fit_share([1, 2], each=24) == 0


@pytest.mark.parametrize(
    ("theme", "near"),
    [
        ("a storm at sea", {"storm", "sea", "waves", "wave", "ocean", "wind", "winds", "shore", "thunder", "rain"}),
        ("first snow in the village", {"snow", "snowflakes", "village", "winter", "frost", "snowy", "snowfall"}),
    ],
)
def test_a_theme_steers(poet, theme, near):
    """Most poems on a theme hold a word near to it, and more than without the theme."""

    def share(poems):
        return sum(bool(near & set(words(haiku.text))) for haiku in poems) / len(poems)

    told = share(poet.write(seed=2, count=32, theme=theme))
    assert told > 0.5
    assert told > share(poet.write(seed=2, count=64))


def test_a_mood_steers(poet):
    """Words of a mood are more frequent in poems of that mood."""
    mood = find_mood("stormy")

    def share(poems):
        return sum(bool(set(mood.words) & set(words(haiku.text))) for haiku in poems)

    assert share(poet.write(seed=3, count=48, mood=mood)) > share(poet.write(seed=3, count=48))


def test_bad_requests_are_refused(poet):
    """No poems, and an endless theme, raise InputError."""
    with pytest.raises(InputError):
        poet.compose(seed=1, count=0)
    with pytest.raises(InputError):
        poet.compose(seed=1, theme="x" * 10_000_000)


def test_missing_and_broken_models_are_reported(tmp_path):
    """A folder without a poet, and one whose files were changed, raise the model's errors."""
    with pytest.raises(ModelMissing):
        WordLstm(CONFIG, models=tmp_path)
    shutil.copytree(models_folder() / "poet", tmp_path / "poet")
    with (tmp_path / "poet" / "vocabulary.txt").open("a") as file:
        file.write("moonfox\n")
    with pytest.raises(ModelCorrupt):
        WordLstm(CONFIG, models=tmp_path)


VOCABULARY = Vocabulary(words=(*SPECIALS, "old", "pond", "frog", "leaps"))


@pytest.fixture(scope="module")
def served_net(tmp_path_factory):
    """A small untrained scorer: the torch module and the exported one."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from auria_bot.art.nets.word_lstm import PoemScorer as PoemScorerNet
    from auria_bot.art.nets.word_lstm import PoemScorerConfig
    from auria_bot.art.training.poet import poem_scorer

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("scorer")
    net = PoemScorerNet(PoemScorerConfig(words=len(VOCABULARY), width=6, hidden=5)).eval()
    poem_scorer.export(net, folder)
    return net, PoemScorer(folder / "critic.onnx", VOCABULARY)


def poem(*lines):
    """A poem by its lines alone."""
    return DecodedPoem(lines=tuple(tuple(line.split()) for line in lines), likelihood=0, plain=0, breaks=0, lowest=0)


def test_it_agrees_with_the_torch_module(served_net):
    """The exported scorer and the torch module agree, and a poem's logit does not depend on its neighbours."""
    import torch

    net, served = served_net
    tokens = np.zeros((3, 24), np.int64)
    tokens[0, :6], tokens[1, :4], tokens[2, :24] = [1, 4, 5, 2, 6, 3], [1, 7, 2, 3], [1, *[4, 5] * 11, 3]
    with torch.no_grad():
        expected = net(torch.from_numpy(tokens)).numpy()
    assert np.allclose(served(tokens), expected, atol=2e-3)
    assert np.allclose(served(tokens[1:2, :9]), expected[1:2], atol=2e-3)


def test_it_reads_words(served_net):
    """A poem is judged by its words and their order, however long it is."""
    _, served = served_net
    logits = served.judge(
        [poem("old pond", "frog"), poem("pond old", "frog"), poem("old pond", "frog"), poem("old " * 40)]
    )
    assert logits[0] == logits[2] != logits[1]
    assert np.isfinite(logits).all()


def test_a_missing_scorer_is_reported(tmp_path):
    """No file raises ModelMissing."""
    with pytest.raises(ModelMissing):
        PoemScorer(tmp_path / "critic.onnx", VOCABULARY)
