"""Converts JSON values to the types of annotations, for configurations and for fields of kind JSON.

Types: ``bool``, ``int``, ``float``, ``str``, ``None``, ``Literal``, ``Enum``, ``Optional`` and unions, ``list``, ``tuple``, ``set``,
``frozenset``, ``dict`` with keys of text, dataclasses, ``TypedDict``, and ``Any``. Invariant: a value is never coerced, except an
integer to a ``float``.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import types
import typing
from typing import Any, Annotated, Literal, Union

EXCERPT_CHARS = 80
"""The number of characters of a value that an error quotes."""


class ConversionError(ValueError):
    """A value that does not fit a type. The message says where it is and what is expected."""


def excerpt(text: str) -> str:
    """The beginning of a text, for an error."""
    return text if len(text) <= EXCERPT_CHARS else text[:EXCERPT_CHARS] + "…"


def written(value: Any) -> str:
    """A value as JSON, cut, for an error."""
    try:
        return excerpt(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError):
        return excerpt(repr(value))


def is_union(annotation: Any) -> bool:
    """Whether an annotation is ``Union[...]``, ``Optional[...]`` or ``A | B``."""
    return typing.get_origin(annotation) in (Union, types.UnionType)


def without_metadata(annotation: Any) -> Any:
    """The annotation inside of ``Annotated``."""
    while typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    return annotation


def type_hints(owner: Any) -> dict[str, Any]:
    """The evaluated annotations of a class or function, with the metadata of ``Annotated``.

    :raises TypeError: if an annotation names something unknown.
    """
    try:
        return typing.get_type_hints(owner, include_extras=True)
    except NameError as error:
        name = getattr(owner, "__qualname__", repr(owner))
        raise TypeError(f"cannot read the annotations of `{name}`: {error}; define or import it at the top") from error


def expected(annotation: Any) -> str:
    """What an annotation expects, for an error."""
    annotation = without_metadata(annotation)
    names = {
        bool: "true or false",
        int: "an integer",
        float: "a number",
        str: "a text",
        type(None): "null",
        Any: "any value",
    }
    if annotation in names:
        return names[annotation]
    origin = typing.get_origin(annotation)
    if is_union(annotation):
        return " or ".join(expected(arm) for arm in typing.get_args(annotation))
    if origin is Literal:
        return "one of " + ", ".join(written(value) for value in typing.get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return "one of " + ", ".join(written(member.value) for member in annotation)
    if origin in (list, tuple, set, frozenset) or annotation in (list, tuple, set, frozenset):
        return "an array"
    return "an object"


def convert(value: Any, annotation: Any, path: str) -> Any:
    """Converts a JSON value to the type of an annotation. ``path`` says where the value is, such as ``rates.single``.

    :raises ConversionError: if it does not fit.
    """
    annotation = without_metadata(annotation)
    if annotation is Any or annotation is object:
        return value
    if annotation is float and type(value) is int:
        return float(value)
    if annotation in (bool, int, float, str):
        if type(value) is annotation:
            return value
    elif annotation is None or annotation is type(None):
        if value is None:
            return None
    elif is_union(annotation):
        return _convert_union(value, annotation, path)
    elif typing.get_origin(annotation) is Literal:
        for known in typing.get_args(annotation):
            if type(value) is type(known) and value == known:
                return value
    elif isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        for member in annotation:
            if type(value) is type(member.value) and value == member.value:
                return member
    elif dataclasses.is_dataclass(annotation) or typing.is_typeddict(annotation):
        return convert_object(value, annotation, path)
    else:
        return _convert_container(value, annotation, path)
    raise ConversionError(_misfit(value, annotation, path))


def _misfit(value: Any, annotation: Any, path: str) -> str:
    subject = f"`{path}` is" if path else "found"
    return f"{subject} {written(value)}, expected {expected(annotation)}"


def _convert_union(value: Any, annotation: Any, path: str) -> Any:
    arms = typing.get_args(annotation)
    faults = []
    for arm in arms:
        try:
            return convert(value, arm, path)
        except ConversionError as error:
            faults.append((arm, error))
    structured = [fault for arm, fault in faults if arm is not type(None)]
    # Of an optional value, the fault inside of it says more.
    raise structured[0] if len(structured) == 1 else ConversionError(_misfit(value, annotation, path))


def _convert_container(value: Any, annotation: Any, path: str) -> Any:
    origin = typing.get_origin(annotation) or annotation
    arguments = typing.get_args(annotation)
    if origin is dict or getattr(origin, "__name__", "") == "Mapping":
        if not isinstance(value, dict):
            raise ConversionError(_misfit(value, dict, path))
        inner = arguments[1] if len(arguments) == 2 else Any
        return {key: convert(item, inner, f"{path}.{key}" if path else key) for key, item in value.items()}
    containers = {list: list, tuple: tuple, set: set, frozenset: frozenset}
    container: Any = containers.get(origin)
    if container is None and getattr(origin, "__name__", "") == "Sequence":
        container = list
    if container is None:
        raise TypeError(f"`{path or annotation}` has the type {annotation!r}, which no JSON value can have")
    if not isinstance(value, list):
        raise ConversionError(_misfit(value, list, path))
    if container is tuple and arguments and arguments[-1] is not Ellipsis:
        if len(value) != len(arguments):
            raise ConversionError(f"`{path}` has {len(value)} items, expected {len(arguments)}")
        return tuple(convert(item, inner, f"{path}[{at}]") for at, (item, inner) in enumerate(zip(value, arguments)))
    inner = arguments[0] if arguments else Any
    return container(convert(item, inner, f"{path}[{at}]") for at, item in enumerate(value))


def convert_object(value: Any, type_: Any, path: str) -> Any:
    """Converts a JSON object to a dataclass or a ``TypedDict``. Every key has to be known, and those without a default present.

    :raises ConversionError: if it does not fit.
    """
    if not isinstance(value, dict):
        raise ConversionError(_misfit(value, type_, path))
    hints = type_hints(type_)
    if dataclasses.is_dataclass(type_):
        fields = {field.name: field for field in dataclasses.fields(type_) if field.init}
        required = {
            name
            for name, field in fields.items()
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        }
        known = list(fields)
    else:
        known, required = list(hints), set(type_.__required_keys__)
    inside = f" in `{path}`" if path else ""
    keys = ", ".join(f"`{key}`" for key in known) or "none"
    for key in value:
        if key not in known:
            raise ConversionError(f"unknown key `{key}`{inside}; the known keys are {keys}")
    for key in known:
        if key in required and key not in value:
            raise ConversionError(f"the key `{key}`{inside} is missing; write {expected(hints[key])}")
    read = {
        key: convert(item, hints[key], f"{path}.{key}" if path else key) for key, item in value.items()
    }
    return type_(**read)
