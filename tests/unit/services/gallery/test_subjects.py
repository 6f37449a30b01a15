"""Subjects of pictures."""

from __future__ import annotations

from auria_bot.services.gallery.subjects import subjects_of


def test_subjects_are_named_by_the_first_sentence() -> None:
    """Words after it, such as a painting's title, name no subject."""
    text = "A digital painting of hills at sunset, in red. It is in the manner of “The Horse Fair” by Rosa Bonheur."
    assert subjects_of(text) == ("mountain", "sunset")
    assert subjects_of("A painting. Waves.") == ()
