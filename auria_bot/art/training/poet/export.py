"""Export the trained poet: network, vocabulary, copy guard, scenes, card."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from auria_bot.art.checkpoint import export_onnx, load_model_weights, read_json, save_rest, write_checksums, write_json
from auria_bot.art.nets.word_lstm import INPUTS, OUTPUTS, SteppedWordLstm, WordLstm
from auria_bot.art.poets import worn_lines
from auria_bot.art.poets.lexicon import NgramFilter
from auria_bot.art.training.poet.dataset import HAIKU, PUBLIC_DOMAIN, STANZAS, word_theme
from auria_bot.corpus import verses
from auria_bot.corpus.language.verse_rules import LEADING
from auria_bot.corpus.originality import CopyGuard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.art.training.poet.dataset import PoetDataset

__all__ = ["describe", "export", "read_poems", "store_net", "stored_weights"]

_GRAPH = "model.onnx"  # beside which lies critic.onnx, with other weights of the same names
_PREFIX = "net."  # of the names of weights in it
_SCENES = 1200  # themes that are drawn where none is given

_CARD = """# The poet: a word LSTM

Writes three-line English verse word by word; the decoder beside it keeps every poem 5-7-5.

- **Net**: {parameters:,} parameters; {words:,} words, {layers} LSTM layers of {hidden}, word vectors of {width}
  shared by input and output and initialised with all-MiniLM-L6-v2's (Apache-2.0) vectors of single words. Reads
  the syllables of the line so far, the kind of poem and a MiniLM sentence vector as theme.
- **Trained on**: stanzas of public-domain verse, then about 66,000 English haiku (training split), then the
  5-7-5 ones among them more often. The haiku belong to their poets; they were read for training only, and none
  is stored here. `originality.bin` holds 40-bit hashes of their lines of five words and more and of their pairs
  of lines, so that the decoder can reject copies (a new line is taken for a copy less than once in a million
  times). `usage.npz` holds which pairs of words were seen in the training verse, and 32-bit hashes of the
  triples: the decoder prefers them, which corrects most of the network's grammar.
{machine}{corrected}{corpus}- **Splits**: by hash of the text, versions of one poem kept on one side: 92 % training,
  4 % validation, 4 % test.
- **Measured** (see metrics.json; `auria evaluate poet --data DIR` repeats it): perplexity of the test split
  over words, line breaks and ends, given neither theme nor kind: {perplexity}.
{scorer}- **Not for**: facts, advice, other languages. It can be dull, odd or untrue. Blocked words, names of
  persons and copied lines are dropped by the program around it.
- **Licence:** MIT for the weights as ours; the haiku they learned from belong to their poets.
- **Command**: `python -m auria_bot.art.training.poet.train --data DIR`
  {refined}({steps} updates, {minutes:.0f} minutes on shared CPU cores).
{remarks}"""

_MACHINE = """- **Written by a machine**: at the end every second update was of {machine:,} haiku that a language model
  wrote (`haiku_machine.jsonl.zst`; Eldan and Li, "TinyStories", 2023). The poem scorer learned from them too. They have
  no part in validation and test. They are this project's: a line of one may return, two neighbouring ones may not.
"""

_CORRECTED = """- **Corrected**: {pairs:,} of its poems were corrected by a reader (`haiku_marks.jsonl.zst`), and
  it learned to prefer the corrected ones (direct preference optimisation; Rafailov et al., 2023). Of those held out
  it finds the corrected poem likelier in {corrected:.0%}.
"""

_CORPUS = """- **Corpus**: the haiku are version {name} of the operator's own corpus: {verses:,} verses,
  SHA-256 of the rows {sha256}.
"""

_SCORER = """- **Poem scorer**: `critic.onnx`, {parameters:,} parameters: the poet's word vectors and its LSTM
  layers, trained on and pooled over the poem. It was trained to tell {pairs:,} haiku {source},
  from negative samples that the poet wrote in the same forms near the same words, at temperatures from 0.6
  to 1, and scores every candidate. On {held:,} held-out pairs it ranks the haiku above the
  negative sample with a probability (AUC) of {auc:.3f}, in 5-7-5 {auc_575:.3f}; accuracy
  {accuracy:.1%}. Both sides are folded words without punctuation, in words that the decoder
  may write, with the same syllables in each line, so neither marks nor lengths tell them apart. The command below
  trains it too; `python -m auria_bot.art.training.poet.poem_scorer --data DIR` trains it alone.
{marks}"""

_MARKS = """- **Marked**: the scorer also learned from {marks:,} poems of such a poet that a reader marked as fit to
  post or not, and from {corrected:,} corrections (`haiku_marks.jsonl.zst`). Of those held out it ranks a fit poem above
  another with a probability of {auc:.3f}, and a corrected one above what it corrects with {above:.3f}.
