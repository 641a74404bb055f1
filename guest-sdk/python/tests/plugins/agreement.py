"""A metric: the share of pairs in which model and comparator give the same answer, like the stock plugin `agreement`."""

from __future__ import annotations

from typing import Optional, Sequence

from understudy_sdk import Direction, Nominal, metric


@metric
class Agreement:
    """Observed agreement."""

    components = ("agreements",)
    direction = Direction.HIGHER_IS_BETTER
    range = (0.0, 1.0)

    def score(self, model: Optional[Nominal], comparator: Nominal) -> float:
        """1 for a pair that agrees."""
        return float(model == comparator)

    def reduce(self, rows: int, sums: Sequence[float]) -> Optional[float]:
        """The mean."""
        return sums[0] / rows if rows else None
