"""Subjects of pictures, by which the gallery can be browsed."""

from __future__ import annotations

import re

__all__ = ["SUBJECTS", "subjects_of"]

SUBJECTS: dict[str, str] = {
    "sea": "sea ocean wave waves shore beach tide surf",
    "lake": "lake pond",
    "river": "river stream brook",
    "waterfall": "waterfall waterfalls",
    "mountain": "mountain mountains peak peaks hill hills cliff cliffs",
    "glacier": "glacier glaciers ice",
    "snow": "snow snowfield",
    "forest": "forest forests wood woods tree trees pine pines bamboo",
    "meadow": "meadow meadows field fields grass pasture valley",
    "desert": "desert dune dunes",
    "garden": "garden gardens park",
    "flower": (
        "flower flowers rose roses tulip tulips daisy daisies sunflower sunflowers dandelion dandelions"
        " blossom blossoms"
    ),
    "sky": "cloud clouds sky rainbow",
    "night": "night moon moonlight moonlit stars starlight starry",
    "sunset": "sunset dusk sunrise dawn evening",
    "rain": "rain storm mist fog",
    "bird": "bird birds gull gulls crow crane heron swallow sparrow owl",
    "butterfly": "butterfly butterflies dragonfly dragonflies",
    "animal": "horse horses dog dogs cat cats deer frog frogs",
    "boat": "boat boats ship ships sail sails",
    "road": "road roads path street train bridge",
    "house": "house houses temple church city village town",
}
"""Each subject, with the words that name it."""

_OF_WORD = {word: subject for subject, words in SUBJECTS.items() for word in words.split()}


def subjects_of(alt_text: str) -> tuple[str, ...]:
    """The subjects that an alt text's first sentence names, in the order of SUBJECTS."""
    words = re.findall(r"[a-z]+", alt_text.partition(".")[0].lower())
    found = {_OF_WORD[word] for word in words if word in _OF_WORD}
    return tuple(subject for subject in SUBJECTS if subject in found)
