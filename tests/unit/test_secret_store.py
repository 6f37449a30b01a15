"""Secrets: where they are found, that only their owner can read them, that they are never shown."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backend import KeyringBackend

from auria_bot.errors import DiskError, SettingsError
from auria_bot.redaction import clear_secrets, redacted
from auria_bot.secret_store import SecretStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def ring() -> Iterator[_Ring]:
    """The system's keyring, replaced by one in memory."""
    before, made = keyring.get_keyring(), _Ring()
    keyring.set_keyring(made)
    with clear_secrets():
        yield made
    keyring.set_keyring(before)


def test_a_secret_in_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Written with 0600, read back, forgotten."""
    vault = SecretStore(tmp_path, "x", environment={})
    assert vault.get("token") is None
    vault.store("token", "s3cret")
    assert stat.S_IMODE(vault.file.stat().st_mode) == 0o600
    assert vault.get("token") == "s3cret"
    assert "s3cret" not in repr(vault)
    vault.forget()
    assert vault.get("token") is None


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """With the command that puts it right, and without its content."""
    vault = SecretStore(tmp_path, "x", environment={})
    vault.store("token", "s3cret")
    vault.file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600") as caught:
        vault.get("token")
    assert "s3cret" not in str(caught.value)


def test_the_environment_wins_until_the_channel_renews(tmp_path: Path) -> None:
    """A renewed token is newer than the variable it was first read from; what the operator stores anew replaces it."""
    environment = {"AURIA_SECRET_MY_INSTA_ACCESS_TOKEN": "first"}
    vault = SecretStore(tmp_path, "my-insta", environment=environment)
    vault.store("access_token", "older")
    assert vault.get("access_token") == "first"
    vault.put("access_token", "renewed")
    assert vault.get("access_token") == "renewed"
    assert SecretStore(tmp_path, "my-insta", environment={}).get("access_token") == "renewed"
    vault.store("access_token", "newest")
    environment.clear()
    assert vault.get("access_token") == "newest"


def test_a_secret_in_the_keyring_stays_there(tmp_path: Path, ring: _Ring) -> None:
    """Also when the channel renews it."""
    vault = SecretStore(tmp_path, "x", environment={})
    vault.store("token", "a", place="keyring")
    vault.put("token", "b")
    assert ring.kept == {("auria:x", "token"): "b"}
    assert vault.get("token") == "b"
    assert not vault.file.exists()


def test_there_is_no_other_place(tmp_path: Path) -> None:
    """The message names those there are."""
    with pytest.raises(SettingsError, match="file, keyring"):
        SecretStore(tmp_path, "x", environment={}).store("token", "a", place="cloud")


@pytest.mark.parametrize("content", ["{", "[]", '{"token": 5}', "\x00"])
def test_a_damaged_file_is_told(tmp_path: Path, content: str) -> None:
    """With the command that writes it anew."""
    vault = SecretStore(tmp_path, "x", environment={})
    vault.store("token", "a")
    vault.file.write_text(content)
    with pytest.raises(SettingsError, match="auria channels add x"):
        vault.get("token")


def test_a_channels_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    """Whatever the channel's name, its file is in secrets/."""
    assert SecretStore(tmp_path, "../../etc", environment={}).file.parent == tmp_path / "secrets"


def test_what_cannot_be_written_is_a_disk_error(tmp_path: Path) -> None:
    """The secrets that were there stay."""
    (tmp_path / "secrets").write_text("a file where the folder should be")
    with pytest.raises(DiskError):
        SecretStore(tmp_path, "x", environment={}).store("token", "a")
    assert (tmp_path / "secrets").read_text() == "a file where the folder should be"


