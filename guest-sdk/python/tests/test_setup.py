"""Configurations, assets and declarations, with the errors that their authors read."""

from __future__ import annotations

import enum
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Literal, Optional

import pytest

from understudy_sdk import Assets, ConfigError
from understudy_sdk.configured import ConfiguredModel, PluginError
from understudy_sdk.declaration import ModelDeclaration, registered_plugin
from understudy_sdk.fields import Column, Kind
from understudy_sdk.setup import read_config


class Unit(enum.Enum):
    NIGHT = "night"
    WEEK = "week"


@dataclass
class Rate:
    price: float
    unit: Unit = Unit.NIGHT


@dataclass
class Config:
    groups: str
    rates: dict[str, Rate] = field(default_factory=dict)
    mode: Literal["low", "high"] = "low"
    limit: Optional[int] = None
    bounds: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if self.bounds[0] > self.bounds[1]:
            raise ValueError("`bounds` begins above its end; write the smaller one first")


def test_a_configuration_is_converted() -> None:
    text = '{"groups": "A", "rates": {"a": {"price": 2, "unit": "week"}}, "limit": 3, "bounds": [0, 2]}'
    assert read_config(text, Config) == Config("A", {"a": Rate(2.0, Unit.WEEK)}, "low", 3, (0.0, 2.0))
    assert read_config("{}", None) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}", "the key `groups` is missing; write a text"),
        (
            '{"groups": "A", "group": 1}',
            "unknown key `group`; the known keys are `groups`, `rates`, `mode`, `limit`, `bounds`",
        ),
        ('{"groups": 1}', "`groups` is 1, expected a text"),
        ('{"groups": "A", "mode": "mid"}', '`mode` is "mid", expected one of "low", "high"'),
        ('{"groups": "A", "limit": 1.5}', "`limit` is 1.5, expected an integer"),
        ('{"groups": "A", "limit": true}', "`limit` is true, expected an integer"),
        ('{"groups": "A", "rates": {"a": {}}}', "the key `price` in `rates.a` is missing; write a number"),
        (
            '{"groups": "A", "rates": {"a": {"price": 1, "unit": "day"}}}',
            '`rates.a.unit` is "day", expected one of "night", "week"',
        ),
        ('{"groups": "A", "rates": []}', "`rates` is [], expected an object"),
        ('{"groups": "A", "bounds": [1]}', "`bounds` has 1 items, expected 2"),
        ('{"groups": "A", "bounds": [2, 1]}', "`bounds` begins above its end; write the smaller one first"),
    ],
)
def test_faults_of_a_configuration_are_named(text: str, why: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_config(text, Config)
    assert str(error.value) == f"config: {why}"


def test_a_plugin_without_configuration_rejects_keys() -> None:
    with pytest.raises(ConfigError, match="^config: unknown key `k`; the plugin has no configuration, so remove it$"):
        read_config('{"k": 3}', None)


def test_assets_are_found_by_name() -> None:
    assets = Assets({"weights": b"\x01"})
    assert (assets["weights"], assets.get("table"), list(assets), len(assets)) == (b"\x01", None, ["weights"], 1)
    with pytest.raises(ConfigError, match="^the asset `table` is missing, found `weights`; add it to `assets`"):
        assets["table"]


PREAMBLE = """
from dataclasses import dataclass
from understudy_sdk import Assets, ConfigError, comparator, metric, model
@dataclass
class Row:
    room: str
@dataclass
class Rooms:
    room: list[str]
@dataclass
class Config:
    suffix: str = ""
"""
_count = 0


def declared(source: str) -> ModelDeclaration:
    """The plugin of a module with this source."""
    global _count
    _count += 1
    created = ModuleType(f"declared_{_count}")
    sys.modules[created.__name__] = created
    exec(PREAMBLE + source, created.__dict__)
    declaration = registered_plugin(created.__name__)
    assert isinstance(declaration, ModelDeclaration)
    return declaration


def test_functions_and_classes_receive_configuration_and_assets() -> None:
    sources = [
        "@model\ndef m(row: Row, config: Config, assets: Assets) -> str:\n    return row.room + config.suffix + assets['a'].decode()",
        "@comparator\nclass C:\n    def __init__(self, assets: Assets, config: Config) -> None:\n        self.end = config.suffix + assets['a'].decode()\n"
        "    def decide(self, row: Row) -> str:\n        return row.room + self.end",
        "@model\nclass D:\n    def __init__(self, config: Config, assets: Assets) -> None:\n        self.end = config.suffix + assets['a'].decode()\n"
        "    def decide_columns(self, rooms: Rooms) -> list[str]:\n        return [room + self.end for room in rooms.room]",
    ]
    for source in sources:
        configured = ConfiguredModel(declared(source), '{"suffix": "-"}', Assets({"a": b"x"}))
        assert configured.decide(2, [Column(Kind.TEXT, ["a", "b"])]).names == ("a-x", "b-x")
        with pytest.raises((ConfigError, PluginError), match="the asset `a` is missing"):
            # A function asks for its asset with the first row.
            ConfiguredModel(declared(source), "{}", Assets()).decide(1, [Column(Kind.TEXT, ["a"])])


def test_exceptions_of_the_set_up_name_their_place() -> None:
    declaration = declared(
        "@model\nclass M:\n    def __init__(self, config: Config) -> None:\n        {}[config.suffix]\n"
        "    def decide(self, row: Row) -> str:\n        return row.room"
    )
    with pytest.raises(ConfigError, match=r"^<string>:\d+ in (M\.)?__init__: KeyError: ''$"):
        ConfiguredModel(declaration, "{}", Assets())


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("", "has no plugin; write @model, @comparator or @metric"),
        ("@model\ndef m() -> str:\n    return ''", "the model `m` has no parameter for the row; write it first"),
        ("@model\ndef m(row) -> str:\n    return ''", "the model `m` has no type for the parameter `row`; annotate it"),
        ("@model\ndef m(row: Row):\n    return ''", "the model `m` has no type for its return value; annotate it"),
        ("@model\ndef m(row: Row, k: int) -> str:\n    return ''", "the model `m` has the parameter `k`; those of the set-up"),
        ("@model\ndef m(row: 'Rwo') -> str:\n    return ''", "cannot read the annotations of `m`: name 'Rwo' is not defined"),
        ("@model\ndef m(row: dict) -> str:\n    return ''", "the model `m` reads a dict; write a class with a method `fields`"),
        ("@comparator\nclass C:\n    pass", "the comparator `C` needs one method: `decide`"),
        ("@model\nclass M:\n    def decide_columns(self, rows: Row) -> list[str]:\n        return []", "is no column; write list"),
        ("@metric\nclass M:\n    pass", "the metric `M` is no class with the methods `score` and `reduce`; write both"),
        (
            "@model\ndef a(row: Row) -> str:\n    return ''\n@model\ndef b(row: Row) -> str:\n    return ''",
            "has the plugins `a` and `b`; write one plugin a module",
        ),
    ],
)
def test_faults_of_a_declaration_are_named(source: str, why: str) -> None:
    with pytest.raises(TypeError) as error:
        declared(source)
    assert why in str(error.value)


def test_columns_of_another_length_fail_the_batch() -> None:
    source = "@model\nclass M:\n    def decide_columns(self, rooms: Rooms) -> list[str]:\n        return rooms.room[1:]"
    configured = ConfiguredModel(declared(source), "{}", Assets())
    with pytest.raises(PluginError, match="^`decide_columns` returned 1 answers, expected a list of 2: one a row$"):
        configured.decide(2, [Column(Kind.TEXT, ["a", "b"])])


