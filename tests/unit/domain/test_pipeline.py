"""The one list of steps and roles."""

from __future__ import annotations

import pytest

from auria_bot import registry
from auria_bot.domain.pipeline import MAX_COUNT, ROLES, SEEDS, STEPS, ArtworkRequest, provenance_name, steps_from
from auria_bot.errors import InputError, TextRejected, UnknownName
from auria_bot.settings.schema import Settings


def test_every_role_has_its_section_and_its_backends() -> None:
    """Settings and registry follow the list."""
    assert set(ROLES) <= Settings.model_fields.keys()
    assert set(ROLES) == registry.BACKENDS.keys() - {"channel"}


def test_provenance_names_never_change() -> None:
    """They stand in the pictures of every version."""
    assert [provenance_name(role) for role in ROLES] == [
        "poet",
        "mood-reader",
        "painter",
        "gate",
        "enlarger",
        "stylist",
        "captioner",
        "scribe",
        "finisher",
    ]


def test_the_steps_from_one_on() -> None:
    """The step itself is the first."""
    assert [step.name for step in steps_from("caption")] == ["caption", "words", "finish"]
    assert steps_from("poem") == STEPS
    with pytest.raises(ValueError, match="dance"):
        steps_from("dance")


def test_a_request_is_brought_into_its_normal_form() -> None:
    """Surrounding blanks and the case of a mood do not matter."""
    request = ArtworkRequest(theme="  ", mood=" Stormy ", style="", mode="photorealistic").validated()
    assert request == ArtworkRequest(mood="stormy", mode="photorealistic")
    assert ArtworkRequest().validated() == ArtworkRequest()
    assert ArtworkRequest(mood="READ").validated().mood == "read"
    assert ArtworkRequest(count=MAX_COUNT, seed=SEEDS - 1).validated().count == MAX_COUNT


@pytest.mark.parametrize(
    ("request_", "error", "message"),
    [
        (ArtworkRequest(mood="hangry"), UnknownName, "known"),
        (ArtworkRequest(mode="cubist"), InputError, "known: oil, watercolour, ink, painterly"),
        (ArtworkRequest(count=0), InputError, "1 to 1000"),
        (ArtworkRequest(count=1001), InputError, "1 to 1000"),
        (ArtworkRequest(seed=-1), InputError, "out of range"),
        (ArtworkRequest(seed=SEEDS), InputError, "out of range"),
        (ArtworkRequest(theme="x" * 201), InputError, "the theme has 201 characters"),
        (ArtworkRequest(theme="snow\u202e"), TextRejected, "invisible character U\\+202E"),
        (ArtworkRequest(style="mo\x00net"), TextRejected, "the style contains"),
        (ArtworkRequest(season="\u200b"), TextRejected, "the season contains"),
    ],
)
def test_an_impossible_request_is_refused(request_: ArtworkRequest, error: type[Exception], message: str) -> None:
    """The message names the wrong value and what is allowed."""
    with pytest.raises(error, match=message):
        request_.validated()
