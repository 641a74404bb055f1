"""A comparator: the recorded room as a label, like the stock plugin `recorded` with the form `label`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Optional

from understudy_sdk import Abstain, Name, comparator


@dataclass
class Decisions:
    """The field of the decisions that the comparator reads."""

    room: Annotated[list[Optional[str]], Name("decision.room")]


@comparator
class RecordedRoom:
    """Answers all rows of a batch at once."""

    def decide_columns(self, decisions: Decisions) -> list[str | Abstain]:
        """The rooms of the decisions."""
        absent = Abstain("the decision has no `decision.room`")
        return [absent if room is None else room for room in decisions.room]
