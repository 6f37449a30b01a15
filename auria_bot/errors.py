"""All errors that Auria raises deliberately, one class for each way of handling it, with its exit code and HTTP status.

The tree::

    AuriaError
    ├── SettingsError            a setting is wrong                       exit 3
    ├── InputError               an input cannot be used                  exit 4
    │   ├── UsageError           no possible value, or options that exclude each other   exit 2
    │   │   └── UnknownName      no such backend, mood, channel ...
    │   ├── PictureError         a picture file that cannot be used
    │   ├── TextRejected         text that must not be published
    │   └── NotPermitted         the operator may not do this
    │       ├── SignInRequired   nobody is signed in
    │       └── TooManyAttempts  wait before the next attempt
    │           └── VisitorRefused  the visitors' studio cannot do that now
    ├── NotFound                 no such draft, post or file              exit 5
    ├── InvalidTransition        the state does not allow the action      exit 6
    │   └── PreconditionFailed   it changed since it was read
    ├── StoreError               the database                             exit 7
    │   ├── RestoreBroken        a restore failed, and the database is not as it was
    │   ├── DatabaseUnreachable
    │   └── SchemaTooNew         written by a newer auria_bot
    ├── ModelError               trained weights and their backends       exit 8
    │   ├── ModelMissing
    │   ├── ModelCorrupt
    │   ├── RegistryAway         the registry of models does not answer
    │   ├── ModelServerAway      `auria serve` does not answer
    │   ├── ModelServerBusy      come back later
    │   └── BackendMissing       an optional dependency is not installed
    ├── StepFailed               a step of the studio                     exit 9
    │   ├── StepCrashed
    │   ├── StepTimedOut
    │   ├── StepOutOfMemory
    │   ├── ClusterError         the cluster is away, or lacks what a step asks for
    │   └── NoGoodPicture        the safety filter rejected every candidate
    ├── DiskError                disk full, read-only or unwritable       exit 10
    │   └── StorageAway          the bucket of the pictures does not answer
    └── ChannelError             a platform                               exit 11
        ├── Rejected             certainly not posted, do not retry
        ├── Throttled            certainly not posted, retry later
        ├── Unauthorised         certainly not posted, credentials needed
        └── OutcomeUnknown       posted or not: only find() can tell

A class's docstring is its default message. Messages name the wrong value, the allowed ones and the
next command; they never contain a secret.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

__all__ = [
    "AuriaError",
    "BackendMissing",
    "ChannelError",
    "ClusterError",
    "DatabaseUnreachable",
    "DiskError",
    "InputError",
    "InvalidTransition",
    "ModelCorrupt",
    "ModelError",
    "ModelMissing",
    "ModelServerAway",
    "ModelServerBusy",
    "NoGoodPicture",
    "NotFound",
    "NotPermitted",
    "OutcomeUnknown",
    "PictureError",
    "PreconditionFailed",
    "RegistryAway",
    "Rejected",
    "RestoreBroken",
    "SchemaTooNew",
    "SettingsError",
    "SignInRequired",
    "StepCrashed",
    "StepFailed",
    "StepOutOfMemory",
    "StepTimedOut",
    "StorageAway",
    "StoreError",
    "TextRejected",
    "Throttled",
    "TooManyAttempts",
    "Unauthorised",
    "UnknownName",
    "UsageError",
    "VisitorRefused",
    "error_of",
]


class AuriaError(Exception):
    """The operation failed."""

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    hint: str = ""
    """The next command to try, when the message does not name one."""

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(message if message is not None else (type(self).__doc__ or "").strip())
        if hint is not None:
            self.hint = hint


class SettingsError(AuriaError):
    """A setting is wrong."""

    exit_code: ClassVar[int] = 3
    hint = "auria config --help explains how settings are set"


class InputError(AuriaError):
    """The input cannot be used."""

    exit_code: ClassVar[int] = 4
    http_status: ClassVar[int] = 422


class UsageError(InputError):
    """This value or combination of options is not possible."""

    # Wrong by itself, whatever the files and the database hold. A text, picture or file that cannot be used is a
    # plain InputError.
    exit_code: ClassVar[int] = 2


class UnknownName(UsageError):
    """There is no such name."""


class PictureError(InputError):
    """The picture file cannot be used."""


class TextRejected(InputError):
    """The text must not be published."""

    hint = "auria edit ID changes the text of a draft"


class NotPermitted(InputError):
    """This is not permitted."""

    http_status: ClassVar[int] = 403


class SignInRequired(NotPermitted):
    """Sign in first."""

    http_status: ClassVar[int] = 401


class TooManyAttempts(NotPermitted):
    """There were too many attempts; wait a while."""

    http_status: ClassVar[int] = 429

    def __init__(self, message: str | None = None, *, seconds: int = 1) -> None:
        super().__init__(message)
        self.seconds = seconds
        """How long to wait."""


class VisitorRefused(TooManyAttempts):
    """The visitors' studio cannot do that now."""

    def __init__(self, message: str | None = None, *, reason: str = "", seconds: int = 3600) -> None:
        super().__init__(message, seconds=seconds)
        self.reason = reason
        """Why, as a word for the page's own message: "day", "address", "queue" and so on."""