def test_a_new_variable_is_newer_than_what_was_renewed(tmp_path: Path) -> None:
    """After a revoked token the operator sets another: it must not lose against the renewed form of the first."""
    environment = {"AURIA_SECRET_X_TOKEN": "first token"}
    vault = SecretStore(tmp_path, "x", environment=environment)
    vault.put("token", "renewed token")
    assert (vault.get("token"), vault.where("token")) == ("renewed token", "file")
    environment["AURIA_SECRET_X_TOKEN"] = "second token\r\n"  # noqa: S105
    assert (vault.get("token"), vault.where("token")) == ("second token", "environment")
    vault.put("token", "renewed again")
    assert vault.get("token") == "renewed again"
    assert "first token" not in vault.file.read_text()


def test_what_is_handed_out_is_masked_from_then_on(tmp_path: Path) -> None:
    """Also what was only just written."""
    vault = SecretStore(tmp_path, "x", environment={"AURIA_SECRET_X_GIVEN": "from-the-environment"})
    vault.put("session", "a-session-of-mine")
    assert vault.get("given")
    assert redacted("from-the-environment and a-session-of-mine") == "*** and ***"


def test_new_secrets_go_where_the_operator_keeps_them(tmp_path: Path, ring: _Ring) -> None:
    """A session that the channel opened by itself goes into the keyring too, and is forgotten with the rest."""
    vault = SecretStore(tmp_path, "x", place="keyring", environment={})
    vault.store("password", "a", place="keyring")
    vault.put("session", "b")
    assert set(ring.kept) == {("auria:x", "password"), ("auria:x", "session")}
    assert "b" not in json.loads(vault.file.read_text()).values()
    assert (vault.get("session"), vault.where("session"), vault.where("other")) == ("b", "keyring", None)
    vault.forget(["password"])
    assert ring.kept == {}
    assert not vault.file.exists()


def test_a_secret_that_moves_stays_behind_nowhere(tmp_path: Path, ring: _Ring) -> None:
    """Else the older one could win, or lie about unguarded."""
    vault = SecretStore(tmp_path, "x", environment={})
    vault.store("token", "in the file")
    vault.store("token", "in the keyring", place="keyring")
    assert (vault.get("token"), json.loads(vault.file.read_text())) == ("in the keyring", {})
    vault.store("token", "in the file again")
    assert (vault.get("token"), ring.kept) == ("in the file again", {})


class _Shut(_Ring):
    """A locked keyring."""

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("locked; the password was s3cret")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"locked; the password was {password}")


def test_a_shut_keyring_is_told(tmp_path: Path) -> None:
    """To who keeps secrets in it; to others it is as if it held nothing. The message quotes nothing."""
    keyring.set_keyring(_Shut())
    assert SecretStore(tmp_path, "x", environment={}).get("token") is None
    shut = SecretStore(tmp_path, "x", place="keyring", environment={})
    with pytest.raises(SettingsError, match="unlock it") as read:
        shut.get("token")
    with pytest.raises(SettingsError, match="--secrets file") as written:
        shut.store("token", "s3cret", place="keyring")
    assert "s3cret" not in f"{read.value} {written.value}"


def test_a_keyring_that_is_not_chosen_is_left_alone(tmp_path: Path, ring: _Ring) -> None:
    """A locked keyring may ask for its password and wait, which a service cannot answer."""

    class Waiting(_Ring):
        def get_password(self, service: str, username: str) -> str | None:
            raise AssertionError(service)

    keyring.set_keyring(Waiting())
    for place in ("file", "environment"):
        vault = SecretStore(tmp_path, place, place=place, environment={})
        assert vault.get("token") is None
        vault.put("token", "a")
        assert (vault.get("token"), vault.where("token")) == ("a", "file")
        vault.forget(["token"])


def test_without_a_keyring_package_the_file_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the operator chose the keyring, the package is asked for."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    vault = SecretStore(tmp_path, "x", environment={})
    vault.put("token", "a")
    assert vault.get("token") == "a"
    with pytest.raises(SettingsError, match=r"auria-bot\[keyring\]"):
        SecretStore(tmp_path, "x", place="keyring", environment={}).get("missing")


