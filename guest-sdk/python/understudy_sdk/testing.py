"""Runs plugins without the sandbox, for tests: the same conversion of rows and answers as in the host.

>>> from understudy_sdk import testing
>>> testing.answers(booked_room, [{"room": "single", "nights": 2}])          # doctest: +SKIP
['single']
"""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timezone
from typing import Any, Iterable, Mapping, Sequence

from .answer_batch import AnswerBatch, AnswerType, collect_answers
from .answers import Abstain, Form, WithConfidence, WithProbabilities
from .configured import ConfiguredMetric, ConfiguredModel
from .declaration import MetricDeclaration, ModelDeclaration, declaration_of
from .fields import EPOCH, Column, FieldReader, Kind
from .setup import Assets

PLACEHOLDERS: dict[Kind, Any] = {
    Kind.BOOLEAN: False,
    Kind.INTEGER: 0,
    Kind.NUMBER: 0.0,
    Kind.TEXT: "",
    Kind.TIMESTAMP: 0,
    Kind.JSON: "null",
}


def configured_model(
    plugin: Any, config: Mapping[str, Any] | None = None, assets: Mapping[str, bytes] | None = None
) -> ConfiguredModel:
    """A decorated model or comparator with its configuration, as the host creates it.

    :raises ConfigError: if the configuration or the assets are rejected.
    """
    declaration = declaration_of(plugin)
    if not isinstance(declaration, ModelDeclaration):
        raise TypeError(f"`{plugin.__name__}` is a metric; use `value` or `components`")
    return ConfiguredModel(declaration, json.dumps(config or {}), Assets(assets))


def answers(
    plugin: Any,
    rows: Sequence[Mapping[str, Any]],
    config: Mapping[str, Any] | None = None,
    assets: Mapping[str, bytes] | None = None,
) -> list[Any]:
    """The answers of a model or comparator to rows: dicts with the names of the study, as in ``rows.jsonl``.

    A row without an answer has an :class:`Abstain` or a :class:`Failed`. A missing required field makes an :class:`Abstain`, as in the host.

    :raises ConfigError: if the configuration or the assets are rejected.
    :raises PluginError: if the plugin raises another exception.
    """
    configured = configured_model(plugin, config, assets)
    required = [reader.field.name for reader in configured.readers if reader.field.required]
    lacking: dict[int, str] = {}
    for at, row in enumerate(rows):
        absent = next((name for name in required if row.get(name) is None), None)
        if absent is not None:
            lacking[at] = absent
    passed = [row for at, row in enumerate(rows) if at not in lacking]
    columns = [_column(reader, passed) for reader in configured.readers]
    rest = iter(_values(configured.declaration.answers, configured.decide(len(passed), columns)))
    return [Abstain(f"the field `{lacking[at]}` is missing") if at in lacking else next(rest) for at in range(len(rows))]


def _column(reader: FieldReader, rows: Sequence[Mapping[str, Any]]) -> Column:
    field = reader.field
    values = [row.get(field.name) for row in rows]
    missing = [row for row, value in enumerate(values) if value is None]
    encoded = [PLACEHOLDERS[field.kind] if value is None else _encoded(field.name, field.kind, value) for value in values]
    return Column(field.kind, encoded, missing)


def _encoded(name: str, kind: Kind, value: Any) -> Any:
    if kind is Kind.JSON:
        return json.dumps(value)
    if kind is Kind.TIMESTAMP:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        instant = instant if instant.tzinfo is not None else instant.replace(tzinfo=timezone.utc)
        microseconds = instant - EPOCH
        return (microseconds.days * 86_400 + microseconds.seconds) * 1_000_000 + microseconds.microseconds
    # As in the host, integers and truth values are numbers where a number is read.
    if kind is Kind.NUMBER and isinstance(value, (bool, int, float)):
        return float(value)
    types: dict[Kind, type] = {Kind.BOOLEAN: bool, Kind.INTEGER: int, Kind.TEXT: str}
    if type(value) is not types.get(kind):
        raise ValueError(f"the field `{name}` is {value!r}, expected a value of kind {kind.value}")
    return value


