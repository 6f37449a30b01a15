"""A lease: who may do something for now, with a number that grows each time it changes hands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Lease"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What stands in the database, by the database's clock where it has one."""

    name: str
    holder: str  # who has it, or had it last
    fencing: int  # grows by one with each taking; what is done with an older number is refused
    until: datetime  # aware, UTC
    heartbeat: datetime  # when it was last renewed
