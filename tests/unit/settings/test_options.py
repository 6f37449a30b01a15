"""Options of backends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest
from pydantic import TypeAdapter

from auria_bot import registry
from auria_bot.errors import BackendMissing, InputError, SettingsError, UnknownName
from auria_bot.settings.options import configure, option_from_text
from auria_bot.settings.renamed import notify_renamed


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Options of every type."""

    name: str = ""
    words: str = ""
    flag: bool = False
    count: int = 0
    wait: float = 1.0
    languages: tuple[str, ...] = ("en",)
    delay: tuple[float, float] = (1.0, 3.0)
    kind: Literal["a", "b"] = "a"
    revision: str | None = None
    table: dict[str, int] = field(default_factory=dict)
    api_token: int = 0

    def __post_init__(self) -> None:
        if self.count > 9:
            raise ValueError("count must be at most 9")


class Many:
    """A backend."""

    Config: ClassVar = Config
    FORMER_OPTIONS: ClassVar = {"patience": "wait"}


def test_options_become_a_config() -> None:
    """Lists become tuples and whole numbers fit numbers; shared options fill fields, and the operator's override them."""
    given = {"wait": 2, "languages": ["en", "de"], "delay": [0, 1.5], "kind": "b", "flag": True}
    made = configure("channels.x", Many, given, {"name": "x", "flag": False, "cache": "x"})
    assert made == Config(name="x", wait=2.0, languages=("en", "de"), delay=(0.0, 1.5), kind="b", flag=True)
    assert isinstance(made.wait, float)
    assert configure("painter", Many, {}) == Config()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"wait": "soon"}, "painter.options.wait is 'soon'; it must be a number"),
        ({"wait": True}, "painter.options.wait is True; it must be a number"),
        ({"count": "3"}, "painter.options.count is '3'; it must be a whole number"),
        ({"count": 1.5}, "painter.options.count is 1.5; it must be a whole number"),
        ({"flag": "yes"}, "painter.options.flag is 'yes'; it must be true or false"),
        ({"words": 3}, "painter.options.words is 3; it must be a text"),
        ({"languages": "en"}, "painter.options.languages is 'en'; it must be a list"),
        ({"kind": "c"}, "painter.options.kind is 'c'; it must be 'a' or 'b'"),
        ({"table": 3}, "painter.options.table is 3; it must be a table"),
        ({"count": 10}, "painter.options: it count must be at most 9"),
        ({"api_token": "s3cret"}, "painter.options.api_token is wrong; it must be a whole number"),
        ({"colour": 1}, "painter.options: there is no option 'colour'; known: words, flag, count"),
        ({"wrods": "x"}, "there is no option 'wrods'; did you mean words?"),
        ({"name": "x"}, "there is no option 'name'"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], said: str) -> None:
    """With its value, unless that is a secret, and what is allowed."""
    with pytest.raises(SettingsError) as caught:
        configure("painter", Many, options)
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_every_wrong_option_is_named_at_once() -> None:
    """One line for each."""
    with pytest.raises(SettingsError) as caught:
        configure("painter", Many, {"wait": "a", "delay": ["b", "c"]})
    assert len(str(caught.value).splitlines()) == 2


def test_a_former_name_of_an_option_is_read_with_a_notice(caplog: pytest.LogCaptureFixture) -> None:
    """The current name wins where both are given."""
    notify_renamed.cache_clear()
    assert configure("channels.x", Many, {"patience": 3}).wait == 3
    assert configure("channels.x", Many, {"patience": 3, "wait": 4}).wait == 4
    assert option_from_text("channels.x", Many, "patience", "5") == 5
    (record,) = caplog.records
    assert "channels.x.options.patience is now called channels.x.options.wait" in record.getMessage()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("words", " a = b ", "a = b"),
        ("words", "7", "7"),
        ("flag", "Yes", True),
        ("flag", "off", False),
        ("count", "7", 7),
        ("wait", "2.5", 2.5),
        ("languages", "en, de", ["en", "de"]),
        ("languages", '["en"]', ["en"]),
        ("delay", "0.5, 2", [0.5, 2.0]),
        ("table", "{ a = 1 }", {"a": 1}),
        ("kind", "b", "b"),
        ("revision", "main", "main"),
    ],
)
def test_a_text_becomes_a_value(name: str, text: str, value: object) -> None:
    """Of JSON's types: booleans as people write them, numbers, lists in TOML or separated by commas."""
    assert option_from_text("channels.x", Many, name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "error", "said"),
    [
        ("flag", "perhaps", InputError, "flag is 'perhaps'; it must be true or false"),
        ("count", "1.5", InputError, "a whole number"),
        ("wait", "soon", InputError, "a number"),
        ("kind", "c", InputError, "'a' or 'b'"),
        ("delay", "1, x", InputError, "it must be"),
        ("name", "x", UnknownName, "no option 'name'"),
    ],
)
def test_a_wrong_text_is_refused(name: str, text: str, error: type[Exception], said: str) -> None:
    """With what it must be."""
    with pytest.raises(error, match=said):
        option_from_text("channels.x", Many, name, text)


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, known in registry.BACKENDS.items() for name in known]
)
def test_the_options_of_every_backend_can_be_checked(kind: str, name: str) -> None:
    """The types of its Config can be resolved."""
    try:
        backend = registry.find(kind, name)
    except BackendMissing as error:
        pytest.skip(str(error))
    TypeAdapter(backend.Config)
