"""`auria step`, `auria pipeline show` and `auria pipeline run`."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application

Auria = Any


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture of the operator's."""
    Image.linear_gradient("L").resize((64, 64)).convert("RGB").save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"


@pytest.mark.usefixtures("application")
def test_a_single_step_works_on_a_picture_of_ones_own(auria: Auria, photo: Path, tmp_path: Path) -> None:
    """The result goes where it is wanted, as PNG, and no draft is made."""
    target = tmp_path / "new" / "painted.png"
    words = ("--poem", "a / b / c", "--mood", "stormy", "--style", "fake-03", "--seed", "3", "--json")
    code, out, _ = auria("step", "style", "--in", str(photo), "--out", str(target), *words)
    assert code == 0
    assert json.loads(out)["changes"]["style"]["key"] == "fake-03"
    with Image.open(target) as painted:
        assert painted.format == "PNG"
    assert auria("drafts", "--json")[1].strip() == "[]"


@pytest.mark.usefixtures("application")
def test_a_full_disk_leaves_the_picture_that_was_there(
    auria: Auria, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not half of another one, and nothing beside it."""
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "painted.png"
    target.write_bytes(b"before")

    def full(_source: Path, written: Path) -> None:
        Path(written).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(written))

    monkeypatch.setattr(shutil, "copyfile", full)
    code, _, message = auria("step", "enlarge", "--in", str(photo), "--out", str(target))
    assert (code, "the disk is full" in message) == (10, True)
    assert target.read_bytes() == b"before"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.usefixtures("application")
def test_a_step_that_makes_words_prints_them(auria: Auria, photo: Path) -> None:
    """Three lines, or a caption."""
    code, out, _ = auria("step", "poem", "--theme", "fog", "--seed", "3")
    assert (code, len(out.splitlines())) == (0, 3)
    assert auria("step", "caption", "--in", str(photo))[1].strip()


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize(
    ("arguments", "expected", "message"),
    [
        (("paint",), 2, "no step named 'paint'"),
        (("style", "--poem", "a/b/c", "--mood", "stormy"), 4, "let it come after a step 'enlarge', or give a picture"),
        (("poem", "--out", "a.jpg"), 2, "must end with .png"),
        (("poem", "--out", "a.png", "--seed", "1"), 2, "makes no picture; leave --out out"),
    ],
)
def test_what_a_step_cannot_do_is_said(auria: Auria, arguments: tuple[str, ...], expected: int, message: str) -> None:
    """With what is missing."""
    code, _, err = auria("step", *arguments)
    assert code == expected
    assert message in err


@pytest.mark.usefixtures("application")
def test_the_steps_are_shown_with_what_makes_them(auria: Auria, tmp_path: Path) -> None:
    """As a table, as JSON and as a picture."""
    picture = tmp_path / "steps.svg"
    code, out, _ = auria("pipeline", "show", "--picture", str(picture))
    assert code == 0
    assert "painting" in out
    shown = json.loads(auria("pipeline", "show", "--json")[1])
    assert shown["steps"][2] == {
        "step": "painting",
        "backends": "painter fake, safety-filter fake",
        "environment": "Auria's own",
        "compute": "1 core",
    }
    texts = [element.text for element in ET.parse(picture).iter() if element.tag.endswith("text")]  # noqa: S314 - ours
    assert texts[0] == "poem"
    assert len(texts) == 3 * 8
    assert auria("pipeline", "show", "--picture", str(tmp_path / "steps.png"))[0] == 2


def test_an_order_of_ones_own_is_run(application: Application, auria: Auria, photo: Path, tmp_path: Path) -> None:
    """Its pictures go into a folder, named by step; --check runs nothing."""
    file, target = tmp_path / "own.toml", tmp_path / "out"
    file.write_text(f'seed = 1\n[steps.poem]\n[steps.large]\nstep = "enlarge"\npicture = "{photo.name}"\n')
    code, out, _ = auria("pipeline", "run", str(file), "--check")
    assert (code, "can be run: poem, large" in out) == (0, True)
    code, out, err = auria("pipeline", "run", str(file), "--out", str(target), "--json")
    assert code == 0
    assert [result["name"] for result in json.loads(out)] == ["poem", "large"]
    assert (target / "large-enlarged.png").is_file()
    assert "large: done" in err
    assert application.runs.names() == []
    assert len(auria("pipeline", "run", str(file), "--out", str(target))[1].splitlines()) == 4


@pytest.mark.usefixtures("application")
def test_a_pipeline_is_published_listed_and_taken_away(auria: Auria, tmp_path: Path) -> None:
    """The address is told; without one there is a hint how to publish."""
    (tmp_path / "own.toml").write_text('[steps.verse]\nstep = "poem"\n', encoding="utf-8")
    assert "auria pipeline publish FILE" in auria("pipeline", "list")[2]
    code, out, _ = auria("pipeline", "publish", str(tmp_path / "own.toml"), "--name", "verse")
    assert (code, out) == (0, "published verse: verse; POST /api/v1/pipelines/verse/runs\n")
    assert "verse" in auria("pipeline", "list")[1]
    assert json.loads(auria("pipeline", "list", "--json")[1])[0]["steps"] == [{"name": "verse", "step": "poem"}]
    assert auria("pipeline", "publish", str(tmp_path / "own.toml"), "--name", "verse")[0] == 6
    assert auria("pipeline", "unpublish", "verse")[1] == "unpublished verse\n"
    assert auria("pipeline", "unpublish", "verse")[0] == 5
