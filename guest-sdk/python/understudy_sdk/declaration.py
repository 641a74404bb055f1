"""The decorators that declare a class or function as a model, comparator or metric.

Invariants:

- A decorator returns what it decorates, so that tests call it natively.
- A mistake in a declaration is a ``TypeError`` when the module is imported, not when the host calls the plugin.
"""

from __future__ import annotations

import inspect
import typing
from dataclasses import dataclass
from typing import Any, Callable, Mapping, TypeVar, Union

from .answer_batch import AnswerType
from .answers import Form
from .fields import FieldReader, column_type, read_fields
from .signature import SETUP_PARAMETERS, Parameters, answer_type, scored_types

T = TypeVar("T", bound="type | Callable[..., Any]")


@dataclass(frozen=True)
class ModelDeclaration:
    """A model or comparator as its annotations declare it."""

    target: Any
    """The decorated class or function."""
    role: str
    """``model`` or ``comparator``."""
    fields: tuple[FieldReader, ...] | None
    """The fields that it reads; ``None`` if its method ``fields`` says so once it is configured."""
    row_type: Any
    """The dataclass of a row or of columns, or ``dict``."""
    answers: AnswerType
    """What it answers."""
    config_type: type | None
    """The dataclass of its configuration."""
    setup: tuple[str, ...]
    """The parameters of the set-up: ``config``, ``assets``, both or none."""
    is_columnar: bool
    """Whether it answers columns."""


@dataclass(frozen=True)
class MetricDeclaration:
    """A metric as its annotations declare it."""

    target: Any
    """The decorated class."""
    scored: Mapping[Form, Any]
    """The Python type of each form that it scores."""
    config_type: type | None
    """The dataclass of its configuration."""
    setup: tuple[str, ...]
    """The parameters of the set-up: ``config``, ``assets``, both or none."""


Declaration = Union[ModelDeclaration, MetricDeclaration]
"""A plugin as its annotations declare it."""

_declarations: list[Declaration] = []


def registered_plugin(module: str) -> Declaration:
    """The plugin that a module declares.

    :raises TypeError: if it has none or several.
    """
    found = [declaration for declaration in _declarations if declaration.target.__module__ == module]
    if not found:
        raise TypeError(f"`{module}` has no plugin; write @model, @comparator or @metric above its class or function")
    if len(found) > 1:
        names = " and ".join(f"`{declaration.target.__name__}`" for declaration in found)
        raise TypeError(f"`{module}` has the plugins {names}; write one plugin a module")
    return found[0]


def declaration_of(target: Any) -> Declaration:
    """The declaration of a decorated class or function.

    :raises TypeError: if it is not decorated.
    """
    for declaration in _declarations:
        if declaration.target is target:
            return declaration
    raise TypeError(f"`{getattr(target, '__name__', target)}` is no plugin; write @model, @comparator or @metric above it")


def _setup(names: tuple[str, ...], parameters: Parameters, owner: str) -> tuple[tuple[str, ...], type | None]:
    """The parameters of the set-up, and the type of the configuration."""
    for name in names:
        if name not in SETUP_PARAMETERS:
            raise TypeError(f"{owner} has the parameter `{name}`; those of the set-up are called config and assets")
    if "config" not in names:
        return names, None
    type_ = parameters.annotation("config", owner)
    if not inspect.isclass(type_):
        raise TypeError(f"{owner} has a configuration of type {type_!r}; write a dataclass")
    return names, type_


def _class_setup(target: type, owner: str) -> tuple[tuple[str, ...], type | None]:
    initialiser = getattr(target, "__init__")
    if initialiser is object.__init__:
        return (), None
    parameters = Parameters.of_function(initialiser, is_method=True)
    return _setup(parameters.names, parameters, owner)


