"""Options of backends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from auria_bot import registry
from auria_bot.errors import BackendMissing, InputError, SettingsError, UnknownName
from auria_bot.settings import options
from auria_bot.settings.loading import load
from auria_bot.settings.options import (
    configure,
    current_names,
    current_path,
    explain,
    former_names,
    notify_renamed,
    option_from_text,
    rule,
)
from auria_bot.settings.schema import Settings

if TYPE_CHECKING:
    from pathlib import Path


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


@pytest.fixture(autouse=True)
def _nothing_said_before() -> None:
    options.notify_renamed.cache_clear()


def test_a_settings_file_of_the_version_before_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each former name sets what its current one does, and is named once in the log with the current one."""
    file = tmp_path / "auria.toml"
    file.write_text("""
        [upkeep]
        daily = 3
        [corpus]
        least_english = 0.5
        [corpus.reddit]
        patience = 10
        [channels.x]
        backend = "x"
        vault = "keyring"
    """)
    for _ in range(2):
        settings = load({"AURIA_HOME": str(tmp_path), "AURIA_UPKEEP__FREE_MB": "5"})
    assert (settings.maintenance.daily_backups, settings.maintenance.min_free_mb) == (3, 5)
    assert (settings.corpus.min_english, settings.corpus.reddit.max_wait) == (0.5, 10)
    assert settings.channels["x"].keystore == "keyring"
    said = [record.getMessage() for record in caplog.records]
    assert f"{file}: the setting channels.x.vault is now called channels.x.keystore; the old name works" in "".join(
        said
    )
    assert "AURIA_UPKEEP__FREE_MB: the setting upkeep.free_mb is now called maintenance.min_free_mb" in "".join(said)
    assert len(said) == len(set(said)) == 6


def test_a_wrong_value_under_a_former_name_is_found_in_its_file(tmp_path: Path) -> None:
    """The message gives the file, and the current name."""
    (tmp_path / "auria.toml").write_text("[upkeep]\ndaily = 0\n")
    with pytest.raises(SettingsError, match=r"auria\.toml: maintenance\.daily_backups is 0"):
        load({"AURIA_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("former", "role"),
    [("mood", "mood_reader"), ("gate", "safety_filter"), ("scribe", "text_writer"), ("finisher", "exporter")],
)
def test_roles_under_their_former_names(tmp_path: Path, former: str, role: str) -> None:
    """In a file and in the environment."""
    (tmp_path / "auria.toml").write_text(f'[{former}]\nbackend = "mine"\n')
    settings = load({"AURIA_HOME": str(tmp_path), f"AURIA_{former.upper()}__OPTIONS": "{ a = 1 }"})
    assert (getattr(settings, role).backend, getattr(settings, role).options) == ("mine", {"a": 1})


def test_the_current_name_wins() -> None:
    """Also where both names of a section are given."""
    both = {
        "maintenance": {"daily_backups": 2},
        "upkeep": {"daily": 3, "weekly": 1},
        "corpus": {"min_english": 0.1, "least_english": 0.2},
    }
    assert current_names(both, source="a") == {
        "maintenance": {"daily_backups": 2, "weekly_backups": 1},
        "corpus": {"min_english": 0.1},
    }


def test_options_of_backends_are_left_alone() -> None:
    """An option may be called what a setting was called before."""
    table = {"channels": {"x": {"backend": "x", "options": {"vault": 1}}}}
    assert current_names(table, source="a") == table


def test_paths() -> None:
    """Sections and keys; what was not renamed stays."""
    assert current_path(("upkeep", "programs"), source="a") == ("maintenance", "postgres_programs")
    assert current_path(("studio", "count"), source="a") == ("studio", "count")


def test_every_current_name_is_a_setting() -> None:
    """And no former name is one."""
    for section, names in options._RENAMED.items():
        fields = Settings.model_fields
        for part in section.split(".") if section and "*" not in section else ():
            fields = fields[part].annotation.model_fields  # type: ignore[union-attr]
        if "*" not in section:
            assert set(names.values()) <= set(fields)
            assert not set(names) & set(fields)
    assert former_names(("channels", "any")) == {"vault": "keystore"}


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
