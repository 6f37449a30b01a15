"""Settings come from three places, the later wins, and what is wrong is named without telling a secret."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from auria_bot.errors import SettingsError
from auria_bot.redaction import clear_secrets, redacted
from auria_bot.settings.loading import load
from auria_bot.settings.locations import shipped
from auria_bot.settings.schema import Settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home without any file in it."""
    return tmp_path


def _load(home: Path, **variables: str) -> Settings:
    return load({"AURIA_HOME": str(home), **variables})


def test_the_shipped_file_holds_the_defaults(home: Path):
    """config/auria.toml and the code agree on every default."""
    assert load({"AURIA_HOME": str(home)}) == Settings(home=home)


def test_every_setting_is_in_the_shipped_file_with_a_comment():
    """Each key of the settings stands in config/auria.toml, and a comment stands above or beside it."""
    file = shipped("config") / "auria.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    section, commented, bare = "", set(), []
    for before, line in zip(["", *lines], lines, strict=False):
        words = line.removeprefix("# ").split()
        if line.startswith("["):
            section = line.strip("[]") + "."
        elif len(words) > 1 and words[1] == "=" and words[0].isidentifier():
            commented.add(section + words[0])
            if not before.startswith("#") and words[0] != "interpreter":
                bare.append(section + words[0])
    assert bare == []
    values = tomllib.loads(file.read_text(encoding="utf-8"))
    expected = {name for name in _leaves(Settings) if name != "channels"}
    assert expected <= commented
    assert set(values) <= set(Settings.model_fields)


def _leaves(section: type[BaseModel], above: str = ""):
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _leaves(kind, f"{above}{name}.")
        else:
            yield above + name


def test_the_environment_wins_over_the_file(home: Path):
    """The home's file wins over the defaults, the environment over the file."""
    (home / "auria.toml").write_text('time_zone = "Asia/Tokyo"\n[studio]\ncount = 3\nrecent = 7\n', encoding="utf-8")
    settings = _load(home, AURIA_STUDIO__COUNT="5")
    assert (settings.time_zone, settings.studio.count, settings.studio.recent) == ("Asia/Tokyo", 5, 7)
    assert settings.studio.candidates == Settings(home=home).studio.candidates


