"""Asks what a channel must be told, tries it, and keeps the answers only when the platform accepted them.

Secrets are read without echo or from the environment, never from the command line, which others can read. Knows questions and
answers; does not know any platform.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

from auria_bot.cli.terminal.console import note
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auria_bot.domain.interfaces import Question
    from auria_bot.secret_store import SecretStore

__all__ = ["Answers", "SetupPrompts", "TrialSecrets", "given_options"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the operator said."""

    options: Mapping[str, Any]  # of the channel's Config
    secrets: Mapping[str, str]


class TrialSecrets:
    """Secrets on trial: the answers, then what the vault holds; what the channel renews is remembered, not yet kept."""

    def __init__(self, answers: Mapping[str, str], vault: SecretStore) -> None:
        self._answers, self._vault = answers, vault
        self.renewed: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        """A secret's value; None where there is none."""
        return self.renewed.get(name) or self._answers.get(name) or self._vault.get(name)

    def put(self, name: str, value: str) -> None:
        """Remember it."""
        from auria_bot.redaction import register_secret

        self.renewed[name] = register_secret(value)

    def keep(self, *, place: str) -> None:
        """Write everything to its place, now that the trial went well.

        Raises:
            SettingsError: the place takes nothing.
            DiskError: it cannot be written.
        """
        if place != "environment":
            for name, value in self._answers.items():
                self._vault.store(name, value, place=place)
        for name, value in self.renewed.items():
            self._vault.put(name, value)


def given_options(kind: type[Any], pairs: Sequence[str], *, name: str, vault: SecretStore) -> dict[str, Any]:
    """The options of `--set KEY=VALUE`, as values of their kind.

    Raises:
        InputError: a pair has no "=", a value is of another kind, or the key is a secret's.
        UnknownName: the channel has no such option; the message names those it has.
    """
    from auria_bot.settings.options import option_from_text

    secret = {question.name for question in kind.QUESTIONS if question.secret}
    found = {}
    for pair in pairs:
        key, sign, text = pair.partition("=")
        key = key.strip()
        if key in secret:
            raise InputError(
                f"{key} is a secret, and a command line can be read by others; give it in the environment variable"
                f" {vault.variable(key)}, or answer at a terminal"
            )
        if not sign:
            raise InputError(f"--set takes KEY=VALUE, not {pair[:40]!r}")
        found[key] = option_from_text(f"channels.{name}", kind, key, text)
    return found


class SetupPrompts:
    """Puts a backend's questions to the operator, or to the environment where nobody sits at a terminal."""

    def __init__(self, name: str, kind: type[Any], vault: SecretStore, *, place: str, yes: bool) -> None:
        """Prepare.

        Args:
            name: the operator's name for the channel.
            kind: the backend's class.
            vault: where its secrets may stand already.
            place: where they are to be kept; with "environment" they are not asked for.
            yes: every confirmation is given.
        """
        self._name, self._kind, self._vault, self._place, self._yes = name, kind, vault, place, yes
        self._at_terminal = sys.stdin.isatty()
        self._missing: list[str] = []

    def answers(self, given: Mapping[str, Any], current: Mapping[str, Any]) -> Answers:
        """Ask for everything that is not given.

        Args:
            given: options that need not be asked for.
            current: options as they are, which stand when nothing else is said.

        Raises:
            InputError: something is missing, and there is nobody to ask; or a risk was not accepted.
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
            there = "" if self._at_terminal else ", or answer at a terminal"
            raise InputError(f"channel {self._name} still needs {'; '.join(self._missing)}{there}")
        return Answers(options=options, secrets=secrets)

    def _option(self, question: Question, current: Mapping[str, Any]) -> Any:
        """What the operator says, or None to leave it as it is."""
        field = next(field for field in dataclasses.fields(self._kind.Config) if field.name == question.name)
        before = current.get(question.name, None if field.default is dataclasses.MISSING else field.default)
        if field.type == "bool":
            return self._confirmed(question, before=bool(before))
        if not self._at_terminal:
            if question.required and before in {None, ""}:
                self._missing.append(f"{question.name} (--set {question.name}=...)")
            return None
        said = _prompt(question.prompt, default=str(before or ""), needed=question.required)
        if said == str(before or ""):
            return None
        from auria_bot.settings.options import option_from_text

        return option_from_text(f"channels.{self._name}", self._kind, field.name, said)

    def _confirmed(self, question: Question, *, before: bool) -> bool | None:
        """A yes or no; where it is required, a no ends everything."""
        if question.required and before:
            return None
        if not self._yes and not self._at_terminal:
            if question.required:
                self._missing.append(f"{question.name} (--set {question.name}=true: {question.prompt})")
            return None
        if self._yes:
            note(f"{question.prompt} yes")
        elif not _confirm(question.prompt, default=before):
            if question.required:
                raise InputError(self._not_without(question))
            return False
        return True

    def _not_without(self, question: Question) -> str:
        return f"channel {self._name} is not set up: {question.name} was not confirmed ({question.prompt})"

    def _secret(self, question: Question) -> str | None:
        """What was said, or what the environment holds; None where it stands in the vault already, or is not needed."""
        variable, place = self._vault.variable(question.name), self._vault.where(question.name)
        if place == "environment":
            note(f"{question.name} is taken from {variable}")
            return self._vault.get(question.name)
        if self._at_terminal and self._place != "environment":
            kept = (
                f" (Enter keeps the one in the {place})"
                if place
                else " (Enter for none)"
                if not question.required
                else ""
            )
            said = _prompt(question.prompt + kept, default="", needed=question.required and not place, hidden=True)
            return said or None
        if question.required and (not place or self._place == "environment"):
            self._missing.append(f"{question.name} (the environment variable {variable})")
        return None


def _prompt(words: str, *, default: str, needed: bool, hidden: bool = False) -> str:
    """Ask until there is an answer, where one is needed."""
    import typer

    shown = default if default or not needed else None
    try:
        said = typer.prompt(
            words, default=shown, hide_input=hidden, show_default=bool(default) and not hidden, err=True
        )
    except typer.Abort:
        raise KeyboardInterrupt from None
    return str(said).strip()


def _confirm(words: str, *, default: bool) -> bool:
    import typer

    try:
        return typer.confirm(words, default=default, err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None
