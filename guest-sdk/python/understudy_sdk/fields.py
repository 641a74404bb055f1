"""The fields that a model or comparator reads, declared by a dataclass.

A field of the dataclass is a field of the study. Its annotation tells the kind:

=========================================  =========  ==================================================
annotation                                 kind       value
=========================================  =========  ==================================================
``bool``                                   boolean    ``True`` or ``False``
``int``                                    integer    of 64 bits
``float``                                  number     finite
``str``                                    text
``datetime``                               timestamp  in UTC, to the microsecond, of the years 1 to 9999
``Json``                                   json       whatever :func:`json.loads` returns
``dict``, ``list``, dataclass, TypedDict   json       converted to that type
=========================================  =========  ==================================================

A field with ``Optional[...]`` or a default may be missing. All others are required: the host does not pass a row without them.
``Annotated[str, Name("decision.room")]`` reads a field whose name is no identifier.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import json
import typing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Callable, Sequence

from .answers import Failed
from .conversion import ConversionError, convert, excerpt, is_union, type_hints

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
"""The instant that timestamps count from."""


class Kind(enum.Enum):
    """The type of a field's values."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    TIMESTAMP = "timestamp"
    JSON = "json"


class JsonMark:
    """Marks an annotation as any JSON value."""


Json = Annotated[Any, JsonMark()]
"""Any JSON value, as :func:`json.loads` returns it."""


@dataclass(frozen=True)
class Name:
    """The name of a field in the study, if it is no identifier: ``Annotated[str, Name("decision.room")]``."""

    name: str


@dataclass(frozen=True)
class Field:
    """A field that a plugin reads."""

    name: str
    """Name in the study. Those of the decision begin with ``decision.``; only comparators may read them."""
    kind: Kind
    """The type of its values."""
    required: bool = True
    """Whether a row without a value is unanswered without asking the plugin."""


@dataclass(frozen=True)
class Column:
    """The values of one field in a batch."""

    kind: Kind
    """The type of the values."""
    values: Sequence[Any]
    """One value a row: a ``bool``, ``int``, ``float`` or ``str``; microseconds since 1970 for a timestamp; JSON text."""
    missing: Sequence[int] = ()
    """Indices of the rows without a value, ascending. ``values`` has an arbitrary placeholder there."""


SIMPLE_KINDS: dict[Any, Kind] = {
    bool: Kind.BOOLEAN,
    int: Kind.INTEGER,
    float: Kind.NUMBER,
    str: Kind.TEXT,
    datetime: Kind.TIMESTAMP,
}


@dataclass(frozen=True)
class FieldReader:
    """A field of the study and how its column becomes Python values."""

    field: Field
    default: Any
    """The value of a row without one."""
    factory: Callable[[], Any] | None
    """Makes the value of a row without one, where a dataclass field has a ``default_factory``."""
    decode: Callable[[Any], Any] | None
    """Converts a value that is not used as it comes; raises ``ValueError``."""

    def values(self, rows: int, column: Column) -> list[Any]:
        """One value a row. A value that does not fit its type is a :class:`Failed` in its place.

        :raises ValueError: if the column has another kind or length.
        """
        if column.kind is not self.field.kind or len(column.values) != rows:
            raise ValueError(
                f"field `{self.field.name}`: expected {rows} values of kind {self.field.kind.value}, "
                f"found {len(column.values)} of kind {column.kind.value}"
            )
        values = list(column.values)
        if column.missing:
            if self.field.required:
                raise ValueError(
                    f"field `{self.field.name}`: row {column.missing[0]} has no value, but the field is required"
                )
            if self.decode is None:
                for row in column.missing:
                    values[row] = self._absent()
                return values
        if self.decode is not None:
            absent = set(column.missing)
            values = [self._absent() if row in absent else self._decoded(value) for row, value in enumerate(values)]
        return values

    def _absent(self) -> Any:
        return self.default if self.factory is None else self.factory()

    def _decoded(self, value: Any) -> Any:
        assert self.decode is not None
        try:
            return self.decode(value)
        except ValueError as error:
            return Failed(f"field `{self.field.name}`: {error}")


def _instant(microseconds: int) -> datetime:
    try:
        return EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        raise ValueError(f"{microseconds} µs is not within the years 1 to 9999") from None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{error}: {excerpt(text)}") from None


