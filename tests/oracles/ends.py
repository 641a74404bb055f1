"""How often a model exactly on the line is GO if a run is ended at the best look: an independent simulation of the table `ends` in
`docs/src/statistics.md`.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 scipy==1.17.1
    venv/bin/python tests/oracles/ends.py

The boundary is the gamma-exponential mixture of Howard, Ramdas, McAuliffe and Sekhon (2021), tuned like that of a verdict.
"""

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import gammainc, gammaln

BOUND, STUDIES, FIRST_END = 0.85, 2000, 4
rng = np.random.default_rng(31)


def boundary(variance, level, expected):
    surprise = np.log(1 / (2 * level))
    rho = expected / (2 * surprise + np.log(1 + 2 * surprise))

    def excess(x):
        shape, at = variance + rho, x + variance + rho
        prior = rho * np.log(rho) - gammaln(rho) - np.log(gammainc(rho, rho))
        return prior + gammaln(shape) + np.log(gammainc(shape, at)) - shape * np.log(at) + x + variance + np.log(level)

    return brentq(excess, 1e-9, 50 + 20 * np.sqrt(variance) + variance)


class Sequences:
    """The sequences of all studies at once."""

    def __init__(self):
        self.variation, self.pairs, self.hits = np.zeros(STUDIES), 0, np.zeros(STUDIES)

    def push(self, pairs, hits):
        guess = self.hits / self.pairs if self.pairs else BOUND
        self.variation += hits * (1 - guess) ** 2 + (pairs - hits) * guess**2
        self.pairs, self.hits = self.pairs + pairs, self.hits + hits

    def lower(self, level, expected):
        grid = np.linspace(self.variation.min() * 0.999, self.variation.max() * 1.001, 24)
        reach = np.interp(self.variation, grid, [boundary(x, level, expected) for x in grid])
        return (self.hits - reach) / self.pairs


for weeks, pairs, latest in [(13, 100, None), (52, 100, None), (52, 300, None), (13, 100, 4), (52, 100, 4)]:
    hits = rng.binomial(pairs, BOUND, size=(STUDIES, weeks)).astype(float)
    at_once, at_all_looks = np.zeros(STUDIES, bool), np.zeros(STUDIES, bool)
    for week in range(FIRST_END, weeks + 1):
        first = 0 if latest is None else week - latest
        sequences = Sequences()
        for at in range(first, week):
            sequences.push(pairs, hits[:, at])
        # With the latest windows, each look has a sequence of its own, with its share of the level.
        level = 0.05 if latest is None else 0.05 / ((first + 1) * (first + 2))
        n, k = sequences.pairs, sequences.hits
        exact = stats.beta.ppf(0.05, k, n - k + 1)
        sequential = sequences.lower(level, pairs * (latest or 1) * BOUND * (1 - BOUND))
        at_once |= exact >= BOUND
        at_all_looks |= sequential >= BOUND
    distances = [float((k / n - bound).mean()) for bound in (exact, sequential)]
    shares = [float(go.mean()) for go in (exact >= BOUND, at_once, at_all_looks)]
    print(weeks, pairs, latest, [round(share, 4) for share in shares], [round(distance, 4) for distance in distances])
