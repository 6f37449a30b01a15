"""What the operator approves: a logistic model of decisions on the traits of paintings.

Traits are a few numbers of unit variance that the painter measures of each painting (`art.painters.ranker`). The
weights are the most probable ones under a normal prior around zero, so that a few decisions change little; they are
found by Newton's method. Of the decisions, only the latest count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["LATEST", "Approval", "Decision", "accuracy", "fit"]

LATEST = 300
"""Decisions that count, from the newest."""

_DEVIATION = 0.35  # of the prior of each weight
_STEPS = 12  # of Newton's method
_FOLDS = 5
_ENOUGH = 30.0  # decisions at which half of the largest share is reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The operator's decision on a draft."""

    draft_id: int
    approved: bool  # else rejected, or painted anew
    traits: tuple[float, ...]
    ranker: str = ""  # SHA-256 of the ranker that measured them; traits of two rankers mean different things


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What was learned."""

    decisions: int
    approved: int
    weights: tuple[float, ...]  # of the traits; empty without decisions of both kinds
    share: float  # 0 to 1, by how much the weights count; grows with the evidence

    def score(self, traits: Sequence[float]) -> float:
        """How much rather than others a painting is approved; 0 is as much as any."""
        return math.fsum(weight * trait for weight, trait in zip(self.weights, traits, strict=True))

    def counted(self) -> tuple[float, ...]:
        """The weights, reduced by their share."""
        return tuple(round(self.share * weight, 6) for weight in self.weights)


def fit(decisions: Sequence[Decision]) -> Approval:
    """Learn from decisions, the newest last; those with other traits than the newest are left out."""
    size = len(decisions[-1].traits) if decisions else 0
    used = [decision for decision in decisions if size and len(decision.traits) == size][-LATEST:]
    approved = sum(decision.approved for decision in used)
    fewer = min(approved, len(used) - approved)
    weights = _weights(used, size) if fewer else ()
    evidence = 2.0 * fewer
    return Approval(
        decisions=len(used), approved=approved, weights=weights, share=evidence / (evidence + _ENOUGH) if fewer else 0.0
    )


def accuracy(decisions: Sequence[Decision]) -> float | None:
    """The probability that an approved painting scores higher than a rejected one, among five parts of the decisions.

    Each part is scored by weights learned from the others. None where a part has no pair to compare.
    """
    right = pairs = 0.0
    for number in range(_FOLDS):
        learned = fit([each for index, each in enumerate(decisions) if index % _FOLDS != number])
        asked = [each for index, each in enumerate(decisions) if index % _FOLDS == number]
        asked = [each for each in asked if learned.weights and len(each.traits) == len(learned.weights)]
        good = [learned.score(each.traits) for each in asked if each.approved]
        bad = [learned.score(each.traits) for each in asked if not each.approved]
        right += sum((better > worse) + 0.5 * (better == worse) for better in good for worse in bad)
        pairs += len(good) * len(bad)
    return right / pairs if pairs else None


def _weights(decisions: Sequence[Decision], size: int) -> tuple[float, ...]:
    """The weights of the traits; the constant before them is fitted too, and left out."""
    rows = [(1.0, *decision.traits) for decision in decisions]
    precision = [1e-3] + [1.0 / _DEVIATION**2] * size
    found = [0.0] * (size + 1)
    for _ in range(_STEPS):
        gradient = [-strength * value for strength, value in zip(precision, found, strict=True)]
        curvature = [[0.0] * (size + 1) for _ in range(size + 1)]
        for index, strength in enumerate(precision):
            curvature[index][index] = strength
        for row, decision in zip(rows, decisions, strict=True):
            logit = max(-30.0, min(30.0, math.fsum(w * x for w, x in zip(found, row, strict=True))))
            share = 1.0 / (1.0 + math.exp(-logit))
            missing, slope = decision.approved - share, share * (1.0 - share)
            for i, x in enumerate(row):
                gradient[i] += missing * x
                line, scaled = curvature[i], slope * x
                for j in range(i, size + 1):
                    line[j] += scaled * row[j]
        for i in range(size + 1):
            for j in range(i):
                curvature[i][j] = curvature[j][i]
        moved = _solved(curvature, gradient)
        found = [value + step for value, step in zip(found, moved, strict=True)]
        if max(map(abs, moved)) < 1e-6:
            break
    return tuple(found[1:])


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """The solution of a system with a positive definite matrix, by Gaussian elimination."""
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        for j in range(i + 1, size):
            factor = rows[j][i] / rows[i][i]
            if factor:
                rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
    found = [0.0] * size
    for i in reversed(range(size)):
        known = math.fsum(rows[i][j] * found[j] for j in range(i + 1, size))
        found[i] = (rows[i][size] - known) / rows[i][i]
    return found