def _typed_json(annotation: Any) -> Callable[[str], Any]:
    def decode(text: str) -> Any:
        value = _json(text)
        try:
            return convert(value, annotation, "")
        except ConversionError as error:
            raise ValueError(f"{error}: {excerpt(text)}") from None

    return decode


def _metadata(annotation: Any) -> tuple[Any, str | None, bool]:
    """The annotation without its metadata, the name in it, and whether it is any JSON value."""
    name, is_json = None, False
    while typing.get_origin(annotation) is Annotated:
        annotation, *marks = typing.get_args(annotation)
        for mark in marks:
            name = mark.name if isinstance(mark, Name) else name
            is_json = is_json or isinstance(mark, JsonMark)
    return annotation, name, is_json


def _reader(owner: type, field: dataclasses.Field[Any], annotation: Any) -> FieldReader:
    annotation, name, is_json = _metadata(annotation)
    has_default = field.default is not dataclasses.MISSING
    factory = None if field.default_factory is dataclasses.MISSING else field.default_factory
    optional = has_default or factory is not None
    if not is_json and is_union(annotation):
        arms = [arm for arm in typing.get_args(annotation) if arm is not type(None)]
        if len(arms) < len(typing.get_args(annotation)) and len(arms) == 1:
            optional = True
            annotation, inner_name, is_json = _metadata(arms[0])
            name = name or inner_name
    kind = SIMPLE_KINDS.get(annotation)
    decode: Callable[[Any], Any] | None = None
    if is_json:
        kind, decode = Kind.JSON, _json
    elif kind is Kind.TIMESTAMP:
        decode = _instant
    elif kind is None:
        if not _is_structured(annotation):
            raise TypeError(
                f"the field `{field.name}` of `{owner.__name__}` has the type {annotation!r}, which no field of a study has; "
                "write bool, int, float, str, datetime, Json, a dict, list or dataclass, or Optional[...] of one of them"
            )
        kind, decode = Kind.JSON, _typed_json(annotation)
    default = field.default if has_default else None
    return FieldReader(Field(name or field.name, kind, not optional), default, factory, decode)


def reader_of_field(field: Field) -> FieldReader:
    """How the column of a field becomes Python values if no annotation says so."""
    decoders: dict[Kind, Callable[[Any], Any]] = {Kind.TIMESTAMP: _instant, Kind.JSON: _json}
    return FieldReader(field, None, None, decoders.get(field.kind))


def _is_structured(annotation: Any) -> bool:
    origin = typing.get_origin(annotation) or annotation
    if origin in (dict, list, tuple) or dataclasses.is_dataclass(annotation) or typing.is_typeddict(annotation):
        return True
    return getattr(origin, "__name__", "") in ("Mapping", "Sequence")


def read_fields(row_type: Any, *, is_columnar: bool = False) -> list[FieldReader]:
    """The fields that a dataclass declares, in its order. In a columnar one, each is a ``list`` of values.

    :raises TypeError: if a field has a type that no field of a study has, or two have the same name.
    """
    if not inspect.isclass(row_type) or not dataclasses.is_dataclass(row_type):
        raise TypeError(
            f"`{getattr(row_type, '__name__', row_type)}` is no dataclass; write @dataclass above the class of the fields"
        )
    hints = type_hints(row_type)
    fields = [field for field in dataclasses.fields(row_type) if field.init]
    if is_columnar:
        hints = {name: column_type(hint) for name, hint in hints.items()}
    readers = [_reader(row_type, field, hints[field.name]) for field in fields]
    names = [reader.field.name for reader in readers]
    for name in names:
        if names.count(name) > 1:
            raise TypeError(f"`{row_type.__name__}` reads the field `{name}` twice; remove one of them")
    return readers


def column_type(annotation: Any) -> Any:
    """The type of the values of a column, ``list[...]``, with the name of the column.

    :raises TypeError: if the annotation is no list.
    """
    inner, name, _ = _metadata(annotation)
    arguments = typing.get_args(inner)
    if typing.get_origin(inner) is not list or len(arguments) != 1:
        raise TypeError(f"{inner!r} is no column; write list[...] with the type of its values")
    return Annotated[arguments[0], Name(name)] if name else arguments[0]
