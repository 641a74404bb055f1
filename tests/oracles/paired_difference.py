"""Reference values for the tests of `host/statistics/src/scoring/interval/paired_difference.rs`, and the exact coverage of
its lower bound beside that of Tango's score bound.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 scipy==1.17.1
    venv/bin/python tests/oracles/paired_difference.py

The coverage is computed, not simulated: the probabilities of all numbers of gains and losses are summed up to 1e-9.
"""

import numpy as np
from scipy import stats

PART = 0.1


def lower(gains, losses, trials, confidence):
    gains, losses = np.broadcast_arrays(np.asarray(gains, float), np.asarray(losses, float))
    level, differing = 1 - confidence, gains + losses
    q = np.where(gains > 0, stats.beta.ppf(level * (1 - PART), gains, losses + 1), 0.0)
    low = np.where(differing > 0, stats.beta.ppf(level * PART / 2, differing, trials - differing + 1), 0.0)
    high = np.where(
        differing < trials, stats.beta.ppf(1 - level * PART / 2, differing + 1, trials - differing), 1.0
    )
    return np.where(q > 0.5, low, high) * (2 * np.nan_to_num(q) - 1)


def tango_rejects(gains, losses, trials, difference, confidence):
    """Whether Tango's lower bound exceeds the difference."""
    a = 2 * trials
    b = -gains - losses + (2 * trials - gains + losses) * difference
    c = -losses * difference * (1 - difference)
    second = (np.sqrt(np.maximum(b * b - 4 * a * c, 0)) - b) / (2 * a)
    with np.errstate(all="ignore"):
        score = (gains - losses - trials * difference) / np.sqrt(
            trials * (2 * second + difference * (1 - difference))
        )
    return score > stats.norm.ppf(confidence)


def failures(trials, first, second, confidence):
    """How often the two lower bounds exceed the true difference `first` - `second`."""
    difference = first - second
    range_of = lambda p: np.arange(
        stats.binom.ppf(1e-10, trials, p), stats.binom.ppf(1 - 1e-10, trials, p) + 1
    )
    gains, losses = np.meshgrid(range_of(first), range_of(second), indexing="ij")
    possible = gains + losses <= trials
    rest = np.where(possible, trials - gains, 1)
    weight = stats.binom.pmf(gains, trials, first) * stats.binom.pmf(losses, rest, second / (1 - first))
    weight = np.where(possible, weight, 0)
    losses = np.where(possible, losses, 0)
    own = lower(gains, losses, trials, confidence) > difference + 1e-12
    return (weight * own).sum(), (weight * tango_rejects(gains, losses, trials, difference, confidence)).sum()


def main():
    print("paired_difference/tests.rs: gains, losses, trials, confidence, lower, upper")
    for gains, losses, trials, confidence in [
        (0, 0, 100, 0.95),
        (5, 0, 100, 0.95),
        (30, 10, 1000, 0.95),
        (10, 30, 1000, 0.95),
        (300, 100, 10_000, 0.9),
        (60, 40, 100, 0.99),
        (12, 12, 12_345, 0.9975),
        (20, 0, 20, 0.95),
    ]:
        low, high = lower(gains, losses, trials, confidence), -lower(losses, gains, trials, confidence)
        print(f"        ({gains}, {losses}, {trials}, {confidence}, {float(low)!r}, {float(high)!r}),")
    print("share of studies in which the lower bound exceeds the difference, at the worst of the true values:")
    print("| trials | confidence | exact | Tango |")
    for confidence in [0.9, 0.95, 0.9975]:
        for trials in [20, 100, 1000, 5000]:
            worst = [0.0, 0.0]
            for difference in [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3]:
                for second in [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 0.3]:
                    found = failures(trials, second + difference, second, confidence)
                    worst = [max(pair) for pair in zip(worst, found)]
            print(f"| {trials} | {confidence} | {worst[0]:.4f} | {worst[1]:.4f} |")


if __name__ == "__main__":
    main()
