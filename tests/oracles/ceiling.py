"""The hotel's agreement with itself, by its definition, and the counts of answers by case.

`python3 tests/oracles/ceiling.py examples/hotel` prints what `tests/tests/ceiling.rs` compares with.
`python3 tests/oracles/ceiling.py examples/hotel cases` prints `host/statistics/examples/coverage/hotel_cases.txt`.
"""

import bisect
import collections
import gzip
import itertools
import json
import math
import sys

folder = sys.argv[1]


def records(name):
    with gzip.open(f"{folder}/{name}.jsonl.gz") as lines:
        return {record["id"]: record for record in map(json.loads, lines)}


snapshots, decisions = records("hotel-bookings"), records("hotel-assignments")
cases = collections.defaultdict(list)
for key, snapshot in snapshots.items():
    lead = bisect.bisect_right([7, 30, 90, 180], snapshot["lead_time"])
    case = (snapshot["reserved_room_type"], snapshot["market_segment"], lead)
    cases[case].append(decisions[key]["room"])
repeated = {case: rooms for case, rooms in cases.items() if len(rooms) > 1}
counts = {case: collections.Counter(rooms) for case, rooms in repeated.items()}

if sys.argv[2:] == ["cases"]:
    for case in sorted(counts):
        print(*sorted(counts[case].values(), reverse=True))
    sys.exit()

# The share of equal pairs, pair by pair for a small case and by counts for a large one.
total = sum(len(rooms) for rooms in repeated.values())
agreement = 0.0
for case, rooms in repeated.items():
    pairs = len(rooms) * (len(rooms) - 1) // 2
    if len(rooms) <= 300:
        equal = sum(one == other for one, other in itertools.combinations(rooms, 2))
    else:
        equal = sum(count * (count - 1) // 2 for count in counts[case].values())
    agreement += len(rooms) * equal / pairs
agreement /= total
booked = sum(counts[case][case[0]] for case in repeated) / total
print("cases", len(repeated), "decisions", total)
print("self-agreement", repr(agreement), "ceiling", repr(math.sqrt(agreement)))
print("the reserved room", repr(booked), "of the ceiling", repr(booked / math.sqrt(agreement)))
