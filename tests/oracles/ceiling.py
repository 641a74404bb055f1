"""The agreement of a substrate with itself, by its definition, and its interval by scipy 1.17.

`python3 tests/oracles/ceiling.py examples/hotel` prints what `tests/tests/ceiling.rs` compares with.
`python3 tests/oracles/ceiling.py examples/hotel input_classes` prints `host/statistics/examples/coverage/hotel_input_classes.txt`.
`python3 tests/oracles/ceiling.py interval` prints what `host/statistics/src/scoring/self_agreement/tests.rs` compares with.
"""

import bisect
import collections
import gzip
import itertools
import json
import math
import sys



def interval():
    """The share of equal pairs of 200 input classes and its bounds. The input class with the number i has i % 5 + 1 decisions for one answer
    and i * i % 3 for another, and every 40th input class has 60 more for the first; its jackknife group is i % 64."""
    from scipy.stats import beta, norm, t

    sums, weights = [0.0] * 64, [0] * 64
    input_classes, squares, fourth_powers = 0, 0, 0
    for i in range(200):
        decisions = ["a"] * (i % 5 + 1 + (60 if i % 40 == 0 else 0)) + ["b"] * (i * i % 3)
        if len(decisions) < 2:
            continue
        pairs = list(itertools.combinations(decisions, 2))
        share = sum(one == other for one, other in pairs) / len(pairs)
        sums[i % 64] += len(decisions) * share
        weights[i % 64] += len(decisions)
        input_classes += 1
        squares += len(decisions) ** 2
        fourth_powers += len(decisions) ** 4
    groups = [group for group in range(64) if weights[group] > 0]
    value = sum(sums) / sum(weights)
    without = [(sum(sums) - sums[g]) / (sum(weights) - weights[g]) for g in groups]
    middle = sum(without) / len(without)
    error = math.sqrt((len(groups) - 1) / len(groups) * sum((one - middle) ** 2 for one in without))
    degrees = min(len(groups) - 1, int(squares**2 / fourth_powers))
    print("input_classes", input_classes, "decisions", sum(weights), "degrees of freedom", degrees, "value", repr(value))
    for confidence in (0.9, 0.95, 0.975):
        variance = (error * t.ppf(confidence, degrees) / norm.ppf(confidence)) ** 2
        trials = min(int(value * (1 - value) / variance), sum(weights))
        least, greatest = int(value * trials), math.ceil(value * trials)
        lower = beta.ppf(1 - confidence, least, trials - least + 1)
        upper = beta.ppf(confidence, greatest + 1, trials - greatest)
        # Input classes that are too rare to have been observed: each has one of two values, for as many input classes of equal size.
        number = sum(weights) ** 2 / squares

        def rare(mean):
            spread = min(variance * number, mean * (1 - mean))
            other = min(mean + spread / mean, 1.0)
            at_other = number * mean / other
            return other * beta.ppf(1 - confidence, at_other, number - at_other + 1)

        lower, upper = min(lower, rare(value)), max(upper, 1 - rare(1 - value))
        print(confidence, repr(float(lower)), repr(float(upper)))


if sys.argv[1] == "interval":
    interval()
    sys.exit()
folder = sys.argv[1]


def records(name):
    with gzip.open(f"{folder}/{name}.jsonl.gz") as lines:
        return {record["id"]: record for record in map(json.loads, lines)}


snapshots, decisions = records("hotel-bookings"), records("hotel-assignments")
input_classes = collections.defaultdict(list)
for key, snapshot in snapshots.items():
    lead = bisect.bisect_right([7, 30, 90, 180], snapshot["lead_time"])
    input_class = (snapshot["reserved_room_type"], snapshot["market_segment"], lead)
    input_classes[input_class].append(decisions[key]["room"])
repeated = {input_class: rooms for input_class, rooms in input_classes.items() if len(rooms) > 1}
counts = {input_class: collections.Counter(rooms) for input_class, rooms in repeated.items()}

if sys.argv[2:] == ["input_classes"]:
    for input_class in sorted(counts):
        print(*sorted(counts[input_class].values(), reverse=True))
    sys.exit()

# The share of equal pairs, pair by pair for a small input class and by counts for a large one.
total = sum(len(rooms) for rooms in repeated.values())
agreement = 0.0
for input_class, rooms in repeated.items():
    pairs = len(rooms) * (len(rooms) - 1) // 2
    if len(rooms) <= 300:
        equal = sum(one == other for one, other in itertools.combinations(rooms, 2))
    else:
        equal = sum(count * (count - 1) // 2 for count in counts[input_class].values())
    agreement += len(rooms) * equal / pairs
agreement /= total
booked = sum(counts[input_class][input_class[0]] for input_class in repeated) / total
print("input_classes", len(repeated), "decisions", total)
print("self-agreement", repr(agreement), "ceiling", repr(math.sqrt(agreement)))
print("the reserved room", repr(booked), "of the ceiling", repr(booked / math.sqrt(agreement)))
