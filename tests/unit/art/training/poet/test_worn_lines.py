import shutil

from auria_bot.art.checkpoint import verify, write_checksums
from auria_bot.art.poets.word_lstm import WordLstm
from auria_bot.art.poets.worn_lines import FILE, WornLines
from auria_bot.art.training.poet import worn_lines
from auria_bot.corpus.language.words import models_folder, words


def test_a_poets_own_lines_are_counted(tmp_path, monkeypatch, capsys):
    """By the command; the poet reads the table as its own, and one without scenes gets none."""
    folder = tmp_path / "poet"
    shutil.copytree(models_folder() / "poet", folder)
    (folder / FILE).write_text("9\tan earlier line\n")
    monkeypatch.setattr("sys.argv", ["worn_lines", "--model", str(folder), "--requests", "3"])
    worn_lines.main()
    assert verify(folder)
    worn = WornLines.load(folder / FILE)
    assert capsys.readouterr().out.endswith(f"{len(worn)} lines are worn\n")
    assert worn.wear([("an", "earlier", "line")]) == 0
    first = WordLstm(WordLstm.Config(), models=tmp_path).compose(seed=1)[0].haiku
    WornLines({" ".join(words(line)): 1_000_000 for line in first.lines}).save(folder / FILE)
    write_checksums(folder)
    assert WordLstm(WordLstm.Config(), models=tmp_path).compose(seed=1)[0].haiku != first
    (folder / "scenes.npy").unlink()
    assert worn_lines.count_worn_lines(folder, requests=3) == 0
    assert not (folder / FILE).exists()
