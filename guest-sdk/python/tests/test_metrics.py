"""Metrics: what they score, their components and values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Optional, Sequence

import pytest

from understudy_sdk import Direction, JsonText, Nominal, Prediction, WithConfidence, WithProbabilities, metric, testing
from understudy_sdk.answer_batch import AnswerType, collect_answers
from understudy_sdk.answers import Abstain, Form
from understudy_sdk.configured import PluginError
from understudy_sdk.setup import ConfigError


@dataclass
class Config:
    k: int = 1


@metric
class Agreement:
    """Several components, some of which depend on the configuration."""

    direction = Direction.HIGHER_IS_BETTER
    range = (0.0, None)

    def __init__(self, config: Config) -> None:
        self.components = tuple(f"agreed {part}" for part in range(config.k))

    def score(self, model: Optional[Nominal], comparator: Nominal) -> list[float]:
        if comparator == "bad":
            raise KeyError("bad")
        return [float(model == comparator)] * len(self.components)

    def reduce(self, rows: int, sums: Sequence[float]) -> float:
        return sum(sums) / rows


def test_answers_agree_as_a_whole() -> None:
    assert testing.value(Agreement, ["a", None, "b"], ["a", "a", "b"]) == 2 / 3
    assert testing.value(Agreement, [{"a", "b"}, {"a"}], [{"b", "a"}, {"a", "b"}]) == 0.5
    assert testing.value(Agreement, [{"x": 1, "y": 2}, None], [{"y": 2, "x": 1}, [3]]) == 0.5
    assert testing.components(Agreement, ["a"], ["a"], {"k": 2}) == {"agreed 0": [1.0], "agreed 1": [1.0]}


def test_a_value_is_undefined_where_its_formula_fails() -> None:
    assert testing.value(Agreement, [], []) is None
    configured = testing.configured_metric(Agreement)
    assert (configured.minimum, configured.maximum, configured.needs_probabilities) == (0.0, None, False)


def test_exceptions_and_other_forms_fail_the_batch() -> None:
    with pytest.raises(PluginError, match=r"^test_metrics.py:\d+ in (Agreement\.)?score: KeyError: 'bad'$"):
        testing.value(Agreement, ["a"], ["bad"])
    configured = testing.configured_metric(Agreement)
    numbers = collect_answers(AnswerType(Form.NUMBER), [1.0])
    with pytest.raises(PluginError, match="^the metric scores labels or sets of labels or JSON values, not numbers$"):
        configured.score(1, numbers, numbers)
    absent = collect_answers(AnswerType(Form.LABEL), [Abstain("no")])
    with pytest.raises(PluginError, match="^the comparator has no answer to row 0$"):
        configured.score(1, absent, absent)


def module(name: str, source: str) -> Any:
    """The plugin of a module with this source."""
    created = ModuleType(name)
    exec(source, created.__dict__)
    return created.__dict__["Plugin"]


PREAMBLE = """
from typing import Optional, Sequence
from understudy_sdk import Direction, JsonText, Prediction, metric
@metric
class Plugin:
    components = ("c",)
    direction = Direction.LOWER_IS_BETTER
    def reduce(self, rows: int, sums: Sequence[float]) -> Optional[float]:
        return sums[0]
"""


def scored(name: str, type_: str, score: str) -> Any:
    return module(name, f"{PREAMBLE}    def score(self, model: Optional[{type_}], comparator: {type_}) -> float:\n        return {score}\n")


def test_each_form_has_its_type() -> None:
    error = scored("absolute_error", "float", "abs(model - comparator)")
    assert testing.value(error, [1.5, 2], [1, 4]) == 2.5
    top = scored("top", "list[str]", "float(model[0] == comparator[0])")
    assert testing.components(top, [["a", "b"]], [["a"]]) == {"c": [1.0]}
    keys = scored("keys", "JsonText", "float(comparator.value()['k'])")
    assert testing.components(keys, [{"k": 1}], [{"k": 3}]) == {"c": [3.0]}


def test_predictions_have_confidence_and_probabilities() -> None:
    confidence = scored("confidence", "Prediction", "model.confidence if model.confidence is not None else -1.0")
    assert testing.components(confidence, [WithConfidence("a", 0.25)], ["a"]) == {"c": [0.25]}
    assert testing.components(confidence, [WithProbabilities("a", {"a": 0.75, "b": 0.25})], ["a"]) == {"c": [0.75]}
    assert testing.components(confidence, ["a"], ["a"]) == {"c": [-1.0]}
    assert Prediction("a").probability_of("a") is None
    assert Prediction("a", None, {"b": 1.0}).probability_of("a") == 0.0
    assert JsonText(json.dumps([1])).value() == [1]


@pytest.mark.parametrize("value", ["float('nan')", "[1.0, 2.0]", "'1'"])
def test_other_components_are_refused(value: str) -> None:
    plugin = scored(f"refused_{abs(hash(value))}", "str", value)
    with pytest.raises(PluginError, match="^`score` returned"):
        testing.value(plugin, ["a"], ["a"])


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('components = ("c",)', 'components = "c"', "has no components"),
        ("direction = Direction.LOWER_IS_BETTER", "direction = 'up'", "has no direction"),
        ('components = ("c",)', 'components = ("c",); range = 1', "has the range 1"),
    ],
)
def test_incomplete_metrics_are_refused(old: str, new: str, why: str) -> None:
    source = PREAMBLE.replace(old, new) + "    def score(self, model: Optional[str], comparator: str) -> float:\n        return 1.0\n"
    plugin = module(f"incomplete_{abs(hash(new))}", source)
    with pytest.raises(ConfigError, match=why):
        testing.value(plugin, ["a"], ["a"])