def test_a_named_file_is_read_instead(home: Path, tmp_path: Path):
    """AURIA_CONFIG names a file that is read in place of the home's own."""
    (home / "auria.toml").write_text("[studio]\ncount = 3\n", encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text("\ufeff[studio]\nrecent = 9\n", encoding="utf-8")  # an editor's byte order mark is no error
    settings = _load(home, AURIA_CONFIG=str(other))
    assert (settings.studio.count, settings.studio.recent) == (1, 9)


def test_a_channels_secret_in_the_environment_is_no_setting(home: Path):
    """It is not refused as an unknown one, and the log masks it, as it masks passwords that stand in settings."""
    with clear_secrets():
        settings = _load(
            home,
            AURIA_SECRET_X_ACCESS_TOKEN="t0ken-of-x",  # noqa: S106
            AURIA_DATABASE__URL="postgresql://me:p%40ss-word@h/d",
            AURIA_CHANNELS__FOLDER__OPTIONS__API_KEY="key-of-folder",
        )
        assert "t0ken" not in repr(settings)
        assert redacted("t0ken-of-x, p@ss-word, p%40ss-word, key-of-folder") == "***, ***, ***, ***"


def test_variables_become_values_of_the_right_kind(home: Path):
    """Numbers, lists, paths and a backend's own options are read from text."""
    settings = _load(
        home,
        AURIA_PAINTER__BACKEND="diffusers",
        AURIA_PAINTER__OPTIONS__STEPS="4",
        AURIA_PAINTER__OPTIONS__MODEL="~/my net",
        AURIA_REVIEW__CHANNELS="folder, second",
        AURIA_STUDIO__DEADLINES__PAINTING="90",
        AURIA_LOGGING__FORMAT="json",
        AURIA_POET__INTERPRETER="/opt/x/python",
        AURIA_DATA="relative",
    )
    assert settings.painter.options == {"steps": 4, "model": "~/my net"}
    assert settings.review.channels == ("folder", "second")
    assert settings.studio.deadlines == {"painting": 90.0}
    assert settings.logging.format == "json"
    assert settings.poet.interpreter == Path("/opt/x/python")
    assert settings.data == Path("relative").absolute()


def test_empty_variables_count_as_not_set(home: Path):
    """An empty variable, as compose files make them, changes nothing."""
    assert _load(home, AURIA_STUDIO__COUNT="", AURIA_CONFIG="") == Settings(home=home)


def test_another_backend_inherits_no_options(home: Path):
    """Options of one backend never reach another that replaces it from a later source."""
    (home / "auria.toml").write_text('[painter]\nbackend = "attn"\noptions = { a = 1 }\n', encoding="utf-8")
    assert _load(home).painter.options == {"a": 1}
    assert _load(home, AURIA_PAINTER__BACKEND="diffusers").painter.options == {}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AURIA_STUDIO__CUONT", "2", ["AURIA_STUDIO__CUONT", "no setting studio.cuont", "AURIA_STUDIO__COUNT?"]),
        ("AURIA_DATABASE_URL", "x", ["no setting database_url", "did you mean AURIA_DATABASE__URL?"]),
        ("AURIA_STUDIO__XQZ", "2", ["no setting studio.xqz", "known here", "AURIA_STUDIO__COUNT"]),
        ("AURIA_STUDIO__COUNT", "0", ["studio.count is '0'", "greater than or equal to 1"]),
        ("AURIA_STUDIO__COUNT", "many", ["studio.count is 'many'", "whole number"]),
        ("AURIA_STUDIO__DEADLINES__POEM", "-1", ["studio.deadlines.poem", "greater than 0"]),
        (
            "AURIA_STUDIO__DEADLINES__PAINTNG",
            "9",
            ["studio.deadlines", "no step 'paintng'; steps: poem, mood, painting"],
        ),
        ("AURIA_STUDIO", "x", ["studio is 'x'", "must be a table"]),
        ("AURIA_LOGGING__LEVEL", "loud", ["logging.level is 'loud'", "'debug', 'info', 'warning' or 'error'"]),
        ("AURIA_TIME_ZONE", "Europe/Pariss", ["'Europe/Pariss'", "Europe/Paris"]),
        ("AURIA_TIME_ZONE", "../../etc/passwd", ["IANA"]),
        ("AURIA_HEALTH__ADDRESS", "localhost", ["health.address is 'localhost'", "must be HOST:PORT", "[::1]:8610"]),
        ("AURIA_HEALTH__ADDRESS", "127.0.0.1:99999", ["must be HOST:PORT"]),
        ("AURIA_HEALTH__ADDRESS", "::1:8610", ["must be HOST:PORT"]),
        ("AURIA_SCHEDULE__PUBLISH__AT", "6pm", ["schedule.publish.at is ['6pm']", "must be times", "18:30"]),
        ("AURIA_LANGUAGE", "klingon!", ["language is 'klingon!'", "BCP 47"]),
        ("AURIA_DATABASE__URL", "mysql://me:hunter2@h/x", ["database.url is wrong", "sqlite:///FILE"]),
        ("AURIA_CHANNELS__NEW__OPTIONS__A", "1", ["channels.new.backend is missing"]),
        ("AURIA_CONFIG", "/no/such.toml", ["AURIA_CONFIG", "/no/such.toml"]),
        ("AURIA_LOGGING__LEVEL", "x" * 10_000_000, ["logging.level is 'xxx"]),
    ],
)
def test_wrong_variables_are_explained(home: Path, name: str, value: str, words: list[str]):
    """An error names the variable, the setting, the value and what is allowed, in a line or two, never a secret."""
    with pytest.raises(SettingsError) as caught:
        _load(home, **{name: value})
    message = str(caught.value)
    assert [word for word in words if word not in message] == []
    assert "hunter2" not in message
    assert len(message) < 1000


