"""Removes secrets from text: registered values in every encoding, and patterns that usually contain secrets.

Code that reads a secret (the secret store, the settings) registers it here. From then on `redacted` replaces it, also
percent-encoded, in base64 within a header, in hexadecimal digits, or escaped for JSON, Python or HTML. Secrets that
were not registered are found by patterns: a URL's password, an Authorization or Cookie header, a value after a name
such as "token", a JSON web token.

The register is global to the process, like the log.
"""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "LEAST",
    "MASK",
    "SECRET_PREFIX",
    "clear_secrets",
    "redacted",
    "redacted_error",
    "register_secret",
    "register_secret_address",
]

LEAST = 6
"""Length of the shortest secret that is replaced by its value: a shorter one would also match harmless text."""

MASK = "***"
"""The replacement of a secret."""

SECRET_PREFIX = "AURIA_SECRET_"  # noqa: S105 - a name
"""Prefix of the environment variables with the channels' secrets; no setting has it."""

_MOST = 500  # registered values: a process that runs for months renews its sessions, and the oldest have expired
_PIECE = 20  # shortest part of a longer secret, such as a token in a session's JSON, that is registered by itself
_SEPARATORS = re.compile(r"[\s\"',;{}\[\]()<>\\]+|:::")
_PATTERNS = (
    # A URL's password, up to the last @: the password may contain an unescaped one. A port and a path are not matched.
    re.compile(r"(://[^\s:/?#@]{0,100}:)(?!\d+/)\S{1,150}(?=@)"),
    re.compile(
        r"(\b(?:proxy-)?(?:authorization|(?:set-)?cookie)['\"]?\s{0,3}[=:,]\s{0,3})(?:b?'[^'\r\n]*'|b?\"[^\"\r\n]*\""
        r"|[^'\"\s][^\r\n]*)",
        re.IGNORECASE,
    ),
    re.compile(r"(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE),
    re.compile(r"(\boauth_\w{1,30}\s{0,3}[=:]\s{0,3})(?:\"[^\"]*\"|'[^']*'|[^\s,;&)}\]]+)", re.IGNORECASE),
    re.compile(
        r"((?:password|passwd|secret|token|jwt|sessionid|private[_-]?key|client[_-]?key|owner[_-]?key|api[_-]?key"
        r"|x-amz-(?:signature|credential))['\"]?\s{0,3}[=:]\s{0,3})"
        r"(?:b?\"[^\"]*\"|b?'[^']*'|[^\s,;&)}\]]+)",
        re.IGNORECASE,
    ),
    re.compile(r"(\bauria_)[A-Za-z0-9_-]{43}"),  # a key of the REST interface
    re.compile(r"(\b)eyJ[A-Za-z0-9_-]{5,4000}\.[A-Za-z0-9_-]{5,4000}(?:\.[A-Za-z0-9_-]{0,4000})?"),
)
# Every repetition before a secret is bounded, so that no text makes the search slow.


class _Register:
    """The registered values, with every encoding of each."""

    def __init__(self) -> None:
        self.values: dict[str, frozenset[str]] = {}  # the oldest first
        self.forms: tuple[str, ...] = ()  # the longest first
        self._lock = threading.Lock()

    def replace(self, values: dict[str, frozenset[str]]) -> None:
        # Searched for one by one, which takes microseconds; one pattern of all of them takes a second to compile.
        self.forms = tuple(sorted(set().union(*values.values()), key=lambda form: (-len(form), form)))
        self.values = values

    def add(self, values: set[str]) -> None:
        with self._lock:
            new = {value: frozenset(_forms(value)) for value in sorted(values) if value not in self.values}
            for value in values & self.values.keys():  # still in use: move it to the end
                self.values[value] = self.values.pop(value)
            if new:
                self.replace(dict(list({**self.values, **new}.items())[-_MOST:]))


_REGISTER = _Register()


def register_secret(secret: str) -> str:
    """Register a secret to be replaced by `redacted`, and return it.

    Long parts of a longer secret are registered too; a secret of fewer than `LEAST` characters is not.
    """
    value = secret.strip()
    pieces = {piece for piece in _SEPARATORS.split(value) if len(piece) >= _PIECE and _is_token(piece)}
    _REGISTER.add({part for part in {value, *pieces} if len(part) >= LEAST})
    return secret


def register_secret_address(address: str) -> str:
    """Register a URL, such as one of Apprise's, and every part of it that may be a secret; return the URL.

    A password is registered in any case; of the other parts, those that are long or contain a digit and are no host
    name.
    """
    register_secret(address)
    if password := re.search(r"://[^:/?#@]*:([^/?#]+)@", address):
        register_secret(password[1])
        register_secret(unquote(password[1]))
    for part in re.split(r"[/:@?&=,]+", address.partition("://")[2]):
        word = unquote(part)
        is_host = re.fullmatch(r"localhost|[\w-]+(\.[\w-]+)+", word) and not re.fullmatch(r"[\w-]*\d[\w-]*", word)
        if not word.isdigit() and not is_host and (len(word) >= 12 or any(map(str.isdigit, word))):
            register_secret(part)
            register_secret(word)
    return address


def redacted(text: str) -> str:
    """The text with every secret replaced by three stars."""
    for form in _REGISTER.forms:
        if form in text:
            text = text.replace(form, MASK)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text


def redacted_error(error: BaseException) -> str:
    """An error's message without secrets: messages of libraries may quote their arguments."""
    return redacted(str(error))


@contextlib.contextmanager
def clear_secrets() -> Iterator[None]:
    """Start a block without registered secrets and restore them at its end; for tests."""
    before = _REGISTER.values
    _REGISTER.replace({})
    try:
        yield
    finally:
        _REGISTER.replace(before)


def _is_token(piece: str) -> bool:
    """Whether a part of a secret is a secret itself: no word, number, address or identifier with a scheme."""
    letters, digits = any(map(str.isalpha, piece)), any(map(str.isdigit, piece))
    return letters and digits and not re.match(r"[a-z][a-z0-9+.-]*:", piece, re.IGNORECASE) and "/" not in piece[:2]


def _forms(value: str) -> set[str]:
    """Every encoding in which a value may appear in a text."""
    raw = value.encode("utf-8", "surrogatepass")
    once = quote(raw, safe="")
    found = {
        value,
        once,
        quote(raw),
        quote_plus(raw),
        quote(once, safe=""),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        repr(raw)[2:-1],
        html.escape(value),
        raw.hex(),
        raw.hex().upper(),
    }
    found |= {re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), form) for form in found}
    for before in range(3):
        # Preceding bytes in the encoded text shift the secret by 0 to 2 bytes; letters that encode both are left out.
        whole = base64.b64encode(bytes(before) + raw).decode()
        kept = whole[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        found |= {kept, kept.replace("+", "-").replace("/", "_")}
    return {form for form in found if len(form) >= LEAST}
