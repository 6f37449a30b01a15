"""Every limit of every channel on films, at it, just within and just over it.

What is within is sent as it is; what can be made to fit is encoded anew within the limits; the rest is refused before the network with
the limit named. What is sent is judged by the platform, which decodes the whole film and has limits of its own.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from auria_bot.channels.films import fit_film, read_film
from auria_bot.errors import Rejected
from auria_bot.files import sha256_of
from tests.connections import connections
from tests.platforms import ready
from tests.scenarios.films import film_file
from tests.trials import made, new_post, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from auria_bot.domain.interfaces import Channel
    from auria_bot.domain.post import FilmLimits, Post
    from tests.platforms import Platform
    from tests.scenarios.limits import Tally

__all__ = ["try_films"]

_SHORT = 3.2  # seconds: within every channel's limits
_SENT = 100_000_000  # bytes: larger films are fitted and not sent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A film, and what must become of it."""

    limit: str  # which is tried
    film: dict[str, Any] = field(default_factory=dict)  # for `film_file`
    length: int = 0  # bytes that it is filled up to
    suffix: str = ".mp4"
    alt_text: str = "Waves."
    fits: str = "unchanged"  # or "encoded", or the words of the refusal


def _cases(limits: FilmLimits, alt_characters: int) -> Iterator[_Case]:
    """At, within and over every limit."""
    rate = 30
    if (most := limits.seconds) is not None:
        for frames, fits in ((0, "unchanged"), (1, f"at most {most:g} seconds")):
            yield _Case(limit="longest", film={"seconds": most + frames / rate, "rate": rate}, fits=fits)
    if least := limits.least_seconds:
        for frames, fits in ((-1, f"from {least:g} seconds"), (0, "unchanged"), (1, "unchanged")):
            yield _Case(limit="shortest", film={"seconds": least + frames / rate, "rate": rate}, fits=fits)
    if (side := limits.pixels) is not None:
        for more, fits in ((-2, "unchanged"), (0, "unchanged"), (2, "encoded")):
            wide = (side + more, (side + more) * 9 // 32 * 2)
            yield _Case(limit="pixels", film={"size": wide}, fits=fits)
            yield _Case(limit="pixels", film={"size": wide[::-1]}, fits=fits)
    if (fastest := limits.rate) is not None:
        for more, fits in ((-1, "unchanged"), (0, "unchanged"), (1, "encoded")):
            yield _Case(limit="rate", film={"rate": int(fastest) + more}, fits=fits)
    if slowest := int(limits.least_rate):
        for more, fits in ((-1, "encoded"), (0, "unchanged"), (1, "unchanged")):
            yield _Case(limit="rate", film={"rate": slowest + more}, fits=fits)
    if (length := limits.bytes) is not None:
        for more, fits in ((-1, "unchanged"), (0, "unchanged"), (1, "encoded")):
            yield _Case(limit="bytes", length=length + more, fits=fits)
    if limits.ratios is not None and limits.ratios[0] > 0.1:
        tall, flat = (round(90 / limits.ratios[0]) // 2 * 2, 90), (round(90 * limits.ratios[1]) // 2 * 2, 90)
        yield from (_Case(limit="ratio", film={"size": size}) for size in (tall[::-1], flat))
        for size in ((90, tall[0] + 2), (flat[0] + 2, 90)):
            yield _Case(limit="ratio", film={"size": size}, fits="films of a ratio")
    yield _Case(limit="codec", suffix=".webm", fits="encoded")
    yield _Case(limit="sound", film={"sound": True})
    yield _Case(limit="sound", film={"sound": True}, suffix=".webm", fits="encoded")
    for length in (alt_characters - 1, alt_characters) if alt_characters else ():
        yield _Case(limit="alt text", alt_text="w" * length)
    if alt_characters:
        yield _Case(limit="alt text", alt_text="w" * (alt_characters + 1), fits=str(alt_characters))


def try_films(server: Platform, folder: Path, tally: Tally, *, only: Collection[str] = ()) -> None:
    """Try every limit of a channel on films.

    Args:
        server: its platform, running.
        folder: for films.
        tally: is added to.
        only: these limits; all, if it names none.
    """
    patient = {name: 30.0 for name in ("timeout",) if name in server.options()}
    channel = made(server.backend, folder, server, options=patient)
    channel.check()
    limits = channel.limits()
    film = limits.film
    if film is None:
        raise ValueError(f"{server.backend} takes no films")
    most = film.alt_characters if film.alt_characters is not None else limits.alt_characters
    for case in _cases(film, most or 0):
        if only and case.limit not in only:
            continue
        tally.tried[case.limit] += 1
        wrong = _tried(case, channel, server, folder, tally)
        tally.faults += [f"{server.backend} {case.limit} of {case.film}: {fault}" for fault in wrong]


def _tried(case: _Case, channel: Channel, server: Platform, folder: Path, tally: Tally) -> Iterator[str]:
    """Publish a case's film; what is wrong."""
    post, limits = _post(case, folder), channel.limits().film
    if case.fits not in {"unchanged", "encoded"}:
        with connections() as said:
            words = _refusal(channel, post)
        tally.refused += 1
        if case.fits not in words:
            yield f"was not refused by name: {words!r}"
        if said:
            yield f"{len(said)} calls over the network before it was refused"
        return
    fitted = fit_film(post, limits, folder / "cache" / "films")
    if (str(fitted.path) == post.film) is not (case.fits == "unchanged"):
        yield "was encoded anew" if case.fits == "unchanged" else "was sent as it is"
    yield from _beyond(fitted.path, limits)
    if fitted.size > _SENT:
        return
    tally.sent += 1
    if words := _refusal(channel, post):
        yield f"the platform did not take it: {words}"
        return
    seen = shown(server, post)
    alt_text = "" if limits is not None and limits.alt_characters == 0 else post.alt_text
    if [(one["film"], one["alt_text"] or "") for one in seen] != [(True, alt_text)]:
        yield f"arrived as {str(seen)[:200]}"
    for one in seen:
        server.remove(one["id"])


def _post(case: _Case, folder: Path) -> Post:
    """A post of the case's film."""
    post = new_post(folder)
    film = film_file(folder / f"tried{case.suffix}", **{"seconds": _SHORT, **case.film})
    if missing := case.length and case.length - film.stat().st_size:
        with film.open("ab") as file:
            file.write(missing.to_bytes(4, "big") + b"free")
            file.truncate(case.length)
    return dataclasses.replace(post, film=str(film), film_sha256=sha256_of(film), alt_text=case.alt_text)


def _refusal(channel: Channel, post: Post) -> str:
    """The words by which a film is refused; "" if it is not."""
    try:
        channel.publish(post, ready)
    except Rejected as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the benchmark's finding
        return f"{type(error).__name__}: {error}"
    return ""


def _beyond(path: Path, limits: FilmLimits | None) -> Iterator[str]:
    """Which limits a fitted film breaks."""
    film = read_film(path)
    if limits is None or not film.standard:
        yield f"became {film}"
        return
    wrong = {
        "bytes": limits.bytes is not None and film.size > limits.bytes,
        "pixels": limits.pixels is not None and max(film.width, film.height) > limits.pixels,
        "rate": not limits.least_rate <= film.rate <= (limits.rate or film.rate),
        "seconds": limits.seconds is not None and not limits.least_seconds <= film.seconds <= limits.seconds,
    }
    yield from (f"broke the limit of {limit}: {film}" for limit, broken in wrong.items() if broken)
