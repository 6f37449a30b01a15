"""Labels of frames, and what is learnt from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from auria_bot.errors import DiskError, InputError, NotFound
from auria_bot.services.footage import kinds as module
from auria_bot.services.footage.kinds import Kinds, places
from auria_bot.services.footage.library import Footage, FootageLibrary, Source, StoredFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

LOOKED_AT: list[str] = []


def features(
    frames: Sequence[Path], _: Path, *, progress: Callable[[int], None] = lambda _: None
) -> NDArray[np.float32]:
    """In place of the network's: a frame's mean colours, with a little of its number."""
    rows = np.zeros((len(frames), module.FEATURES), np.float32)
    for place, frame in enumerate(frames):
        LOOKED_AT.append(frame.name)
        rows[place, :3] = np.asarray(Image.open(frame), np.float32).mean((0, 1))
        rows[place, 3] = int(frame.stem) % 5
        progress(place + 1)
    return rows


@pytest.fixture
def library(tmp_path: Path) -> FootageLibrary:
    """Ten blue frames, then ten red ones; numbers begin at 5."""
    made = FootageLibrary(tmp_path)
    folder = made.folder("sea") / "frames"
    folder.mkdir(parents=True)
    frames = []
    for number in range(5, 25):
        Image.new("RGB", (16, 16), "navy" if number < 15 else "maroon").save(folder / f"{number:06d}.jpg")
        frames.append(
            StoredFrame(
                file=f"{number:06d}.jpg",
                source=0,
                time=float(number),
                sha256=f"{number:064x}",
                fingerprint="0" * 16,
                light="00" * 64,
                colour=(0.0, 0.0, 0.0),
                sharpness=1.0,
            )
        )
    source = Source(name="sea.mp4", sha256="", every=1.0, seconds=20.0, size=(16, 16))
    made.save(Footage(name="sea", width=16, height=16, shape="square", sources=(source,), frames=tuple(frames)))
    return made


@pytest.fixture
def kinds(library: FootageLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kinds:
    """Measures colours in place of what the network sees."""
    LOOKED_AT.clear()
    monkeypatch.setattr(module, "frame_features", features)
    return Kinds(library, tmp_path)


def test_frames_are_named_by_number_and_range(library: FootageLibrary) -> None:
    """Each once, in order; what names none is refused with the range there is."""
    footage = library.get("sea")
    assert places(footage, ["7-9", "5", "8", "23-99"]) == [0, 2, 3, 4, 18, 19]
    for wrong in ("4", "x", "9-7", "-3", ""):
        with pytest.raises(InputError, match="5 to 24"):
            places(footage, [wrong])
    with pytest.raises(NotFound, match="no frames"):
        places(Footage(name="empty", width=1, height=1, shape="square"), ["1"])


def test_labels_are_kept_changed_and_taken_away(kinds: Kinds, library: FootageLibrary) -> None:
    """Of frames that the set still has; a damaged file is named."""
    assert kinds.labels("sea") == {}
    assert kinds.label("sea", "calm", ["5-7"]) == 3
    kinds.label("sea", "storm", ["7"])
    kinds.label("sea", None, ["5"])
    assert kinds.labels("sea") == {"000006.jpg": "calm", "000007.jpg": "storm"}
    with pytest.raises(InputError, match="cannot name a kind"):
        kinds.label("sea", "Very Calm", ["5"])
    with pytest.raises(NotFound, match="no footage"):
        kinds.label("lake", "calm", ["5"])
    (library.folder("sea") / "labels.json").write_text("{")
    with pytest.raises(InputError, match="label again"):
        kinds.labels("sea")


def test_a_label_of_each_kind_sorts_the_set(kinds: Kinds) -> None:
    """Frames are looked at once; labels stand first, and count whatever was learnt."""
    kinds.label("sea", "calm", ["5", "6"])
    with pytest.raises(InputError, match="auria footage label sea KIND"):
        kinds.learn("sea")
    kinds.label("sea", "storm", ["15", "16", "14"])
    found = kinds.learn("sea")
    assert (found.names, found.accuracy is not None) == (("calm", "storm"), True)
    assert [found.kind(place) for place in (4, 9, 17)] == ["calm", "storm", "storm"]  # 14 is blue, and labelled storm
    assert sorted(found.of("storm")[:3]) == [9, 10, 11]
    assert len(found.of("calm")) + len(found.of("storm")) == 20
    assert len(LOOKED_AT) == 20
    doubtful = found.doubtful(5)
    assert len(doubtful) == 5
    assert not {9, 10, 11} & set(doubtful)
    kinds.learn("sea")
    assert len(LOOKED_AT) == 20


def test_measures_that_cannot_be_read_are_made_again(kinds: Kinds, library: FootageLibrary) -> None:
    """A damaged file costs time, nothing else."""
    kinds.label("sea", "calm", ["5"])
    kinds.label("sea", "storm", ["15"])
    before = kinds.learn("sea")
    assert before.accuracy is None
    path = library.folder("sea") / "features.npz"
    path.write_bytes(b"damaged")
    assert np.array_equal(kinds.learn("sea").shares, before.shares)
    assert len(LOOKED_AT) == 40
    path.write_bytes(path.read_bytes()[:-30])  # the disk was full
    assert np.array_equal(kinds.learn("sea").shares, before.shares)
    assert len(LOOKED_AT) == 60
    np.savez(path, frames=np.array(["0" * 64]), features=np.zeros((1, 3), np.float16))  # of another network
    assert np.array_equal(kinds.learn("sea").shares, before.shares)
    assert len(LOOKED_AT) == 80


def test_measures_of_a_set_that_is_removed_meanwhile_are_not_kept(
    kinds: Kinds, library: FootageLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was learnt is told; no folder of the set comes back."""
    kinds.label("sea", "calm", ["5"])
    kinds.label("sea", "storm", ["15"])

    def removed(frames: Sequence[Path], models: Path, **told: Callable[[int], None]) -> NDArray[np.float32]:
        found = features(frames, models, **told)
        library.remove("sea")
        return found

    monkeypatch.setattr(module, "frame_features", removed)
    assert len(kinds.learn("sea").shares) == 20
    assert not library.folder("sea").exists()


