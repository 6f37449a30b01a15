"""Messages about wrong settings."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from auria_bot.settings.errors import explain, rule
from auria_bot.settings.schema import Settings


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (int, "x", "it must be a whole number"),
        (float, "x", "it must be a number"),
        (bool, "x", "it must be true or false"),
        (str, 3, "it must be a text"),
        (dict[str, int], 3, "it must be a table"),
        (tuple[str, ...], 3, "it must be a list"),
    ],
)
def test_what_is_allowed_is_said_without_pydantics_terms(kind: type, value: object, said: str) -> None:
    """The same sentence for a wrong type and for a text that cannot be parsed."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    assert rule(dict(caught.value.errors()[0])) == said


def test_each_error_names_its_source_its_value_and_what_is_allowed() -> None:
    """A secret's value is left out; for an unknown name the nearest one is suggested, as a variable where it was one."""
    merged = {"studio": {"count": 0, "cuont": 1}, "database": {"url": "mysql://me:pass-w0rd@h/d"}}
    sources = {
        ("studio", "count"): "a.toml",
        ("studio", "cuont"): "AURIA_STUDIO__CUONT",
        ("database", "url"): "b.toml",
    }
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(merged)
    lines = explain(caught.value, Settings, merged, sources).splitlines()
    assert "a.toml: studio.count is 0; it must be greater than or equal to 1" in lines
    assert "AURIA_STUDIO__CUONT: there is no setting studio.cuont; did you mean AURIA_STUDIO__COUNT?" in lines
    assert any(line.startswith("b.toml: database.url is wrong; it must look like sqlite:///FILE") for line in lines)
    assert "pass-w0rd" not in "".join(lines)
