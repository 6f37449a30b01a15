"""The questions a channel asks before it can be used, and the answers on trial.

Secrets are read without echo or from the environment, never from the command line, which others can read. Answers are
kept only once the platform accepted them. Who is asked, and how, is passed in as `Prompts`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Protocol

from auria_bot.errors import InputError, UsageError
from auria_bot.redaction import register_secret
from auria_bot.settings.options import option_from_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auria_bot.domain.interfaces import Question
    from auria_bot.secret_store import SecretStore

__all__ = ["Answers", "Prompts", "SetupQuestions", "TrialSecrets", "given_options"]


class Prompts(Protocol):
    """How the operator is asked."""

    @property
    def interactive(self) -> bool:
        """Whether there is somebody to answer; otherwise only `note` is called."""

    def ask(self, question: str, *, default: str = "", required: bool = True, hidden: bool = False) -> str:
        """Ask until there is an answer, where one is required."""

    def confirm(self, question: str, *, default: bool = False) -> bool:
        """Ask a yes-or-no question."""

    def note(self, message: str) -> None:
        """Show a message."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The operator's answers."""

    options: Mapping[str, Any]  # of the channel's Config
    secrets: Mapping[str, str]


class TrialSecrets:
    """Secrets on trial: the answers, then the stored ones; renewed secrets are remembered but not stored yet."""

    def __init__(self, answers: Mapping[str, str], vault: SecretStore) -> None:
        self._answers, self._vault = answers, vault
        self.renewed: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        """A secret's value; None where there is none."""
        return self.renewed.get(name) or self._answers.get(name) or self._vault.get(name)

    def put(self, name: str, value: str) -> None:
        """Remember a secret that the channel renewed."""
        self.renewed[name] = register_secret(value)

    def keep(self, *, place: str) -> None:
        """Store every secret, once the trial succeeded.

        Raises:
            SettingsError: secrets cannot be stored in that place.
            DiskError: it cannot be written.
        """
        if place != "environment":
            for name, value in self._answers.items():
                self._vault.store(name, value, place=place)
        for name, value in self.renewed.items():
            self._vault.put(name, value)


def given_options(kind: type[Any], pairs: Sequence[str], *, name: str, vault: SecretStore) -> dict[str, Any]:
    """The options of `KEY=VALUE` pairs, each converted to its field's type.

    Raises:
        InputError: a pair has no "=", a value has the wrong type, or the key names a secret.
        UnknownName: the channel has no such option; the message names those it has.
    """
    secret = {question.name for question in kind.QUESTIONS if question.secret}
    found = {}
    for pair in pairs:
        key, sign, text = pair.partition("=")
        key = key.strip()
        if key in secret:
            raise UsageError(
                f"{key} is a secret, and a command line can be read by others; give it in the environment variable"
                f" {vault.variable(key)}, or answer at a terminal"
            )
        if not sign:
            raise UsageError(f"--set takes KEY=VALUE, not {pair[:40]!r}")
        found[key] = option_from_text(f"channels.{name}", kind, key, text)
    return found


class SetupQuestions:
    """Asks the operator a backend's questions, or takes the answers from the environment."""

    def __init__(
        self, name: str, kind: type[Any], vault: SecretStore, *, place: str, yes: bool, prompts: Prompts
    ) -> None:
        """With the place "environment", secrets are not asked for; `yes` answers every confirmation."""
        self._name, self._kind, self._vault, self._place, self._yes = name, kind, vault, place, yes
        self._prompts = prompts
        self._missing: list[str] = []

    def answers(self, given: Mapping[str, Any], current: Mapping[str, Any]) -> Answers:
        """Ask for everything that is not given.

        The `current` options are the defaults; those `given` are not asked for.

        Raises:
            UsageError: an answer is missing.
            InputError: a risk was not accepted.
        """
        options, secrets = dict(given), dict[str, str]()
        for question in self._kind.QUESTIONS:
            if question.secret:
                if value := self._secret(question):
                    secrets[question.name] = value
            elif question.name not in given:
                value = self._option(question, current)
                if value is not None:
                    options[question.name] = value
            elif given[question.name] is False and question.required:
                raise InputError(self._not_without(question))
        if self._missing:
            there = "" if self._prompts.interactive else ", or answer at a terminal"
            raise UsageError(f"channel {self._name} still needs {'; '.join(self._missing)}{there}")
        return Answers(options=options, secrets=secrets)

    def _option(self, question: Question, current: Mapping[str, Any]) -> Any:
        """The answer, or None to keep the current value."""
        field = next(field for field in dataclasses.fields(self._kind.Config) if field.name == question.name)
        before = current.get(question.name, None if field.default is dataclasses.MISSING else field.default)
        if field.type == "bool":
            return self._confirmed(question, before=bool(before))
        if not self._prompts.interactive:
            if question.required and before in {None, ""}:
                self._missing.append(f"{question.name} (--set {question.name}=...)")
            return None
        answer = self._prompts.ask(question.prompt, default=str(before or ""), required=question.required)
        if answer == str(before or ""):
            return None
        return option_from_text(f"channels.{self._name}", self._kind, field.name, answer)

    def _confirmed(self, question: Question, *, before: bool) -> bool | None:
        """The answer to a yes-or-no question; None keeps the current value. A required one must be confirmed."""
        if question.required and before:
            return None
        if not self._yes and not self._prompts.interactive:
            if question.required:
                self._missing.append(f"{question.name} (--set {question.name}=true: {question.prompt})")
            return None
        if self._yes:
            self._prompts.note(f"{question.prompt} yes")
        elif not self._prompts.confirm(question.prompt, default=before):
            if question.required:
                raise InputError(self._not_without(question))
            return False
        return True

    def _not_without(self, question: Question) -> str:
        return f"channel {self._name} is not set up: {question.name} was not confirmed ({question.prompt})"

    def _secret(self, question: Question) -> str | None:
        """The answer, or the value from the environment; None when it is stored already or not needed."""
        variable, place = self._vault.variable(question.name), self._vault.where(question.name)
        if place == "environment":
            self._prompts.note(f"{question.name} is taken from {variable}")
            return self._vault.get(question.name)
        if self._prompts.interactive and self._place != "environment":
            kept = (
                f" (Enter keeps the one in the {place})"
                if place
                else " (Enter for none)"
                if not question.required
                else ""
            )
            required = question.required and not place
            return self._prompts.ask(question.prompt + kept, required=required, hidden=True) or None
        if question.required and (not place or self._place == "environment"):
            self._missing.append(f"{question.name} (the environment variable {variable})")
        return None
