"""How the hotel's answers lie to each other, by pandas: what `understudy report` says of examples/hotel.

    python tests/oracles/spread.py
"""

import pandas as pd

bookings = pd.read_json("examples/hotel/hotel-bookings.jsonl.gz", lines=True, dtype={"id": str})
assignments = pd.read_json("examples/hotel/hotel-assignments.jsonl.gz", lines=True, dtype={"id": str})
pairs = bookings.merge(assignments, on="id")
same = pairs.reserved_room_type == pairs.room

print("rooms: what was booked for what was assigned, the commonest five that differ")
print(pairs[~same].groupby(["reserved_room_type", "room"]).size().sort_values(ascending=False).head(5))
corporate = pairs.market_segment == "corporate"
print("corporate:", same[corporate].sum(), "of", corporate.sum())
print("the same without them:", same[~corporate].mean())

error = pairs.historical_adr - pairs.price
print("rates: mean error", error.mean(), "standard deviation", error.std())
print("quantiles", error.quantile([0.05, 0.25, 0.5, 0.75, 0.95], interpolation="inverted_cdf").tolist())
print("by segment", error.groupby(pairs.market_segment).mean().to_dict())
