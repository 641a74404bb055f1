"""Collects the answers of a batch, row by row, in the layout of the contract.

Invariants:

- Every row of a batch has one value, whether it is answered or not.
- A value that the contract forbids becomes an unanswered row with a reason: a number that is not finite, a confidence outside 0 to
  1, a ranking that repeats a name, probabilities of which the sum is not 1.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Sequence

from .answers import Abstain, Failed, Form, Unanswered, WithConfidence, WithProbabilities

SUM_TOLERANCE = 1e-6
"""How far the sum of the probabilities of a row may be from 1."""


@dataclass(frozen=True)
class AnswerType:
    """What the answers of a plugin consist of. It follows from the return annotation."""

    form: Form
    """The form of the answers."""
    has_confidence: bool = False
    """Whether each answer has a confidence."""
    has_probabilities: bool = False
    """Whether each answer has class probabilities."""


@dataclass(frozen=True)
class Classes:
    """Class probabilities. The classes of row ``i`` are ``codes[offsets[i]:offsets[i + 1]]``, with ``values`` beside them."""

    names: Sequence[str]
    """Distinct classes."""
    offsets: Sequence[int]
    """One more than there are rows."""
    codes: Sequence[int]
    """Indices of ``names``."""
    values: Sequence[float]
    """One probability a code."""


@dataclass(frozen=True)
class AnswerBatch:
    """The answers to a batch.

    Labels and JSON texts have ``names`` and one code a row. Numbers have ``numbers``. Rankings and sets have ``names``, ``offsets``,
    and ``codes[offsets[i]:offsets[i + 1]]`` of row ``i``.
    """

    form: Form
    """The form of the answers."""
    names: Sequence[str] = ()
    """Distinct names or JSON texts."""
    codes: Sequence[int] = ()
    """Indices of ``names``."""
    offsets: Sequence[int] = ()
    """One more than there are rows, of rankings and sets."""
    numbers: Sequence[float] = ()
    """One number a row."""
    confidence: Sequence[float] | None = None
    """One confidence a row, from 0 to 1."""
    classes: Classes | None = None
    """Class probabilities of labels."""
    unanswered: Sequence[tuple[int, Unanswered]] = ()
    """Rows without an answer and why, by ascending row."""


class _Codes(dict[str, int]):
    """Gives each name a code, in the order in which names are first used."""

    def __missing__(self, name: str) -> int:
        code = len(self)
        self[name] = code
        return code


@dataclass
class _Collector:
    type_: AnswerType
    codes: _Codes = field(default_factory=_Codes)
    values: list[Any] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0])
    confidence: list[float] = field(default_factory=list)
    class_codes: _Codes = field(default_factory=_Codes)
    class_offsets: list[int] = field(default_factory=lambda: [0])
    classes: list[int] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    unanswered: list[tuple[int, Unanswered]] = field(default_factory=list)

    def collect(self, answers: Iterable[Any]) -> None:
        """Adds one answer after the other."""
        form = self.type_.form
        add = {
            Form.LABEL: self._add_label,
            Form.NUMBER: self._add_number,
            Form.RANKING: self._add_ranking,
            Form.LABEL_SET: self._add_set,
            Form.JSON: self._add_json,
        }[form]
        listed = form in (Form.RANKING, Form.LABEL_SET)
        wrapped = self.type_.has_confidence or self.type_.has_probabilities
        for row, answer in enumerate(answers):
            try:
                if isinstance(answer, Unanswered):
                    raise answer
                if wrapped:
                    self._add_wrapped(answer, add)
                else:
                    add(answer)
            except Unanswered as reason:
                self.unanswered.append((row, reason))
                if not listed:
                    self.values.append(0.0 if form is Form.NUMBER else 0)
                if self.type_.has_confidence:
                    self.confidence.append(0.0)
            if listed:
                self.offsets.append(len(self.values))
            if self.type_.has_probabilities:
                self.class_offsets.append(len(self.classes))

    def _add_label(self, answer: Any) -> None:
        if type(answer) is not str:
            if isinstance(answer, enum.Enum):
                answer = answer.value
            if not isinstance(answer, str):
                raise _unfit(answer, "a text")
        self.values.append(self.codes[_encodable(answer)])

    def _add_number(self, answer: Any) -> None:
        if type(answer) is not float:
            if not isinstance(answer, (int, float)) or isinstance(answer, bool):
                raise _unfit(answer, "a number")
            try:
                answer = float(answer)
            except OverflowError:
                raise Failed("the answer is an integer beyond the range of 64-bit floats") from None
        if not math.isfinite(answer):
            raise Failed(f"the answer is {answer}, expected a finite number")
        self.values.append(answer)

    def _add_ranking(self, answer: Any) -> None:
        if isinstance(answer, str) or not isinstance(answer, (list, tuple)):
            raise _unfit(answer, "a list of texts")
        names = [_name(name) for name in answer]
        if len(set(names)) < len(names):
            repeated = next(name for at, name in enumerate(names) if name in names[:at])
            raise Failed(f"the ranking repeats `{repeated}`")
        self.values.extend(map(self.codes.__getitem__, names))

    def _add_set(self, answer: Any) -> None:
        if not isinstance(answer, (set, frozenset)):
            raise _unfit(answer, "a set of texts")
        # The order of a set may differ from one build of a component to the next.
        self.values.extend(map(self.codes.__getitem__, sorted(_name(name) for name in answer)))

    def _add_json(self, answer: Any) -> None:
        try:
            text = json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        except (TypeError, ValueError) as error:
            raise Failed(f"the answer cannot be written as JSON: {error}") from None
        self.values.append(self.codes[_encodable(text)])

    def _add_wrapped(self, answer: Any, add: Callable[[Any], None]) -> None:
        confidence = None
        if isinstance(answer, WithConfidence):
            confidence, answer = answer.confidence, answer.answer
            if not 0.0 <= confidence <= 1.0:
                raise Failed(f"the confidence is {confidence}, expected a value from 0 to 1")
            if isinstance(answer, Unanswered):
                raise answer
        if (confidence is not None) != self.type_.has_confidence:
            raise _unfit(answer, "an answer in `WithConfidence`, or none,")
        if not self.type_.has_probabilities:
            add(answer)
        elif isinstance(answer, WithProbabilities):
            classes = self._classes(answer)
            add(answer.answer)
            for name, probability in classes:
                self.classes.append(self.class_codes[name])
                self.probabilities.append(probability)
        else:
            raise _unfit(answer, "a label in `WithProbabilities`")
        if confidence is not None:
            self.confidence.append(float(confidence))

    @staticmethod
    def _classes(answer: WithProbabilities[Any]) -> list[tuple[str, float]]:
        classes = [(_name(name), float(probability)) for name, probability in answer.probabilities.items()]
        for name, probability in classes:
            if not 0.0 <= probability <= 1.0:
                raise Failed(f"the probability of `{name}` is {probability}, expected a value from 0 to 1")
        total = sum(probability for _, probability in classes)
        if abs(total - 1.0) > SUM_TOLERANCE:
            raise Failed(f"the sum of the probabilities is {total}, expected 1")
        return classes

    def finish(self) -> AnswerBatch:
        """The collected answers."""
        form = self.type_.form
        classes = Classes(tuple(self.class_codes), self.class_offsets, self.classes, self.probabilities)
        is_number, is_listed = form is Form.NUMBER, form in (Form.RANKING, Form.LABEL_SET)
        return AnswerBatch(
            form,
            names=tuple(self.codes),
            codes=() if is_number else self.values,
            offsets=self.offsets if is_listed else (),
            numbers=self.values if is_number else (),
            confidence=self.confidence if self.type_.has_confidence else None,
            classes=classes if self.type_.has_probabilities else None,
            unanswered=self.unanswered,
        )


def _unfit(answer: Any, expected: str) -> Failed:
    return Failed(f"the answer is {answer!r:.80} of type {type(answer).__name__}, expected {expected}")


def _encodable(text: str) -> str:
    """The text itself. A lone surrogate has no UTF-8."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise Failed(f"the answer {text!r:.80} is no valid Unicode: {error.reason}") from None
    return text


