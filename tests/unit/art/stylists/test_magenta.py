"""Tests of auria_bot.art.stylists.magenta and photorealistic, with the models that ship."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.colour import ColourDistribution, to_lab
from auria_bot.art.evaluation.stylist import edges_kept, invented_scene
from auria_bot.art.stylists.magenta import Magenta, Photorealistic
from auria_bot.domain import interfaces
from auria_bot.domain.artwork import Haiku
from auria_bot.domain.mood import MOODS
from auria_bot.errors import InputError, ModelMissing, PictureError, UnknownName
from tests.style_networks import write_inverting_network

MODELS = Path(__file__).resolve().parents[4] / "models"
HAIKU = Haiku(
    lines=("orange dawn rising", "the sea holds its breath and waits", "a gull calls my name"), syllables=(5, 7, 5)
)
CONFIG = Magenta.Config(work=192, strokes=160, canvas=160)


@pytest.fixture(scope="module")
def stylist() -> Magenta:
    """The stylist that ships, small to be quick."""
    return Magenta(CONFIG, MODELS)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up landscape."""
    path = tmp_path_factory.mktemp("scene") / "scene.png"
    invented_scene(2, 192).save(path)
    return path


def colours(path: Path) -> ColourDistribution:
    """A picture file's colours."""
    with Image.open(path) as picture:
        return ColourDistribution.of(to_lab(np.asarray(picture.convert("RGB"))))


def test_both_stylists_play_the_role() -> None:
    """Each has what the studio asks for."""
    for kind in (Magenta, Photorealistic):
        assert isinstance(kind(CONFIG, MODELS), interfaces.Stylist)


def test_what_was_loved_is_chosen_more_often(stylist: Magenta, scene: Path) -> None:
    """Leanings of the plan reach the choice: a weight of a thousand makes a finalist the painting of every seed."""

    def chosen(maker: Magenta) -> list[str]:
        return [maker.choose(mood=MOODS["hopeful"], haiku=HAIKU, picture=scene, seed=seed).key for seed in range(6)]

    rare = min(chosen(stylist), key=chosen(stylist).count)
    loving = Magenta(replace(CONFIG, leanings={rare: 1000.0}), MODELS, stylist._minilm)
    assert chosen(loving) == [rare] * 6
    assert chosen(Magenta(replace(CONFIG, leanings={rare: 1.0}), MODELS, stylist._minilm)) == chosen(stylist)


def test_choosing_is_repeatable_and_carries_credit(stylist: Magenta, scene: Path) -> None:
    """The same arguments choose the same painting, in the mood's strength."""
    style = stylist.choose(mood=MOODS["hopeful"], haiku=HAIKU, picture=scene, seed=5)
    assert style == stylist.choose(mood=MOODS["hopeful"], haiku=HAIKU, picture=scene, seed=5)
    assert style.strength == MOODS["hopeful"].strength
    assert style.mode == "oil"
    other = stylist.choose(mood=MOODS["hopeful"], haiku=HAIKU, picture=scene, seed=5, recent=[style.key])
    assert other.key != style.key


def test_a_wanted_painting_is_taken(stylist: Magenta, scene: Path) -> None:
    """By words of its title; an unknown one is an error."""
    assert (
        "monet"
        in stylist.choose(mood=MOODS["serene"], haiku=HAIKU, picture=scene, seed=1, wanted="impression, sunrise").key
    )
    with pytest.raises(UnknownName, match="no painting or artist like"):
        stylist.choose(mood=MOODS["serene"], haiku=HAIKU, picture=scene, seed=1, wanted="no such thing")


def test_among_the_paintings_of_an_artist_mood_and_seed_choose(stylist: Magenta, scene: Path) -> None:
    """Several are chosen over the seeds, all of that artist."""
    chosen = [
        stylist.choose(mood=MOODS["serene"], haiku=HAIKU, picture=scene, seed=seed, wanted="monet") for seed in range(6)
    ]
    assert {style.artist for style in chosen} == {"Claude Monet"}
    assert len({style.key for style in chosen}) > 1


@pytest.mark.parametrize("mode", ["painterly", "photorealistic"])
def test_restyling_halves_the_colour_distance_and_keeps_edges(
    stylist: Magenta, scene: Path, tmp_path: Path, mode: str
) -> None:
    """The stylist's bar in small: same size, half the distance, three of four edges; and the same bytes again."""
    chosen = stylist.choose(mood=MOODS["joyful"], haiku=HAIKU, picture=scene, seed=3)
    style = replace(chosen, mode=mode)
    for name in ("one.png", "two.png"):
        stylist.restyle(scene, tmp_path / name, style=style, seed=1)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    goal = stylist.bank.find(style.key).colours
    assert colours(tmp_path / "one.png").distance(goal) <= 0.5 * colours(scene).distance(goal)
    with Image.open(scene) as before, Image.open(tmp_path / "one.png") as after:
        assert before.size == after.size
        assert edges_kept(before, after) > (0.75 if mode == "painterly" else 0.9)


def test_borders_are_as_good_as_the_middle(stylist: Magenta, tmp_path: Path) -> None:
    """A smooth picture gets no frame: the outermost rows are about as light as those further in."""
    ramp = np.linspace(90, 170, 160)[None, :, None] * np.array([1.0, 0.9, 0.8]) * np.ones((120, 1, 1))
    Image.fromarray(ramp.astype(np.uint8)).save(tmp_path / "a.png")
    chosen = stylist.choose(mood=MOODS["serene"], haiku=HAIKU, picture=tmp_path / "a.png", seed=1)
    style = replace(chosen, mode="painterly")
    stylist.restyle(tmp_path / "a.png", tmp_path / "b.png", style=style, seed=1)
    with Image.open(tmp_path / "b.png") as after:
        light = to_lab(np.asarray(after))[..., 0]
    assert abs(light[:3].mean() - light[12:24].mean()) < 6
    assert abs(light[-3:].mean() - light[-24:-12].mean()) < 6


