"""Exports a plugin as a component: converts batches between the layout of the contract and that of the SDK.

``understudy_sdk.build`` writes the module that imports this one. It runs once, when the component is built; the memory that it leaves is
the initial memory of every instance. ``wit_world`` and ``componentize_py_types`` are generated from the contract, and exist only there.

Invariants:

- No exception leaves an export, except one that reports itself to the host.
"""

from __future__ import annotations

from typing import Any, NoReturn, Sequence

from componentize_py_types import Err
from wit_world.exports import answers as wit_answers
from wit_world.exports import columns as wit_columns

from .answer_batch import AnswerBatch, Classes
from .answers import Abstain, Failed, Form, Unanswered
from .configured import ConfiguredMetric, ConfiguredModel, PluginError
from .declaration import MetricDeclaration, ModelDeclaration
from .failure import describe_exception
from .fields import Column, Field, Kind
from .setup import Assets, ConfigError

NOT_CONFIGURED = "the plugin is not configured: call `configure` first"
PANIC_MAGIC = bytes(255 - byte for byte in b"\0understudy panic report v1\0\0\0\0\0")
"""The beginning of a panic report, inverted: memory has the magic itself only as part of a report."""
MOST_PANIC_BYTES = 4096

_panic_report = bytearray()

KINDS = {kind: getattr(wit_columns.Kind, kind.name) for kind in Kind}
FORMS = {form: getattr(wit_answers.Form, form.name) for form in Form}
FORM_NAMES = {wit_form: form for form, wit_form in FORMS.items()}


class Columns:
    """The interface of the types of columns. It has no function."""


class Answers:
    """The interface of the types of answers. It has no function."""


class Setup:
    """The interface of the types of the set-up. It has no function."""


def panic(message: str) -> NoReturn:
    """Leaves a message where the host finds it after the trap, and traps. ``guest-sdk/src/panic.rs`` describes the layout."""
    text = message.encode("utf-8", "replace")[:MOST_PANIC_BYTES].decode("utf-8", "ignore").encode()
    _panic_report.extend(255 - byte for byte in PANIC_MAGIC)
    _panic_report.extend(len(text).to_bytes(4, "little"))
    _panic_report.extend(text)
    raise RuntimeError(message)


def _text(strings: Sequence[str]) -> wit_columns.Text:
    offsets, end = [0], 0
    encoded = [string.encode() for string in strings]
    for part in encoded:
        end += len(part)
        offsets.append(end)
    return wit_columns.Text(offsets, b"".join(encoded))


def _strings(text: wit_columns.Text) -> list[str]:
    offsets, content = text.offsets, text.bytes
    if content.isascii():
        whole = content.decode()
        return [whole[start:end] for start, end in zip(offsets, offsets[1:])]
    return [content[start:end].decode() for start, end in zip(offsets, offsets[1:])]


def _column(column: wit_columns.Column) -> Column:
    values: Any = column.values
    missing = column.missing or ()
    match values:
        case wit_columns.Values_Text():
            return Column(Kind.TEXT, _strings(values.value), missing)
        case wit_columns.Values_Integer():
            return Column(Kind.INTEGER, values.value, missing)
        case wit_columns.Values_Number():
            return Column(Kind.NUMBER, values.value, missing)
        case wit_columns.Values_Boolean():
            return Column(Kind.BOOLEAN, [value != 0 for value in values.value], missing)
        case wit_columns.Values_Timestamp():
            return Column(Kind.TIMESTAMP, values.value, missing)
    return Column(Kind.JSON, _strings(values.value), missing)


def _reason(reason: Unanswered) -> Any:
    if isinstance(reason, Abstain):
        return wit_answers.Reason_Abstained(reason.why)
    return wit_answers.Reason_Failed(reason.why)


def _encode_answers(batch: AnswerBatch) -> wit_answers.Answers:
    values: Any
    codes, offsets = list(batch.codes), list(batch.offsets)
    if batch.form is Form.NUMBER:
        values = wit_answers.Values_Numbers(list(batch.numbers))
    elif batch.form is Form.LABEL:
        values = wit_answers.Values_Labels(wit_answers.Labels(_text(batch.names), codes))
    elif batch.form is Form.RANKING:
        values = wit_answers.Values_Rankings(wit_answers.Rankings(_text(batch.names), offsets, codes))
    elif batch.form is Form.LABEL_SET:
        values = wit_answers.Values_LabelSets(wit_answers.LabelSets(_text(batch.names), offsets, codes))
    else:
        values = wit_answers.Values_Json(wit_answers.Labels(_text(batch.names), codes))
    classes = None
    if batch.classes is not None:
        known = batch.classes
        classes = wit_answers.Probabilities(
            _text(known.names), list(known.offsets), list(known.codes), list(known.values)
        )
    confidence = None if batch.confidence is None else list(batch.confidence)
    unanswered = [(row, _reason(reason)) for row, reason in batch.unanswered]
    return wit_answers.Answers(values, confidence, classes, unanswered)