def _model_declaration(target: Any, role: str) -> ModelDeclaration:
    owner = f"the {role} `{target.__name__}`"
    is_columnar = False
    if inspect.isclass(target):
        methods = [name for name in ("decide", "decide_columns") if callable(getattr(target, name, None))]
        if len(methods) != 1:
            raise TypeError(f"{owner} needs one method: `decide` for a row, or `decide_columns` for all rows of a batch")
        is_columnar = methods == ["decide_columns"]
        decide = Parameters.of_function(getattr(target, methods[0]), is_method=True)
        if len(decide.names) != 1:
            raise TypeError(f"`{methods[0]}` of {owner} has {len(decide.names)} parameters besides self; it has one: the row")
        setup, config_type = _class_setup(target, owner)
    else:
        decide = Parameters.of_function(target, is_method=False)
        if not decide.names or decide.names[0] in SETUP_PARAMETERS:
            raise TypeError(f"{owner} has no parameter for the row; write it first")
        setup, config_type = _setup(decide.names[1:], decide, owner)
    row_type = decide.annotation(decide.names[0], owner)
    returned = decide.annotation("return", owner)
    fields = None
    if row_type is dict or typing.get_origin(row_type) is dict:
        if not inspect.isclass(target) or not callable(getattr(target, "fields", None)):
            raise TypeError(f"{owner} reads a dict; write a class with a method `fields`, which returns a list of Field, or read a dataclass")
        row_type = dict
    else:
        fields = tuple(read_fields(row_type, is_columnar=is_columnar))
    if is_columnar and fields == ():
        raise TypeError(f"{owner} reads no field, so it cannot know the number of rows; write `decide`")
    answers = answer_type(column_type(returned) if is_columnar else returned, owner)
    return ModelDeclaration(target, role, fields, row_type, answers, config_type, setup, is_columnar)


def model(target: T) -> T:
    """Declares a class or function as a model.

    A function of a row, with type hints, is a model::

        @dataclass
        class Booking:
            room: str
            nights: int | None

        @model
        def booked_room(booking: Booking) -> str | Abstain:
            return booking.room if booking.nights else Abstain("the number of nights is unknown")

    Further parameters called ``config`` (a dataclass) and ``assets`` (:class:`Assets`) receive those of the study. A class has them in
    ``__init__``, which runs once, and a method ``decide``. With a method ``decide_columns`` it answers all rows of a batch at once: each
    field of the dataclass is then a ``list`` with one value a row, and it returns a ``list`` of as many answers.

    If the fields depend on the configuration, the row is a ``dict[str, Any]`` by their names in the study, and a method ``fields`` returns a
    list of :class:`Field`. ``decide_columns`` receives a ``dict[str, list[Any]]`` then. Optional fields without a value are ``None``.
    """
    _declarations.append(_model_declaration(target, "model"))
    return target


def comparator(target: T) -> T:
    """Declares a class or function as a comparator: like :func:`model`, but it may read fields of the decision."""
    _declarations.append(_model_declaration(target, "comparator"))
    return target


def metric(target: T) -> T:
    """Declares a class as a metric::

        @metric
        class Agreement:
            components = ("agreed",)
            direction = Direction.HIGHER_IS_BETTER
            range = (0.0, 1.0)

            def score(self, model: str | None, comparator: str) -> float:
                return float(model == comparator)

            def reduce(self, rows: int, sums: Sequence[float]) -> float | None:
                return sums[0] / rows if rows else None

    ``score`` returns the component of a pair, or a list with one number a component. ``model`` is ``None`` if the model did not answer. The
    host adds the components of any set of pairs, and ``reduce`` makes the value from the sums. ``range`` is optional, with ``None`` for a
    missing bound. ``needs_probabilities = True`` refuses models without class probabilities. ``__init__`` may have the parameters ``config``
    and ``assets``, and may set ``components``, ``direction`` and ``range`` itself.
    """
    owner = f"the metric `{target.__name__}`"
    if not inspect.isclass(target) or not callable(getattr(target, "score", None)) or not callable(getattr(target, "reduce", None)):
        raise TypeError(f"{owner} is no class with the methods `score` and `reduce`; write both")
    score = Parameters.of_function(getattr(target, "score"), is_method=True)
    if score.names != ("model", "comparator"):
        raise TypeError(f"`score` of {owner} has the parameters {', '.join(score.names)}; they are model and comparator")
    scored = scored_types(score.annotation("comparator", owner), owner)
    setup, config_type = _class_setup(target, owner)
    _declarations.append(MetricDeclaration(target, scored, config_type, setup))
    return target
