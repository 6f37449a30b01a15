"""From a poem to a prompt."""

from __future__ import annotations

import pytest

from auria_bot.art.minilm import MiniLM
from auria_bot.art.painters.prompt import SENTENCES, compose
from auria_bot.art.painters.prompt_vocabulary import KIN, LIGHT_PHRASES, NOUNS, SCENES, SNOWY, phrase
from auria_bot.domain.mood import MOODS


@pytest.fixture(scope="module")
def ask():
    """Poem lines to a prompt, through MiniLM."""
    minilm = MiniLM(threads=1)
    meanings = {name: minilm.encode(texts) for name, texts in SENTENCES.items()}

    def prompt(*lines, seed=0, mood=None, theme=None, known=SCENES):
        vector = minilm.encode([", ".join([*lines, *([theme] if theme else [])])])[0]
        return compose(lines, vector, meanings, seed=seed, mood=MOODS[mood] if mood else None, theme=theme, known=known)

    return prompt


@pytest.mark.parametrize(
    ("lines", "scene", "light"),
    [
        (("the old fisherman", "rowing home across the bay", "full moon on the waves"), "sea", "moon"),
        (("first snow in the woods", "each branch of the ancient pines", "bends without a sound"), "forest", "snow"),
        (("red leaves drifting down", "an old maple in the park", "october evening"), "forest", "autumn"),
        (("the mountain ridge glows", "one last light upon the peak", "sunset and silence"), "mountain", "sunset"),
        (("ice creaks in the dark", "the glacier moves an inch", "under winter stars"), "glacier", None),
        (("a single red rose", "left upon the garden wall", "still wet with the rain"), "rose", None),
        (("sunflowers turning", "all together in the field", "toward the warm sun"), "sunflower", "noon"),
        (("she blows softly now", "dandelion seeds take flight", "over the meadow"), "dandelion", None),
    ],
)
def test_named(ask, lines, scene, light):
    """What a poem names is painted."""
    prompt = ask(*lines)
    assert prompt.scene == scene
    assert light is None or prompt.light == light


@pytest.mark.parametrize(
    ("lines", "scene"),
    [
        (("an old stone bridge", "the willow touches water", "nobody crosses"), "bridge"),
        (("the temple at dawn", "a monk sweeps the stairs again", "incense in the air"), "temple"),
        (("lights of the city", "tall buildings without a sleep", "the street never ends"), "city"),
        (("a sparrow alone", "small bird on the frozen branch", "waiting for the spring"), "bird"),
        (("tall bamboo bending", "the wind has found the bamboo", "and asks it to dance"), "bamboo"),
        (("white sails far away", "boats in the quiet harbor", "gone before morning"), "boat"),
    ],
)
def test_more_than_nine_scenes(ask, lines, scene):
    """The new subjects are found by their words, and a model that does not know them paints their kin."""
    assert ask(*lines).scene == scene
    assert ask(*lines, known=SCENES[:9]).scene in SCENES[:9]


def test_kin_are_known_to_the_first_model():
    """Whatever the first model could not paint has kin that it could."""
    assert set(KIN) == set(SCENES[9:])
    assert set(KIN.values()) <= set(SCENES[:9])


def test_snow_falls_where_it_was_seen(ask):
    """A poem of snow gets a scene that training has shown in snow."""
    for seed in range(6):
        prompt = ask("first snow of the year", "nobody has seen it fall", "nobody but me", seed=seed)
        assert prompt.scene in SNOWY


def test_always_paintable(ask):
    """A poem about nothing the painter knows still gets a known scene and light, and keeps its own words."""
    prompt = ask("the printer jams again", "he reads the error message", "and swears quietly")
    assert prompt.scene in SCENES
    assert prompt.light in LIGHT_PHRASES
    assert prompt.text.endswith("the printer jams again, he reads the error message, and swears quietly")


def test_seed(ask):
    """The same seed gives the same prompt."""
    lines = ("nobody comes here", "the clock on the kitchen wall", "a cup of cold tea")
    assert ask(*lines, seed=5) == ask(*lines, seed=5)
    assert len({ask(*lines, seed=seed).text for seed in range(12)}) > 1


def test_colour(ask):
    """A colour that the poem names comes before the scene."""
    assert ask("yellow tulips stand", "in the garden by the gate", "after the long rain").text.startswith(
        "yellow tulip"
    )


@pytest.mark.parametrize(
    ("lines", "scene"),
    [
        (("roses after midnight", "still holding the warmth of day", "stars above the wall"), "rose"),
        (("the daisies at night", "in the darkness they are white", "and wait for no one"), "daisy"),
        (("tulips in moonlight", "a garden without colour", "the moon has them all"), "tulip"),
    ],
)
def test_flowers_at_night_are_painted_by_day(ask, lines, scene):
    """The prompt asks for daylight and has no word of the night; the stated light stays the night."""
    prompt = ask(*lines)
    assert (prompt.scene, prompt.by_day) == (scene, True)
    assert prompt.light in {"night", "moon"}
    assert not {"night", "midnight", "darkness", "stars", "moon", "moonlight"} & set(
        prompt.text.replace(",", "").split()
    )


