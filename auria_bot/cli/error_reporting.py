"""How a failed command ends: one clear sentence on stderr, the next command to try, and the documented exit code.

An error that nobody foresaw is written with its traceback to a file, and the file is named; `--debug` shows the
traceback instead.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TYPE_CHECKING

from auria_bot import errors
from auria_bot.errors import AuriaError, DiskError
from auria_bot.execution.parent_watch import report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["EXIT_CODES", "INTERRUPTED", "reported", "sentence"]

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 + SIGINT, as shells have it."""

EXIT_CODES: dict[int, str] = {
    0: "done",
    1: "an error nobody foresaw; the message names a file with the details",
    2: "the command line is wrong: an unknown command, option or value",
    3: "a setting is wrong",
    4: "what was given cannot be used: a theme, mood, style, picture or text",
    5: "there is no such draft, post, run or file",
    6: "the draft or post is in a state that does not allow this",
    7: "the database cannot be reached, or was written by a newer version",
    8: "a trained model is missing, damaged, or needs a package that is not installed",
    9: "a step of the studio failed: it crashed, took too long, or ran out of memory",
    10: "the disk is full, read-only or cannot be written",
    11: "a channel did not take a post",
    INTERRUPTED: "interrupted with Ctrl-C; nothing is lost",
}
"""Every exit code and its meaning."""

_NEXT: dict[type[AuriaError], str] = {
    errors.SettingsError: "auria config --help says how settings are set",
    errors.InputError: "auria --help lists the commands; auria COMMAND --help says what each takes",
    errors.TextRejected: "auria edit ID changes a draft's words",
    errors.NotFound: "auria drafts and auria posts list what there is",
    errors.InvalidTransition: "auria drafts shows how each draft stands",
    errors.SchemaTooNew: "pip install --upgrade auria-bot",
    errors.StoreError: "auria doctor looks at the database",
    errors.BackendMissing: "auria config shows which backends are set",
    errors.ModelError: "auria models --verify checks every model's files",
    errors.StepFailed: "auria make --resume goes on where it stopped",
    errors.DiskError: "free some space or set AURIA_HOME to another folder, then auria make --resume",
    errors.ChannelError: "auria posts shows how each post stands",
}
"""What to try next, by the nearest class of the error."""

_DISK = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EFBIG,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
    errno.EMFILE,
}


def sentence(error: AuriaError) -> str:
    """What stderr is told about an error, masked: what happened, and what to try next."""
    what = _printable(_masked(str(error)))
    if "auria " in what:
        return f"Error: {what}"
    hint = next((_NEXT[kind] for kind in type(error).__mro__ if kind in _NEXT), "")
    return f"Error: {what}\nNext:  {hint}" if hint else f"Error: {what}"


@contextlib.contextmanager
def reported(*, debug: bool = False) -> Iterator[None]:
    """Turn any error of the block into a sentence on stderr and an exit code.

    Raises:
        SystemExit: always when the block raises.
    """
    try:
        yield
    except (SystemExit, GeneratorExit):
        raise
    except KeyboardInterrupt:
        _say("Interrupted.")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has gone, as `| head` does; what Python flushes at its end must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - the border: nothing may reach the user as a traceback
        if debug:
            import traceback

            _say(_masked(traceback.format_exc()))
        known = error if isinstance(error, AuriaError) else _foreseen(error)
        if known is not None:
            report(error=_printable(_masked(str(known))))
            _say(sentence(known))
            sys.exit(known.exit_code)
        unexpected = f"something unexpected went wrong: {type(error).__name__}: {_printable(_masked(str(error)))[:300]}"
        report(error=unexpected)
        _say(f"Error: {unexpected}")
        if not debug:
            _say(f"Next:  the details are in {_log(error)}; the same command with --debug shows them here")
        sys.exit(1)


def _masked(text: str) -> str:
    from auria_bot.redaction import redacted  # not needed for a help that goes well

    return redacted(text)


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)


def _printable(text: str) -> str:
    """The text without control characters, which could redraw the operator's terminal, and not over-long."""
    clean = "".join(char if char == "\n" or char.isprintable() else "�" for char in text.strip())
    return clean if len(clean) <= 2000 else f"{clean[:2000]} ..."


def _foreseen(error: Exception) -> AuriaError | None:
    """The disk's errors and a lack of memory, wherever they were raised; they may lie under others."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _DISK:
            where = f"{seen.filename}: " if seen.filename else ""
            return DiskError(f"{where}{seen.strerror}")
        if isinstance(seen, MemoryError):
            return errors.StepOutOfMemory("this machine has too little free memory for it")
        seen = seen.__cause__ or seen.__context__
    return None


def _log(error: Exception) -> Path:
    """Write the traceback to a new file in the home, or in the temporary folder where the home takes none."""
    import tempfile
    import traceback
    from datetime import UTC, datetime
    from pathlib import Path

    now = datetime.now(UTC)
    text = _masked("".join(traceback.format_exception(error)))
    text = f"{now.isoformat()}\n{_masked(' '.join(sys.argv))[:2000]}\n{text}"
    folders = [Path(tempfile.gettempdir())]
    with contextlib.suppress(Exception):
        from auria_bot.settings.locations import default_home

        folders.insert(0, default_home(os.environ) / "logs")
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"error-{now:%Y%m%d-%H%M%S}-{os.getpid()}.log"
            path.write_text(text, encoding="utf-8")
            return path
    return Path(os.devnull)
