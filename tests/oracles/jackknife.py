"""How often bounds of the jackknife over 64 groups miss for metrics that are no means of scores in a known range: the table of
`docs/src/statistics.md`.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 scipy==1.17.1
    venv/bin/python tests/oracles/jackknife.py
"""

import numpy as np
from scipy import stats

GROUPS, STUDIES = 64, 2000
rng = np.random.default_rng(6)


def misses(name, pairs, draw, value, truth):
    """`draw` gives the components of pairs, and `value` the metric of sums of components."""
    missed = np.zeros(2)
    for _ in range(STUDIES):
        components, group = draw(pairs), rng.integers(0, GROUPS, pairs)
        total = components.sum(0)
        sums = np.stack([np.bincount(group, weights=column, minlength=GROUPS) for column in components.T], 1)
        occupied = np.bincount(group, minlength=GROUPS) > 0
        with np.errstate(all="ignore"):
            estimate, without = value(total), value((total - sums[occupied]).T)
        if not (np.isfinite(estimate) and np.isfinite(without).all()) or np.ptp(without) == 0:
            continue
        n = len(without)
        error = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
        reach = stats.t.ppf(0.95, n - 1) * error
        missed += [estimate - reach > truth + 1e-12, estimate + reach < truth - 1e-12]
    print(f"{name}, {pairs} pairs: lower {missed[0] / STUDIES:.3f}, upper {missed[1] / STUDIES:.3f}")


def f1(sums):
    return 2 * sums[0] / (2 * sums[0] + sums[1] + sums[2])


def balanced(sums):
    return (sums[0] / (sums[0] + sums[2]) + sums[3] / (sums[1] + sums[3])) / 2


def correlation(sums):
    both, model, substrate, neither = sums
    product = (both + model) * (both + substrate) * (neither + model) * (neither + substrate)
    return (both * neither - model * substrate) / np.sqrt(product)


# A label of 2 %, of which the model misses 30 %, and which it gives in 2 % of the other pairs.
SHARES = np.array([0.02 * 0.7, 0.98 * 0.02, 0.02 * 0.3, 0.98 * 0.98])
for name, metric in [("F1", f1), ("balanced accuracy", balanced), ("Matthews' correlation", correlation)]:
    misses(name, 300, lambda n: np.eye(4)[rng.choice(4, n, p=SHARES)], metric, metric(SHARES))

LEVELS = np.array([0.55, 0.65, 0.75, 0.85, 0.95])


def calibrated(n):
    level = rng.integers(0, 5, n)
    hits = rng.random(n) < LEVELS[level]
    columns = [np.eye(5)[level] * factor[:, None] for factor in (np.ones(n), LEVELS[level], hits)]
    return np.concatenate(columns, 1)


def calibration_error(sums):
    return np.abs(sums[10:15] - sums[5:10]).sum(0) / sums[:5].sum(0)


misses("calibration error", 1000, calibrated, calibration_error, 0.0)


def counted(scores):
    return np.stack([scores, np.ones_like(scores)], 1)


def mean(sums):
    return sums[0] / sums[1]


misses("absolute error, lognormal", 300, lambda n: counted(np.exp(rng.normal(size=n))), mean, np.exp(0.5))
misses(
    "absolute error, exponential, 1 % 20 times as large",
    300,
    lambda n: counted(rng.exponential(size=n) * np.where(rng.random(n) < 0.01, 20, 1)),
    mean,
    0.99 + 0.2,
)
misses(
    "root mean square error, lognormal",
    1000,
    lambda n: counted(np.exp(2 * rng.normal(size=n))),
    lambda sums: np.sqrt(mean(sums)),
    np.e,
)


def lognormal(n):
    decisions, errors = np.exp(rng.normal(size=n)), rng.normal(size=n) * np.sqrt(0.1 * np.e * (np.e - 1))
    return np.stack([errors**2, decisions, decisions**2, np.ones(n)], 1)


misses("R squared, lognormal decisions", 1000, lognormal, lambda s: 1 - s[0] / (s[2] - s[1] ** 2 / s[3]), 0.9)
misses("absolute bias", 300, lambda n: counted(rng.normal(size=n)), lambda sums: np.abs(mean(sums)), 0.0)
