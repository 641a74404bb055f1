"""Plugins with their configuration: what the host calls, with batches in the layout of the contract.

Invariants:

- ``Abstain`` and ``Failed`` leave one row without an answer. Any other exception fails the batch. The host then asks for the rows in
  smaller batches, so only the row that caused the exception stays unanswered, with the exception and its place as the reason.
"""

from __future__ import annotations

import inspect
import math
from typing import Any, Callable, Iterator, Sequence

from .answer_batch import AnswerBatch, collect_answers
from .answers import Failed, Form, Unanswered
from .declaration import Declaration, MetricDeclaration, ModelDeclaration
from .failure import describe_exception
from .fields import Column, Field, FieldReader, reader_of_field
from .metrics import Direction, JsonText, Prediction
from .setup import Assets, ConfigError, read_config


class PluginError(Exception):
    """Why a whole batch failed: an exception of the plugin with its place, or a batch that does not fit the declaration."""


def _set_up(declaration: Declaration, config: str, assets: Assets) -> tuple[Any, dict[str, Any]]:
    """The instance of a class, or a function and its further arguments.

    :raises ConfigError: if the plugin rejects the configuration or the assets, or raises another exception.
    """
    target = declaration.target
    try:
        given = {"config": read_config(config, declaration.config_type), "assets": assets}
        arguments = {name: given[name] for name in declaration.setup}
        return (target(**arguments), {}) if inspect.isclass(target) else (target, arguments)
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(describe_exception(error)) from error


class ConfiguredModel:
    """A model or comparator with its configuration."""

    def __init__(self, declaration: ModelDeclaration, config: str, assets: Assets) -> None:
        self.declaration = declaration
        """What its annotations declare."""
        self._target, self._arguments = _set_up(declaration, config, assets)
        self.readers = self._readers()
        """The fields that the plugin reads, in the order of the columns."""
        self._has_faults = any(reader.decode is not None for reader in self.readers)

    def _readers(self) -> tuple[FieldReader, ...]:
        if self.declaration.fields is not None:
            return self.declaration.fields
        try:
            fields = list(self._target.fields())
        except ConfigError:
            raise
        except Exception as error:
            raise ConfigError(describe_exception(error)) from error
        if not all(isinstance(field, Field) for field in fields) or self.declaration.is_columnar and not fields:
            raise ConfigError(f"`fields` returned {fields!r:.80}, expected a list of Field")
        return tuple(map(reader_of_field, fields))

    def _row_factory(self) -> Callable[..., Any]:
        """Makes a row, or the columns, from one value a field."""
        if self.declaration.fields is not None:
            row_type: Callable[..., Any] = self.declaration.row_type
            return row_type
        names = [reader.field.name for reader in self.readers]
        return lambda *cells: dict(zip(names, cells))

    def decide(self, rows: int, columns: Sequence[Column]) -> AnswerBatch:
        """Answers the rows of a batch.

        :raises PluginError: if the plugin raises an exception, or the columns do not fit its fields.
        """
        readers = self.readers
        if len(columns) != len(readers):
            raise PluginError(f"expected {len(readers)} columns, found {len(columns)}")
        try:
            values = [reader.values(rows, column) for reader, column in zip(readers, columns)]
        except ValueError as error:
            raise PluginError(str(error)) from None
        try:
            answers = self._column_answers(rows, values) if self.declaration.is_columnar else self._row_answers(rows, values)
            return collect_answers(self.declaration.answers, answers)
        except PluginError:
            raise
        except Exception as error:
            raise PluginError(describe_exception(error)) from error

    def _row_answers(self, rows: int, values: list[list[Any]]) -> list[Any]:
        row_type, arguments = self._row_factory(), self._arguments
        decide = self._target.decide if inspect.isclass(self.declaration.target) else self._target
        answers: list[Any] = []
        add = answers.append
        for cells in zip(*values) if values else [()] * rows:
            if self._has_faults:
                fault = _first_fault(cells)
                if fault is not None:
                    add(fault)
                    continue
            try:
                add(decide(row_type(*cells), **arguments) if arguments else decide(row_type(*cells)))
            except Unanswered as reason:
                add(reason)
        return answers

    def _column_answers(self, rows: int, values: list[list[Any]]) -> list[Any]:
        faults: dict[int, Failed] = {}
        if self._has_faults:
            found = ((row, _first_fault(cells)) for row, cells in enumerate(zip(*values)))
            faults = {row: fault for row, fault in found if fault is not None}
        if faults:
            kept = [row for row in range(rows) if row not in faults]
            values = [[column[row] for row in kept] for column in values]
        answers = self._target.decide_columns(self._row_factory()(*values))
        expected = rows - len(faults)
        if not isinstance(answers, (list, tuple)) or len(answers) != expected:
            length = len(answers) if isinstance(answers, (list, tuple)) else f"a {type(answers).__name__} of"
            raise PluginError(f"`decide_columns` returned {length} answers, expected a list of {expected}: one a row")
        rest = iter(answers)
        return [faults[row] if row in faults else next(rest) for row in range(rows)] if faults else list(answers)


def _first_fault(cells: Sequence[Any]) -> Failed | None:
    return next((cell for cell in cells if isinstance(cell, Failed)), None)


