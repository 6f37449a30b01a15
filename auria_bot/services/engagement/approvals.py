"""Preferences for paintings, learned from the operator's own decisions about drafts.

Approvals and rejections give weights of the traits by which the painter chooses among its candidates
(`domain.approval`). A part of the artworks is made without them, so that nothing is lost for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.domain.approval import LATEST, fit
from auria_bot.domain.pipeline import SEEDS
from auria_bot.services.studio.plan import derive

if TYPE_CHECKING:
    from auria_bot.domain.approval import Decision
    from auria_bot.store.unit_of_work import Store

__all__ = ["ApprovalModel"]


class ApprovalModel:
    """Learns which paintings are approved.

    Usage::

        weights = model.weights(seed)  # for the painter's option `approval`
    """

    def __init__(self, *, store: Store, ranker: str, enabled: bool = True, explore: float = 0.2) -> None:
        """Set the collaborators.

        Args:
            ranker: SHA-256 of the ranker in use; decisions on what another one measured do not count.
            enabled: if false, decisions are reported but choose nothing.
            explore: share of the artworks that are made without what was learned, 0 to 1.
        """
        self._store, self._ranker, self.enabled, self.explore = store, ranker, enabled, explore

    def decisions(self) -> tuple[Decision, ...]:
        """The decisions that count, the newest last."""
        with self._store.read() as unit:
            return tuple(each for each in unit.drafts.decisions(LATEST) if each.ranker == self._ranker)

    def weights(self, seed: int) -> dict[str, float]:
        """The weights of the traits, by their number, for the artworks of a run; {} where none are to be used."""
        if not self.enabled or derive(seed, "approval") / SEEDS < self.explore:
            return {}
        return {str(number): weight for number, weight in enumerate(fit(self.decisions()).counted())}
