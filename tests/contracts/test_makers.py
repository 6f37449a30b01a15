"""Every registered maker keeps its role's contract: it is made from its Config, tells its models, and repeats itself.

A newcomer in the registry is tested at once. Backends that need a model of the operator's own are looked at as classes only.
"""

from __future__ import annotations

import dataclasses
import inspect
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from auria_bot import registry
from auria_bot.domain import interfaces
from auria_bot.domain.artwork import FORM, ArtworkInProgress, Haiku, Style
from auria_bot.domain.mood import MOODS
from auria_bot.domain.pipeline import ROLES
from auria_bot.errors import BackendMissing, ModelError, PictureError
from auria_bot.settings.locations import shipped
from auria_bot.settings.options import configure

if TYPE_CHECKING:
    from pathlib import Path

PROTOCOLS = {
    "poet": interfaces.Poet,
    "mood_reader": interfaces.MoodReader,
    "painter": interfaces.Painter,
    "safety_filter": interfaces.SafetyFilter,
    "enlarger": interfaces.Enlarger,
    "stylist": interfaces.Stylist,
    "captioner": interfaces.Captioner,
    "text_writer": interfaces.TextWriter,
    "exporter": interfaces.Exporter,
}
OWN_MODEL = {"causal-lm", "diffusers", "blip"}
HAIKU = Haiku(lines=("rain begins again", "the pond keeps every ripple", "into the long night"), syllables=FORM)
MAKERS = [(kind, name) for kind in PROTOCOLS for name in registry.BACKENDS[kind]]


def find(kind: str, name: str) -> type[Any]:
    """The class of a backend; skips where its packages are not installed."""
    try:
        return registry.find(kind, name)
    except BackendMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def makers() -> dict[tuple[str, str], Any]:
    """The makers constructed so far."""
    return {}


def maker(makers: dict[tuple[str, str], Any], kind: str, name: str) -> Any:
    """A maker, constructed once for all tests of this module."""
    if name in OWN_MODEL:
        pytest.skip(f"{name} needs a model of the operator's own")
    if (kind, name) not in makers:
        found = find(kind, name)
        try:
            makers[kind, name] = found(found.Config(), models=shipped("models"))
        except ModelError as error:
            pytest.skip(str(error))
    return makers[kind, name]


def picture(folder: Path) -> Path:
    """A small picture with something in it."""
    image = Image.radial_gradient("L").resize((96, 96)).convert("RGB")
    image.paste((200, 120, 40), (10, 20, 60, 50))
    image.paste((20, 60, 120), (0, 70, 96, 96))
    path = folder / "picture.png"
    image.save(path)
    return path


def artwork(**changes: Any) -> ArtworkInProgress:
    """An artwork with everything that the last steps read."""
    style = Style(key="k", title="The Wave", artist="G. Courbet", year="1870")
    values = {
        "key": "01",
        "seed": 5,
        "haiku": HAIKU,
        "mood": "wistful",
        "mood_source": "read",
        "caption": "A lake in the rain.",
        "style": style,
        "alt_text": "A painting of a lake.",
        "post_text": "rain\n\n— Auria\n#haiku",
        "nudity": 0.0,
        "fingerprint": "0" * 16,
        **changes,
    }
    return ArtworkInProgress(**values)


def work(kind: str, made: Any, folder: Path) -> Any:  # noqa: PLR0911 - one line a role
    """What a maker makes of a fixed task, comparable."""
    folder.mkdir()
    source, target = picture(folder), folder / "target.png"
    mood = MOODS["wistful"]
    if kind == "poet":
        return made.compose(seed=3, count=2, theme="rain", mood=mood)
    if kind == "mood_reader":
        return made.read(HAIKU)
    if kind == "painter":
        painted = made.paint(HAIKU, seed=3, count=2, folder=folder, mood=mood, theme="rain")
        return [(each.score, each.path.read_bytes()) for each in painted]
    if kind == "safety_filter":
        return made.judge(source)
    if kind == "enlarger":
        made.enlarge(source, target, size=128)
        return target.read_bytes()
    if kind == "stylist":
        style = made.choose(mood=mood, haiku=HAIKU, picture=source, seed=3)
        made.restyle(source, target, style=style, seed=3)
        return style, target.read_bytes()
    if kind == "captioner":
        return made.describe(source)
    if kind == "text_writer":
        return made.write(artwork())
    files = made.export(artwork(), source, folder)
    return {kind: path.read_bytes() for kind, path in files.items()}


def test_every_role_is_looked_at() -> None:
    """The roles of the studio are those of the registry, but for the channels."""
    assert set(PROTOCOLS) == set(ROLES) == set(registry.BACKENDS) - {"channel"}


@pytest.mark.parametrize(("kind", "name"), MAKERS)
def test_a_backend_is_a_config_and_a_class(kind: str, name: str) -> None:
    """The Config is a frozen dataclass that has a default for everything it can; the class has its role's methods."""
    found = find(kind, name)
    assert dataclasses.is_dataclass(found.Config)
    assert found.Config.__dataclass_params__.frozen
    assert "models" in inspect.signature(found).parameters
    for method in ("models", *(each for each in vars(PROTOCOLS[kind]) if not each.startswith("_"))):
        assert callable(getattr(found, method)), method
        assert inspect.getdoc(getattr(found, method)), f"{method} has no docstring"


@pytest.mark.parametrize(("kind", "name"), MAKERS)
def test_a_config_can_be_made_of_json(kind: str, name: str) -> None:
    """The types of its fields are known at run time, for options are checked against them."""
    shared = {"language": "en", "banks": ["/b"], "leanings": {"a": 1.5}, "cache": "/c", "signature": "— A"}
    found = find(kind, name)
    assert isinstance(configure(kind, found, {}, shared), found.Config)


@pytest.mark.parametrize(("kind", "name"), MAKERS)
def test_a_maker_plays_its_role(makers: dict[tuple[str, str], Any], kind: str, name: str) -> None:
    """It is an instance of its Protocol, and names its models by SHA-256."""
    made = maker(makers, kind, name)
    assert isinstance(made, PROTOCOLS[kind])
    assert all(len(sha256) == 64 and int(sha256, 16) >= 0 for sha256 in made.models().values())


@pytest.mark.parametrize(("kind", "name"), MAKERS)
def test_a_maker_repeats_itself(makers: dict[tuple[str, str], Any], kind: str, name: str, tmp_path: Path) -> None:
    """The same task gives the same result, byte for byte, and nothing half-written is left beside it."""
    made = maker(makers, kind, name)
    first, second = work(kind, made, tmp_path / "a"), work(kind, made, tmp_path / "b")
    assert first == second
    assert not [path.name for path in tmp_path.rglob(".*")]


@pytest.mark.parametrize(
    ("kind", "name"), [each for each in MAKERS if each[0] in {"enlarger", "captioner", "safety_filter"}]
)
def test_a_broken_picture_is_told(makers: dict[tuple[str, str], Any], kind: str, name: str, tmp_path: Path) -> None:
    """With PictureError; the safety filter rejects it instead."""
    made = maker(makers, kind, name)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and nothing more")
    if kind == "safety_filter":
        assert not made.judge(broken).passed
        return
    with pytest.raises(PictureError):
        made.describe(broken) if kind == "captioner" else made.enlarge(broken, tmp_path / "t.png", size=64)
