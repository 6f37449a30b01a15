import numpy as np
import pytest

pytest.importorskip("torch")

from auria_bot.art.poets.lexicon import Lexicon
from auria_bot.art.training.poet.dataset import PoetDataset
from auria_bot.art.training.poet.negative_samples import eligible, write_negatives
from auria_bot.corpus.language.verse_rules import kind_of
from auria_bot.corpus.language.words import LINE, Vocabulary, models_folder

MODEL = models_folder() / "poet"
if not (MODEL / "SHA256SUMS").is_file():
    pytest.skip("models/poet is not there", allow_module_level=True)

POEMS = [
    ("the old silent pond", "a frog leaps into the pond", "the sound of water"),
    ("winter moon", "the river under the ice", "goes on"),
    ("snow on the", "empty road", "one crow"),  # breaks badly
    ("one line", "and another"),
    ("autumn fire", "leaves", "run"),  # fire has one syllable or two
    ("moonfoxes", "in the grass", "at night"),  # no such word
]


@pytest.fixture(scope="module")
def dataset():
    """Six poems in the poet's vocabulary, the first in form."""
    vocabulary = Vocabulary.parse((MODEL / "vocabulary.txt").read_text(encoding="ascii"))
    tokens = [np.array(vocabulary.encode([line.split() for line in poem])) for poem in POEMS]
    kinds = [kind_of("575" if number == 0 else "free", "poets", 2) for number in range(len(POEMS))]
    vectors = np.random.default_rng(0).normal(0, 0.05, (len(vocabulary), 384)).astype(np.float32)
    return PoetDataset(
        vocabulary=vocabulary,
        tokens=tokens,
        kinds=np.array(kinds),
        splits=np.zeros(len(POEMS), np.int64),
        themes=np.zeros((len(POEMS), 384), np.float32),
        word_vectors=vectors,
    )


def sums(tokens, lexicon):
    """Syllables of each line."""
    lines = np.cumsum(tokens == LINE)
    return [int(lexicon.syllable_counts[tokens[lines == line]].sum()) for line in range(lines[-1] + 1)]


def test_only_what_the_decoder_could_write_is_imitated(dataset):
    """Poems with a bad break, unsure or unknown words, or not three lines are left out."""
    assert eligible(dataset, Lexicon.of(dataset.vocabulary), np.arange(len(POEMS))).tolist() == [0, 1]


def test_imitations_have_the_form_of_what_they_imitate(dataset, tmp_path):
    """Each is another poem with the same syllables in each line, and a second call reads what the first has written."""
    lexicon, said = Lexicon.of(dataset.vocabulary), []
    rows = np.array([0, 1] * 8)
    made = write_negatives(MODEL, dataset, rows, tmp_path, log=said.append)
    assert len(made.rows) > len(rows) // 2
    assert made.formal.tolist() == [row == 0 for row in made.rows]
    for real, written in zip(made.real, made.written, strict=True):
        assert sums(real[real > 0], lexicon) == sums(written[written > 0], lexicon)
        assert real[real > 0].tolist() != written[written > 0].tolist()
    again = write_negatives(MODEL, dataset, rows, tmp_path, log=said.append)
    assert len(said) == 1
    assert (again.written == made.written).all()
