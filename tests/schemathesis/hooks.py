"""What the OpenAPI document of a served study says in words, for schemathesis.

The document cannot say in a schema that the time of a record has to be near the server's clock, nor that each line of
JSON Lines is one record. It says so in the descriptions, which a person reads and a generator does not.
"""

import json
from datetime import datetime, timedelta, timezone

import schemathesis
from hypothesis import strategies
from schemathesis.core.parameters import ParameterLocation

DELIVERIES = ("/v1/snapshots", "/v1/decisions")
# The study declares a lateness of two days, so that times of the last day are never late.
NOW = datetime.now(timezone.utc).replace(tzinfo=None)
ZONES = [timedelta(0), timedelta(hours=5, minutes=45), timedelta(hours=-11)]


def written(at, zone):
    """A time as RFC 3339 in a zone."""
    local = (at + zone).isoformat(timespec="microseconds")
    minutes = int(zone.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    return local + ("Z" if minutes == 0 else f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}")


schemathesis.openapi.format(
    "date-time",
    strategies.builds(
        written,
        strategies.datetimes(min_value=NOW - timedelta(days=1), max_value=NOW),
        strategies.sampled_from(ZONES),
    ),
)


@schemathesis.serializer("application/x-ndjson")
def one_line(context, value):
    return json.dumps(value).encode()


def body_is_negative(case):
    """Whether the body, and not only a header or a parameter, does not follow the document."""
    body = case.meta.components.get(ParameterLocation.BODY)
    return body is not None and body.mode.is_negative


def excluded(response):
    """The reasons of the excluded records in a receipt, or None if the response is a problem."""
    receipt = response.json()
    return None if "title" in receipt else [record["reason"] for record in receipt["excluded"]]


@schemathesis.check
def records_by_the_schema_are_accepted(context, response, case):
    """Of records that follow the document only those are excluded whose id another record of the run has."""
    if case.path in DELIVERIES and case.meta.generation.mode.is_positive and response.status_code in (202, 422):
        reasons = excluded(response)
        assert reasons is not None and set(reasons) <= {"conflict"}, response.text


@schemathesis.check
def records_against_the_schema_are_excluded(context, response, case):
    """A body that does not follow the document is refused, or the receipt names the records that do not."""
    if case.path in DELIVERIES and body_is_negative(case) and response.status_code == 202:
        assert excluded(response), response.text


@schemathesis.check
def every_error_is_a_problem(context, response, case):
    """An error says in its body whether to repeat the request, as its status does."""
    if response.status_code < 400:
        return
    if response.status_code == 422 and case.path in DELIVERIES and excluded(response) is not None:
        return
    if case.method == "HEAD":
        return
    problem = response.json()
    assert problem["status"] == response.status_code, response.text
    assert problem["retry"] == (response.status_code in (408, 429) or response.status_code >= 500), response.text
