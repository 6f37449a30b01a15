"""Tests of auria_bot.art.training.poet.averaging."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from dataclasses import asdict  # noqa: E402 - after the skip

from auria_bot.art.checkpoint import read_json, save_weights, verify, write_checksums, write_json  # noqa: E402
from auria_bot.art.nets.word_lstm import WordLstm, WordLstmConfig  # noqa: E402
from auria_bot.art.training.poet import averaging  # noqa: E402
from auria_bot.art.training.poet.export import stored_weights  # noqa: E402
from auria_bot.corpus.language.words import SPECIALS, Vocabulary  # noqa: E402
from auria_bot.errors import InputError  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

VOCABULARY = Vocabulary(words=(*SPECIALS, "old", "pond", "frog", "rain"))


def poet(folder: Path, *, seed: int, hidden: int = 6) -> Path:
    """A small poet, as it is exported."""
    torch.manual_seed(seed)
    net = WordLstm(WordLstmConfig(words=len(VOCABULARY), width=4, hidden=hidden))
    folder.mkdir()
    save_weights(folder / "weights.safetensors", net.state_dict())
    write_json(folder / "config.json", {"net": asdict(net.config), "training": {"steps": seed}})
    (folder / "vocabulary.txt").write_text(VOCABULARY.text(), encoding="ascii")
    for name in ("originality.bin", "scenes.npy", "usage.npz"):
        (folder / name).write_bytes(name.encode() + bytes([seed]))
    write_checksums(folder)
    return folder


def test_the_mean_of_two_poets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its weights lie between theirs, its tables are the last one's, and both trainings are on record."""
    first, second = poet(tmp_path / "a", seed=1), poet(tmp_path / "b", seed=2)
    (tmp_path / "out").mkdir()
    for name in ("critic.onnx", "worn_lines.txt"):
        (tmp_path / "out" / name).write_bytes(b"an earlier one")
    monkeypatch.setattr("sys.argv", ["averaging", str(first), str(second), "--out", str(tmp_path / "out")])
    averaging.main()
    mine, theirs, mean = (stored_weights(tmp_path / name) for name in ("a", "b", "out"))
    for name, weights in mean.items():
        assert torch.allclose(weights.float(), (mine[name] + theirs[name]) / 2, atol=1e-3)
    assert (tmp_path / "out" / "usage.npz").read_bytes() == (second / "usage.npz").read_bytes()
    noted = read_json(tmp_path / "out" / "config.json")["training"]
    assert (noted["steps"], noted["averaged_with"]) == (2, [{"steps": 1}])
    assert not {"critic.onnx", "worn_lines.txt"} & {path.name for path in (tmp_path / "out").iterdir()}
    assert verify(tmp_path / "out")


def test_what_cannot_be_averaged_is_refused(tmp_path: Path) -> None:
    """One poet alone, and poets of different sizes."""
    first, other = poet(tmp_path / "a", seed=1), poet(tmp_path / "b", seed=2, hidden=5)
    with pytest.raises(InputError, match="two poets or more"):
        averaging.average([first], tmp_path / "out")
    with pytest.raises(InputError, match="different words or sizes"):
        averaging.average([first, other], tmp_path / "out")
    assert not (tmp_path / "out").exists()
