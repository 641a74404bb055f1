"""Where an exception was raised, in one line for its author."""

from __future__ import annotations

import os

SDK_FOLDER = os.path.dirname(os.path.abspath(__file__))
"""The frames of these files are no news to the author of a plugin."""
MOST_PLACES = 3
"""The number of frames that are named, the innermost first."""


def describe_exception(error: BaseException) -> str:
    """The places of an exception, innermost first, and its message.

    An example is ``booked_room.py:14 in rate, called by booked_room.py:20 in decide: KeyError: 'suite'``.
    """
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if not os.path.abspath(code.co_filename).startswith(SDK_FOLDER):
            function = getattr(code, "co_qualname", code.co_name)
            places.append(f"{os.path.basename(code.co_filename)}:{trace.tb_lineno} in {function}")
        trace = trace.tb_next
    message = " ".join(str(error).split())
    name = type(error).__name__
    return ": ".join(
        part for part in (", called by ".join(places[: -MOST_PLACES - 1 : -1]), name, message) if part
    )