def test_measures_are_not_written_while_another_command_changes_the_set(kinds: Kinds, library: FootageLibrary) -> None:
    """It would remove a file that is being written; the kinds are learnt all the same."""
    kinds.label("sea", "calm", ["5"])
    kinds.label("sea", "storm", ["15"])
    with library.lock("sea"):
        assert len(kinds.learn("sea").shares) == 20
        assert not (library.folder("sea") / "features.npz").exists()
    kinds.learn("sea")
    assert (library.folder("sea") / "features.npz").is_file()


def test_sorted_frames_are_copied_and_balanced(kinds: Kinds, tmp_path: Path) -> None:
    """At most so many of each kind; a folder with something in it is not written to."""
    kinds.label("sea", "calm", ["5", "6"])
    kinds.label("sea", "storm", ["15", "16"])
    found = kinds.learn("sea")
    assert kinds.copy(found, tmp_path / "few", most=3) == {"calm": 3, "storm": 3}
    assert {path.name for path in (tmp_path / "few" / "calm").iterdir()} > {"000005.jpg", "000006.jpg"}
    assert kinds.copy(found, tmp_path / "all", most=None) == {"calm": 10, "storm": 10}
    with pytest.raises(InputError, match="there already"):
        kinds.copy(found, tmp_path / "all", most=None)


def test_a_copy_is_whole_or_not_there(kinds: Kinds, library: FootageLibrary, tmp_path: Path) -> None:
    """What fails, or is killed, in the middle leaves no folder that the next call would refuse."""
    kinds.label("sea", "calm", ["5", "6"])
    kinds.label("sea", "storm", ["15", "16"])
    found = kinds.learn("sea")
    lost = library.folder("sea") / "frames" / found.footage.frames[-1].file
    content = lost.read_bytes()
    lost.unlink()
    (tmp_path / "copies").mkdir()
    with pytest.raises(DiskError):
        kinds.copy(found, tmp_path / "copies" / "all", most=None)
    assert not list((tmp_path / "copies").iterdir())
    lost.write_bytes(content)
    (tmp_path / "copies" / "all").mkdir()
    assert kinds.copy(found, tmp_path / "copies" / "all", most=None) == {"calm": 10, "storm": 10}
