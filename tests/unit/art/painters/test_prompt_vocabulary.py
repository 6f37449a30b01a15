"""The words of paintable things."""

from __future__ import annotations

import pytest

from auria_bot.art.painters.prompt_vocabulary import LIGHT_PHRASES, SCENES, describe


@pytest.mark.parametrize(
    ("scene", "light", "lines", "expected"),
    [
        ("sea", "moon", ["ice moon in the lake"], "a lake in moonlight"),
        ("sea", "sunset", ["first light of dawn"], "the sea at dawn"),
        ("mountain", "grey", ["cold rain on the hills"], "hills in the rain"),
        ("forest", "day", [], "a forest"),
        ("rose", "night", ["faint scent"], "a rose at night"),
    ],
)
def test_descriptions_use_the_poems_own_word(scene: str, light: str, lines: list[str], expected: str) -> None:
    """The poem's word for a scene or light is used where it has one."""
    assert describe(scene, light, lines) == expected


def test_every_scene_in_every_light_is_described() -> None:
    """Whatever the painter can paint has a name."""
    assert all(describe(scene, light) for scene in SCENES for light in LIGHT_PHRASES)