def test_strokes_are_painted_on_the_canvas_that_is_posted(stylist: Magenta, scene: Path, tmp_path: Path) -> None:
    """A picture of any shape becomes 4:5 of the canvas's width, with the painting's colours, by seed."""
    style = stylist.choose(mood=MOODS["joyful"], haiku=HAIKU, picture=scene, seed=3)
    for name, seed in (("one.png", 1), ("two.png", 1), ("three.png", 2)):
        stylist.restyle(scene, tmp_path / name, style=style, seed=seed)
    one, two, three = ((tmp_path / name).read_bytes() for name in ("one.png", "two.png", "three.png"))
    assert one == two != three
    with Image.open(tmp_path / "one.png") as painted:
        assert painted.size == (160, 200)
    goal = stylist.bank.find(style.key).colours
    assert colours(tmp_path / "one.png").distance(goal) <= 0.6 * colours(scene).distance(goal)


def test_any_shape_can_be_restyled(stylist: Magenta) -> None:
    """Odd, small, wide and large pictures keep their size."""
    chosen = stylist.choose(mood=MOODS["serene"], haiku=HAIKU, picture=_saved(stylist), seed=1, wanted="great wave")
    style = replace(chosen, mode="painterly")
    for size in ((9, 9), (33, 71), (301, 40), (260, 250)):
        assert stylist.restyled(Image.new("RGB", size, "teal"), style).size == size


def _saved(_: Magenta) -> Path:
    return MODELS / "styles" / "bank.json"  # never opened: a wanted style needs no picture


def test_bad_input_has_its_errors(stylist: Magenta, scene: Path, tmp_path: Path) -> None:
    """No picture, an unknown mode and a missing model are told apart."""
    style = stylist.choose(mood=MOODS["serene"], haiku=HAIKU, picture=scene, seed=1, wanted="great wave")
    (tmp_path / "a.png").write_text("x")
    with pytest.raises(PictureError):
        stylist.restyle(tmp_path / "a.png", tmp_path / "b.png", style=style, seed=1)
    with pytest.raises(InputError, match="no style mode"):
        stylist.restyle(scene, tmp_path / "b.png", style=replace(style, mode="cubist"), seed=1)
    assert not (tmp_path / "b.png").exists()
    with pytest.raises(ModelMissing):
        Magenta(CONFIG, tmp_path)


def test_it_names_its_models(stylist: Magenta) -> None:
    """Net and bank by hash."""
    assert set(stylist.models()) == {"stylist", "styles"}
    assert Photorealistic(CONFIG, MODELS).mode == "photorealistic"


def test_layers_of_strokes_are_shown_without_changing_the_picture(
    stylist: Magenta, scene: Path, tmp_path: Path
) -> None:
    """The same bytes, whether somebody watches or not; each layer in a size for screens."""
    style = replace(stylist.choose(mood=MOODS["joyful"], haiku=HAIKU, picture=scene, seed=3), mode="oil")
    layers: list[tuple[tuple[int, int], int, int]] = []
    stylist.restyle(scene, tmp_path / "one.png", style=style, seed=1)
    stylist.restyle(
        scene,
        tmp_path / "two.png",
        style=style,
        seed=1,
        on_layer=lambda picture, number, count: layers.append((picture.size, number, count)),
    )
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    numbers = [number for _, number, _ in layers]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {count for _, _, count in layers} == {len(numbers)}
    assert all(max(size) <= 900 for size, _, _ in layers)


def test_a_style_with_a_network_is_painted_by_it_and_under_the_strokes(tmp_path: Path, scene: Path) -> None:
    """Only where its name is asked for; then the artwork names the network."""
    pytest.importorskip("onnx")
    for name in ("stylist", "styles"):
        (tmp_path / name).symlink_to(MODELS / name, target_is_directory=True)
    write_inverting_network(tmp_path, "negative")
    stylist = Magenta(CONFIG, tmp_path)
    style = stylist.choose(mood=MOODS["hopeful"], haiku=HAIKU, picture=scene, seed=5, wanted="Negative")
    assert (style.key, style.mode, style.artist) == ("negative", "painterly", "Vincent van Gogh")
    named = stylist.choose(mood=MOODS["hopeful"], haiku=HAIKU, picture=scene, seed=5, wanted="van gogh")
    assert named.key != "negative"
    assert list(stylist.models()) == ["stylist", "styles"]
    for mode, size in (("painterly", (192, 192)), ("oil", (160, 200)), ("photorealistic", (192, 192))):
        stylist.restyle(scene, tmp_path / f"{mode}.png", style=replace(style, mode=mode), seed=1)
        with Image.open(tmp_path / f"{mode}.png") as restyled:
            assert restyled.size == size
    assert list(stylist.models()) == ["stylist", "styles", "style-negative"]
    top, low = slice(0, 20), slice(-20, None)

    def is_lighter_above(path: Path) -> bool:
        light = np.asarray(Image.open(path).convert("L"), float)
        return bool(light[top].mean() > light[low].mean())

    assert is_lighter_above(tmp_path / "photorealistic.png") == is_lighter_above(scene)
    assert is_lighter_above(tmp_path / "painterly.png") != is_lighter_above(scene)
    assert is_lighter_above(tmp_path / "oil.png") != is_lighter_above(scene)
    other = Photorealistic(CONFIG, tmp_path)
    assert other.choose(mood=MOODS["hopeful"], haiku=HAIKU, picture=scene, seed=5, wanted="negative").mode == other.mode
