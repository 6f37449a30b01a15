"""Creates posts from approved drafts, and previews what a round would do with them.

A draft becomes one post per channel, all of them or none. What a channel would reject is reported here, while the
operator can still edit the draft.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.domain.artwork import FILM
from auria_bot.domain.draft import DraftState
from auria_bot.domain.interfaces import Limits, PreparedText
from auria_bot.domain.post import Post, PostState
from auria_bot.errors import AuriaError, UnknownName
from auria_bot.files import sha256_of
from auria_bot.redaction import redacted_error

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from auria_bot.channels.pictures import FittedPicture
    from auria_bot.domain.draft import Draft
    from auria_bot.domain.interfaces import Channel, Clock
    from auria_bot.domain.post import Pause
    from auria_bot.store.files import Pictures
    from auria_bot.store.unit_of_work import Store

__all__ = ["PostCreator", "Preview", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a round would do with one draft on one channel."""

    draft_id: int
    channel: str
    action: str  # "send", "wait" (until due), "look up" (whether it is published) or "none" (a problem forbids it)
    due: datetime
    text: str  # as that channel sends it
    alt_text: str
    dropped: tuple[str, ...] = ()  # parts of the approved text that are left out there
    picture: str
    problems: tuple[str, ...] = ()
    characters: int = 0  # of the text, as the channel counts them
    most_characters: int | None = None  # that it takes; None: no limit
    most_alt_characters: int | None = None
    fit: str = ""  # size and length of what is sent, and how it is changed to fit the channel
    film: str = ""  # the film that is sent instead of the picture; "" for a picture


