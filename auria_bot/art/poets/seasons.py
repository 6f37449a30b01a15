"""What Auria writes about when no one gives her a theme: season words and small scenes."""

from __future__ import annotations

__all__ = ["SCENES"]

SCENES = (
    "plum blossoms in the cold", "the first warm wind of spring", "cherry petals on the river", "spring rain on the roof",
    "a frog in the old pond", "swallows return to the barn", "melting snow on the mountain", "new leaves on the willow",
    "a butterfly in the garden", "mist over the spring fields", "violets beside the path", "a skylark above the meadow",
    "mother's garden in april", "planting seeds by hand", "tulips opening in the sun", "the scent of lilac at night",
    "bees in the clover", "a robin builds her nest", "dandelion seeds on the wind", "wisteria over the gate",
    "summer grass in the heat", "cicadas at noon", "fireflies above the creek", "thunder beyond the hills",
    "a sudden evening shower", "the beach after everyone left", "waves on the summer shore", "sunflowers facing east",
    "a dragonfly on a reed", "children running through sprinklers", "the smell of cut grass", "lotus flowers in the pond",
    "a lizard on the warm wall", "mosquitoes by the window", "the long twilight of june", "ripe peaches on the table",
    "swimming in the quiet lake", "clouds over the wheat field", "an old boat in the harbor", "the desert at noon",
    "the milky way over the sea", "shooting stars in august", "the harvest moon", "autumn wind in the pines",
    "red leaves on the water", "crickets in the dark grass", "geese crossing the grey sky", "a scarecrow in the rice field",
    "persimmons on a bare branch", "the first cold morning", "mushrooms after rain", "a spider's web in the dew",
    "chrysanthemums by the fence", "the deer at the edge of the forest", "apples in the orchard", "fog in the valley at dawn",
    "the smell of burning leaves", "an empty field at dusk", "acorns falling on the roof", "the last rose of autumn",
    "first snow on the village", "bare trees against the moon", "a crow on a withered branch", "frost on the window",
    "snow falling through the night", "icicles along the roof", "footprints in deep snow", "the frozen lake",
    "a fire in the stove", "winter stars over the field", "sparrows in the snow", "a lone pine on the cliff",
    "the long night of december", "new year's morning", "hot tea on a cold day", "the silence after snow",
    "a wolf howling far away", "the north wind over the sea", "a candle in the dark room", "tracks of a fox",
    "moonlight on the floor", "the mountain in the clouds", "an old temple bell", "a stone in the river",
    "the sound of a waterfall", "a lighthouse in the fog", "sunrise over the ocean", "sunset behind the hills",
    "the tide going out", "gulls above the fishing boats", "a heron standing still", "rain on the lake at night",
    "a path through the bamboo", "the shadow of a hawk", "wildflowers on the hillside", "a bridge over the stream",
    "the cat asleep in the sun", "an owl in the dark barn", "a snail on a wet leaf", "horses in the pasture",
    "grandmother's empty chair", "a letter from far away", "waiting at the train station", "an old photograph",
    "the city lights in the rain", "a street lamp at midnight", "walking home alone", "a child asleep in my arms",
    "the garden after the storm", "wind through the open window", "a dream before waking", "two friends by the river",
    "the scent of the pine forest", "stars above the mountain", "a ship on the horizon", "the moon behind thin clouds",
    "the sound of the sea in a shell", "a graveyard in the spring", "the last light of day", "birds before the dawn",
)  # fmt: skip
"""Themes to draw from; their vectors lie beside the net, in the same order."""
