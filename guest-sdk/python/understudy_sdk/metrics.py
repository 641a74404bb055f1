"""What a metric scores: the answers of model and comparator, pair by pair."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from typing import Any, Mapping, Union


class Direction(enum.Enum):
    """Which values of a metric are better."""

    HIGHER_IS_BETTER = "higher-is-better"
    LOWER_IS_BETTER = "lower-is-better"


class JsonText(str):
    """A JSON value in the canonical form of the host: sorted keys, no spaces. Equal values have equal texts."""

    def value(self) -> Any:
        """The value, as :func:`json.loads` returns it."""
        return json.loads(self)


Nominal = Union[str, "frozenset[str]", JsonText]
"""A label, a set of labels or a JSON value, of which only equality counts."""


@dataclass(frozen=True)
class Prediction:
    """A label with its confidence and class probabilities, where the plugin reports them."""

    label: str
    """The label."""
    reported_confidence: float | None = None
    """The confidence that the plugin reports."""
    probabilities: Mapping[str, float] = field(default_factory=dict)
    """The probability of each class; empty if the plugin reports none."""

    def probability_of(self, label: str) -> float | None:
        """The probability of a class: 0 if it is not among the classes, ``None`` if there are no classes."""
        return self.probabilities.get(label, 0.0) if self.probabilities else None

    @property
    def confidence(self) -> float | None:
        """The confidence in the label: the reported one, or else the probability of the label, or ``None``."""
        return self.probability_of(self.label) if self.reported_confidence is None else self.reported_confidence