class PostCreator:
    """Creates and previews posts."""

    def __init__(
        self,
        *,
        store: Store,
        pictures: Pictures,
        clock: Clock,
        channels: Mapping[str, Callable[[], Channel]],
        faults: Callable[[str], Sequence[str]] = lambda _: (),
    ) -> None:
        """`faults` gives the reasons why a text must not be published; empty if it may."""
        self._store, self._pictures, self._clock, self._channels = store, pictures, clock, channels
        self._text_faults = faults

    def schedule(self, ids: Collection[int] = (), *, due: datetime | None = None) -> tuple[tuple[Post, ...], list[str]]:
        """Create one post per channel of each approved draft, due now or later; return them with the problems found.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: a named draft is not approved, or was changed since.
        """
        posts, problems, now = list[Post](), list[str](), self._clock()
        self._fetch(ids)
        with self._store.begin() as unit:
            if ids:
                drafts = [unit.drafts.get(draft_id) for draft_id in dict.fromkeys(ids)]
                drafts = [draft for draft in drafts if draft.state is not DraftState.SCHEDULED]
            else:
                drafts = list(reversed(unit.drafts.list({DraftState.APPROVED})))
            for draft in drafts:
                scheduled = draft.schedule()
                faults, film = self._faults(draft), self._film(draft)
                for name in draft.channels:
                    faults += self._prepare(draft.text_for(name), draft.alt_text, name)[1]
                    faults += self._film_fit(film, draft.alt_text, name)[1]
                if faults:
                    problems += [f"draft {draft.id}: {fault}" for fault in faults]
                    continue
                picture = str(self._pictures.path(draft.folder, draft.artwork.files["post"].name).absolute())
                saved = unit.drafts.save(scheduled)
                posts += [
                    unit.posts.add(saved, name, due=due or now, picture=picture, key=_key(saved, name), film=film)
                    for name in saved.channels
                ]
                unit.journal.note("schedule", draft_id=draft.id, details=", ".join(saved.channels), at=now)
        return tuple(posts), problems

    def preview(self, ids: Collection[int] = (), *, channels: Collection[str] = ()) -> tuple[Preview, ...]:
        """What a round would do now; nothing is written, sent or asked of a platform.

        A named draft that nobody decided on yet is shown as each channel would have it, with that as a problem.

        Raises:
            NotFound: there is no such draft.
        """
        with self._store.read() as unit:
            drafts = (
                [unit.drafts.get(draft_id) for draft_id in ids]
                if ids
                else list(unit.drafts.list({DraftState.APPROVED}))
            )
            posts = unit.posts.list({PostState.WAITING, PostState.UNKNOWN, PostState.SENDING})
            owner_of = unit.drafts.get_many({post.draft_id for post in posts})
            pauses = {pause.name: pause for pause in unit.channels.paused()}
        approved = [draft for draft in drafts if draft.state is DraftState.APPROVED]
        found = [item for draft in approved for item in self._preview_draft(draft, draft.channels, pauses)]
        for draft in drafts:
            if ids and draft.state is DraftState.MADE:
                problem = f"it is not approved: auria approve {draft.id}"
                found += [
                    replace(item, action="none", problems=(problem, *item.problems))
                    for item in self._preview_draft(draft, draft.channels or self._channels, pauses)
                ]
        found += [self._preview_post(post, owner_of[post.draft_id], pauses) for post in reversed(posts)]
        return tuple(item for item in found if not channels or item.channel in channels)

    def preview_draft(self, draft: Draft) -> tuple[Preview, ...]:
        """How each channel would show a draft that may still be undecided; its approval is not judged."""
        with self._store.read() as unit:
            pauses = {pause.name: pause for pause in unit.channels.paused()}
        return tuple(self._preview_draft(draft, self._channels, pauses))

    def fitted_picture(self, draft: Draft, name: str) -> FittedPicture:
        """A draft's picture as a channel would send it.

        Raises:
            UnknownName: there is no such channel.
            Rejected: the picture cannot be made to fit.
        """
        from auria_bot.channels.pictures import fit_picture

        if name not in self._channels:
            raise UnknownName(f"no channel named {name[:60]!r}")
        post = Post(
            id=0,
            draft_id=draft.id,
            channel=name,
            state=PostState.WAITING,
            due=self._clock(),
            text=draft.text,
            alt_text=draft.alt_text,
            picture=str(self._pictures.path(draft.folder, draft.artwork.files["post"].name)),
            picture_sha256=draft.picture_sha256,
            signature="",
            key="",
        )
        return fit_picture(post, self._channels[name]().limits())

    def located(self, post: Post) -> Post:
        """A post with the paths that its picture and its film have now, on this machine.

        Raises:
            NotFound: a file is missing.
            StorageAway: it is kept elsewhere, and cannot be reached.
        """
        return replace(post, picture=self._pictures.here(post.picture), film=self._pictures.here(post.film))

    def _preview_draft(self, draft: Draft, names: Collection[str], pauses: Mapping[str, Pause]) -> Iterator[Preview]:
        """The previews of a draft on these channels."""
        common, picture = self._faults(draft), f"{draft.folder}/{draft.artwork.files['post'].name}"
        at = self._pictures.place(draft.folder, draft.artwork.files["post"].name)
        film = self._film(draft)
        for name in names:
            prepared, faults = self._prepare(draft.text_for(name), draft.alt_text, name)
            fit, unfitting = self._film_fit(film, draft.alt_text, name)
            faults = [*common, *faults, *unfitting]
            yield Preview(
                draft_id=draft.id,
                channel=name,
                action="none" if faults else "wait" if name in pauses else "send",
                due=self._clock(),
                text=prepared.text,
                alt_text=prepared.alt_text,
                dropped=prepared.dropped,
                picture=picture,
                problems=(*faults, *_paused(name, pauses)),
                film=film,
                **self._counters(prepared, name, at, fit),
            )

    def _preview_post(self, post: Post, draft: Draft, pauses: Mapping[str, Pause]) -> Preview:
        prepared, faults = self._prepare(post.text, post.alt_text, post.channel)
        with contextlib.suppress(AuriaError):  # told as a problem
            post = self.located(post)
        fit, unfitting = self._film_fit(post.film, post.alt_text, post.channel)
        faults = [*broken(post, draft), *faults, *unfitting]
        waits = post.due > self._clock() or post.channel in pauses
        action = "look up" if post.state is not PostState.WAITING else "wait" if waits else "send"
        return Preview(
            draft_id=post.draft_id,
            channel=post.channel,
            action="none" if faults else action,
            due=post.due,
            text=prepared.text,
            alt_text=prepared.alt_text,
            dropped=prepared.dropped,
            picture=post.picture,
            problems=(*faults, *_paused(post.channel, pauses)),
            film=post.film,
            **self._counters(prepared, post.channel, Path(post.picture), fit),
        )

    def _fetch(self, ids: Collection[int]) -> None:
        """Bring here what is kept elsewhere, so that nothing is waited for within a transaction."""
        if self._pictures.address:
            with self._store.read() as unit:
                drafts = [unit.drafts.get(one) for one in ids] or unit.drafts.list({DraftState.APPROVED})
            for draft in drafts:
                self._pictures.place(draft.folder, draft.artwork.files["post"].name)
                self._film(draft)

    def _film(self, draft: Draft) -> str:
        """The absolute path of a draft's film, "" for a picture."""
        if draft.artwork.film is None:
            return ""
        return str(self._pictures.place(draft.folder, draft.artwork.files[FILM].name).absolute())

    def _film_fit(self, film: str, alt_text: str, name: str) -> tuple[str, list[str]]:
        """A film's size, length and changes on a channel, and why it cannot be sent there; nothing for a picture."""
        from auria_bot.channels.films import film_changes, read_film

        if not film or name not in self._channels:
            return "", []
        try:
            known = read_film(Path(film))
            size = f"{known.seconds:.1f} s, {known.width}x{known.height}, {known.size / 1e6:.1f} MB"
            limits = self._channels[name]().limits().film
            changes = film_changes(known, limits, name, alt_text)
            if limits is not None and limits.alt_characters == 0:
                changes = (*changes, "without its alt text, which the channel takes for pictures only")
        except AuriaError as error:
            return "", [f"channel {name}: {redacted_error(error)}"]
        return f"film of {size}; {' and '.join(changes) or 'sent whole and unchanged'}", []

    def _counters(self, prepared: PreparedText, name: str, picture: Path, fit: str) -> dict[str, Any]:
        """What a text and a picture, or a film that fits so, take of what a channel allows, as fields of a Preview."""
        limits = Limits()
        with contextlib.suppress(AuriaError, KeyError):  # told as a problem
            limits = self._channels[name]().limits()
        return {
            "characters": len(prepared.text) if prepared.characters is None else prepared.characters,
            "most_characters": limits.characters,
            "most_alt_characters": limits.alt_characters,
            "fit": fit or _fit(picture, limits),
        }

    def _faults(self, draft: Draft) -> list[str]:
        """Reasons why a draft must not be sent to any channel, once it is approved."""
        changed = draft.state is DraftState.APPROVED and not draft.is_signed
        faults = ["it was changed after its approval; approve it again"] if changed else []
        faults += draft.unfit(self._text_faults)
        try:
            picture = self._pictures.path(draft.folder, draft.artwork.files["post"].name)
            if sha256_of(picture) != draft.picture_sha256:
                faults.append(f"{picture} is not the picture that was approved; put it back from a backup")
            if (film := self._film(draft)) and sha256_of(Path(film)) != draft.film_sha256:
                faults.append(f"{film} is not the film that was approved; put it back from a backup")
        except AuriaError as error:
            faults.append(redacted_error(error))
        return faults

    def _prepare(self, text: str, alt_text: str, name: str) -> tuple[PreparedText, list[str]]:
        """The texts as a channel sends them, or unchanged with the reason why it cannot."""
        original = PreparedText(text=text, alt_text=alt_text)
        if name not in self._channels:
            known = ", ".join(sorted(self._channels)) or "none"
            return original, [f"channel {name} is not configured; known: {known}"]
        try:
            return self._channels[name]().fit(text, alt_text), []
        except AuriaError as error:
            return original, [f"channel {name}: {redacted_error(error)}"]


