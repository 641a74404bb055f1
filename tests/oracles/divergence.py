"""Reference values for the tests of `host/statistics/src/divergence/`, printed as the tests have them.

    python3 -m venv venv
    venv/bin/pip install --requirement tests/oracles/requirements-divergence.txt
    venv/bin/python tests/oracles/divergence.py

Fisher's exact test is that of scipy, checked in exact fractions. Change points come from numpy, with its own generator for
the permutations; for equal weights, ruptures checks them.
"""

from fractions import Fraction
from math import comb

import numpy as np
import ruptures
import statsmodels.api as sm
from scipy import stats


def show(*values):
    plain = [v.item() if isinstance(v, np.generic) else v for v in values]
    print("        (" + ", ".join(repr(v) for v in plain) + "),")


def exact(a, n, b, m):
    k = a + b
    weights = [comb(n, i) * comb(m, k - i) for i in range(max(0, k - m), min(n, k) + 1)]
    first = max(0, k - m)
    return float(Fraction(sum(weights[a - first :]), sum(weights)))


print("fisher.rs: hits, trials, other's hits, other's trials, p-value for greater")
for a, n, b, m in [
    (1, 1, 0, 1),
    (3, 4, 1, 4),
    (0, 5, 5, 5),
    (8, 10, 3, 12),
    (10, 10, 0, 10),
    (450, 500, 8_000, 9_500),
    (380, 500, 8_550, 9_500),
    (45, 50, 9_000, 10_000),
    (1_700, 1_713, 147_000, 150_000),
    (2_000, 2_000, 140_000, 160_000),
    (30_000, 100_000, 50_000, 180_000),
]:
    p = stats.fisher_exact([[a, n - a], [b, m - b]], alternative="greater").pvalue
    # In fractions, unless that takes minutes.
    truth = exact(a, n, b, m) if n + m < 20_000 else p
    assert abs(p - truth) <= 1e-9 * truth, (a, n, b, m, p, truth)
    show(a, n, b, m, p)

print("subgroup_search/tests.rs: Benjamini-Hochberg")
p_values = np.array([0.01, 0.002, 0.04, 0.03, 0.5, 0.005, 1.0, 0.03])
show(*stats.false_discovery_control(p_values))

print("interval/tests.rs, Student's t: t, degrees, upper tail probability")
for t, degrees in [(0.0, 3), (2.0, 1.7), (5.0, 2.5), (-1.5, 30.3), (12.0, 1_000.5), (3.0, 2e5), (5.0, 3e6), (12.0, 1e7)]:
    show(t, float(degrees), stats.t.sf(t, degrees))
print("interval/tests.rs, Student's t: probability, degrees, quantile")
for p, degrees in [(0.975, 1.7), (0.975, 2.5), (0.95, 30.3), (0.975, 2e5), (0.999, 1e7)]:
    show(p, float(degrees), stats.t.ppf(p, degrees))

# The two components of fifty pairs.
AT = np.arange(50)
X = ((37 * AT + 11) % 101 + 1) / 10
Y = 2 + 0.5 * X + ((17 * AT + 5) % 13) / 7


def sandwich(derivatives):
    """The standard error of a function of the means of X and Y, from its derivatives there and numpy's covariance."""
    g = np.array(derivatives)
    return np.sqrt(g @ np.cov(X, Y) @ g / len(X))


print("delta_method.rs: value and standard error of the mean of X, of the ratio of Y to X, of the root of the mean square of X")
show(X.mean(), stats.sem(X))
ratio = sandwich([-Y.mean() / X.mean() ** 2, 1 / X.mean()])
# The same by regression: the sum of Y over the sum of X is the weighted slope without intercept. Its robust standard errors
# have the divisor n instead of n - 1.
fit = sm.WLS(Y, X, weights=1 / X).fit(cov_type="HC0")
assert abs(fit.params[0] - Y.mean() / X.mean()) < 1e-12
assert abs(fit.bse[0] * np.sqrt(50 / 49) - ratio) < 1e-12
show(Y.mean() / X.mean(), ratio)
rms = np.sqrt((X**2).mean())
show(rms, stats.sem(X**2) / (2 * rms))
print("subgroup_contrast.rs: Welch's t of X[:20] against Y[20:]: p-value for less, bounds at 0.975 each")
welch = stats.ttest_ind(X[:20], Y[20:], equal_var=False, alternative="less")
both = stats.ttest_ind(X[:20], Y[20:], equal_var=False).confidence_interval(0.95)
show(welch.pvalue, both.low, both.high)