"""


def export(
    net: WordLstm,
    dataset: PoetDataset,
    *,
    data: Path,
    out: Path,
    training: dict[str, Any],
    metrics: dict[str, Any],
    scenes: bool = True,
) -> dict[str, Any]:
    """Write models/poet into `out`.

    Args:
        dataset: its vocabulary, and the verse it was trained on.
        data: the folder with the files of verse, for the copy guard.
        out: the folder to write; files of an earlier model are replaced.
        training: how it was trained, kept in config.json.
        metrics: what was measured, kept in metrics.json.
        scenes: False leaves out the scenes, which need word vectors.

    Returns:
        The metrics.
    """
    out.mkdir(parents=True, exist_ok=True)
    net.eval()
    config = net.config
    store_net(net, out)
    (out / "vocabulary.txt").write_text(dataset.vocabulary.text(), encoding="ascii")
    machine = dataset.rows("machine")
    trained = np.concatenate([np.flatnonzero(dataset.splits == 0), machine])
    leading = [number for number, word in enumerate(dataset.vocabulary.words) if word in LEADING]
    NgramFilter.of((dataset.tokens[row] for row in trained), config.words, leading=leading).save(out / "usage.npz")
    written = (dataset.vocabulary.decode(dataset.tokens[row].tolist()) for row in machine)
    (out / "originality.bin").write_bytes(CopyGuard.build(read_poems(data), paired=written))
    if scenes:
        np.save(out / "scenes.npy", _scenes(dataset, machine if len(machine) else trained))
    write_json(out / "config.json", {"net": asdict(config), "training": training})
    for name in ("metrics.json", "critic.onnx", worn_lines.FILE):
        (out / name).unlink(missing_ok=True)  # an earlier model's
    metrics = describe(out, metrics | {"parameters": sum(parameter.numel() for parameter in net.parameters())})
    write_checksums(out)
    return metrics


def _scenes(dataset: PoetDataset, rows: NDArray[np.int64]) -> NDArray[np.float16]:
    """(scenes, 384) unit vectors: each of two or three of the rarer words that stand together in a poem."""
    rng = np.random.default_rng(len(rows))
    found: list[NDArray[np.float32]] = []
    for row in rng.permutation(rows):
        theme = word_theme(np.unique(dataset.tokens[row]), dataset.word_vectors, rng, least=2)
        if theme.any():
            found.append(theme)
        if len(found) == _SCENES:
            break
    return np.array(found, np.float16).reshape(len(found), dataset.word_vectors.shape[1])


def describe(out: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """Add figures to metrics.json and write card.md again; neither is part of the checksums.

    `remarks` in metrics.json, a list of sentences, are appended to the card.

    Returns:
        All the metrics, without remarks.
    """
    path = out / "metrics.json"
    known = (read_json(path) if path.is_file() else {}) | metrics
    write_json(path, known)
    config = read_json(out / "config.json")
    net, training = config["net"], config["training"]
    perplexity = "not measured yet"
    if "perplexity_test" in known:
        perplexity = (
            f"{known['perplexity_test']}, where a 5-gram Kneser-Ney model of the same vocabulary has "
            f"{min(known['perplexity_5gram_haiku'], known['perplexity_5gram_all'])}"
        )
    card = _CARD.format(
        parameters=known.get("parameters", 0),
        **{name: net[name] for name in ("words", "layers", "hidden", "width")},
        perplexity=perplexity,
        steps=training.get("steps", 0),
        refined="with `--settings` and `--from`, beginning with an earlier poet\n  " if "earlier" in training else "",
        minutes=training.get("seconds", 0) / 60,
        machine=_MACHINE.format(**training) if training.get("machine") else "",
        corrected=_CORRECTED.format(pairs=training["corrections"], corrected=known["corrected_validation"])
        if training.get("corrections") and "corrected_validation" in known
        else "",
        corpus=_CORPUS.format(**training["corpus"]) if "corpus" in training else "",
        scorer=_scorer_section(config, known),
        remarks="".join(f"- {remark}\n" for remark in known.get("remarks", ())),
    )
    (out / "card.md").write_text(card, encoding="utf-8")
    return {name: value for name, value in known.items() if name != "remarks"}


def _scorer_section(config: dict[str, Any], known: dict[str, Any]) -> str:
    """The card's section on the poem scorer; "" where there is none."""
    if "critic" not in config or "critic_auc" not in known:
        return ""
    training = config["critic"]["training"]
    return _SCORER.format(
        parameters=training["parameters"],
        pairs=training["pairs"],
        source="by the language model" if config["training"].get("machine") else "of the training split",
        held=int(known["critic_pairs"]),
        auc=known["critic_auc"],
        auc_575=known["critic_auc_575"],
        accuracy=known["critic_accuracy"],
        marks=_MARKS.format(
            marks=training["marks"],
            corrected=training["corrections"],
            auc=known["critic_auc_marks"],
            above=known.get("critic_corrected", 0),
        )
        if "critic_auc_marks" in known
        else "",
    )


def read_poems(data: Path) -> Iterator[list[list[str]]]:
    """Every poem and stanza of the data folder as lines of words, for the copy guard."""
    for name in (HAIKU, PUBLIC_DOMAIN, STANZAS):
        if (data / name).is_file():
            for verse in verses.read(data / name):
                yield verse.tokens


def store_net(net: WordLstm, out: Path) -> None:
    """Write the network, one word at a time, as model.onnx, and weights.safetensors with what that does not hold."""
    poems, config = 3, net.config
    number = torch.zeros(poems, dtype=torch.int64)
    state = torch.zeros(config.layers, poems, config.hidden)
    inputs = (number, number, number, torch.zeros(poems, config.theme), state, state)
    rows = {name: {1 if name.startswith(("hidden", "cell")) else 0: "poems"} for name in (*INPUTS, *OUTPUTS)}
    how: dict[str, Any] = {"input_names": INPUTS, "output_names": OUTPUTS, "dynamic_axes": rows}
    export_onnx(SteppedWordLstm(net), inputs, out / _GRAPH, **how)
    save_rest(out, net.state_dict(), graphs=_GRAPH, prefix=_PREFIX, half=True)


def stored_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of an exported poet's network, for nets.word_lstm.WordLstm.

    Raises:
        ModelMissing, ModelCorrupt: a file is missing or damaged.
    """
    return load_model_weights(folder, graphs=_GRAPH, prefix=_PREFIX)
