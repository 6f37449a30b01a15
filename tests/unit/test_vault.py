"""Secrets: where they are found, that nobody else can read them, that they are never shown."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backend import KeyringBackend

from auria_bot.errors import DiskError, SettingsError
from auria_bot.vault import Vault

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
    yield made
    keyring.set_keyring(before)


def test_a_secret_in_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Written with 0600, read back, forgotten."""
    vault = Vault(tmp_path, "x", environment={})
    assert vault.get("token") is None
    vault.store("token", "s3cret")
    assert stat.S_IMODE(vault.file.stat().st_mode) == 0o600
    assert vault.get("token") == "s3cret"
    assert "s3cret" not in repr(vault)
    vault.forget()
    assert vault.get("token") is None


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """With the command that puts it right, and without its content."""
    vault = Vault(tmp_path, "x", environment={})
    vault.store("token", "s3cret")
    vault.file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600") as caught:
        vault.get("token")
    assert "s3cret" not in str(caught.value)


def test_the_environment_wins_until_the_channel_renews(tmp_path: Path) -> None:
    """A renewed token is newer than the variable it was first read from; what the operator stores anew replaces it."""
    environment = {"AURIA_SECRET_MY_INSTA_ACCESS_TOKEN": "first"}
    vault = Vault(tmp_path, "my-insta", environment=environment)
    vault.store("access_token", "older")
    assert vault.get("access_token") == "first"
    vault.put("access_token", "renewed")
    assert vault.get("access_token") == "renewed"
    assert Vault(tmp_path, "my-insta", environment={}).get("access_token") == "renewed"
    vault.store("access_token", "newest")
    environment.clear()
    assert vault.get("access_token") == "newest"


def test_a_secret_in_the_keyring_stays_there(tmp_path: Path, ring: _Ring) -> None:
    """Also when the channel renews it."""
    vault = Vault(tmp_path, "x", environment={})
    vault.store("token", "a", place="keyring")
    vault.put("token", "b")
    assert ring.kept == {("auria:x", "token"): "b"}
    assert vault.get("token") == "b"
    assert not vault.file.exists()


def test_there_is_no_other_place(tmp_path: Path) -> None:
    """The message names those there are."""
    with pytest.raises(SettingsError, match="file, keyring"):
        Vault(tmp_path, "x", environment={}).store("token", "a", place="cloud")


@pytest.mark.parametrize("content", ["{", "[]", '{"token": 5}', "\x00"])
def test_a_damaged_file_is_told(tmp_path: Path, content: str) -> None:
    """With the command that writes it anew."""
    vault = Vault(tmp_path, "x", environment={})
    vault.store("token", "a")
    vault.file.write_text(content)
    with pytest.raises(SettingsError, match="auria channels add x"):
        vault.get("token")


def test_a_channels_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    """Whatever it is, its file lies in secrets/."""
    assert Vault(tmp_path, "../../etc", environment={}).file.parent == tmp_path / "secrets"


def test_what_cannot_be_written_is_a_disk_error(tmp_path: Path) -> None:
    """The secrets that were there stay."""
    (tmp_path / "secrets").write_text("a file where the folder should be")
    with pytest.raises(DiskError):
        Vault(tmp_path, "x", environment={}).store("token", "a")
