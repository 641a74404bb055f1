"""Reference values for the tests of `host/statistics/src/verdict/plan/`, printed as the tests have them.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
    venv/bin/python tests/oracles/plan.py

The required hits are found by trying every count, in exact fractions for a point estimate and with statsmodels for a bound.
"""

from fractions import Fraction

from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint

IMPOSSIBLE = None


def passes(hits, n, direction, bound, confidence):
    if confidence is None:
        value, bound = Fraction(hits, n), Fraction(bound)
    else:
        lower, upper = proportion_confint(hits, n, alpha=2 * (1 - confidence), method="beta")
        value, bound = (lower if direction == "AtLeast" else upper), float(bound)
    return value >= bound if direction == "AtLeast" else value <= bound


def hits(n, direction, bound, confidence):
    passing = [k for k in range(n + 1) if passes(k, n, direction, bound, confidence)]
    if not passing:
        return IMPOSSIBLE
    return min(passing) if direction == "AtLeast" else max(passing)


def probability_of_passing(n, direction, bound, confidence, truth):
    needed = hits(n, direction, bound, confidence)
    if needed is IMPOSSIBLE:
        return 0.0
    return stats.binom.sf(needed - 1, n, truth) if direction == "AtLeast" else stats.binom.cdf(needed, n, truth)


def some(value):
    return "None" if value is None else f"Some({value})"


print("direction, bound, confidence, n: hits; truth, probability")
for direction, bound, confidence, n, truth in [
    ("AtLeast", "0.85", None, 20, 0.85),
    ("AtLeast", "0.85", None, 21, 0.88),
    ("AtLeast", "0.7", None, 10, 0.7),
    ("AtLeast", "0.29", None, 100, 0.3),
    ("AtLeast", "0.85", 0.95, 100, 0.9),
    ("AtLeast", "0.85", 0.95, 10, 0.99),
    ("AtLeast", "0.9", 0.99, 2000, 0.92),
    ("AtLeast", "1", None, 50, 0.99),
    ("AtLeast", "0", None, 50, 0.0),
    ("AtMost", "0.1", None, 20, 0.1),
    ("AtMost", "0.29", None, 100, 0.25),
    ("AtMost", "0.1", 0.95, 100, 0.05),
    ("AtMost", "0.1", 0.95, 10, 0.01),
    ("AtMost", "0.02", 0.9, 5000, 0.015),
]:
    probability = float(probability_of_passing(n, direction, bound, confidence, truth))
    needed = some(hits(n, direction, bound, confidence))
    print(f"        ({direction}, {float(bound)}, {some(confidence)}, {n}, {needed}, {truth}, {probability!r}),")

print("normal: direction, bound, confidence, spread, n, truth, probability")
for direction, bound, confidence, spread, n, truth in [
    ("AtMost", 12.0, None, 30.0, 400, 11.0),
    ("AtMost", 12.0, 0.95, 30.0, 400, 8.0),
    ("AtLeast", 0.4, 0.9, 0.7, 250, 0.5),
]:
    beside = 0.0 if confidence is None else stats.norm.ppf(confidence)
    excess = truth - bound if direction == "AtLeast" else bound - truth
    probability = float(stats.norm.cdf(excess * n**0.5 / spread - beside))
    print(f"        ({direction}, {bound}, {some(confidence)}, {spread}, {n}, {truth}, {probability!r}),")

print("margins, at least 0.85 by the bound at 0.95 with a probability of 0.8: n, excess")
for n in [30, 100, 800]:
    excess = IMPOSSIBLE
    if probability_of_passing(n, "AtLeast", "0.85", 0.95, 1.0) >= 0.8:
        excess = optimize.brentq(lambda x: probability_of_passing(n, "AtLeast", "0.85", 0.95, x) - 0.8, 0.85, 1.0, xtol=1e-14) - 0.85
    print(f"        ({n}, {some(excess)}),")
print("the same in each of 8 windows, by the point estimate: n, excess")
for n in [30, 100, 800]:
    excess = optimize.brentq(lambda x: probability_of_passing(n, "AtLeast", "0.85", None, x) ** 8 - 0.8, 0.85, 1.0, xtol=1e-14) - 0.85
    print(f"        ({n}, {some(excess)}),")
