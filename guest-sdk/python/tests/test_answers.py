"""Answers of every form, and values that the contract forbids."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Any, Literal, Optional, Sequence, Union

import pytest

from understudy_sdk import Abstain, Failed, Json, WithConfidence, WithProbabilities, model, testing
from understudy_sdk.answer_batch import AnswerType, collect_answers
from understudy_sdk.answers import Form
from understudy_sdk.configured import PluginError
from understudy_sdk.declaration import registered_plugin
from understudy_sdk.signature import answer_type


class Room(enum.Enum):
    SINGLE = "single"
    DOUBLE = "double"


@dataclass
class Offer:
    room: str
    price: float


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, AnswerType(Form.LABEL)),
        (Literal["a", "b"], AnswerType(Form.LABEL)),
        (Room, AnswerType(Form.LABEL)),
        (float, AnswerType(Form.NUMBER)),
        (int, AnswerType(Form.NUMBER)),
        (list[str], AnswerType(Form.RANKING)),
        (tuple[str, ...], AnswerType(Form.RANKING)),
        (Sequence[Room], AnswerType(Form.RANKING)),
        (set[str], AnswerType(Form.LABEL_SET)),
        (frozenset[Room], AnswerType(Form.LABEL_SET)),
        (Json, AnswerType(Form.JSON)),
        (dict[str, Any], AnswerType(Form.JSON)),
        (Offer, AnswerType(Form.JSON)),
        (Union[str, Abstain, Failed], AnswerType(Form.LABEL)),
        (WithConfidence[float], AnswerType(Form.NUMBER, has_confidence=True)),
        (WithProbabilities[str], AnswerType(Form.LABEL, has_probabilities=True)),
        (
            Union[WithConfidence[WithProbabilities[str]], Abstain],
            AnswerType(Form.LABEL, has_confidence=True, has_probabilities=True),
        ),
    ],
)
def test_the_annotation_tells_the_form(annotation: Any, expected: AnswerType) -> None:
    assert answer_type(annotation, "the model `m`") == expected


@pytest.mark.parametrize("annotation", [None, bytes, complex, list[float], set[int], Optional[str], Union[str, float]])
def test_other_annotations_are_refused(annotation: Any) -> None:
    with pytest.raises(TypeError, match="^the model `m` returns"):
        answer_type(annotation, "the model `m`")
    with pytest.raises(TypeError, match="probabilities of number answers; only labels have them"):
        answer_type(WithProbabilities[float], "the model `m`")


def reasons(type_: AnswerType, answers: list[Any]) -> list[str]:
    batch = collect_answers(type_, answers)
    assert [row for row, _ in batch.unanswered] == list(range(len(answers)))
    return [reason.why for _, reason in batch.unanswered]


def test_labels_are_encoded_with_a_dictionary() -> None:
    answers: list[Any] = ["b", "a", "b"]
    batch = collect_answers(AnswerType(Form.LABEL), answers)
    assert (batch.names, batch.codes, batch.unanswered) == (("b", "a"), [0, 1, 0], ())
    mixed = collect_answers(AnswerType(Form.LABEL), ["é", Abstain("why"), Room.SINGLE, "é"])
    assert (mixed.names, mixed.codes) == (("é", "single"), [0, 0, 1, 0])
    assert mixed.unanswered == [(1, Abstain("why"))]


def test_every_form_is_encoded() -> None:
    numbers = collect_answers(AnswerType(Form.NUMBER), [1, 2.5, Failed("no")])
    assert numbers.numbers == [1.0, 2.5, 0.0]
    rankings = collect_answers(AnswerType(Form.RANKING), [["a", "b"], Abstain("no"), [], ("b",)])
    assert (rankings.names, rankings.offsets, rankings.codes) == (("a", "b"), [0, 2, 2, 2, 3], [0, 1, 1])
    sets = collect_answers(AnswerType(Form.LABEL_SET), [{"b", "a"}, frozenset()])
    assert (sets.names, sets.offsets, sets.codes) == (("a", "b"), [0, 2, 2], [0, 1])
    json = collect_answers(AnswerType(Form.JSON), [Offer("ä", 1.5), {"k": [None, True]}, Room.DOUBLE])
    assert json.names == ('{"room":"ä","price":1.5}', '{"k":[null,true]}', '"double"')


def test_forbidden_values_are_failures() -> None:
    assert reasons(AnswerType(Form.NUMBER), [math.nan, -math.inf, 10**400, "1", True]) == [
        "the answer is nan, expected a finite number",
        "the answer is -inf, expected a finite number",
        "the answer is an integer beyond the range of 64-bit floats",
        "the answer is '1' of type str, expected a number",
        "the answer is True of type bool, expected a number",
    ]
    assert reasons(AnswerType(Form.LABEL), [None, 7, "\ud800"]) == [
        "the answer is None of type NoneType, expected a text",
        "the answer is 7 of type int, expected a text",
        "the answer '\\ud800' is no valid Unicode: surrogates not allowed",
    ]
    assert reasons(AnswerType(Form.RANKING), ["ab", ["a", "b", "a"], [1]]) == [
        "the answer is 'ab' of type str, expected a list of texts",
        "the ranking repeats `a`",
        "the answer is 1 of type int, expected a text",
    ]
    assert reasons(AnswerType(Form.LABEL_SET), [["a"]]) == ["the answer is ['a'] of type list, expected a set of texts"]
    assert reasons(AnswerType(Form.JSON), [math.nan, {1, 2}])[1] == "the answer cannot be written as JSON: set has no JSON"


def test_confidences_and_probabilities_are_checked() -> None:
    certain = AnswerType(Form.LABEL, has_confidence=True)
    batch = collect_answers(certain, [WithConfidence("a", 0.5), Abstain("no")])
    assert (batch.names, batch.codes, batch.confidence) == (("a",), [0, 0], [0.5, 0.0])
    assert reasons(certain, [WithConfidence("a", 1.5), "a"]) == [
        "the confidence is 1.5, expected a value from 0 to 1",
        "the answer is 'a' of type str, expected an answer in `WithConfidence`, or none,",
    ]
    classes = AnswerType(Form.LABEL, has_probabilities=True)
    given = collect_answers(classes, [WithProbabilities("a", {"a": 0.75, "b": 0.25}), Failed("no"), WithProbabilities("b", {"b": 1})])
    assert given.classes is not None
    assert (given.classes.names, given.classes.offsets) == (("a", "b"), [0, 2, 2, 3])
    assert (given.classes.codes, given.classes.values) == ([0, 1, 1], [0.75, 0.25, 1.0])
    assert reasons(classes, [WithProbabilities("a", {"a": -0.5, "b": 1.5}), WithProbabilities("a", {"a": 0.5}), "a"]) == [
        "the probability of `a` is -0.5, expected a value from 0 to 1",
        "the sum of the probabilities is 0.5, expected 1",
        "the answer is 'a' of type str, expected a label in `WithProbabilities`",
    ]


@dataclass
class Row:
    x: int


@model
def inverse(row: Row) -> float:
    if row.x < 0:
        raise Abstain("it is negative")
    return helper(row.x)


def helper(x: int) -> float:
    return 1 / x


def test_reasons_can_be_raised_and_exceptions_name_their_place() -> None:
    assert testing.answers(inverse, [{"x": 4}, {"x": -1}]) == [0.25, Abstain("it is negative")]
    with pytest.raises(PluginError) as error:
        testing.answers(inverse, [{"x": 4}, {"x": 0}])
    line = helper.__code__.co_firstlineno + 1
    caller = inverse.__code__.co_firstlineno + 4
    expected = f"test_answers.py:{line} in helper, called by test_answers.py:{caller} in inverse: ZeroDivisionError: division by zero"
    assert str(error.value) == expected
    assert registered_plugin(__name__).target is inverse
