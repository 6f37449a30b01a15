"""Notices to the operator: one per occasion, with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["WEBHOOK", "Kind", "Notice", "PendingNotification", "RecordedNotice"]

WEBHOOK = "webhook"
"""The kind of a notice that is an event for programs, and not for the operator."""


class Kind(StrEnum):
    """The reason of a notice."""

    DRAFT_WAITING = "draft_waiting"
    NEEDS_ATTENTION = "needs_attention"
    STOCK_LOW = "stock_low"
    CHANNEL_PAUSED = "channel_paused"
    TOKEN_EXPIRING = "token_expiring"  # noqa: S105 - a name
    JOB_OVERDUE = "job_overdue"
    JOB_MISSED = "job_missed"  # the operator decides whether it is made up for
    DISK_FILLING = "disk_filling"
    STANDSTILL = "standstill"  # the daemon cannot work at all
    DIGEST = "digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice; kind and subject together identify the occasion."""

    kind: str
    subject: str  # a draft's number, a channel's name, a date ...
    title: str
    body: str  # with what to do
    picture: str = ""  # a file's path


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingNotification:
    """A notice that is due to be sent."""

    id: int
    tries: int  # including the current one
    delivered: tuple[str, ...]  # hashes of the addresses that have received it
    notice: Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedNotice:
    """A notice, and what became of it."""

    id: int
    at: datetime  # aware, UTC
    tries: int  # to deliver it
    is_delivered: bool  # to every address, or covered by another notice
    notice: Notice