_WRITER = """
import sys
from pathlib import Path
from auria_bot.secret_store import SecretStore
vault = SecretStore(Path(sys.argv[1]), "x", environment={})
for number in range(25):
    vault.put(f"{sys.argv[2]}-{number}", "v" * 2000)
    assert vault.get(f"{sys.argv[2]}-0") == "v" * 2000
"""


def test_processes_that_renew_at_once_lose_nothing(tmp_path: Path) -> None:
    """Three processes write 25 secrets each into one file: all 75 are there, and every read in between was whole."""
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path), name], stderr=subprocess.PIPE, text=True)
        for name in ("a", "b", "c")
    ]
    for writer in writers:
        assert writer.communicate(timeout=60)[1] == ""
    kept = json.loads(SecretStore(tmp_path, "x", environment={}).file.read_text())
    assert len(kept) == 75
    assert not list((tmp_path / "secrets").glob(".new*"))


def test_a_killed_writer_leaves_the_old_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what it had begun is cleared away by the next."""
    vault = SecretStore(tmp_path, "x", environment={})
    vault.put("token", "old")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("auria_bot.files.os.fsync", killed)
        patch.setattr("auria_bot.files.Path.unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            vault.put("token", "new")
    assert vault.get("token") == "old"
    assert len(list((tmp_path / "secrets").glob(".new*"))) == 1
    vault.put("token", "newer")
    assert sorted(path.name for path in (tmp_path / "secrets").iterdir()) == [".lock", "x.json"]


def test_a_link_leads_to_where_the_secrets_really_are(tmp_path: Path) -> None:
    """The link stays, its target is written; one that leads nowhere is not replaced by a file on the wrong disk."""
    real = tmp_path / "encrypted"
    real.mkdir()
    vault = SecretStore(tmp_path / "home", "x", environment={})
    vault.store("token", "a")
    vault.file.rename(real / "x.json")
    vault.file.symlink_to(real / "x.json")
    vault.put("token", "b")
    assert vault.file.is_symlink()
    assert json.loads((real / "x.json").read_text()) == {"token": "b"}
    assert stat.S_IMODE((real / "x.json").stat().st_mode) == 0o600
    real.rename(tmp_path / "unmounted")
    with pytest.raises(DiskError):
        vault.put("token", "c")
    assert vault.file.is_symlink()


def test_the_folder_is_its_owners_alone(tmp_path: Path) -> None:
    """Also one that was made too open; the umask does not matter."""
    (tmp_path / "secrets").mkdir(mode=0o777)
    (tmp_path / "secrets").chmod(0o777)
    before = os.umask(0)
    try:
        SecretStore(tmp_path, "x", environment={}).put("token", "a")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "secrets").iterdir()}
    assert modes == {".lock": 0o600, "x.json": 0o600}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_only_the_operator_gives_a_damaged_file_up(tmp_path: Path) -> None:
    """Renewed secrets do not overwrite a damaged file or one with too open permissions."""
    vault = SecretStore(tmp_path, "x", environment={})
    vault.store("password", "a")
    vault.file.write_text('{"password": "a",}')
    with pytest.raises(SettingsError, match="damaged"):
        vault.put("session", "b")
    assert vault.file.read_text() == '{"password": "a",}'
    vault.store("password", "new")
    assert vault.get("password") == "new"
    vault.file.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        vault.store("password", "newer")
    vault.file.chmod(0o600)
    assert vault.get("password") == "new"


def test_every_channel_has_a_file_of_its_own(tmp_path: Path) -> None:
    """Names that differ in case or in a strange character alone, and names that Windows keeps for devices."""
    names = ["x", "X", "my.insta", "my_insta", "my-insta", "é", "ü", "con", "a" * 300, "a" * 301, "lpt1", ""]
    files = [SecretStore(tmp_path, name, environment={}).file for name in names]
    assert len({file.name.lower() for file in files}) == len(names)
    assert all(file.parent == tmp_path / "secrets" and len(file.name) < 80 for file in files)
    assert not any(file.stem in {"con", "lpt1"} for file in files)
