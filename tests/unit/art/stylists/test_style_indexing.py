"""Tests of auria_bot.art.stylists.style_indexing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.colour import to_lab
from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.stylists.choice import EMOTION_COORDINATES
from auria_bot.art.stylists.style_bank import StyleBank
from auria_bot.art.stylists.style_indexing import add, infer_emotions, palette_of
from auria_bot.errors import InputError
from tests.unit.art.stylists.test_style_bank import painting

SHIPPED = Path(__file__).resolve().parents[4] / "models" / "styles"


def test_adding_a_folder_keeps_what_can_be_used_and_names_the_rest(tmp_path: Path) -> None:
    """Good pictures are added, hostile ones reported with a reason; the second time nothing doubles."""
    folder = tmp_path / "paintings"
    folder.mkdir()
    invented_scene(1).save(folder / "sea.png")
    invented_scene(2).convert("CMYK").save(folder / "wood.jpg")
    (folder / "cut.png").write_bytes((folder / "sea.png").read_bytes()[:2000])
    (folder / "notes.md").write_text("not a picture")
    invented_scene(3).save(folder / "nude.png")
    (folder / "metadata.csv").write_text(
        "file,title,artist,moods,nsfw\nsea.png,The Sea,Ann,awe,0.0\nnude.png,Nude,Bob,love,0.9\n", encoding="utf-8"
    )
    seen: list[tuple[int, int, str]] = []
    done = add(folder, tmp_path / "bank", progress=lambda *step: seen.append(step))
    assert done.added == ("ann-the-sea", "wood")
    assert done.inferred == 1
    reasons = dict(done.rejected)
    assert set(reasons) == {"cut.png", "notes.md", "nude.png"}
    assert "damaged" in reasons["cut.png"]
    assert "not a picture" in reasons["notes.md"]
    assert "nudity" in reasons["nude.png"]
    assert [step[:2] for step in seen] == [(number, 5) for number in range(1, 6)]
    again = add(folder, tmp_path / "bank")
    bank = StyleBank.load(tmp_path / "bank")
    assert again.added == done.added
    assert [each.key for each in bank.paintings] == ["ann-the-sea", "wood"]
    assert bank.paintings[1].emotion_source == "inferred"
    assert dict(bank.paintings[1].emotions) == {"surprise": pytest.approx(1.0)}


def test_titles_in_other_scripts_do_not_replace_each_other(tmp_path: Path) -> None:
    """Paintings that are named in Japanese have keys of their own, which stay the same."""
    keys = []
    for number, name in enumerate(("\u5bcc\u58eb", "\u6d77", "\u5bcc\u58eb")):
        folder = tmp_path / str(number)
        folder.mkdir()
        invented_scene(number).save(folder / f"{name}.png")
        keys += add(folder, tmp_path / "bank").added
    assert keys[0] == keys[2] != keys[1]
    assert [each.title for each in StyleBank.load(tmp_path / "bank").paintings] == ["\u5bcc\u58eb", "\u6d77"]


def test_nudity_is_let_in_by_name(tmp_path: Path) -> None:
    """By file or title; 0.51 passes of itself, but not into the bank that ships; a name that is nobody's is refused."""
    folder = tmp_path / "paintings"
    folder.mkdir()
    for number, name in enumerate(("bath.png", "venus.png", "peasants.png")):
        invented_scene(number).save(folder / name)
    (folder / "metadata.csv").write_text(
        "file,title,nsfw\nbath.png,Bathers,0.9\nvenus.png,Venus,0.95\npeasants.png,Two Peasants,0.51\n",
        encoding="utf-8",
    )
    done = add(folder, tmp_path / "bank", allowed=["bath.png", "VENUS"])
    assert done.added == ("bathers", "two-peasants", "venus")
    assert dict(add(folder, tmp_path / "bank", allowed=["bath.png"]).rejected).keys() == {"venus.png"}
    strict = add(folder, tmp_path / "strict", allowed=["bath.png"], strict=True)
    assert dict(strict.rejected).keys() == {"peasants.png", "venus.png"}
    with pytest.raises(InputError, match=r"--allow names 'nobody\.png'"):
        add(folder, tmp_path / "bank", allowed=["nobody.png"])


