"""Drafts, published artworks and the journal of the operator's actions in the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, and_, bindparam, case, exists, func, insert, select, update

from auria_bot.domain.approval import Decision
from auria_bot.domain.artwork import Artwork, Haiku
from auria_bot.domain.draft import LAST_ID, PUBLISHED, REPLACED, WITHDRAWN, Draft, DraftState
from auria_bot.domain.post import TERMINAL, PostState
from auria_bot.errors import InvalidTransition, NotFound
from auria_bot.store.engine import Queries, insert_once
from auria_bot.store.schema import drafts, journal, posts

__all__ = ["Drafts", "Entry", "Journal", "Posted", "PublishedArtworks", "PublishedRow"]

_OF_DRAFT = posts.c.draft_id == drafts.c.id
_POST_STATE = func.coalesce(posts.c.state, "")  # an expression, so that SQLite finds the few posts of a draft first
_TAKEN_BACK = [str(PostState.WITHDRAWN), str(PostState.CANCELLED)]
_SETTLED = and_(drafts.c.state == DraftState.SCHEDULED, ~exists().where(_OF_DRAFT, _POST_STATE.not_in(TERMINAL)))
_STATUS = case(
    (and_(_SETTLED, exists().where(_OF_DRAFT, _POST_STATE == PostState.SENT)), PUBLISHED),
    (and_(_SETTLED, exists().where(_OF_DRAFT, _POST_STATE.in_(_TAKEN_BACK))), WITHDRAWN),
    else_=drafts.c.state,
)
_DRAFTS = select(drafts, _STATUS.label("status"))
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_CHOSEN = _DRAFTS.where(drafts.c.id.in_(_IDS))  # built once, so that its text is looked up and not written anew

_CHUNK = 50  # rows that are read at a time
_OUT = (posts.c.state == PostState.SENT, posts.c.vanished_at.is_(None), posts.c.receipt_at.is_not(None))
_SIGNATURE = select(func.count(), func.max(posts.c.receipt_at)).where(*_OUT)
_ROW = (drafts.c.id.label("draft_id"), drafts.c.mood, drafts.c.alt_text, drafts.c.folder, drafts.c.artwork)
_ROWS = select(*_ROW).where(drafts.c.id.in_(_IDS))
_POSTED = select(posts.c.id, posts.c.draft_id, posts.c.channel, posts.c.receipt_url, posts.c.receipt_at).order_by(
    posts.c.receipt_at, posts.c.id
)
_POSTED_OF = _POSTED.where(posts.c.draft_id == bindparam("draft"), _POST_STATE == PostState.SENT, *_OUT[1:])


class Drafts(Queries):
    """Drafts, within one unit of work."""

    def add(self, artwork: Artwork, *, folder: str, picture_sha256: str, made_at: datetime) -> Draft:
        """Insert a MADE draft with the artwork's texts; return the existing draft if the folder has one."""
        row = {
            "version": 1,
            "folder": folder,
            "state": DraftState.MADE,
            "made_at": made_at,
            "reason": "",
            "text": artwork.post_text,
            "alt_text": artwork.alt_text,
            "channels": [],
            "signature": "",
            "picture_sha256": picture_sha256,
            "artwork": artwork.to_json(),
            "mood": artwork.mood,
            "style": artwork.style.key,
            "fingerprint": artwork.fingerprint,
        }
        insert_once(self._connection, drafts, row, unique=("folder",))
        found = self._connection.execute(_DRAFTS.where(drafts.c.folder == folder)).one()
        return _draft(found)

    def get(self, draft_id: int) -> Draft:
        """The draft.

        Raises:
            NotFound: there is none.
        """
        wanted = _DRAFTS.where(drafts.c.id == draft_id)
        row = self._connection.execute(wanted).one_or_none() if 0 < draft_id <= LAST_ID else None
        if row is None:
            raise NotFound(f"there is no draft {draft_id}; `auria drafts` lists them")
        return _draft(row)

    def find(self, folder: str) -> Draft | None:
        """The draft of a folder; None if there is none."""
        row = self._connection.execute(_DRAFTS.where(drafts.c.folder == folder)).one_or_none()
        return None if row is None else _draft(row)

    def get_many(self, ids: Collection[int]) -> dict[int, Draft]:
        """The drafts of these ids, by id; missing ones are left out."""
        rows = self._connection.execute(_CHOSEN, {"ids": sorted(ids)})
        return {row.id: _draft(row) for row in rows}

    def save(self, draft: Draft) -> Draft:
        """Save a changed draft; return it with its new version.

        Raises:
            InvalidTransition: the draft was changed since it was read.
            NotFound: there is no such draft.
        """
        changed = self._connection.execute(
            update(drafts)
            .where(drafts.c.id == draft.id, drafts.c.version == draft.version)
            .values(
                version=draft.version + 1,
                state=draft.state,
                decided_at=draft.decided_at,
                reason=draft.reason,
                text=draft.text,
                alt_text=draft.alt_text,
                channel_texts=dict(draft.channel_texts),
                channels=list(draft.channels),
                signature=draft.signature,
            )
        )
        if changed.rowcount == 0:
            now = self.get(draft.id)
            raise InvalidTransition(
                f"draft {draft.id} was changed meanwhile (it is {now.state} now); check it and repeat"
            )
        return self.get(draft.id)

    def list(
        self,
        states: Collection[DraftState] = (),
        *,
        statuses: Collection[str] = (),
        before: int = LAST_ID,
        limit: int | None = None,
    ) -> Sequence[Draft]:
        """Drafts in those states (all if empty), newest first, with ids smaller than `before`.

        Of these, the ones with that status, if `statuses` are named.
        """
        wanted = _DRAFTS.where(drafts.c.id < before).order_by(drafts.c.id.desc()).limit(limit)
        if statuses:
            wanted = wanted.where(_STATUS.in_(sorted(statuses)))
        if states:
            wanted = wanted.where(drafts.c.state.in_([str(state) for state in states]))
        return tuple(_draft(row) for row in self._connection.execute(wanted))

    def made_since(self, at: datetime) -> Sequence[Draft]:
        """Drafts that were made since then, the oldest first."""
        rows = self._connection.execute(_DRAFTS.where(drafts.c.made_at >= at).order_by(drafts.c.id))
        return tuple(_draft(row) for row in rows)

    def count(self) -> dict[DraftState, int]:
        """Number of drafts in each state."""
        rows = self._connection.execute(select(drafts.c.state, func.count()).group_by(drafts.c.state)).all()
        return dict.fromkeys(DraftState, 0) | {DraftState(state): number for state, number in rows}

    def fingerprints(self) -> tuple[str, ...]:
        """The perceptual hashes of all pictures, including rejected ones, newest first."""
        return tuple(self._connection.scalars(select(drafts.c.fingerprint).order_by(drafts.c.id.desc())))

    def decisions(self, limit: int) -> tuple[Decision, ...]:
        """The operator's latest decisions on paintings, the newest last; those whose traits are unknown are left out.

        A draft that was restyled was not rejected for its painting, so it is no decision.
        """
        restyled = exists().where(journal.c.draft_id == drafts.c.id, journal.c.action == "restyle")
        decided = [str(DraftState.APPROVED), str(DraftState.SCHEDULED), str(DraftState.REJECTED)]
        rows = self._connection.execute(
            select(drafts.c.id, drafts.c.state, drafts.c.artwork)
            .where(drafts.c.state.in_(decided), ~restyled)
            .order_by(drafts.c.decided_at.desc(), drafts.c.id.desc())
            .limit(limit)
        )
        found = [
            Decision(
                draft_id=row.id,
                approved=row.state != DraftState.REJECTED,
                traits=tuple(float(value) for value in row.artwork.get("traits", ())),
                ranker=next(
                    (str(sha256) for name, sha256 in row.artwork.get("models", ()) if name.endswith(":ranker")), ""
                ),
            )
            for row in rows
        ]
        return tuple(decision for decision in reversed(found) if decision.traits)

    def recent_haiku(self, count: int) -> tuple[Haiku, ...]:
        """The poems of the latest drafts, newest first."""
        rows = self._connection.scalars(select(drafts.c.artwork).order_by(drafts.c.id.desc()).limit(count))
        return tuple(Haiku.from_json(artwork["haiku"]) for artwork in rows)

    def recent_styles(self, count: int) -> tuple[str, ...]:
        """The style keys of the latest drafts, newest first."""
        return tuple(self._connection.scalars(select(drafts.c.style).order_by(drafts.c.id.desc()).limit(count)))


