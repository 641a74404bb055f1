"""Reference values for the tests of `host/statistics/src/verdict/baseline_gain.rs`.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 scipy==1.17.1
    venv/bin/python tests/oracles/baselines.py

A baseline of a pair answers from the decisions that were known before the pair's snapshot.
"""

import numpy as np
from scipy import stats

N, GROUPS, ITEMS = 600, 16, "abcde"


def observed(i):
    return 600 * i


def decided(i):
    return observed(i) + 7 * i % 13 * 300


def group(i):
    return (7 * i + i // 50) % GROUPS


def delay(i):
    return (7 * i * i + 13 * i) % 101 / 10 + i % 24 / 4


def expected_delay(i):
    """The model's answer; None if it does not answer."""
    return None if i % 50 == 7 else delay(i) + (31 * i % 17 - 8) / 2


def ranking(i):
    return [ITEMS[(i * i + rank) % 5] for rank in range(1 + i % 3)]


def expected_ranking(i):
    first = ITEMS[(i * i + (i % 4 == 0)) % 5]
    return None if i % 50 == 7 else [first] + [item for item in ["b", "a"] if item != first][: 1 + i % 2]


def known_before(i):
    """The earlier decisions, in the order in which they are known."""
    known = [j for j in range(N) if decided(j) < observed(i)]
    return sorted(known, key=lambda j: (decided(j), str(j)))


def commonest(earlier, length):
    weights = {}
    for j in earlier:
        for rank, item in enumerate(ranking(j), 1):
            weights[item] = weights.get(item, 0) + 2**32 // rank
    return sorted(weights, key=lambda item: (-weights[item], item))[:length]


def overlap(answer, decision):
    return len(set(answer[:2]) & set(decision[:2])) / len(decision[:2])


def bounds(rows, gain, confidence=0.95):
    """The gain, and its bounds by the delete-a-group jackknife."""
    without = np.array([gain([row for row in rows if row[0] != g]) for g in range(GROUPS)])
    error = np.sqrt((GROUPS - 1) / GROUPS * ((without - without.mean()) ** 2).sum())
    reach = stats.t.ppf(confidence, GROUPS - 1) * error
    value = gain(rows)
    return [float(number) for number in (value, value - reach, value + reach)]


def main():
    earlier = {i: known_before(i) for i in range(N)}
    compared = [i for i in range(N) if earlier[i]]
    answered = [i for i in compared if expected_delay(i) is not None]
    baselines = {
        "mean": lambda i: np.mean([delay(j) for j in earlier[i]]),
        "last value": lambda i: delay(earlier[i][-1]),
    }
    # An error metric leaves unanswered pairs out.
    model = [abs(expected_delay(i) - delay(i)) for i in answered]
    print(f"numbers: {len(answered)} pairs, model {float(np.mean(model))!r}")
    for name, baseline in baselines.items():
        errors = [abs(baseline(i) - delay(i)) for i in answered]
        rows = [(group(i), other - own) for i, own, other in zip(answered, model, errors)]
        found = bounds(rows, lambda rows: np.mean([row[1] for row in rows]))
        print(f"    {name}: {float(np.mean(errors))!r}; gain and bounds {found}")
    # An unanswered ranking scores 0.
    rows = []
    for i in compared:
        answer = expected_ranking(i)
        constant = commonest(earlier[i], max(len(answer or []), len(ranking(i))))
        rows.append((group(i), overlap(answer, ranking(i)) if answer else 0.0, overlap(constant, ranking(i))))
    found = bounds(rows, lambda rows: np.mean([row[1] - row[2] for row in rows]))
    values = [float(np.mean([row[index] for row in rows])) for index in (1, 2)]
    print(f"rankings: {len(rows)} pairs, model and commonest items {values}; gain and bounds {found}")


main()