def _name(value: Any) -> str:
    if isinstance(value, enum.Enum):
        value = value.value
    if not isinstance(value, str):
        raise _unfit(value, "a text")
    return _encodable(value)


def _plain(value: Any) -> Any:
    """What :mod:`json` writes for a value that it does not know."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {known.name: getattr(value, known.name) for known in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    raise TypeError(f"{type(value).__name__} has no JSON")


def collect_answers(type_: AnswerType, answers: Iterable[Any]) -> AnswerBatch:
    """Collects one answer a row; :class:`Abstain` and :class:`Failed` stand for a row without one.

    >>> batch = collect_answers(AnswerType(Form.NUMBER), [1.5, Abstain("no price known")])
    >>> batch.numbers, batch.unanswered
    ([1.5, 0.0], [(1, Abstain('no price known'))])
    """
    if type_ == _PLAIN_LABELS:
        answers = answers if isinstance(answers, list) else list(answers)
        # Texts of ASCII alone are nearly all labels, and need no further check.
        if set(map(type, answers)) == {str} and all(map(str.isascii, (distinct := set(answers)))):
            ordered = dict.fromkeys(answers) if len(distinct) > 1 else distinct
            codes = {name: code for code, name in enumerate(ordered)}
            return AnswerBatch(Form.LABEL, names=tuple(codes), codes=[codes[answer] for answer in answers])
    collector = _Collector(type_)
    collector.collect(answers)
    return collector.finish()


_PLAIN_LABELS = AnswerType(Form.LABEL)
