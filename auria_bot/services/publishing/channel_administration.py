"""Adding, removing, checking and listing channels.

The status of a channel comes from the settings, the stored secrets and the database; only `add` and `check` ask the
platform.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from auria_bot import registry
from auria_bot.domain.draft import DraftState
from auria_bot.domain.post import TERMINAL, PostState
from auria_bot.errors import AuriaError, ChannelError, InputError, InvalidTransition, UnknownName, UsageError
from auria_bot.redaction import redacted, redacted_error
from auria_bot.secret_store import PLACES
from auria_bot.services.publishing.channel_setup import SetupQuestions, TrialSecrets, given_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from auria_bot.domain.interfaces import Channel, Secrets
    from auria_bot.secret_store import SecretStore
    from auria_bot.services.publishing.channel_setup import Prompts
    from auria_bot.services.publishing.publisher import Publisher
    from auria_bot.settings.editing import SettingsFile
    from auria_bot.settings.schema import Settings
    from auria_bot.settings.sections import ChannelSettings
    from auria_bot.store.unit_of_work import Store

__all__ = ["ChannelAdministration", "SetupResult"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_ADDRESSES = ("address", "service", "instance", "directory")  # options that say where a channel publishes
_TEST_BACKEND = "fake"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SetupResult:
    """A channel that was set up."""

    found: str  # what the platform answered
    variables: tuple[str, ...]  # environment variables that must stay set
    paused: bool
    is_default: bool  # whether approved drafts go there when no channel is named


class ChannelAdministration:
    """Adds, removes, checks and lists the channels of the settings.

    Usage::

        administration.add("x", backend="", place="", pairs=[], prompts=prompts, yes=False, check=True)
        administration.statuses()
        administration.remove("x")
    """

    def __init__(
        self,
        *,
        settings: Settings,
        file: SettingsFile,
        store: Callable[[], Store],
        publisher: Callable[[], Publisher],
        channels: Mapping[str, Callable[[], Channel]],
        make: Callable[[str, ChannelSettings, Secrets], Channel],
        secrets: Callable[[str, str | None], SecretStore],
    ) -> None:
        """`make` constructs a channel from settings and secrets that need not be in force."""
        self._settings, self._file, self._store, self._publisher = settings, file, store, publisher
        self._channels, self._make, self._secrets = channels, make, secrets

    def require(self, name: str) -> None:
        """Make sure that a channel exists.

        Raises:
            UnknownName: there is no such channel.
        """
        if name not in self._settings.channels:
            known = ", ".join(sorted(self._settings.channels)) or "none"
            raise UnknownName(f"no channel named {name[:40]!r}; known: {known}")

    def add(
        self, name: str, *, backend: str, place: str, pairs: Sequence[str], prompts: Prompts, yes: bool, check: bool
    ) -> SetupResult:
        """Set a channel up, or give it new options and credentials; they are kept when the platform accepts them.

        Args:
            backend: its backend; "" for the one it has, or the one of its own name.
            place: where secrets are stored, one of `secret_store.PLACES`; "" for where they are.
            pairs: options as KEY=VALUE, which are not asked for.
            prompts: asks for everything else.
            yes: answer every confirmation with yes.
            check: try the answers with the platform.

        Raises:
            InputError: the name or the folder cannot be used, or a risk was not accepted.
            UsageError: an answer is missing or wrong.
            UnknownName: there is no such backend, place or option.
            ChannelError: the platform does not accept the answers; nothing was kept.
            StoreError: the database cannot be used; nothing was kept.
        """
        from auria_bot.settings.sections import ChannelSettings

        current = self._settings.channels.get(name)
        chosen: Any = self._place(place, current.keystore if current else "file")
        kind, wanted = self._kind(name, backend)
        vault = self._secrets(name, chosen)
        given = given_options(kind, pairs, name=name, vault=vault)
        before = dict(current.options) if current else {}
        questions = SetupQuestions(name, kind, vault, place=chosen, yes=yes, prompts=prompts)
        answers = questions.answers(given, before)
        trial = TrialSecrets(answers.secrets, vault)
        options = before | dict(answers.options)
        intended = ChannelSettings(backend=wanted, keystore=chosen, options=options)
        self._check_folder(name, intended)
        channel = self._make(name, intended, trial)
        found = "not tried yet; auria channels check tries it"
        if check:
            prompts.note(f"trying {name} ...")
            found = _checked(name, channel)
        paused = any(pause.name == name for pause in self._publisher().paused())  # fails before anything is kept
        trial.keep(place=chosen)
        values: dict[str, Any] = {"backend": wanted}
        if chosen != "file" or (current and current.keystore != chosen):
            values["keystore"] = chosen
        self._file.set_channel(name, values | {"options": dict(answers.options)})
        needed = [question for question in kind.QUESTIONS if question.secret and question.required]
        return SetupResult(
            found=found,
            variables=tuple(vault.variable(one.name) for one in needed) if chosen == "environment" else (),
            paused=paused,
            is_default=name in self._settings.review.channels,
        )

    def _check_folder(self, name: str, intended: ChannelSettings) -> None:
        """Make sure that a channel would publish to a folder that no other one publishes to."""
        channels = {**self._settings.channels, name: intended}
        conflicts = self._settings.model_copy(update={"channels": channels}).shared_folders
        for other, message in conflicts.items():
            if name == other or other not in self._settings.shared_folders:
                raise InputError(f"{message}: --set directory=FOLDER")

    def check_removable(self, name: str) -> None:
        """Make sure that a channel can be removed.

        Raises:
            UnknownName: there is no such channel.
            InputError: it is not in the operator's own settings file.
            InvalidTransition: posts or approved drafts still wait for it.
        """
        self.require(name)
        if name not in self._file.channels():
            raise InputError(
                f"channel {name} is not in {self._file.file} but in the shipped settings or in environment variables;"
                f" to publish nothing there, pause it: auria channels pause {name}"
            )
        with self._store().read() as unit:
            posts = unit.posts.list([state for state in PostState if state not in TERMINAL])
            drafts = unit.drafts.list({DraftState.APPROVED})
        if waiting := [post for post in posts if post.channel == name]:
            count = len(waiting)
            raise InvalidTransition(
                f"{count} {'post is' if count == 1 else 'posts are'} not finished on channel {name}, such as"
                f" post {waiting[0].id}, which is {waiting[0].state};"
                f" `auria publish --channel {name}` sends, `auria posts resolve` decides"
            )
        if approved := [draft for draft in drafts if name in draft.channels]:
            raise InvalidTransition(
                f"draft {approved[0].id} is approved for channel {name}; publish it, or withdraw the approval:"
                f" auria reject {approved[0].id}"
            )

    def remove(self, name: str) -> bool:
        """Remove a channel and its secrets; whether `review.channels` still names it; raises as `check_removable`."""
        self.check_removable(name)
        vault = self._secrets(name, None)
        self._file.remove_channel(name)
        vault.forget(self._secret_names(name))
        return name in self._settings.review.channels

    def check(self, names: Sequence[str] = ()) -> list[dict[str, str]]:
        """Ask platforms whether publishing would work: {"name", "state": "ok" or "bad", "words"} for each channel.

        Raises:
            UnknownName: there is no such channel.
        """
        wanted = list(dict.fromkeys(names or self._settings.channels))
        for name in wanted:
            self.require(name)
        results = []
        for name in wanted:
            state, message = "ok", ""
            try:
                message = self._publisher().check(name)
            except AuriaError as error:
                state, message = "bad", str(error)
            except Exception as error:  # noqa: BLE001 - one channel's fault must not hide the others
                state, message = "bad", f"unexpected error: {type(error).__name__}: {error}"
            results.append({"name": name, "state": state, "words": redacted(message)})
        return results

    def statuses(self) -> list[dict[str, Any]]:
        """The status of every channel, JSON-ready; no platform is asked."""
        pauses = {pause.name: pause for pause in self._publisher().paused()}
        with self._store().read() as unit:
            counts = unit.posts.count()
        return [self._status(name, pauses.get(name), counts) for name in self._settings.channels]

    def _status(self, name: str, pause: Any, counts: Mapping[tuple[str, PostState], int]) -> dict[str, Any]:
        settings = self._settings.channels[name]
        state, why, address, places = self._readiness(name)
        if pause is not None:
            state, why = "paused", pause.reason
        open_states = (PostState.WAITING, PostState.SENDING, PostState.UNKNOWN)
        return {
            "name": name,
            "backend": settings.backend,
            "state": state,
            "why": why,
            "paused_at": pause.at.isoformat() if pause else None,
            "paused_by": pause.by if pause else None,
            "address": address,
            "vault": settings.keystore,
            "secrets": places,
            "waiting": sum(counts.get((name, each), 0) for each in open_states),
            "sent": counts.get((name, PostState.SENT), 0),
            "attention": counts.get((name, PostState.NEEDS_ATTENTION), 0),
        }

    def _readiness(self, name: str) -> tuple[str, str, str, dict[str, str | None]]:
        """Whether a channel is "ready" or "broken", why, its address, and where each secret is stored."""
        try:
            config = getattr(self._channels[name](), "config", None)
            address = next((str(value) for option in _ADDRESSES if (value := getattr(config, option, ""))), "")
            kind = registry.find("channel", self._settings.channels[name].backend)
            vault = self._secrets(name, None)
            places = {question.name: vault.where(question.name) for question in kind.QUESTIONS if question.secret}
        except AuriaError as error:
            return "broken", redacted_error(error), "", {}
        missing = [one.name for one in kind.QUESTIONS if one.secret and one.required and not places[one.name]]
        if missing:
            return "broken", f"it lacks {', '.join(missing)}; auria channels add {name}", address, places
        return "ready", "", address, places

    def _place(self, wanted: str, default: str) -> str:
        if wanted and wanted not in PLACES:
            raise UnknownName(f"secrets cannot be kept in {wanted[:40]!r}; known: {', '.join(PLACES)}")
        return wanted or default

    def _kind(self, name: str, backend: str) -> tuple[type[Any], str]:
        """The class and the name of the backend for a channel that is to be set up."""
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name[:60]!r} is not a valid channel name; use lower-case letters, digits, - and _, at most 40"
            )
        for other in self._settings.channels:
            if other != name and other.replace("-", "_").lower() == name.replace("-", "_"):
                raise InputError(f"the name {name} is too similar to {other}: their secrets would be confused")
        current = self._settings.channels.get(name)
        if current and backend and backend != current.backend:
            raise InputError(f"channel {name} has the backend {current.backend}; for {backend} choose another name")
        wanted = backend or (current.backend if current else name)
        if wanted not in registry.names("channel"):
            known = ", ".join(one for one in registry.names("channel") if one != _TEST_BACKEND)
            raise UnknownName(f"no channel backend named {wanted[:40]!r}; choose one with --backend: {known}")
        return registry.find("channel", wanted), wanted

    def _secret_names(self, name: str) -> list[str]:
        try:
            kind = registry.find("channel", self._settings.channels[name].backend)
        except AuriaError:
            return []  # its package is gone; what is in the secrets file is removed all the same
        return [question.name for question in kind.QUESTIONS if question.secret]


def _checked(name: str, channel: Channel) -> str:
    """What the platform answers."""
    try:
        return channel.check()
    except ChannelError as error:
        raise ChannelError(
            f"channel {name} stays as it was: {error}; once that is corrected: `auria channels add {name}`"
        ) from None
