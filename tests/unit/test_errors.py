"""The error tree tells how to handle each failure."""

from __future__ import annotations

import re

import pytest

from auria_bot import errors


def test_every_error_is_in_the_tree_and_in_its_drawing() -> None:
    """Every public class descends from AuriaError and stands in the module docstring."""
    for name in (name for name in errors.__all__ if name[0].isupper()):
        assert issubclass(getattr(errors, name), errors.AuriaError)
        assert re.search(rf"\b{name}\b", errors.__doc__ or "")


def test_default_message_is_the_docstring() -> None:
    """Raised without words, an error says what its class means."""
    assert str(errors.ModelMissing()) == "A trained model is missing."
    assert str(errors.ModelMissing("x")) == "x"
    assert errors.Throttled().until is None


def test_exit_codes_part_the_branches() -> None:
    """Each branch of the tree has an exit code of its own, none taken by the shell or by usage errors."""
    branches = errors.AuriaError.__subclasses__()
    codes = [branch.exit_code for branch in branches]
    assert len(set(codes)) == len(codes)
    assert not {0, 1, 2} & set(codes)
    assert errors.PictureError.exit_code == errors.InputError.exit_code


@pytest.mark.parametrize("name", ["datetime", "error_of", "NoSuchError", "", "__name__"])
def test_an_error_that_another_process_names_is_one_of_the_tree(name: str) -> None:
    """Its own class where there is one, and never anything else of the module."""
    assert type(errors.error_of("NotFound", "x", otherwise=errors.StepFailed)) is errors.NotFound
    found = errors.error_of(name, "the message", otherwise=errors.StepFailed)
    assert (type(found), str(found)) == (errors.StepFailed, "the message")
