"""Reference values for the tests of `host/statistics/src/verdict/baseline_gain.rs`.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 scipy==1.17.1
    venv/bin/python tests/oracles/baselines.py

A baseline of a pair answers from the decisions that were known before the pair's snapshot, or from the earlier answers of
the model.
"""

from collections import Counter

import numpy as np
from bounded_mean import bounded_mean

N, ITEMS = 600, "abcde"
# The greatest error of a number.
RANGE = 60.0


def observed(i):
    return 600 * i


def decided(i):
    return observed(i) + 7 * i % 13 * 300


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


def items(earlier, weight, length):
    weights = {}
    for j in earlier:
        for rank, item in enumerate(ranking(j), 1):
            weights[item] = weights.get(item, 0) + weight(rank)
    return sorted(weights, key=lambda item: (-weights[item], item))[:length]


def commonest_length(earlier):
    lengths = [len(ranking(j)) for j in earlier]
    return min(set(lengths), key=lambda length: (-lengths.count(length), length))


def splitmix64(number):
    """The output with this index of SplitMix64 with the seed 0."""
    mask = 2**64 - 1
    number = (number + 1) * 0x9E3779B97F4A7C15 & mask
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & mask
    number = (number ^ number >> 27) * 0x94D049BB133111EB & mask
    return number ^ number >> 31


def lagged(answers, block=127, lags=(1, 2, 3, 7, 13, 31, 61)):
    """An answer of the block before, in the order of an affine map; in the first block the one with the longest lag."""
    blocks, position = divmod(len(answers), block)
    if blocks == 0:
        return answers[-max(lag for lag in lags if lag <= len(answers))]
    number = splitmix64(blocks)
    return answers[block * (blocks - 1) + ((1 + number % (block - 1)) * position + (number >> 32)) % block]


def consensus(rankings):
    """The highest-ranked items of some rankings, as many as most of them have."""
    lengths = Counter(map(len, rankings))
    length = min(lengths, key=lambda length: (-lengths[length], length))
    weights = Counter()
    for ranking in rankings:
        for rank, item in enumerate(ranking, 1):
            weights[item] += 2**32 // rank
    return sorted(weights, key=lambda item: (-weights[item], item))[:length]


def own_baseline(i, answer, summary, first):
    """A baseline from the model's own answers before pair i; before its second answer its first one, else `first`."""
    earlier = [answer(j) for j in range(i) if answer(j) is not None]
    if earlier:
        return summary(earlier)
    return first if answer(i) is None else answer(i)


def overlap(answer, decision):
    return len(set(answer[:2]) & set(decision[:2])) / len(decision[:2])


def on_grid(differences, width, intervals=240, parts=65536):
    """The differences of two scores in a range of this width, each divided between the two nearest grid points."""
    spacing, counts = width / intervals, Counter()
    for difference in differences:
        steps = (difference + width) / spacing
        upper = round((steps - int(steps)) * parts)
        counts[int(steps) * spacing - width] += (parts - upper) / parts
        counts[(int(steps) + 1) * spacing - width] += upper / parts
    return [(point, count) for point, count in counts.items() if count > 0]


def main():
    earlier = {i: known_before(i) for i in range(N)}
    compared = [i for i in range(N) if earlier[i]]
    answered = [i for i in compared if expected_delay(i) is not None]
    # Where unanswered pairs are left out, there are baselines that learn from all pairs, and others from answered pairs.
    all_earlier = {i: [delay(j) for j in earlier[i]] for i in answered}
    of_answered = {i: [delay(j) for j in earlier[i] if expected_delay(j) is not None] for i in answered}
    baselines = {}
    for suffix, learned in [("", all_earlier), (" of answered pairs", of_answered)]:
        baselines |= {
            f"mean{suffix}": lambda i, learned=learned: np.mean(learned[i]),
            f"median{suffix}": lambda i, learned=learned: np.percentile(learned[i], 50, method="inverted_cdf"),
            f"last value{suffix}": lambda i, learned=learned: learned[i][-1],
        }
    def own_median(answers):
        return np.percentile(answers, 50, method="inverted_cdf")

    baselines |= {
        "own median": lambda i: own_baseline(i, expected_delay, own_median, None),
        "own earlier answer": lambda i: own_baseline(i, expected_delay, lagged, None),
    }
    # An error metric leaves unanswered pairs out.
    model = [abs(expected_delay(i) - delay(i)) for i in answered]
    print(f"numbers: {len(answered)} pairs, model {float(np.mean(model))!r}")
    for name, baseline in baselines.items():
        errors = [abs(baseline(i) - delay(i)) for i in answered]
        differences = [own - other for own, other in zip(model, errors)]
        lower, upper = bounded_mean(on_grid(differences, RANGE), -RANGE, RANGE, 0.95)
        found = [float(-np.mean(differences)), -upper, -lower]
        print(f"    {name}: {float(np.mean(errors))!r}; gain and bounds {found}")
    # An unanswered ranking scores 0, so the baselines learn from all pairs.
    baselines = {
        "commonest items": lambda i, longest: items(earlier[i], lambda rank: 1, longest),
        "highest-ranked items": lambda i, longest: items(earlier[i], lambda rank: 2**32 // rank, longest),
        "commonest length": lambda i, longest: items(earlier[i], lambda rank: 1, commonest_length(earlier[i])),
        "own consensus": lambda i, longest: own_baseline(i, expected_ranking, consensus, None),
        "own earlier answer": lambda i, longest: own_baseline(i, expected_ranking, lagged, None),
    }
    for name, baseline in baselines.items():
        rows = []
        for i in compared:
            answer = expected_ranking(i)
            longest = max(len(ranking(j)) for j in earlier[i])
            longest = max([longest] + [len(expected_ranking(j) or []) for j in range(i + 1)])
            constant = baseline(i, longest)
            own = overlap(answer, ranking(i)) if answer else 0.0
            rows.append((own, overlap(constant, ranking(i))))
        differences = Counter(row[0] - row[1] for row in rows)
        gain = float(np.mean([row[0] - row[1] for row in rows]))
        found = [gain, *bounded_mean(list(differences.items()), -1.0, 1.0, 0.95)]
        values = [float(np.mean([row[index] for row in rows])) for index in (0, 1)]
        print(f"rankings: {len(rows)} pairs, model and {name} {values}; gain and bounds {found}")


main()