class ConfiguredMetric:
    """A metric with its configuration."""

    def __init__(self, declaration: MetricDeclaration, config: str, assets: Assets) -> None:
        self.declaration = declaration
        """What its annotations declare."""
        self._target, _ = _set_up(declaration, config, assets)
        try:
            self.components = self._components()
            """Names of the components, at least one."""
            self.direction = self._direction()
            """Which values are better."""
            self.minimum, self.maximum = self._range()
            """Smallest and largest possible value; ``None`` if unbounded."""
        except TypeError as error:
            raise ConfigError(str(error)) from None
        self.needs_probabilities = bool(getattr(self._target, "needs_probabilities", False))
        """Whether the host refuses models without class probabilities."""

    def _owner(self) -> str:
        return f"the metric `{type(self._target).__name__}`"

    def _components(self) -> tuple[str, ...]:
        names = getattr(self._target, "components", None)
        if isinstance(names, str) or not isinstance(names, (list, tuple)) or not names:
            raise TypeError(f"{self._owner()} has no components; write their names, such as components = (\"hits\",)")
        return tuple(map(str, names))

    def _direction(self) -> Direction:
        direction = getattr(self._target, "direction", None)
        if not isinstance(direction, Direction):
            raise TypeError(f"{self._owner()} has no direction; write direction = Direction.HIGHER_IS_BETTER, or LOWER_IS_BETTER")
        return direction

    def _range(self) -> tuple[float | None, float | None]:
        bounds = getattr(self._target, "range", (None, None))
        if not isinstance(bounds, (list, tuple)) or len(bounds) != 2:
            raise TypeError(f"{self._owner()} has the range {bounds!r}; write a minimum and a maximum, such as range = (0.0, None)")
        minimum, maximum = (None if bound is None else float(bound) for bound in bounds)
        return minimum, maximum

    def score(self, rows: int, model: AnswerBatch, comparator: AnswerBatch) -> list[list[float]]:
        """One list a component, with one finite number a row.

        :raises PluginError: if the metric raises an exception, or cannot score the answers.
        """
        names = {Form.LABEL: "labels", Form.NUMBER: "numbers", Form.RANKING: "rankings"}
        names |= {Form.LABEL_SET: "sets of labels", Form.JSON: "JSON values"}
        scored = self.declaration.scored
        for side in (model, comparator):
            if side.form not in scored:
                known = " or ".join(names[form] for form in scored)
                raise PluginError(f"the metric scores {known}, not {names[side.form]}")
        if comparator.unanswered:
            raise PluginError(f"the comparator has no answer to row {comparator.unanswered[0][0]}")
        try:
            pairs = zip(_scored_answers(rows, model, scored[model.form]), _scored_answers(rows, comparator, scored[comparator.form]))
            return self._scores(pairs)
        except PluginError:
            raise
        except Exception as error:
            raise PluginError(describe_exception(error)) from error

    def _scores(self, pairs: Iterator[tuple[Any, Any]]) -> list[list[float]]:
        score, width = self._target.score, len(self.components)
        collected = [score(answer, decision) for answer, decision in pairs]
        if width == 1 and set(map(type, collected)) == {float} and all(map(math.isfinite, collected)):
            return [collected]
        columns: list[list[float]] = [[] for _ in range(width)]
        for row, scores in enumerate(collected):
            if isinstance(scores, (int, float)):
                scores = (scores,)
            if not isinstance(scores, (list, tuple)) or len(scores) != width:
                raise PluginError(f"`score` returned {scores!r:.80}, expected {width} numbers: one a component")
            for column, value in zip(columns, scores):
                if not isinstance(value, (int, float)) or not math.isfinite(value):
                    raise PluginError(f"`score` returned {value!r:.80} for row {row}, expected a finite number")
                column.append(float(value))
        return columns

    def reduce(self, rows: int, sums: Sequence[float]) -> float | None:
        """The value of the metric. ``None`` also if its formula divides by zero, overflows or leaves the domain of a function.

        :raises PluginError: if the metric raises another exception.
        """
        try:
            value = self._target.reduce(rows, list(sums))
        except (ArithmeticError, ValueError):
            return None
        except Exception as error:
            raise PluginError(describe_exception(error)) from error
        return None if value is None else float(value)


def _scored_answers(rows: int, batch: AnswerBatch, type_: Any) -> list[Any]:
    """One answer a row as a metric receives it; ``None`` without an answer."""
    values: list[Any]
    if batch.form is Form.NUMBER:
        values = list(batch.numbers)
    elif batch.form in (Form.RANKING, Form.LABEL_SET):
        container = list if batch.form is Form.RANKING else frozenset
        bounds = zip(batch.offsets, batch.offsets[1:])
        values = [container(batch.names[code] for code in batch.codes[start:end]) for start, end in bounds]
    elif type_ is JsonText:
        texts = [JsonText(name) for name in batch.names]
        values = [texts[code] if texts else None for code in batch.codes]
    elif batch.names:
        values = [batch.names[code] for code in batch.codes]
    else:
        # No row is answered.
        values = [None] * rows
    if len(values) != rows:
        raise PluginError(f"found {len(values)} answers, expected {rows}")
    for row, _ in batch.unanswered:
        values[row] = None
    return _predictions(batch, values) if type_ is Prediction else values


def _predictions(batch: AnswerBatch, labels: list[Any]) -> list[Any]:
    predictions: list[Any] = []
    for row, label in enumerate(labels):
        if label is None:
            predictions.append(None)
            continue
        confidence = None if batch.confidence is None else batch.confidence[row]
        if confidence is not None and math.isnan(confidence):
            confidence = None
        probabilities: dict[str, float] = {}
        if batch.classes is not None:
            span = range(batch.classes.offsets[row], batch.classes.offsets[row + 1])
            probabilities = {batch.classes.names[batch.classes.codes[at]]: batch.classes.values[at] for at in span}
        predictions.append(Prediction(label, confidence, probabilities))
    return predictions