def test_other_nights_are_painted_at_night(ask):
    """A sea in the dark is asked for in the dark."""
    prompt = ask("waves in the darkness", "the sea at night has no shore", "midnight and no star")
    assert (prompt.scene, prompt.light, prompt.by_day) == ("sea", "night", False)
    assert prompt.text.endswith("midnight and no star")


def test_a_named_moon_is_shown(ask):
    """A harvest moon does not become a sunflower, though "harvest" alone does."""
    for seed in range(8):
        assert ask(
            "harvest moon tonight", "even the dog at the gate", "has stopped to look up", seed=seed
        ).scene not in {
            "sunflower",
            "daisy",
            "dandelion",
            "rose",
            "tulip",
        }


@pytest.mark.parametrize(
    "lines",
    [
        ("crow in the mountain", "standing on the horizon", "a heron alone"),
        ("hill the meadow grass", "walking in the tall river", "a sparrow singing"),
        ("mother in the night", "the moon fills the empty chair", "a mourning dove calls"),
    ],
)
def test_creatures_stand_back_where_a_setting_is_named(ask, lines):
    """A poem of a bird in the mountains, or at night, gets the mountains or the night, not a bird close up."""
    assert all(ask(*lines, seed=seed).scene not in {"bird", "butterfly", "horse"} for seed in range(8))


def test_a_bird_is_painted_by_day(ask):
    """A bird that is all a poem names is painted in daylight, whatever the hour."""
    for seed in range(8):
        prompt = ask("a sparrow sleeping", "small bird with folded feathers", "songbird of the dark", seed=seed)
        assert prompt.light not in {"night", "moon", "sunset"}


def test_open_nights_mostly_have_a_moon(ask):
    """A night over the sea has a moon more often than not, but none where the poem speaks of stars."""
    lights = [
        ask("the sea at night", "waves in the dark and no sound", "asleep", seed=seed).light for seed in range(20)
    ]
    assert lights.count("moon") > lights.count("night")
    starry = [ask("the sea at night", "waves in the dark and the stars", "no sound", seed=seed) for seed in range(20)]
    assert "moon" not in {prompt.light for prompt in starry}


def test_rain_is_a_light_over_other_scenes(ask):
    """Rain that is named once, over a lake, makes the lake grey; drops alone are not painted."""
    assert {ask("rain on the old lake", "the pond and its quiet", "ducks", seed=seed).scene for seed in range(8)} == {
        "river"
    }


def test_moonlight_is_stronger_than_stars(ask):
    """A night of the moon and the stars has its moon."""
    for seed in range(5):
        assert ask("I am so alone", "moonlight in the sea of stars", "and a silent night", seed=seed).light == "moon"


def test_deserts_are_golden(ask):
    """Dry land has its colour, unless the poem names another."""
    assert ask("heat over the dunes", "the desert road goes nowhere", "a lizard blinks twice").text.startswith(
        "golden "
    )
    assert ask("red heat on the dunes", "the desert road goes nowhere", "a lizard blinks twice").colour == "red"


@pytest.mark.parametrize(
    ("lines", "light", "colour"),
    [
        (("one maple on fire", "in the middle of the green", "october has come"), "autumn", ""),
        (("sunset on the sea", "a blessing of blue and gold", "the day lets us go"), "sunset", "golden"),
    ],
)
def test_colours_do_not_put_a_light_out(ask, lines, light, colour):
    """A green that a poem of autumn mentions does not colour its leaves, nor a blue its sunset."""
    prompt = ask(*lines)
    assert (prompt.light, prompt.colour) == (light, colour)


def test_mood_tips_the_light(ask):
    """Where the poem names no light, moods lead to different ones."""
    lines = ("the mountain stands there", "it has always been standing", "it does not mind us")
    assert {ask(*lines, mood="joyful").light, ask(*lines, mood="uneasy").light} >= {"noon", "night"} or (
        ask(*lines, mood="joyful").light != ask(*lines, mood="uneasy").light
    )


def test_theme_counts(ask):
    """A theme's words decide where the poem has none."""
    assert (
        ask("nobody is here", "i hear only my own breath", "and then not even that", theme="the ocean").scene == "sea"
    )


def test_hostile_text(ask):
    """Endless, empty and odd text is accepted."""
    assert ask("", "", "").scene in SCENES
    assert ask("{scene} %s \u202e", "<b>'; drop table", "\x00", theme="x" * 100_000).scene in SCENES


def test_phrase():
    """Every scene and light has a name, and names are joined plainly."""
    assert phrase("sea", "moon", "blue") == "blue sea under the moon"
    assert set(NOUNS) == set(SCENES)
    assert {f"scene:{scene}" for scene in SCENES} | {f"light:{light}" for light in LIGHT_PHRASES} == set(SENTENCES)