def _draft(row: Row[Any]) -> Draft:
    return Draft(
        id=row.id,
        version=row.version,
        artwork=Artwork.from_json(row.artwork),
        folder=row.folder,
        picture_sha256=row.picture_sha256,
        state=DraftState(row.state),
        made_at=row.made_at,
        decided_at=row.decided_at,
        reason=row.reason,
        text=row.text,
        alt_text=row.alt_text,
        channel_texts=dict(row.channel_texts),
        channels=tuple(row.channels),
        signature=row.signature,
        posted="" if row.status == row.state else row.status,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """What an index of the published artworks, and the cards of listings, are made from."""

    draft_id: int
    mood: str
    alt_text: str
    folder: str
    artwork: dict[str, Any]  # as Artwork.to_json gives it


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A post that is out."""

    channel: str
    url: str
    at: datetime  # aware, UTC
    post_id: int = 0
    draft_id: int = 0


class PublishedArtworks(Queries):
    """Published artworks, within one unit of work."""

    def signature(self) -> tuple[int, datetime | None]:
        """A value that changes when an artwork is published, or its last post vanishes from its platform."""
        count, newest = self._connection.execute(_SIGNATURE).one()
        return int(count), newest

    def dates(self) -> dict[int, datetime]:
        """When each published draft was first out, by the draft's id."""
        first = (
            select(posts.c.draft_id, func.min(posts.c.receipt_at).label("at")).where(*_OUT).group_by(posts.c.draft_id)
        )
        rows = self._connection.execute(first, execution_options={"yield_per": _CHUNK})
        return {row.draft_id: row.at for row in rows}

    def rows(self, ids: Collection[int]) -> Iterator[PublishedRow]:
        """The drafts of these ids, in no particular order; few are in memory at a time."""
        wanted = sorted(ids)
        for start in range(0, len(wanted), _CHUNK):
            found = self._connection.execute(_ROWS, {"ids": wanted[start : start + _CHUNK]})
            yield from (PublishedRow(**row) for row in found.mappings())

    def posted(self, draft_id: int) -> Sequence[Posted]:
        """The posts of a draft that are out, the first first."""
        return _posted(self._connection.execute(_POSTED_OF, {"draft": draft_id}))

    def posted_since(self, at: datetime) -> Sequence[Posted]:
        """The posts that are out since then, the first first."""
        wanted = _POSTED.where(posts.c.state == PostState.SENT, posts.c.receipt_at >= at)
        return _posted(self._connection.execute(wanted))


def _posted(rows: Iterable[Row[Any]]) -> Sequence[Posted]:
    return tuple(
        Posted(post_id=row.id, draft_id=row.draft_id, channel=row.channel, url=row.receipt_url or "", at=row.receipt_at)
        for row in rows
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of the journal."""

    id: int
    at: datetime  # aware, UTC
    who: str
    action: str
    draft_id: int | None
    details: str


class Journal(Queries):
    """The journal, within one unit of work."""

    def __init__(self, connection: Connection, *, who: str) -> None:
        super().__init__(connection)
        self._who = who

    def note(self, action: str, *, draft_id: int | None = None, details: str = "", at: datetime) -> None:
        """Add an entry; entries are never changed."""
        self._connection.execute(
            insert(journal).values(at=at, who=self._who[:100], action=action, draft_id=draft_id, words=details)
        )

    def last(self, action: str) -> datetime | None:
        """When an action was last done; None if never."""
        found: datetime | None = self._connection.scalar(
            select(func.max(journal.c.at)).where(journal.c.action == action)
        )
        return found

    def replacements(self) -> dict[int, int]:
        """Every new version of a draft, with the draft that it was made from."""
        wanted = select(journal.c.draft_id, journal.c.words).where(journal.c.action.in_(["restyle", "repaint"]))
        found = [(row.draft_id, REPLACED.match(row.words)) for row in self._connection.execute(wanted)]
        return {int(match[1]): old for old, match in found if match and old is not None}

    def list(self, *, draft_id: int | None = None, before: int = LAST_ID, limit: int | None = None) -> Sequence[Entry]:
        """Entries (of one draft, if given), newest first, with ids smaller than `before`."""
        wanted = select(journal).where(journal.c.id < before).order_by(journal.c.id.desc()).limit(limit)
        if draft_id is not None:
            wanted = wanted.where(journal.c.draft_id == draft_id)
        return tuple(
            Entry(id=row.id, at=row.at, who=row.who, action=row.action, draft_id=row.draft_id, details=row.words)
            for row in self._connection.execute(wanted)
        )
