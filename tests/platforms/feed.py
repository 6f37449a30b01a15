"""What both roads to Instagram have in common: a feed that followers see, and faults to come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.platforms import FAULTS

if TYPE_CHECKING:
    import threading

    from tests.platforms.proxy import FaultyProxy

__all__ = ["Feed"]


class Feed:
    """The posts of an account, behind a proxy that fails as it is told to."""

    proxy: FaultyProxy
    media: list[dict[str, Any]]  # the oldest first
    _faults: list[str]
    _lock: threading.RLock

    def fail_next(self, *faults: str) -> None:
        """What the coming publishings do."""
        for fault in faults:
            if fault in {*FAULTS, "ok"}:
                self.proxy.fail_next(fault)
            else:
                self._faults.append(fault)

    def fail_next_deletions(self, *faults: str) -> None:
        """What the coming deletions do."""
        self.proxy.fail_next(
            *faults, when=lambda method, path: method == "DELETE" or path.rstrip("/").endswith("/delete")
        )

    def visible(self) -> list[dict[str, Any]]:
        """What followers see."""
        with self._lock:
            return [
                {
                    "id": one["id"],
                    "text": one["caption"],
                    "alt_text": one["alt_text"],
                    "film": one.get("film", False),
                }
                for one in reversed(self.media)
            ]

    def remove(self, post_id: str) -> None:
        """Delete a post."""
        with self._lock:
            self.media = [one for one in self.media if one["id"] != post_id]

    def like(self, post_id: str, times: int) -> None:
        """Likes from followers, each of whom also looked."""
        with self._lock:
            for one in self.media:
                if one["id"] == post_id:
                    one["likes"] += times
                    one["views"] = one.get("views", 0) + times
