"""Reference values for the answer distributions that `understudy report` prints for examples/hotel, computed by pandas.

    python tests/oracles/answer_distribution.py
"""

import pandas as pd

bookings = pd.read_json("examples/hotel/hotel-bookings.jsonl.gz", lines=True, dtype={"id": str})
assignments = pd.read_json("examples/hotel/hotel-assignments.jsonl.gz", lines=True, dtype={"id": str})
pairs = bookings.merge(assignments, on="id")
same = pairs.reserved_room_type == pairs.room

print("rooms: the five most common pairs of booked and assigned room that differ")
print(pairs[~same].groupby(["reserved_room_type", "room"]).size().sort_values(ascending=False).head(5))
corporate = pairs.market_segment == "corporate"
print("corporate:", same[corporate].sum(), "of", corporate.sum())
print("agreement without them:", same[~corporate].mean())

error = pairs.historical_adr - pairs.price
print("rates: mean error", error.mean(), "standard deviation", error.std())
print("quantiles", error.quantile([0.05, 0.25, 0.5, 0.75, 0.95], interpolation="inverted_cdf").tolist())
print("by segment", error.groupby(pairs.market_segment).mean().to_dict())
