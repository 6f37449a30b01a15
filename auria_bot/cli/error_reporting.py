"""How a failed command ends: a message on stderr, the next command to try, and the documented exit code.

The traceback of an unexpected error is written to a file, and the file is named; `--debug` shows it instead.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from auria_bot import errors
from auria_bot.cli.terminal.console import note, printable
from auria_bot.errors import AuriaError, DiskError
from auria_bot.execution.parent_watch import report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["EXIT_CODES", "INTERRUPTED", "reported", "sentence"]

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 + SIGINT, as in shells."""
_UNREAD = 141  # 128 + SIGPIPE, as of other programs whose output is no longer read

EXIT_CODES: dict[int, str] = {
    0: "success",
    1: "an unexpected error; the message names a file with the details",
    2: "wrong usage: an unknown command, option, name or value; no terminal",
    3: "a setting is wrong",
    4: "invalid input: an unusable text, picture or file; a name or file taken",
    5: "no such draft, post, run or file",
    6: "the state of the draft or post does not allow this",
    7: "the database cannot be used, or was written by a newer version",
    8: "a model or its server is missing, damaged, or needs a package",
    9: "a step of the studio crashed, took too long, or ran out of memory",
    10: "the disk is full, read-only or cannot be written",
    11: "a channel did not accept a post",
    INTERRUPTED: "interrupted with Ctrl-C; nothing is lost",
    _UNREAD: "the output was not read to its end, as by `head`",
}
"""Every exit code and its meaning."""

_LONGEST = 2000  # characters of a message

_TORCH_SIZE = (
    "On Linux that is more than 6 GB, for NVIDIA cards; for the processor alone (0.8 GB) run before it: "
    "pip install torch --index-url https://download.pytorch.org/whl/cpu"
)

_DISK = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EFBIG,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
    errno.EISDIR,
    errno.EMFILE,
    errno.ENOTDIR,
}


def sentence(error: AuriaError) -> str:
    """The message for an error, without secrets: what happened and, unless it says so itself, what to try next."""
    message = _as_installed(_shortened(_masked(str(error))))
    if "[torch]" in message:
        message += f"\n{_TORCH_SIZE}"
    if not error.hint or "auria " in message or "pip install" in message:
        return f"Error: {message}"
    return f"Error: {message}\nNext:  {error.hint}"


def _as_installed(message: str) -> str:
    """The message with the command that installs an extra, by path in a checkout, otherwise by name."""
    if "auria-bot[" not in message:
        return message
    from pathlib import Path

    checkout = Path(__file__).parents[2]
    return message.replace("auria-bot[", ".[") if (checkout / "pyproject.toml").is_file() else message


@contextlib.contextmanager
def reported(*, debug: bool = False) -> Iterator[None]:
    """Turn any error of the block into a message on stderr and an exit code.

    Raises:
        SystemExit: always when the block raises.
    """
    try:
        yield
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # Typer turns that into an exit code of 1
            _end_unread()
        if ended.code == INTERRUPTED:  # Typer turns Ctrl-C into this without a word
            note("Interrupted.")
        raise
    except GeneratorExit:
        raise
    except KeyboardInterrupt:
        note("Interrupted.")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _end_unread()
    except Exception as error:  # noqa: BLE001 - the boundary: nothing may reach the user as a traceback
        if (stopped := _interruption(error)) is not None:
            if not isinstance(stopped, KeyboardInterrupt):
                raise stopped from None
            note("Interrupted.")
            sys.exit(INTERRUPTED)
        if debug:
            import traceback

            note(_masked(traceback.format_exc()))
        expected = error if isinstance(error, AuriaError) else _known(error)
        if expected is not None:
            report(error=_shortened(printable(_masked(str(expected)))))
            note(sentence(expected))
            sys.exit(expected.exit_code)
        unexpected = printable(f"unexpected error: {type(error).__name__}: {_masked(str(error)).strip()[:300]}")
        report(error=unexpected)
        note(f"Error: {unexpected}")
        if not debug:
            note(f"Next:  the details are in {_log(error)}; run it again as `auria --debug COMMAND` to see them here")
        sys.exit(1)


def _end_unread() -> NoReturn:
    """End without a word, because nobody reads what is printed; what Python flushes at its end must go nowhere."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            try:
                stream.flush()
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(_UNREAD)


def _interruption(error: Exception) -> BaseException | None:
    """The signal that lies under an error: a native module that is interrupted as it loads reports an ImportError."""
    seen: BaseException | None = None if isinstance(error, AuriaError) else error
    while seen is not None and not isinstance(seen, KeyboardInterrupt | SystemExit):
        seen = seen.__cause__ or seen.__context__
    return seen


def _masked(text: str) -> str:
    from auria_bot.redaction import redacted  # not needed for the help

    return redacted(text)


def _shortened(text: str) -> str:
    clean = text.strip()
    return clean if len(clean) <= _LONGEST else f"{clean[:_LONGEST]} ..."


def _known(error: Exception) -> AuriaError | None:
    """The error class for a disk error or a lack of memory, which may be the cause of another error."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _DISK:
            where = f"{seen.filename}: " if seen.filename else ""
            return DiskError(f"{where}{seen.strerror}")
        if isinstance(seen, RuntimeError) and "home directory" in str(seen):  # of Path.expanduser
            return errors.SettingsError("a path begins with ~ and a user without a home folder; write the whole path")
        if isinstance(seen, OSError) and seen.errno == errno.ENAMETOOLONG:
            return errors.InputError(f"{str(seen.filename)[:100]!r} is too long for the name of a file")
        if isinstance(seen, MemoryError):
            return errors.StepOutOfMemory("this machine has too little free memory")
        seen = seen.__cause__ or seen.__context__
    return None


def _private(path: str, flags: int) -> int:
    """Open a new file for this user alone; a link is never followed."""
    return os.open(path, flags | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)


def _home_logs() -> Path:
    from auria_bot.settings.locations import default_home

    return default_home(os.environ) / "logs"


def _log(error: Exception) -> Path:
    """Write the traceback to a new file in the home, or in the temporary folder when the home cannot be written."""
    import tempfile
    import traceback
    from pathlib import Path

    now = datetime.now(UTC)
    text = _masked("".join(traceback.format_exception(error)))
    text = f"{now.isoformat()}\n{_masked(' '.join(sys.argv))[:2000]}\n{text}"
    for choose in (_home_logs, lambda: Path(tempfile.mkdtemp(prefix="auria-"))):  # the latter is nobody else's
        with contextlib.suppress(Exception):
            folder = choose()
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            path = folder / f"error-{now:%Y%m%d-%H%M%S}-{os.getpid()}.log"
            with open(path, "x", encoding="utf-8", opener=_private) as file:
                file.write(text)
            return path
    return Path(os.devnull)
