"""The settings file is changed where it must be and nowhere else."""

from __future__ import annotations

import stat
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auria_bot.errors import DiskError, NotFound, SettingsError
from auria_bot.settings.editing import SettingsFile, as_toml
from auria_bot.settings.loading import load
from auria_bot.settings.schema import Settings
from auria_bot.settings.sections import ChannelSettings

if TYPE_CHECKING:
    from pathlib import Path

OWN = """\
# my own words
time_zone = "Asia/Tokyo"   # where I live

[channels.folder]  # the gallery
backend = "folder"
options = { directory = "www", title = "Åuria" }  # as on the web

# how many
[studio]
count = 3
"""
X = {
    "backend": "x",
    "keystore": "file",
    "options": {"settle": 2.5, "made_with_ai": True, "address": "https://api.x.com"},
}


def test_a_new_file_says_what_it_is_for(tmp_path: Path) -> None:
    """It is its owner's alone, and the settings read it."""
    file = tmp_path / "home" / "auria.toml"
    SettingsFile(file).set_channel("x", X)
    assert file.read_text().startswith("# ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    read = load({"AURIA_HOME": str(tmp_path / "home")})
    assert (read.channels["x"].backend, dict(read.channels["x"].options)) == ("x", X["options"])
    assert set(read.channels) == {"folder", "x"}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("own", [OWN, OWN.rstrip("\n"), "\ufeff" + OWN])
def test_a_new_channel_stands_at_the_end(tmp_path: Path, own: str, newline: str) -> None:
    """What stood there stands there still, to the byte; taking it away again leaves no trace but an empty line."""
    file = tmp_path / "auria.toml"
    own = own.replace("\n", newline)
    file.write_bytes(own.encode())
    file.chmod(0o640)
    settings_file = SettingsFile(file)
    settings_file.set_channel("x", X)
    text = file.read_bytes().decode()
    assert text.startswith(own.removeprefix("\ufeff"))
    assert text.count("\r\n") == (text.count("\n") if newline == "\r\n" else 0)
    assert tomllib.loads(text)["channels"]["x"] == X
    assert set(settings_file.channels()) == {"folder", "x"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    settings_file.remove_channel("x")
    assert file.read_bytes().decode().rstrip() == own.removeprefix("\ufeff").rstrip()


def test_a_channel_that_is_there_is_changed_in_its_place(tmp_path: Path) -> None:
    """Its comments and its other options stay."""
    file = tmp_path / "auria.toml"
    file.write_text(OWN)
    SettingsFile(file).set_channel(
        "folder", {"keystore": "keyring", "options": {"title": "A", "url": "https://a.example"}}
    )
    text = file.read_text()
    options = tomllib.loads(text)["channels"]["folder"]["options"]
    assert options == {"directory": "www", "title": "A", "url": "https://a.example"}
    for comment in ("# my own words", "# where I live", "# the gallery", "# as on the web", "# how many"):
        assert comment in text


@pytest.mark.parametrize(
    "own",
    [
        'channels.folder.backend = "folder"\n[studio]\ncount = 1\n',
        '[channels]\nfolder = { backend = "folder" }\n[studio]\ncount = 1\n',
        'channels = { folder = { backend = "folder" } }\n',
        "[channels.folder]\nbackend = 'folder'\n[studio]\ncount = 1\n[channels.b]\nbackend = 'folder'\n",
        "[channels.folder]\nbackend = 'folder'\n[channels.folder.options]\ntitle = 'a'\n",
        "[channels.folder]\nbackend = 'folder'\noptions.title = 'a'\n",
    ],
)
def test_every_form_of_a_file_is_changed_rightly_or_not_at_all(tmp_path: Path, own: str) -> None:
    """TOML says the same thing in many ways."""
    file = tmp_path / "auria.toml"
    for act in (
        lambda one: one.set_channel("x", X),
        lambda one: one.set_channel("folder", {"keystore": "keyring", "options": {"title": "b"}}),
        lambda one: one.remove_channel("folder"),
    ):
        file.write_text(own)
        try:
            act(SettingsFile(file))
        except SettingsError as error:
            assert "edit the file by hand" in str(error)  # noqa: PT017
            assert file.read_text() == own
        else:
            assert tomllib.loads(file.read_text()).get("channels") != tomllib.loads(own)["channels"]


def test_what_cannot_be_changed_is_told(tmp_path: Path) -> None:
    """And left as it is."""
    file = tmp_path / "auria.toml"
    with pytest.raises(NotFound):
        SettingsFile(file).remove_channel("x")
    for content in (b"[channels", b"\xff\xfe"):
        file.write_bytes(content)
        with pytest.raises(SettingsError):
            SettingsFile(file).set_channel("x", X)
        assert file.read_bytes() == content
    (tmp_path / "wall").write_text("")
    with pytest.raises(DiskError):
        SettingsFile(tmp_path / "wall" / "auria.toml").set_channel("x", X)
    with pytest.raises(SettingsError):
        SettingsFile(tmp_path).channels()


VALUES = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(0, 9)
)


@given(options=st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), VALUES, max_size=4))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_options_come_back_as_they_were_given(tmp_path: Path, options: dict[str, object]) -> None:
    """Whatever stands in them."""
    file = tmp_path / "auria.toml"
    file.write_text(OWN)
    SettingsFile(file).set_channel("x", {"backend": "x", "options": options})
    assert tomllib.loads(file.read_text())["channels"]["x"]["options"] == options


_WRITER = """
import sys
from pathlib import Path
from auria_bot.settings.editing import SettingsFile
for number in range(8):
    SettingsFile(Path(sys.argv[1])).set_channel(f"{sys.argv[2]}{number}", {"backend": "folder"})
"""


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    """Each waits for the other."""
    file = tmp_path / "auria.toml"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(file), name]) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert len(SettingsFile(file).channels()) == 16


def test_a_former_key_gives_way(tmp_path: Path) -> None:
    """A key that is set under its current name leaves no former one behind."""
    file = tmp_path / "auria.toml"
    file.write_text('[channels.x]\nbackend = "x"\nvault = "file"  # mine\n')
    SettingsFile(file).set_channel("x", {"keystore": "keyring"})
    assert file.read_text() == '[channels.x]\nbackend = "x"\nkeystore = "keyring"\n'


def test_settings_as_toml(tmp_path: Path) -> None:
    """They say the same when they are read again; what has no value is left out, options stand in one line."""
    channels = {"my x": ChannelSettings(backend="x", options={"delay": [1, 2], "title": 'a "b"', "on": True})}
    text = as_toml(Settings(home=tmp_path, channels=channels).to_json())
    again = tomllib.loads(text)
    assert again["channels"]["my x"]["options"] == {"delay": [1, 2], "title": 'a "b"', "on": True}
    assert again["studio"]["deadlines"] == {}
    assert "models" not in again
    assert 'options = {delay = [1, 2], title = "a \\"b\\"", on = true}\n' in text
