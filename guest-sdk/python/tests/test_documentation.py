"""The examples of the book are plugins."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from understudy_sdk import ConfigError, testing
from understudy_sdk.declaration import registered_plugin

PAGE = Path(__file__).parents[3] / "docs/src/plugins-in-python.md"


def examples() -> list[ModuleType]:
    """The blocks of Python as modules."""
    modules = []
    for number, source in enumerate(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)):
        created = ModuleType(f"example_{number}")
        sys.modules[created.__name__] = created
        exec(compile(source, f"example {number}", "exec"), created.__dict__)
        modules.append(created)
    return modules


def test_each_example_declares_a_plugin_that_answers() -> None:
    booked, groups, recorded, error = (registered_plugin(module.__name__).target for module in examples())
    assert testing.answers(booked, [{"reserved_room_type": "d"}]) == ["d"]
    rows = [{"market_segment": "groups", "nights": 7}, {}]
    answers = testing.answers(groups, rows, {"groups": "b"}, {"regular-guests": b"groups"})
    assert [answers[0].answer, answers[0].probabilities["b"], answers[1].why] == ["b", 0.9, "the segment is unknown"]
    assert testing.answers(recorded, [{"decision.room": "a"}, {}])[0] == "a"
    assert testing.value(error, [1.0, None], [2.0, 5.0]) == 1.0
    with pytest.raises(ConfigError) as fault:
        testing.answers(groups, [], {"groups": "b", "group": "c"})
    assert f"``{fault.value} ``" in PAGE.read_text(encoding="utf-8")
