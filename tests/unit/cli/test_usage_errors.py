"""Exit codes of wrong usage and of unusable input, over the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.cli.error_reporting import EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auria_bot.bootstrap.application import Application

    Run = Callable[..., tuple[int, str, str]]

WRONG = [
    "",
    "    mkae",
    "    make --lost",
    "    make --count many",
    "    make --count 0",
    "    make --count -3",
    "    make --count 100000",
    "    make --strength nan",
    "    make --seed -1",
    "    make --mood lost",
    "    make --mode crayon",
    "    make --strength 7",
    "    make --season monsoon",
    "    make --season winter --theme snow",
    "    make --resume --theme snow",
    "    make --discard all --seed 1",
    "    drafts --state lost",
    "    drafts --limit 0",
    "    drafts --limit 99999999999999999999",
    "    show 1 --picture woodcut",
    "    show 1 --which lost",
    "    review",
    "    review --picture woodcut",
    "    approve one",
    "    step crayon",
    "    step poem --out poem.jpg",
    "    step style --in a.png --mode crayon --out b.png",
    "    pipeline show --picture steps.png",
    "    publish --channel lost",
    "    schedule --run make --skip make",
    "    posts --state lost",
    "    posts --state sent show 1",
    "    posts withdraw",
    "    posts withdraw --draft -3",
    "    posts --draft 0",
    "    posts --draft 99999999999999999999",
    "    posts --limit 99999999999999999999",
    "    channels check lost",
    "    channels add wall --backend lost",
    "    channels add Wall! --backend folder",
    "    channels add wall --backend folder --secrets pocket",
    "    channels add wall --backend folder --set folder",
    "    web operators add ann --role queen",
    "    serve --engine steam",
    "    keys add home --scope lost",
    "    keys add home --scope read --expires soon",
    "    print 1 --size B99",
    "    print 1 --size A4 --bleed wide",
    "    print 1 --size A4 --dpi 1e9",
    "    print 1 --size A4 --out a.gif",
    "    catalogue --out a.pdf --state lost",
    "    catalogue --out a.pdf --from soon",
    "    catalogue --out a.pdf --ids three",
    "    catalogue --out a.pdf --size B99",
    "    portrait --medium lard",
    "    portrait --count 1 --size 3",
    "    portrait --count 1 --size 0",
    "    portrait --size 512",
    "    portrait --count 1 --out a.gif",
    "    speak 1 --remove --out a.wav",
    "    speak 1 --pace 1.6",
    "    speak 1 --pace nan",
    "    measure --channel lost",
    "    stats --by colour",
    "    stats --channel lost",
    "    stats --plot a.gif",
    "    styles show anything --picture woodcut",
    "    models compare poet",
    "    corpus refresh --since soon",
    "    corpus refresh --until 2024-01-01",
    "    corpus refresh --since 2024-02-01 --until 2024-01-01",
    "    corpus refresh --listing lost",
    "    corpus refresh --time lost",
    "    corpus login",
    "    corpus login --secrets pocket",
    "    corpus rejected --reason lost",
    "    corpus rejected --sample 99999999999999999999",
    "    corpus refresh --limit -1",
    "    corpus forget ???",
    "    corpus import rows.csv --map title",
    "    corpus import rows.csv --map lost=title",
    "    corpus sample --season monsoon",
    "    corpus sample --form sonnet",
    "    corpus export a.pdf",
    "    footage add a.mp4 --shape round",
    "    footage add a.mp4 --every never",
    "    footage add a.mp4 --name NO!",
    "    footage label sea storm",
    "    film sea --seconds 0",
    "    film sea --seed 9223372036854775808",
    "    film pick sea --seed -1",
    "    film sea --fps 1e9",
    "    film sea --fps 0",
    "    film sea --truncation nan",
    "    film sea --size huge",
    "    film sea --keys first",
    "    film sea --voice",
    "    film sea --format avi",
    "    film pick sea --count 0",
    "    film import a.safetensors --name NO!",
    "    restyle-video a.mp4 b.mp4 --style x --mode crayon",
    "    restyle-video a.mp4 b.mp4 --style x --strength 7",
    "    restyle-video a.mp4 b.mp4 --style x --height 1",
    "    restyle-video a.mp4 b.mp4 --style x --seed 9223372036854775808",
    "    restyle-video a.mp4 b.mp4 --style x --strength nan",
    "    train crayon",
    "    train poet --if-rated 3",
    "    train poet --footage sea",
    "    train poet --with-ratings",
    "    train film",
    "    train film --footage sea --size huge",
    "    train poet --debug --out x",
    "    train poet --corpus lost --if-grown much",
    "    train style",
    "    train style a.png --style-weight inf",
    "    train poet --minutes nan",
    "    evaluate poet --plot a.png",
    "    evaluate film",
    "    db journal --limit 0",
    "    db journal --draft 0",
    "    notify dismiss one",
    "",
][1:-1]


@pytest.mark.parametrize("line", WRONG, ids=str.strip)
def test_wrong_usage_has_one_exit_code(
    auria: Run, application: Application, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown name, an impossible value and options that exclude each other end with 2, whoever notices."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("title\nfirst snow\n")
    for name in ("a.mp4", "a.png"):
        (tmp_path / name).write_bytes(b"neither a video nor a picture")
    code, out, err = auria(*line.split())
    assert (code, out) == (2, ""), err


def test_input_that_cannot_be_used_is_another_matter(auria: Run, application: Application, tmp_path: Path) -> None:
    """A text or a file that cannot be used ends with 4, what is not there with 5."""
    (tmp_path / "steps.toml").write_text("= no TOML")
    assert auria("make", "--theme", "")[0] == 4
    assert auria("pipeline", "run", str(tmp_path / "steps.toml"))[0] == 4
    assert auria("approve", "7", "--channel", "fake")[0] == 5


@pytest.mark.parametrize(
    "line",
    [
        "caption {}",
        "corpus import {}",
        "film import {} --name sea",
        "film sea --flow {}",
        "film sea --music {}",
        "footage add {}",
        "pipeline publish {} --name postcard",
        "pipeline run {}",
        "restyle-video {} b.mp4 --style x",
        "step enlarge --in {}",
        "styles add {}",
        "styles add . --moods {}",
        "train film --footage {}",
        "train poet --data {}",
        "train style {}",
    ],
)
def test_a_file_to_be_read_that_is_not_there_has_one_exit_code(
    auria: Run, application: Application, line: str, tmp_path: Path
) -> None:
    """Whichever command it is given to; the message names it."""
    code, out, err = auria(*line.format(tmp_path / "away.png").split())
    assert (code, out) == (5, ""), err
    assert "away.png" in err


def test_the_help_tells_the_two_apart() -> None:
    """The exit codes say what is usage and what is input."""
    assert "name" in EXIT_CODES[2]
    assert "file" in EXIT_CODES[4]
