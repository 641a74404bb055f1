"""Fields as dataclasses, and rows from columns."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Annotated, Any, Optional, TypedDict

import pytest

from understudy_sdk import Abstain, Failed, Json, Name, model, testing
from understudy_sdk.configured import PluginError
from understudy_sdk.fields import Column, Field, Kind, read_fields


class Stop(TypedDict):
    city: str
    nights: int


@dataclass
class Everything:
    is_member: bool
    adults: int
    price: float
    segment: str
    observed_at: datetime
    anything: Json
    stops: list[Stop]
    agent: Optional[str]
    room: Annotated[Optional[str], Name("decision.room")]
    children: int = 0
    tags: list[str] = field(default_factory=list)


@model
def shown(row: Everything) -> str:
    return repr(row)


ROW: dict[str, Any] = {
    "is_member": True,
    "adults": 2,
    "price": 1,
    "segment": "groups",
    "observed_at": "2026-03-01T10:00:00.000001Z",
    "anything": {"a": [1, None]},
    "stops": [{"city": "Bern", "nights": 2}],
}


def test_a_dataclass_declares_the_fields() -> None:
    assert [reader.field for reader in read_fields(Everything)] == [
        Field("is_member", Kind.BOOLEAN),
        Field("adults", Kind.INTEGER),
        Field("price", Kind.NUMBER),
        Field("segment", Kind.TEXT),
        Field("observed_at", Kind.TIMESTAMP),
        Field("anything", Kind.JSON),
        Field("stops", Kind.JSON),
        Field("agent", Kind.TEXT, required=False),
        Field("decision.room", Kind.TEXT, required=False),
        Field("children", Kind.INTEGER, required=False),
        Field("tags", Kind.JSON, required=False),
    ]


def test_values_have_the_types_of_the_annotations() -> None:
    expected = Everything(
        is_member=True,
        adults=2,
        price=1.0,
        segment="groups",
        observed_at=datetime(2026, 3, 1, 10, 0, 0, 1, tzinfo=timezone.utc),
        anything={"a": [1, None]},
        stops=[{"city": "Bern", "nights": 2}],
        agent=None,
        room=None,
    )
    assert testing.answers(shown, [ROW]) == [repr(expected)]
    given = {**ROW, "agent": "a", "decision.room": "b", "children": 3, "tags": ["x"]}
    full = Everything(**{**expected.__dict__, "agent": "a", "room": "b", "children": 3, "tags": ["x"]})
    assert testing.answers(shown, [given]) == [repr(full)]


def test_a_missing_required_field_is_unanswered() -> None:
    row = {key: value for key, value in ROW.items() if key != "segment"}
    assert testing.answers(shown, [row]) == [Abstain("the field `segment` is missing")]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"stops": [{"city": "Bern"}]}, 'field `stops`: the key `nights` in `[0]` is missing; write an integer: [{"city": "Bern"}]'),
        ({"stops": 7}, "field `stops`: found 7, expected an array: 7"),
        ({"tags": ["a", 1]}, 'field `tags`: `[1]` is 1, expected a text: ["a", 1]'),
    ],
)
def test_a_value_that_does_not_fit_fails_its_row_only(changed: dict[str, Any], why: str) -> None:
    first, second, third = testing.answers(shown, [ROW, {**ROW, **changed}, ROW])
    assert second == Failed(why)
    assert first == third and isinstance(first, str)


@dataclass
class Instants:
    at: list[datetime]


@model
class Years:
    def decide_columns(self, instants: Instants) -> list[int]:
        return [instant.year for instant in instants.at]


def test_timestamps_beyond_the_calendar_fail_their_rows() -> None:
    configured = testing.configured_model(Years)
    column = Column(Kind.TIMESTAMP, [0, 2**63 - 1, -1])
    batch = configured.decide(3, [column])
    assert batch.numbers == [1970.0, 0.0, 1969.0]
    assert batch.unanswered == [(1, Failed(f"field `at`: {2**63 - 1} µs is not within the years 1 to 9999"))]


@dataclass
class FieldName:
    field: str


@model
class Recorded:
    """Reads the field that its configuration names."""

    def __init__(self, config: FieldName) -> None:
        self.field = config.field

    def fields(self) -> list[Field]:
        return [Field(self.field, Kind.JSON), Field("at", Kind.TIMESTAMP, required=False)]

    def decide(self, row: dict[str, Any]) -> Json:
        return [row[self.field], None if row["at"] is None else row["at"].year]


@model
class RecordedColumn(Recorded):
    def decide_columns(self, columns: dict[str, list[Any]]) -> list[str]:
        return [str(value) for value in columns[self.field]]

    decide = None  # type: ignore[assignment]


def test_fields_may_depend_on_the_configuration() -> None:
    rows: list[dict[str, Any]] = [{"decision.room": {"a": 1}}, {"decision.room": 2, "at": "2026-01-01T00:00:00Z"}, {}]
    config = {"field": "decision.room"}
    missing = Abstain("the field `decision.room` is missing")
    assert testing.answers(Recorded, rows, config) == [[{"a": 1}, None], [2, 2026], missing]
    assert testing.answers(RecordedColumn, rows, config) == ["{'a': 1}", "2", missing]


def test_columns_that_do_not_fit_fail_the_batch() -> None:
    configured = testing.configured_model(Years)
    for columns, why in [
        ([], "expected 1 columns, found 0"),
        ([Column(Kind.TEXT, ["a"])], "field `at`: expected 1 values of kind timestamp, found 1 of kind text"),
        ([Column(Kind.TIMESTAMP, [])], "field `at`: expected 1 values of kind timestamp, found 0 of kind timestamp"),
        ([Column(Kind.TIMESTAMP, [0], [0])], "field `at`: row 0 has no value, but the field is required"),
    ]:
        with pytest.raises(PluginError) as error:
            configured.decide(1, columns)
        assert str(error.value) == why


def test_types_that_no_field_has_are_refused() -> None:
    @dataclass
    class Complex:
        value: complex

    @dataclass
    class Twice:
        room: str
        other: Annotated[str, Name("room")]

    class Plain:
        room: str

    # The annotations are texts, which are evaluated in the module.
    names = vars(sys.modules[__name__])
    names.update(Complex=Complex, Twice=Twice)
    for type_, why in [
        (Complex, "the field `value` of `Complex` has the type <class 'complex'>, which no field of a study has"),
        (Twice, "`Twice` reads the field `room` twice; remove one of them"),
        (Plain, "`Plain` is no dataclass; write @dataclass above the class of the fields"),
    ]:
        with pytest.raises(TypeError) as error:
            read_fields(type_)
        assert str(error.value).startswith(why)