def _values(type_: AnswerType, batch: AnswerBatch) -> list[Any]:
    """The answers of a batch as Python values."""
    values: list[Any]
    if type_.form is Form.NUMBER:
        values = list(batch.numbers)
    elif type_.form in (Form.RANKING, Form.LABEL_SET):
        container: Any = list if type_.form is Form.RANKING else frozenset
        bounds = zip(batch.offsets, batch.offsets[1:])
        values = [container(batch.names[code] for code in batch.codes[start:end]) for start, end in bounds]
    else:
        names = [json.loads(name) for name in batch.names] if type_.form is Form.JSON else list(batch.names)
        values = [names[code] if names else None for code in batch.codes]
    if batch.classes is not None:
        classes = batch.classes
        for row, (start, end) in enumerate(zip(classes.offsets, classes.offsets[1:])):
            probabilities = {classes.names[classes.codes[at]]: classes.values[at] for at in range(start, end)}
            values[row] = WithProbabilities(values[row], probabilities)
    if batch.confidence is not None:
        values = [WithConfidence(value, confidence) for value, confidence in zip(values, batch.confidence)]
    for row, reason in batch.unanswered:
        values[row] = reason
    return values


def configured_metric(
    plugin: Any, config: Mapping[str, Any] | None = None, assets: Mapping[str, bytes] | None = None
) -> ConfiguredMetric:
    """A decorated metric with its configuration, as the host creates it.

    :raises ConfigError: if the configuration or the assets are rejected.
    """
    declaration = declaration_of(plugin)
    if not isinstance(declaration, MetricDeclaration):
        raise TypeError(f"`{plugin.__name__}` is no metric; use `answers`")
    return ConfiguredMetric(declaration, json.dumps(config or {}), Assets(assets))


def components(
    plugin: Any,
    model: Iterable[Any],
    comparator: Iterable[Any],
    config: Mapping[str, Any] | None = None,
    assets: Mapping[str, bytes] | None = None,
) -> dict[str, list[float]]:
    """The components of pairs of answers by their names, one number a pair. ``None`` is a pair without an answer of the model.

    :raises PluginError: if the metric raises an exception, or cannot score the answers.
    """
    return _scored(configured_metric(plugin, config, assets), model, comparator)


def value(
    plugin: Any,
    model: Iterable[Any],
    comparator: Iterable[Any],
    config: Mapping[str, Any] | None = None,
    assets: Mapping[str, bytes] | None = None,
) -> float | None:
    """The value of a metric over pairs of answers; ``None`` if it is undefined. See :func:`components`."""
    metric = configured_metric(plugin, config, assets)
    decisions = list(comparator)
    scores = _scored(metric, model, decisions)
    return metric.reduce(len(decisions), [sum(column) for column in scores.values()])


def _scored(metric: ConfiguredMetric, model: Iterable[Any], comparator: Iterable[Any]) -> dict[str, list[float]]:
    given = [Abstain("no answer") if answer is None else answer for answer in model]
    decisions = list(comparator)
    if len(given) != len(decisions):
        raise ValueError(f"found {len(given)} answers of the model and {len(decisions)} of the comparator; pass as many")
    type_ = _type_of_values([*decisions, *given], metric)
    plain = AnswerType(type_.form)
    columns = metric.score(len(decisions), _batch(type_, given), _batch(plain, decisions))
    return dict(zip(metric.components, columns))


def _batch(type_: AnswerType, values: Sequence[Any]) -> AnswerBatch:
    batch = collect_answers(type_, values)
    if type_.form is not Form.JSON:
        return batch
    # The canonical form of the host: sorted keys, no spaces.
    canonical = [json.dumps(json.loads(name), ensure_ascii=False, sort_keys=True, separators=(",", ":")) for name in batch.names]
    return dataclasses.replace(batch, names=canonical)


def _type_of_values(values: Sequence[Any], metric: ConfiguredMetric) -> AnswerType:
    forms = {str: Form.LABEL, float: Form.NUMBER, int: Form.NUMBER, list: Form.RANKING, tuple: Form.RANKING}
    forms |= {set: Form.LABEL_SET, frozenset: Form.LABEL_SET}
    scored = list(metric.declaration.scored)
    sample = next((known for known in reversed(values) if not isinstance(known, Abstain)), None)
    has_confidence = isinstance(sample, WithConfidence)
    if isinstance(sample, WithConfidence):
        sample = sample.answer
    has_probabilities = isinstance(sample, WithProbabilities)
    if isinstance(sample, WithProbabilities):
        sample = sample.answer
    form = forms.get(type(sample), Form.JSON)
    # A list, text or number may be a JSON value, too.
    if form not in scored and Form.JSON in scored or sample is None:
        form = scored[0] if sample is None else Form.JSON
    return AnswerType(form, has_confidence, has_probabilities)
