"""What a model or comparator answers: the values, the wrappers around them, and the reasons of rows without an answer.

The return annotation of a plugin tells the form of its answers:

====================================================  =========  ==============================================
annotation                                            form       value
====================================================  =========  ==============================================
``str``, ``Literal[...]``, an ``Enum`` of texts       label      one name
``float``, ``int``                                    number     a finite number
``list[str]``, ``tuple[str, ...]``, ``Sequence[str]``  ranking    distinct names, best first
``set[str]``, ``frozenset[str]``                      label set  names in any order, possibly none
``Json``, ``dict[...]``, a dataclass, a ``TypedDict``  JSON       any value that :mod:`json` can write
====================================================  =========  ==============================================
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Generic, Mapping, TypeVar

A = TypeVar("A", covariant=True)


class Form(enum.Enum):
    """The form of answers. All answers of one plugin have the same form."""

    LABEL = "label"
    NUMBER = "number"
    RANKING = "ranking"
    LABEL_SET = "label-set"
    JSON = "json"


class Unanswered(Exception):
    """Why a row has no answer. Return or raise one of its subclasses, whichever reads better."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
        """The reason, for people."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Unanswered) and self.why == other.why

    def __hash__(self) -> int:
        return hash((type(self), self.why))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.why!r})"


class Abstain(Unanswered):
    """The plugin chooses not to answer: ``Abstain("the number of nights is unknown")``."""


class Failed(Unanswered):
    """The plugin cannot answer: ``Failed("the rate has no currency")``."""


@dataclass(frozen=True)
class WithConfidence(Generic[A]):
    """An answer with the model's confidence in it."""

    answer: A
    """The answer, which may be a :class:`WithProbabilities`."""
    confidence: float
    """From 0 (no confidence) to 1 (certain)."""


@dataclass(frozen=True)
class WithProbabilities(Generic[A]):
    """A label with the probabilities of classes. Metrics such as ``brier-score`` and ``log-loss`` need them."""

    answer: A
    """The label. It need not be the most probable class, nor one of the classes."""
    probabilities: Mapping[str, float]
    """The probability of each class, from 0 to 1. Their sum is within 1e-6 of 1."""
