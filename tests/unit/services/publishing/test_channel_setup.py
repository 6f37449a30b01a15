"""Answers are read as values of their type, and stored only after the check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import pytest

from auria_bot.domain.interfaces import Question
from auria_bot.errors import InputError, UnknownName, UsageError
from auria_bot.redaction import clear_secrets
from auria_bot.secret_store import SecretStore
from auria_bot.services.publishing.channel_setup import SetupQuestions, TrialSecrets, given_options

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
        ("wrods=x", UnknownName, "known: words, flag, count"),
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
    """An answer takes precedence over the stored secret, and what the channel renews over the answer."""
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


class _Script:
    """Prompts whose answers are given beforehand."""

    def __init__(self, *answers: str, interactive: bool = True) -> None:
        self.interactive, self.answers, self.asked, self.notes = interactive, list(answers), [], []

    def ask(self, question: str, *, default: str = "", required: bool = True, hidden: bool = False) -> str:
        self.asked.append((question, default, required, hidden))
        return self.answers.pop(0)

    def confirm(self, question: str, *, default: bool = False) -> bool:
        self.asked.append((question, default))
        return self.answers.pop(0) == "yes"

    def note(self, message: str) -> None:
        self.notes.append(message)


class _Asking(_Many):
    QUESTIONS: ClassVar = (
        Question(name="words", prompt="Words"),
        Question(name="count", prompt="Count", required=False),
        Question(name="flag", prompt="Accept?"),
        Question(name="token", prompt="Token", secret=True),
        Question(name="spare", prompt="Spare", secret=True, required=False),
    )


def _questions(vault: SecretStore, prompts: _Script, *, place: str = "file", yes: bool = False) -> SetupQuestions:
    return SetupQuestions("many", _Asking, vault, place=place, yes=yes, prompts=prompts)


def test_what_is_not_given_is_asked_for(vault: SecretStore) -> None:
    """Options with their current values as defaults, confirmations, and secrets without echo."""
    prompts = _Script("hello", "2", "yes", "a token", "")
    answers = _questions(vault, prompts).answers({}, {"count": 2})
    assert answers.options == {"words": "hello", "flag": True}
    assert answers.secrets == {"token": "a token"}
    assert prompts.asked == [
        ("Words", "", True, False),
        ("Count", "2", False, False),
        ("Accept?", False),
        ("Token", "", True, True),
        ("Spare (Enter for none)", "", False, True),
    ]


def test_a_stored_secret_is_kept_by_enter(vault: SecretStore) -> None:
    """The question says where it is stored; an option in force that needs a yes is not asked again."""
    vault.store("token", "an old token")
    prompts = _Script("", "")
    answers = _questions(vault, prompts).answers({"words": "a", "count": 1}, {"flag": True})
    assert answers.secrets == {}
    assert prompts.asked[0] == ("Token (Enter keeps the one in the file)", "", False, True)


def test_a_required_confirmation_ends_the_setup(vault: SecretStore) -> None:
    """Declined at a terminal, given as no, or missing without a terminal, it ends the setup; --yes confirms."""
    with pytest.raises(InputError, match="flag was not confirmed"):
        _questions(vault, _Script("no")).answers({"words": "a", "count": 1}, {})
    with pytest.raises(InputError, match="flag was not confirmed"):
        _questions(vault, _Script()).answers({"words": "a", "count": 1, "flag": False}, {})
    with pytest.raises(
        UsageError, match=r"--set words=\.\.\..*--set flag=true.*AURIA_SECRET_MANY_TOKEN.*at a terminal"
    ):
        _questions(vault, _Script(interactive=False)).answers({}, {})
    silent = _Script(interactive=False)
    vault.store("token", "an old token")
    assert _questions(vault, silent, yes=True).answers({"words": "a"}, {}).options == {"words": "a", "flag": True}
    assert silent.notes == ["Accept? yes"]


def test_an_optional_confirmation_may_be_declined(vault: SecretStore) -> None:
    """At a terminal it becomes false; without one it stays as it is."""

    class Optional(_Many):
        QUESTIONS: ClassVar = (Question(name="flag", prompt="Sure?", required=False),)

    def asked(prompts: _Script) -> dict[str, object]:
        questions = SetupQuestions("many", Optional, vault, place="file", yes=False, prompts=prompts)
        return dict(questions.answers({}, {}).options)

    assert asked(_Script("no")) == {"flag": False}
    assert asked(_Script(interactive=False)) == {}


def test_secrets_of_the_environment_are_taken_from_there(tmp_path: Path) -> None:
    """It is said which variable was read; a secret meant for the environment must be set there."""
    with clear_secrets():
        environment = {"AURIA_SECRET_MANY_TOKEN": "token of the environment"}
        vault = SecretStore(tmp_path, "many", place="environment", environment=environment)
        prompts = _Script(interactive=False)
        given = {"words": "a", "count": 1, "flag": True}
        answers = _questions(vault, prompts, place="environment").answers(given, {})
        assert answers.secrets == {"token": "token of the environment"}
        assert prompts.notes == ["token is taken from AURIA_SECRET_MANY_TOKEN"]
        environment.clear()
        vault.store("token", "a stored token", place="file")
        with pytest.raises(UsageError, match="AURIA_SECRET_MANY_TOKEN"):
            _questions(vault, prompts, place="environment").answers(given, {})
