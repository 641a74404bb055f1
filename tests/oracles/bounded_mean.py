"""The bounds of Gaffke (2005) for the mean of scores in a known range, for the scripts beside this one."""

import numpy as np
from scipy import integrate, optimize


def gamma_sum_below_zero(terms):
    """The probability that a sum of gamma variables (scale, shape) is at most 0, by the inversion formula of Gil-Pelaez."""
    scale, shape = np.array(terms, dtype=float).T
    size = np.sqrt((shape * scale**2).sum())

    def integrand(u):
        angle = (shape * np.arctan(u * scale / size)).sum()
        return np.exp(-(shape * np.log1p((u * scale / size) ** 2)).sum() / 2) * np.sin(angle) / u

    edges = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1e4, 1e6]
    parts = [integrate.quad(integrand, *edge, epsabs=1e-14, epsrel=1e-13, limit=2000)[0] for edge in zip(edges, edges[1:])]
    return 0.5 - sum(parts) / np.pi


def bounded_mean(scores, least, greatest, confidence):
    """The bounds of Gaffke (2005) for scores (value, weight) in a range."""

    def lower(unit):
        mean = sum(value * weight for value, weight in unit) / sum(weight for _, weight in unit)

        def excess(bound):
            terms = [(-bound, 1.0)] + [(value - bound, weight) for value, weight in unit]
            return gamma_sum_below_zero(terms) - (1 - confidence)

        greatest_bound = mean if excess(mean) > 0 else max(value for value, _ in unit)
        return min(optimize.brentq(excess, 1e-12, greatest_bound, xtol=1e-15, rtol=1e-14), mean)

    width = greatest - least
    return (
        least + width * lower([((value - least) / width, weight) for value, weight in scores]),
        greatest - width * lower([((greatest - value) / width, weight) for value, weight in scores]),
    )