def test_a_folder_or_a_broken_link_in_the_place_of_the_file_is_not_passed_over(home: Path):
    """Settings that cannot be read are never replaced by defaults without a word."""
    (home / "auria.toml").mkdir()  # as a container's mount makes where there is no file
    with pytest.raises(SettingsError, match=r"auria\.toml cannot be read"):
        _load(home)
    (home / "auria.toml").rmdir()
    (home / "auria.toml").symlink_to(home / "away.toml")
    with pytest.raises(SettingsError, match=r"auria\.toml cannot be read"):
        _load(home)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[studio]\nrecnt = 3\n", ["auria.toml", "no setting studio.recnt", "did you mean studio.recent?"]),
        (b"[studio\n", ["auria.toml", "not valid TOML", "line 1"]),
        (b"\xff\xfe", ["auria.toml", "not UTF-8"]),
        (b'home = "/x"', ["auria.toml", "AURIA_HOME"]),
        (b"[studio]\ncount = true", ["studio.count is True", "must be a number"]),
        (b"studio = 3", ["studio is 3", "table"]),
        (b"a = " + b"[" * 3000, ["nested too deeply"]),
        (b"a" + b".a" * 3000 + b" = 1", ["nested too deeply"]),
        (b"[channels.x]\npassword = 'hunter2'", ["no setting channels.x.password", "auria channels add x"]),
        (b"[channels.x]\nlength = 9", ["no setting channels.x.length; take it out"]),
        (b"[poet]\nbackend = 3", ["poet.backend is 3", "a text"]),
        (b'[database]\nurl = "oracle://u:hunter2@h"', ["auria.toml", "database.url is wrong"]),
    ],
)
def test_wrong_files_are_explained(home: Path, text: bytes, words: list[str]):
    """An error names the file, the setting and what is allowed, never a secret."""
    (home / "auria.toml").write_bytes(text)
    with pytest.raises(SettingsError) as caught:
        _load(home)
    assert [word for word in words if word not in str(caught.value)] == []
    assert "hunter2" not in str(caught.value)


def test_all_faults_are_told_at_once(home: Path):
    """Two faults give two lines."""
    with pytest.raises(SettingsError) as caught:
        _load(home, AURIA_STUDIO__COUNT="0", AURIA_LOGGING__LEVEL="loud")
    assert len(str(caught.value).splitlines()) == 2


def test_secrets_are_never_shown(home: Path):
    """Neither the settings' repr nor their JSON holds a password, in the URL or in options."""
    settings = _load(
        home,
        AURIA_DATABASE__URL="postgresql://me:hunter2@host/db",
        AURIA_POET__OPTIONS__TOKEN="hunter2-token",  # noqa: S106
        AURIA_CHANNELS__FOLDER__OPTIONS__LOGIN__PASSWORD="hunter2-too",  # noqa: S106
    )
    for shown in (repr(settings), str(settings), f"{settings.database}", str(settings.to_json())):
        assert "hunter2" not in shown
    assert settings.database_url == "postgresql://me:hunter2@host/db"
    assert "postgresql://me:***@host/db" in repr(settings)


def test_importing_reads_nothing_and_brings_nothing_heavy():
    """Importing settings brings neither SQLAlchemy nor numpy, and importing the package not even pydantic."""
    code = (
        "import sys, auria_bot, auria_bot.registry, auria_bot.telemetry; assert 'pydantic' not in sys.modules;"
        "import auria_bot.settings.loading; assert not {'sqlalchemy', 'numpy', 'torch'} & set(sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={"AURIA_CONFIG": "/no/such", "PATH": ""}, cwd=Path.cwd()
    )
