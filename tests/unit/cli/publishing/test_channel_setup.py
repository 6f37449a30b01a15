"""Answers are read as values of their kind, and kept only after the trial."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import pytest

from auria_bot.cli.publishing.channel_setup import TrialSecrets, given_options
from auria_bot.domain.interfaces import Question
from auria_bot.errors import InputError, UnknownName
from auria_bot.redaction import clear_secrets
from auria_bot.secret_store import SecretStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Config:
    name: str = "many"
    words: str = ""
    flag: bool = False
    count: int = 1
    wait: float = 1.0
    languages: tuple[str, ...] = ()
    delay: tuple[float, float] = (0.0, 1.0)
    table: dict[str, int] = field(default_factory=dict)


class _Many:
    """A channel with options of every kind."""

    Config = _Config
    QUESTIONS: ClassVar = (Question(name="words", prompt="Words"), Question(name="token", prompt="Token", secret=True))


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[SecretStore]:
    """An empty one."""
    with clear_secrets():
        yield SecretStore(tmp_path, "many", environment={})


def test_texts_become_values(vault: SecretStore) -> None:
    """Booleans as people write them, numbers, lists in TOML's notation or parted by commas."""
    pairs = [
        "words= a = b ",
        "flag=Yes",
        "count=7",
        "wait=2.5",
        "languages=en, de",
        "delay=[0.5, 2]",
        "table={ a = 1 }",
    ]
    assert given_options(_Many, pairs, name="many", vault=vault) == {
        "words": "a = b",
        "flag": True,
        "count": 7,
        "wait": 2.5,
        "languages": ["en", "de"],
        "delay": [0.5, 2],
        "table": {"a": 1},
    }
    assert given_options(_Many, ["flag=off", 'languages=["en"]'], name="many", vault=vault) == {
        "flag": False,
        "languages": ["en"],
    }


@pytest.mark.parametrize(
    ("pair", "error", "words"),
    [
        ("flag=perhaps", InputError, "true or false"),
        ("count=1.5", InputError, "a whole number"),
        ("wait=soon", InputError, "a number"),
        ("words", InputError, "KEY=VALUE"),
        ("wrods=x", UnknownName, "did you mean words"),
        ("name=x", UnknownName, "no option 'name'"),
        ("token=s3cret-s3cret", InputError, "AURIA_SECRET_MANY_TOKEN"),
        ("token", InputError, "AURIA_SECRET_MANY_TOKEN"),
    ],
)
def test_what_is_no_value_is_told(vault: SecretStore, pair: str, error: type[Exception], words: str) -> None:
    """With what it must be, and never with a secret."""
    with pytest.raises(error, match=words) as caught:
        given_options(_Many, [pair], name="many", vault=vault)
    assert "s3cret" not in str(caught.value)


def test_nothing_is_kept_before_the_trial_is_over(vault: SecretStore) -> None:
    """An answer goes before what the vault holds, and what the channel renews goes before the answer."""
    vault.store("token", "old token")
    vault.store("other", "other token")
    offered = TrialSecrets({"token": "new token"}, vault)
    assert (offered.get("token"), offered.get("other"), offered.get("none")) == ("new token", "other token", None)
    offered.put("session", "a session")
    offered.put("token", "renewed token")
    assert (offered.get("session"), offered.get("token")) == ("a session", "renewed token")
    assert (vault.get("token"), vault.get("session")) == ("old token", None)
    offered.keep(place="file")
    assert (vault.get("token"), vault.get("session")) == ("renewed token", "a session")


def test_answers_from_the_environment_stay_there(tmp_path: Path) -> None:
    """Only what the channel renewed is written."""
    with clear_secrets():
        environment = {"AURIA_SECRET_MANY_TOKEN": "token of the environment"}
        vault = SecretStore(tmp_path, "many", place="environment", environment=environment)
        offered = TrialSecrets({"token": "token of the environment"}, vault)
        offered.keep(place="environment")
        assert not vault.file.exists()
        offered.put("session", "a session")
        offered.keep(place="environment")
        assert "token of the environment" not in vault.file.read_text()
