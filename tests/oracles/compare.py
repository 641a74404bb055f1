"""Reference values for `tests/tests/compare.rs`: the comparison of the two hotel models, printed as Rust.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 xxhash==4.1.0
    venv/bin/python tests/oracles/compare.py

The script uses no code of understudy. It has its own copy of the models' rules, and computes kappa, the groups and the
jackknife with numpy. (`group` is XXH3-64 of the id, modulo 64.)
"""

from pathlib import Path

import numpy as np
import pandas as pd
import xxhash
from scipy import stats

HOTEL = Path(__file__).parents[2] / "examples/hotel"
ROOMS = list("abcdefghi")
CONFIDENCE = 0.95

bookings = pd.read_json(HOTEL / "hotel-bookings.jsonl.gz", lines=True, dtype={"id": str})
assigned = pd.read_json(HOTEL / "hotel-assignments.jsonl.gz", lines=True, dtype={"id": str})
pairs = bookings.merge(assigned[["id", "room"]], on="id", validate="one_to_one")


def rules(row):
    adults, children = row.adults, row.children
    if (adults >= 3 and children >= 1) or adults >= 4 or children >= 3:
        return "h"
    if children == 2:
        return "g" if adults >= 2 else "c"
    if (adults, children, row.market_segment) == (3, 0, "groups"):
        return "c"
    if (adults, children) == (2, 0) and (
        (row.market_segment, row.customer_type) == ("offline_travel_agent", "contract") or row.customer_type == "group"
    ):
        return "d"
    return "a"


pairs["booked"] = pairs.reserved_room_type
pairs["rules"] = [rules(row) for row in pairs.itertuples()]
pairs["group"] = [xxhash.xxh3_64(id.encode()).intdigest() % 64 for id in pairs.id]
observed = pd.to_datetime(pairs.observed_at, utc=True)
pairs["day"] = np.where(observed.dt.day_of_week >= 5, "weekend", "weekday")


def agreement(rows, model):
    return float(np.mean(rows[model] == rows.room))


def kappa(rows, model):
    answer, decision = rows[model], rows.room
    observed = np.mean((answer == decision) & answer.isin(ROOMS))
    expected = sum(np.mean(answer == room) * np.mean(decision == room) for room in ROOMS)
    return float((observed - expected) / (1 - expected))


def paired_estimate(rows, value):
    difference = lambda rows: value(rows, "rules") - value(rows, "booked")
    groups = sorted(rows.group.unique())
    without = np.array([difference(rows[rows.group != group]) for group in groups])
    k = len(groups)
    error = np.sqrt((k - 1) / k * np.sum((without - without.mean()) ** 2))
    found = difference(rows)
    reach = stats.t.ppf(CONFIDENCE, k - 1) * error
    p = 2 * stats.t.sf(abs(found / error), k - 1)
    return [len(rows), value(rows, "booked"), value(rows, "rules"), found, found - reach, found + reach, float(p)]


print("slice, metric: pairs, reference, other, difference, lower, upper, p-value")
slices = [("all", pairs)] + [(f"day {day}", pairs[pairs.day == day]) for day in ["weekday", "weekend"]]
slices += [(f"segment {segment}", pairs[pairs.market_segment == segment]) for segment in ["corporate", "groups"]]
for name, rows in slices:
    for metric, value in [("agreement", agreement), ("kappa", kappa)]:
        count, *values = paired_estimate(rows, value)
        print(f'        ("{name}", "{metric}", {count}, {[float(value) for value in values]}),')

same = [pairs[model] == pairs.room for model in ["booked", "rules"]]
print("both, only booked-room, only room-rules, neither")
print([int(np.sum(a & b)) for a, b in [(same[0], same[1]), (same[0], ~same[1]), (~same[0], same[1]), (~same[0], ~same[1])]])

# Pair i of 300 has the values i % 7 and i % 11, and is in group i % 64.
at = np.arange(300)
first, second, group = at % 7, at % 11, at % 64
difference = lambda kept: (second[kept].sum() - first[kept].sum()) / kept.sum()
without = np.array([difference(group != left) for left in range(64)])
error = np.sqrt(63 / 64 * np.sum((without - without.mean()) ** 2))
found, reach = difference(group >= 0), stats.t.ppf(CONFIDENCE, 63) * error
print("paired_comparison.rs: difference, lower, upper, p-value")
print([float(value) for value in [found, found - reach, found + reach, 2 * stats.t.sf(abs(found / error), 63)]])