def broken(post: Post, draft: Draft) -> list[str]:
    """Reasons why a scheduled post must not be sent: it differs from what was approved."""
    content = (draft.text_for(post.channel), draft.alt_text, draft.picture_sha256, draft.film_sha256)
    signed = (post.text, post.alt_text, post.picture_sha256, post.film_sha256) == content
    if not (signed and draft.is_signed and post.signature == draft.signature and post.channel in draft.channels):
        return ["its content is not what was approved"]
    try:
        if sha256_of(Path(post.picture)) != post.picture_sha256:
            return [f"{post.picture} is not the picture that was approved"]
        if post.film and sha256_of(Path(post.film)) != post.film_sha256:
            return [f"{post.film} is not the film that was approved"]
    except AuriaError as error:
        return [redacted_error(error)]
    return []


def _fit(picture: Path, limits: Limits) -> str:
    """A picture's size, and how `channels.pictures` changes it to fit the limits; "" if it cannot be read."""
    from PIL import Image

    try:
        size = picture.stat().st_size
        with Image.open(picture) as image:
            width, height = image.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return ""
    changes = []
    if limits.ratios is not None and not limits.ratios[0] <= width / height <= limits.ratios[1]:
        changes.append("a margin is added on two sides")
    if limits.picture_pixels is not None and max(width, height) > limits.picture_pixels:
        changes.append(f"reduced to {limits.picture_pixels} pixels")
    if limits.picture_bytes is not None and size > limits.picture_bytes:
        changes.append(f"compressed to {limits.picture_bytes / 1e6:.1f} MB")
    return f"{width}x{height}, {size / 1000:,.0f} kB; {' and '.join(changes) or 'sent whole and unchanged'}"


def _paused(name: str, pauses: Mapping[str, Pause]) -> tuple[str, ...]:
    return (f"{name} is paused: {pauses[name].reason}",) if name in pauses else ()


def _key(draft: Draft, channel: str) -> str:
    """The idempotency key: the same for every attempt, unique to draft and channel."""
    return hashlib.sha256(f"{draft.folder}\x1f{channel}".encode()).hexdigest()[:32]
