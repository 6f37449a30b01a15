"""Ratings of captions: signed receipts, checks of what strangers write, and the pictures that are kept.

A receipt states which captions a model gave to which picture, signed with a key of this home. So the service keeps
nothing between caption and rating, and nobody can rate what was never said, or have another picture kept than the small
copy that the model server made itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from auria_bot.corpus.language.content_filter import faults, hidden_characters, normalised
from auria_bot.domain.rating import LONGEST_CORRECTION, Rating
from auria_bot.errors import InputError, InvalidTransition, NotFound, TextRejected
from auria_bot.files import disk_errors, file_lock, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from auria_bot.store.unit_of_work import Store, Unit

__all__ = ["CaptionRatings", "GivenRating", "Receipts", "checked_correction"]

_VALID: Final = timedelta(hours=2)
_LARGEST_COPY: Final = 400_000  # bytes of the small copy


class Receipts:
    """Signs and reads receipts."""

    def __init__(self, file: Path, *, clock: Callable[[], datetime]) -> None:
        """Use the key in a file, which is made at first."""
        self._file, self._clock = file, clock
        self._key = b""

    def sign(self, answer: Mapping[str, Any]) -> str:
        """The receipt of an answer of the model server.

        Raises:
            DiskError: the key's file cannot be written.
        """
        known = {
            "captions": [caption["text"] for caption in answer["captions"]],
            "model": [answer["model"]["version"], answer["model"]["sha256"]],
            "picture": _sha256(_decoded(answer["picture"])) if "picture" in answer else "",
            "until": int((self._clock() + _VALID).timestamp()),
        }
        body = base64.urlsafe_b64encode(json.dumps(known, separators=(",", ":"), ensure_ascii=False).encode()).decode()
        return f"{body}.{self._mac(body)}"

    def read(self, receipt: str) -> Mapping[str, Any]:
        """What a receipt states.

        Raises:
            InputError: it is forged or damaged, or too old.
        """
        body, _, mac = receipt.partition(".")
        if not body.isascii() or not hmac.compare_digest(mac.encode(), self._mac(body).encode()):
            raise InputError("the receipt is not one that was given with a caption; ask for the caption again")
        known: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body))
        if self._clock().timestamp() > known["until"]:
            raise InputError("the caption was given too long ago to be rated; ask for it again")
        return known

    def _mac(self, body: str) -> str:
        return hmac.new(self._secret(), body.encode(), hashlib.sha256).hexdigest()

    def _secret(self) -> bytes:
        if not self._key:
            with disk_errors(self._file):
                self._key = self._file.read_bytes() if self._file.is_file() else b""
                if not self._key:
                    self._key = self._made()
        return self._key

    def _made(self) -> bytes:
        """A new key in the file, or that which another process has made meanwhile."""
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file_lock(self._file.with_suffix(".lock")):
            if not self._file.is_file() or not self._file.stat().st_size:
                write_atomic(self._file, secrets.token_hex(32))
            return self._file.read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRating:
    """A rating as it arrives."""

    receipt: str
    choice: int = 0  # which of the captions is rated
    stars: int | None = None  # 1 to 5
    correction: str = ""
    picture: str = ""  # the small copy in Base64, only with consent to keep it


class CaptionRatings:
    """Takes ratings, and gives them to the training.

    Usage::

        receipt = ratings.receipts.sign(client.caption(content, drawn=True))
        ratings.rate(GivenRating(receipt=receipt, stars=4), source="page")
    """

    def __init__(
        self, *, store: Store, home: Path, receipts: Receipts, clock: Callable[[], datetime], most: int
    ) -> None:
        """Keep at most `most` ratings."""
        self._store, self._home, self._clock, self._most = store, home, clock, most
        self.receipts = receipts

    def rate(self, given: GivenRating, *, source: str) -> Rating:
        """Check and keep a rating; one of the same caption, picture and source is replaced.

        Args:
            source: "page", or the name of a key.

        Raises:
            InputError: neither stars nor a better caption, or a receipt or picture that does not belong to it.
            TextRejected: the better caption must not be kept.
            InvalidTransition: so many ratings are kept that no more are taken.
        """
        known = self.receipts.read(given.receipt)
        if not 0 <= given.choice < len(known["captions"]):
            raise InputError(f"there is no caption {given.choice}; the answer had {len(known['captions'])}")
        if given.stars is not None and not 1 <= given.stars <= 5:
            raise InputError(f"{given.stars} stars cannot be given; give 1 to 5")
        correction = checked_correction(given.correction)
        if given.stars is None and not correction:
            raise InputError("give one to five stars, or a better caption")
        picture = _copy(given.picture, known["picture"]) if given.picture else b""
        path = f"ratings/{known['picture']}.jpg"
        row = {
            "at": self._clock(),
            "source": source,
            "picture_sha256": known["picture"],
            "picture": path if picture else "",
            "caption": known["captions"][given.choice][:500],
            "model_version": known["model"][0],
            "model_sha256": known["model"][1],
            "stars": given.stars,
            "correction": correction,
        }
        with self._store.begin() as unit:
            if unit.ratings.count() >= self._most:
                raise InvalidTransition(
                    f"{self._most:,} ratings are kept already, as many as captions.most_ratings says"
                )
            rating = unit.ratings.add(row)
            if picture:
                self._keep(path, picture)
            else:
                self._forget(unit, path)  # the rating that was replaced may have been the last to keep it
            return rating

    def recent(self, *, limit: int | None = None) -> tuple[Rating, ...]:
        """Ratings, the newest first."""
        with self._store.read() as unit:
            return unit.ratings.recent(limit=limit)

    def remove(self, rating_id: int) -> Rating:
        """Delete a rating, and the picture unless another rating keeps it.

        Raises:
            NotFound: there is no such rating.
        """
        with self._store.begin() as unit:
            gone = unit.ratings.remove(rating_id)
            if gone is None:
                raise NotFound(f"there is no rating {rating_id}", hint="auria ratings")
            if gone.picture:
                self._forget(unit, gone.picture)
        return gone

    def _keep(self, picture: str, content: bytes) -> None:
        """Keep the small copy of a picture; `picture` is its path relative to the home."""
        path = self._home / picture
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():
                write_atomic(path, content)

    def _forget(self, unit: Unit, picture: str) -> None:
        """Delete the small copy of a picture unless a rating keeps it."""
        if not unit.ratings.keeps(picture):
            (self._home / picture).unlink(missing_ok=True)


def checked_correction(text: str) -> str:
    """A better caption as one line of plain words; "" for none.

    Raises:
        TextRejected: it is too long or must not be kept.
    """
    line = " ".join(normalised(text).split())
    if not line:
        return ""
    if len(line) > LONGEST_CORRECTION:
        raise TextRejected(f"the caption has {len(line)} characters; at most {LONGEST_CORRECTION} are kept", hint="")
    if hidden := hidden_characters(line):
        raise TextRejected(f"the caption has invisible characters ({', '.join(hidden[:3])})", hint="")
    if found := faults(line):
        raise TextRejected(f"the caption cannot be kept: {found[0]}", hint="")
    if not any(letter.isalpha() for letter in line):
        raise TextRejected("the caption has no words", hint="")
    return line


def _copy(text: str, expected: str) -> bytes:
    """The small copy of a picture, given in Base64.

    Raises:
        InputError: it is not the copy with the SHA-256 `expected`.
    """
    content = _decoded(text)
    if not expected or _sha256(content) != expected:
        raise InputError("the picture is not the copy that was given with the caption")
    return content


def _decoded(text: str) -> bytes:
    if len(text) > _LARGEST_COPY * 4 // 3 + 4:
        raise InputError("the picture is larger than the copy that was given with the caption")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("the picture is not Base64") from None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