# Change points.
def greatest_split(figures, weights):
    best = (-1.0, None)
    for at in range(3, len(figures) - 2):
        v, w = weights[:at].sum(), weights[at:].sum()
        apart = np.average(figures[at:], weights=weights[at:]) - np.average(figures[:at], weights=weights[:at])
        best = max(best, (np.sqrt(v * w / (v + w)) * abs(apart), at), key=lambda found: found[0])
    return best


def segments(figures, weights, level, start=0):
    if len(figures) < 6:
        return []
    seen, at = greatest_split(figures, weights)
    random = np.random.default_rng(start)
    orders = [random.permutation(len(figures)) for _ in range(1_999)]
    p = (1 + sum(greatest_split(figures[o], weights[o])[0] >= seen * (1 - 1e-9) for o in orders)) / 2_000
    if p > level:
        return []
    before = segments(figures[:at], weights[:at], level, start)
    after = segments(figures[at:], weights[at:], level, start + at)
    return before + [(start + at, float(p))] + after


def series(count, steps, wide):
    at = np.arange(count)
    figures = 0.9 + ((12 * at * at + 5 * at) % 31 - 15) / 31 * 0.1
    for first, by in steps:
        figures[first:] += by
    return figures, (50.0 + (23 * at) % 41 if wide else np.ones(count))


print("change_points.rs: windows, whether weights differ, changes at, before, after, p-value about")
for count, steps, wide in [
    (40, [], True),
    (40, [(22, -0.06)], True),
    (60, [(20, -0.12), (45, 0.2)], True),
    (60, [(20, -0.12), (45, 0.2)], False),
    (30, [(4, -0.1)], True),
    (24, [(12, -0.03)], True),
    (24, [(12, -0.03)], False),
]:
    figures, weights = series(count, steps, wide)
    found = segments(figures, weights, 0.2)
    if not wide:
        knots = ruptures.Binseg(model="l2", min_size=3, jump=1).fit(figures).predict(n_bkps=len(found))
        assert knots[:-1] == [at for at, _ in found], knots
    edges = [0, *(at for at, _ in found), count]
    means = [np.average(figures[a:b], weights=weights[a:b]) for a, b in zip(edges, edges[1:])]
    show(count, wide, [(at, means[i].item(), means[i + 1].item(), p) for i, (at, p) in enumerate(found)])


# The p-values of the program's own generator, SplitMix64, with the shuffle of Durstenfeld.
class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        word = 2**64 - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & word
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & word
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & word
        return z ^ (z >> 31)

    def shuffle(self, items):
        for last in range(len(items) - 1, 0, -1):
            other = (self.next() * (last + 1)) >> 64
            items[last], items[other] = items[other], items[last]


def seeded_segments(figures, weights, level, seed, start=0):
    if len(figures) < 6:
        return []
    seen, at = greatest_split(figures, weights)
    random = SplitMix64(seed ^ (start << 32) ^ len(figures))
    order, as_great = list(range(len(figures))), 1
    for _ in range(9_999):
        random.shuffle(order)
        as_great += bool(greatest_split(figures[order], weights[order])[0] >= seen * (1 - 1e-9))
        if as_great / 10_000 > level:
            return []
    before = seeded_segments(figures[:at], weights[:at], level, seed, start)
    after = seeded_segments(figures[at:], weights[at:], level, seed, start + at)
    return before + [(start + at, as_great / 10_000)] + after


print("change_points.rs: changes with the p-values of the generator, seed 9")
show(*seeded_segments(*series(44, [(12, -0.03), (32, 0.03)], True), 0.4, 9))