class NotFound(AuriaError):
    """There is no such thing."""

    exit_code: ClassVar[int] = 5
    http_status: ClassVar[int] = 404


class InvalidTransition(AuriaError):
    """The state does not allow this action."""

    exit_code: ClassVar[int] = 6
    http_status: ClassVar[int] = 409


class PreconditionFailed(InvalidTransition):
    """It changed since it was read; read it again and repeat the decision if it still holds."""

    http_status: ClassVar[int] = 412


class StoreError(AuriaError):
    """The database failed."""

    exit_code: ClassVar[int] = 7
    http_status: ClassVar[int] = 503
    hint = "auria doctor checks the database"


class RestoreBroken(StoreError):
    """A restore failed, and the database is not as it was before."""


class DatabaseUnreachable(StoreError):
    """The database cannot be reached."""


class SchemaTooNew(StoreError):
    """The database was written by a newer auria_bot; upgrade the program."""

    hint = "pip install --upgrade auria-bot"


class ModelError(AuriaError):
    """A trained model cannot be used."""

    exit_code: ClassVar[int] = 8
    http_status: ClassVar[int] = 503
    hint = "auria models --verify checks the files of every model"


class ModelMissing(ModelError):
    """A trained model is missing."""


class ModelCorrupt(ModelError):
    """A trained model's files do not match their checksums."""


class RegistryAway(ModelError):
    """The registry of models does not answer, or refuses."""

    hint = "what is in service stays so; registry.address names the server"


class ModelServerAway(ModelError):
    """The model server does not answer."""

    hint = "auria serve starts it"


class ModelServerBusy(ModelError):
    """The model server has too much to do; come back later."""

    hint = "try again in a moment; captions.waiting and captions.threads say how much it takes on"

    def __init__(self, message: str | None = None, *, seconds: int = 1) -> None:
        super().__init__(message)
        self.seconds = seconds
        """When to come back."""


class BackendMissing(ModelError):
    """An optional dependency of this backend is not installed."""

    hint = "auria config shows which backends are set"


class StepFailed(AuriaError):
    """A step of the studio failed."""

    exit_code: ClassVar[int] = 9
    hint = "auria make --resume continues where it stopped"


class StepCrashed(StepFailed):
    """A step of the studio crashed."""


class StepTimedOut(StepFailed):
    """A step of the studio ran past its deadline."""


class StepOutOfMemory(StepFailed):
    """A step of the studio ran out of memory."""


class ClusterError(StepFailed):
    """The cluster cannot be reached, or does not have what a step asks for."""

    hint = "auria doctor checks the cluster; auria make --resume continues what was begun"


class NoGoodPicture(StepFailed):
    """The safety filter rejected every candidate picture."""


class DiskError(AuriaError):
    """The disk is full, read-only or cannot be written."""

    exit_code: ClassVar[int] = 10
    http_status: ClassVar[int] = 503
    hint = "free some space, correct the permissions, or set AURIA_HOME to another folder"


class StorageAway(DiskError):
    """The storage of the pictures does not answer, or refuses."""

    hint = "auria doctor checks the storage; auria make --resume continues what was begun"


class ChannelError(AuriaError):
    """The platform did not take the post."""

    exit_code: ClassVar[int] = 11
    http_status: ClassVar[int] = 502
    hint = "auria channels check asks each platform whether publishing would work"


class Rejected(ChannelError):
    """The platform rejected the post; it was not published, and a retry would be rejected too."""


class Throttled(ChannelError):
    """The platform's rate limit was reached; the post was not published."""

    def __init__(self, message: str | None = None, *, until: datetime | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.until = until
        """When to try again (aware, UTC); None where the platform does not say."""


class Unauthorised(ChannelError):
    """The platform does not accept the credentials; the post was not published."""


class OutcomeUnknown(ChannelError):
    """The connection broke after the post was sent: it may or may not be published."""


def error_of(name: str, message: str, *, otherwise: type[AuriaError]) -> AuriaError:
    """The error that another process reports by the name of its class; of the class `otherwise` if there is none."""
    kind = globals().get(name)
    if isinstance(kind, type) and issubclass(kind, AuriaError):
        return kind(message)
    return otherwise(message)