def _decode_answers(answers: wit_answers.Answers) -> AnswerBatch:
    values: Any = answers.values
    unanswered = [
        (row, (Abstain if isinstance(reason, wit_answers.Reason_Abstained) else Failed)(reason.value))
        for row, reason in answers.unanswered
    ]
    classes = None
    if answers.probabilities is not None:
        known = answers.probabilities
        classes = Classes(_strings(known.names), known.offsets, known.codes, known.values)
    inner = values.value
    match values:
        case wit_answers.Values_Numbers():
            return AnswerBatch(Form.NUMBER, numbers=inner, confidence=answers.confidence, unanswered=unanswered)
        case wit_answers.Values_Labels():
            form = Form.LABEL
        case wit_answers.Values_Rankings():
            form = Form.RANKING
        case wit_answers.Values_LabelSets():
            form = Form.LABEL_SET
        case _:
            form = Form.JSON
    offsets = inner.offsets if form in (Form.RANKING, Form.LABEL_SET) else ()
    return AnswerBatch(
        form,
        names=_strings(inner.names),
        codes=inner.codes,
        offsets=offsets,
        confidence=answers.confidence,
        classes=classes,
        unanswered=unanswered,
    )


def _assets(assets: Sequence[Any]) -> Assets:
    return Assets({asset.name: asset.bytes for asset in assets})


def decider(declaration: ModelDeclaration, name: str, version: str) -> type:
    """The class that exports the interface ``decider`` for a model or comparator."""
    from wit_world.exports import decider as wit_decider

    configured: list[ConfiguredModel] = []

    class Decider:
        """The interface of models and comparators."""

        def configure(self, config: str, assets: list[Any]) -> None:
            """Sets the plugin up."""
            try:
                configured.append(ConfiguredModel(declaration, config, _assets(assets)))
            except ConfigError as error:
                raise Err(str(error)) from None
            except BaseException as error:
                raise Err(describe_exception(error)) from None

        def describe(self) -> Any:
            """What the plugin is called and what it needs."""
            if not configured:
                panic(NOT_CONFIGURED)
            reads = [_field(reader.field) for reader in configured[0].readers]
            type_ = declaration.answers
            return wit_decider.Description(name, version, reads, FORMS[type_.form], type_.has_probabilities)

        def decide(self, rows: int, columns: list[Any]) -> Any:
            """Answers the rows of a batch."""
            if not configured:
                raise Err(NOT_CONFIGURED)
            try:
                return _encode_answers(configured[0].decide(rows, list(map(_column, columns))))
            except PluginError as error:
                raise Err(str(error)) from None
            except BaseException as error:
                raise Err(describe_exception(error)) from None

    return Decider


def _field(field: Field) -> wit_columns.Field:
    return wit_columns.Field(field.name, KINDS[field.kind], field.required)


def scorer(declaration: MetricDeclaration, name: str, version: str) -> type:
    """The class that exports the interface ``scorer`` for a metric."""
    from wit_world.exports import scorer as wit_scorer

    configured: list[ConfiguredMetric] = []

    class Scorer:
        """The interface of metrics."""

        def configure(self, config: str, assets: list[Any]) -> None:
            """Sets the plugin up."""
            try:
                configured.append(ConfiguredMetric(declaration, config, _assets(assets)))
            except ConfigError as error:
                raise Err(str(error)) from None
            except BaseException as error:
                raise Err(describe_exception(error)) from None

        def describe(self) -> Any:
            """What the plugin is called and what it measures."""
            if not configured:
                panic(NOT_CONFIGURED)
            metric = configured[0]
            return wit_scorer.Description(
                name,
                version,
                [FORMS[form] for form in declaration.scored],
                metric.needs_probabilities,
                list(metric.components),
                getattr(wit_scorer.Direction, metric.direction.name),
                metric.minimum,
                metric.maximum,
            )

        def score(self, rows: int, model: Any, comparator: Any) -> list[list[float]]:
            """Scores pairs of answers."""
            if not configured:
                raise Err(NOT_CONFIGURED)
            try:
                return configured[0].score(rows, _decode_answers(model), _decode_answers(comparator))
            except PluginError as error:
                raise Err(str(error)) from None
            except BaseException as error:
                raise Err(describe_exception(error)) from None

        def reduce(self, rows: int, sums: list[float]) -> float | None:
            """The value of the metric."""
            if not configured:
                panic(NOT_CONFIGURED)
            try:
                return configured[0].reduce(rows, sums)
            except PluginError as error:
                panic(str(error))
            except BaseException as error:
                panic(describe_exception(error))

    return Scorer
