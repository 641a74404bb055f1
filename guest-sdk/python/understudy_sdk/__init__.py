"""Write models, comparators and metrics for understudy in Python.

A whole model::

    from dataclasses import dataclass

    from understudy_sdk import model


    @dataclass
    class Booking:
        reserved_room_type: str


    @model
    def booked_room(booking: Booking) -> str:
        return booking.reserved_room_type

- :func:`model`, :func:`comparator` and :func:`metric` declare a plugin, one a module.
- :mod:`understudy_sdk.fields` lists the types of fields, :mod:`understudy_sdk.answers` those of answers.
- :mod:`understudy_sdk.testing` runs a plugin without the sandbox, for tests.

``understudy plugin build`` makes a component of the module. It imports nothing: no file, no network, no clock, no randomness. A plugin is a
pure function of its configuration and of the row: its answer must not depend on other rows or on earlier calls, because the host chooses
the batches, retries rows and replays them. Return or raise :class:`Abstain` or :class:`Failed` for a row without an answer. Any other
exception is a bug: the row stays unanswered, and the report shows the exception with file and line.
"""

from .answers import Abstain, Failed, WithConfidence, WithProbabilities
from .declaration import comparator, metric, model
from .fields import Field, Json, Kind, Name
from .metrics import Direction, JsonText, Nominal, Prediction
from .setup import Assets, ConfigError

__all__ = [
    "Abstain",
    "Assets",
    "ConfigError",
    "Direction",
    "Failed",
    "Field",
    "Json",
    "JsonText",
    "Kind",
    "Name",
    "Nominal",
    "Prediction",
    "WithConfidence",
    "WithProbabilities",
    "comparator",
    "metric",
    "model",
]
