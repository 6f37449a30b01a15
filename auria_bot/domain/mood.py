"""The moods: each belongs to one of the twenty emotions of WikiArt Emotions.

Source: S. Mohammad and S. Kiritchenko, "WikiArt Emotions: An Annotated Dataset of Emotions Evoked by Art",
LREC 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EMOTIONS", "MOODS", "Mood", "find_mood"]

EMOTIONS = (
    "agreeableness",
    "anger",
    "anticipation",
    "arrogance",
    "disagreeableness",
    "disgust",
    "fear",
    "gratitude",
    "happiness",
    "humility",
    "love",
    "optimism",
    "pessimism",
    "regret",
    "sadness",
    "shame",
    "shyness",
    "surprise",
    "trust",
    "neutral",
)
"""The categories of WikiArt Emotions, in the order of its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """A mood, and how it steers the poet and the choice of style."""

    name: str
    parent: str  # one of EMOTIONS
    words: tuple[str, ...]  # words of the mood: the poet prefers them, the mood reader looks for them
    description: str  # one sentence, compared with poems by embedding
    valence: float  # -1 unpleasant to 1 pleasant
    arousal: float  # -1 calm to 1 stirred
    strength: float  # strength of the style transfer, 0 to 1


# Of each mood its name, parent, valence, arousal and strength; then its description; then its words.
_TABLE = """
serene agreeableness 0.6 -0.8 0.55
    Calm and at peace, quiet water and soft light.
    calm still quiet gentle soft peace peaceful lake mist breath slow silence
joyful happiness 0.9 0.6 0.7
    Bright joy, sunshine, laughter and flowers in bloom.
    joy bright sun sunlight laughing laughter dance dancing song singing bloom blooming spring
playful happiness 0.8 0.5 0.7
    Light-hearted play of children, birds and butterflies.
    play playing jump puddle butterfly kite children frog splash giggle tumble
tender love 0.8 -0.2 0.6
    Tender love, closeness and warmth between two.
    love heart kiss hand hands warm warmth gentle hold touch together rose
hopeful optimism 0.7 0.1 0.6
    Hope: dawn after a long night, first green shoots.
    hope dawn morning new first light sunrise bud seed rising tomorrow green
grateful gratitude 0.8 -0.2 0.6
    Thankfulness for small gifts, harvest and home.
    thank thanks grateful gift blessing harvest home bread enough given
trusting trust 0.6 -0.4 0.55
    Safe and at home, sheltered and sure.
    safe home shelter nest steady roots stone friend faithful hearth
awed surprise 0.5 0.7 0.7
    Awe before mountains, stars and the great sea.
    stars mountain mountains vast sky endless wonder comet galaxy glacier peak thunder
longing anticipation 0.1 0.2 0.6
    Longing and waiting for someone far away.
    waiting wait far away distant horizon letter return long road ship await
humble humility 0.3 -0.5 0.5
    Small beneath the sky, modest and simple.
    small simple bow dust ant pebble grass plain temple monk bare
shy shyness 0.2 -0.4 0.5
    Hidden and hesitant, half seen behind leaves.
    hidden hiding behind veil whisper peeking glance blush half shade
dreamy neutral 0.3 -0.4 0.65
    Dreaming under the moon, between sleep and waking.
    dream dreams dreaming moon moonlight sleep drifting cloud clouds mist night
still neutral 0.1 -0.9 0.5
    Stillness with no one there, empty and unmoving.
    still empty nothing silence snow stone winter pond motionless bare
wistful sadness -0.2 -0.4 0.6
    A sweet sadness for what passes, falling leaves and petals.
    autumn falling fall leaves petals fading last once evening dusk remember
melancholy sadness -0.6 -0.5 0.65
    Deep sadness, grey rain and tears.
    rain grey gray tears sad sorrow weeping grave cold grief ashes weary
lonely sadness -0.6 -0.3 0.6
    Alone, an empty room, a single bird, no voice.
    alone lonely empty single one room no voice lone crow window
regretful regret -0.5 0.0 0.6
    Regret for words unsaid and years gone by.
    regret unsaid lost forgotten years gone old mistake ghost broken
bleak pessimism -0.8 -0.2 0.65
    Bleak and hopeless, a barren winter land.
    bleak barren dead frozen dark winter ash wither withered ruin bitter
uneasy fear -0.6 0.6 0.7
    Fear in the dark, something moves among the trees.
    fear dark shadow shadows night afraid trembling howl wolf deep cold
stormy anger -0.5 0.9 0.75
    Anger and storm, lightning, waves breaking on rock.
    storm thunder lightning rage waves crash wind fire burning red fierce
"""


def _read(table: str) -> Iterator[Mood]:
    lines = [line.strip() for line in table.strip().splitlines()]
    for head, description, words in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        name, parent, *numbers = head.split()
        valence, arousal, strength = map(float, numbers)
        yield Mood(
            name=name,
            parent=parent,
            words=tuple(words.split()),
            description=description,
            valence=valence,
            arousal=arousal,
            strength=strength,
        )


MOODS = {mood.name: mood for mood in _read(_TABLE)}
"""Every mood by name."""


def find_mood(name: str) -> Mood:
    """The mood of that name.

    Raises:
        UnknownName: there is none; the message lists the known ones.
    """
    try:
        return MOODS[name.strip().lower()]
    except KeyError:
        raise UnknownName(f"no mood named {name[:40]!r}; known: {', '.join(sorted(MOODS))}") from None