def test_what_others_change_meanwhile_is_kept(tmp_path: Path) -> None:
    """Indexing takes long; a painting that another command adds in that time stays."""
    (tmp_path / "in").mkdir()
    invented_scene(1).save(tmp_path / "in" / "sea.png")

    def meanwhile(*_: object) -> None:
        StyleBank.change(tmp_path / "bank", lambda bank: bank.with_added([painting("added-meanwhile")]))

    assert add(tmp_path / "in", tmp_path / "bank", progress=meanwhile).added == ("sea",)
    assert {each.key for each in StyleBank.load(tmp_path / "bank").paintings} == {"sea", "added-meanwhile"}


def test_a_folder_without_a_single_painting_is_refused(tmp_path: Path) -> None:
    """The message shows why, and no bank is made."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("words")
    with pytest.raises(InputError, match=r"none of the 1 files.*a\.txt"):
        add(tmp_path / "in", tmp_path / "bank")
    assert not (tmp_path / "bank").exists()


def test_the_palette_finds_the_main_colours() -> None:
    """Two thirds red and a third blue are that; a flat picture has one colour."""
    flag = np.zeros((30, 30, 3), np.uint8)
    flag[:20], flag[20:] = (200, 30, 30), (20, 40, 180)
    (red, large), (blue, small) = palette_of(to_lab(flag))
    assert (red, blue) == ("#c81e1e", "#1428b4")
    assert (large, small) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert len(palette_of(to_lab(np.asarray(Image.new("RGB", (9, 9), "teal"))))) == 1


def test_moods_are_lent_by_the_nearest_paintings() -> None:
    """A painting equal to a sad one in colour and title becomes sad; labelled ones stay; without teachers it is neutral."""
    sad = painting("sad", seed=1, emotions=(("sadness", 1.0),))
    glad = painting("glad", seed=2)
    bright = replace(glad.colours, mean=glad.colours.mean + 30)
    references = [sad, replace(glad, colours=bright)]
    new = replace(sad, key="new", emotions=(), emotion_source="inferred")
    inferred, kept = infer_emotions([new, glad], references)
    assert inferred.emotions[0][0] == "sadness"
    assert sum(share for _, share in inferred.emotions) == pytest.approx(1)
    assert kept.emotions == glad.emotions
    assert infer_emotions([new], [])[0].emotions == (("neutral", 1.0),)


def test_inferred_moods_lean_as_labels_do() -> None:
    """Each labelled painting of the bank that ships is left out in turn; its card states how far that goes."""
    labelled = [each for each in StyleBank.load(SHIPPED).paintings if each.emotion_source == "labelled"]
    inferred = [
        infer_emotions([replace(each, emotions=())], [*labelled[:at], *labelled[at + 1 :]])[0].emotions
        for at, each in enumerate(labelled)
    ]
    valence, arousal = (
        np.corrcoef(
            *(
                [sum(share * EMOTION_COORDINATES[name][axis] for name, share in emotions) for emotions in some]
                for some in ([each.emotions for each in labelled], inferred)
            )
        )[0, 1]
        for axis in (0, 1)
    )
    hits = [
        max(found, key=lambda one: one[1])[0] in dict(each.emotions)
        for found, each in zip(inferred, labelled, strict=True)
    ]
    card = " ".join((SHIPPED / "card.md").read_text(encoding="utf-8").split())
    assert (
        f"inferred valence correlates {valence:.2f} with the labels, arousal {arousal:.2f}, and the strongest inferred"
        f" emotion is one of the labelled in {np.mean(hits):.0%}"
    ).replace("%", " %") in card
