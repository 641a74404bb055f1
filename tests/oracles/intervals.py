"""Reference values for the tests of `host/statistics/src/scoring/interval/`, printed as the tests have them.

    python3 -m venv venv
    venv/bin/pip install astropy==8.0.2 numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
    venv/bin/python tests/oracles/intervals.py

The values of the confidence sequences are from `confidence_sequences.py`.
"""

import numpy as np
from astropy.stats import jackknife_stats
from scipy import optimize, stats
from bounded_mean import bounded_mean, gamma_sum_below_zero
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    power_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)


def show(*values):
    print("        (" + ", ".join(v if isinstance(v, str) else repr(v) for v in map(plain, values)) + "),")


def plain(value):
    return value.item() if isinstance(value, np.generic) else value


print("tests.rs, quantiles of Student's t: p, degrees, quantile")
for p in [0.5, 0.8, 0.95, 0.99, 0.999]:
    for degrees in [1, 2, 6, 29, 364, 2000, 100_000]:
        show(p, degrees, stats.t.ppf(p, degrees))

print("tests.rs, quantiles of the standard normal distribution: p, quantile")
for p in [0.5, 0.8, 0.95, 0.975, 0.99, 0.9999]:
    show(p, stats.norm.ppf(p))

print("proportion/tests.rs, wilson: hits, trials, confidence, lower, upper")
for hits, trials, confidence in [
    (0, 1, 0.95),
    (1, 1, 0.95),
    (0, 20, 0.95),
    (20, 20, 0.95),
    (7, 20, 0.8),
    (1, 3, 0.99),
    (881, 1000, 0.95),
    (881, 1000, 0.975),
    (999_999, 1_000_000, 0.95),
    (123_456_789, 1_000_000_000, 0.999),
]:
    lower, upper = proportion_confint(hits, trials, alpha=2 * (1 - confidence), method="wilson")
    for alternative, bound in [("greater", lower), ("less", upper)]:
        test = stats.binomtest(hits, trials, alternative=alternative)
        interval = test.proportion_ci(confidence_level=confidence, method="wilson")
        other = interval.low if alternative == "greater" else interval.high
        assert abs(other - bound) < 1e-12, (hits, trials, other, bound)
    show(hits, trials, confidence, lower, upper)

print("proportion/tests.rs, clopper_pearson: hits, trials, confidence, lower, upper")
for hits, trials, confidence in [
    (0, 1, 0.95),
    (1, 1, 0.95),
    (0, 20, 0.95),
    (20, 20, 0.95),
    (7, 20, 0.8),
    (1, 3, 0.99),
    (98, 100, 0.95),
    (999, 1000, 0.95),
    (881, 1000, 0.975),
    (999_999, 1_000_000, 0.95),
    (3, 20, 0.5),
]:
    lower = 0.0 if hits == 0 else stats.beta.ppf(1 - confidence, hits, trials - hits + 1)
    upper = 1.0 if hits == trials else stats.beta.ppf(confidence, hits + 1, trials - hits)
    for alternative, bound in [("greater", lower), ("less", upper)]:
        test = stats.binomtest(hits, trials, alternative=alternative)
        interval = test.proportion_ci(confidence_level=confidence, method="exact")
        other = interval.low if alternative == "greater" else interval.high
        assert abs(other - bound) < 1e-9, (hits, trials, other, bound)
    show(hits, trials, confidence, lower, upper)


def most_independent_trials(sizes):
    """The limit for clusters of these sizes: Kish's number of clusters if the sizes vary much."""
    variation = np.var(sizes) / np.mean(sizes) ** 2
    limit = len(sizes) / min(1 + variation, 2 * variation)
    assert variation < 1 or abs(limit - sum(sizes) ** 2 / sum(np.square(sizes))) < 1e-9
    return limit


print("cluster_sizes/tests.rs, most_independent_trials: number of clusters, squared variation of their sizes, limit")
TEN_LARGE = [1] * 300 + [5] * 60 + [40] * 10
for sizes in [TEN_LARGE, [1] * 3000 + [200] * 10, [9] * 50 + [11] * 50]:
    show(len(sizes), np.var(sizes) / np.mean(sizes) ** 2, most_independent_trials(sizes))

print("cluster_mean.rs: mean, error, clusters, lower, upper")


def cluster_mean_lower(mean, error, clusters, level):
    """The lower bound for scores in [0, 1], by scipy: a beta distribution, scaled to the greater of two values."""
    variance = min(error * error * clusters, mean * (1 - mean))
    value = min(mean + variance / mean, 1.0)
    at_value = clusters * mean / value
    return value * stats.beta.ppf(level, at_value, clusters - at_value + 1)


for mean, error, clusters in [(0.99, 0.003, 100.0), (0.999, 0.0002, 1000.0), (0.5, 0.01, 62.0)]:
    lower = cluster_mean_lower(mean, error, clusters, 0.05)
    show(mean, error, clusters, lower, 1 - cluster_mean_lower(1 - mean, error, clusters, 0.05))

print("korn_graubard.rs: share, error, degrees, most, confidence, lower, upper")
for share, error, degrees, most, confidence in [
    (0.9, 0.02, 20, 1_000_000, 0.95),
    (0.999, 0.001, 63, 1000, 0.95),
    (0.98, 0.01, 63, 1000, 0.975),
    (0.02, 0.01, 9, 400, 0.9),
    (0.97, 0.008, 63, int(most_independent_trials(TEN_LARGE)), 0.95),
]:
    certainty = stats.norm.ppf(confidence) / stats.t.ppf(confidence, degrees)
    trials = np.floor(min(share * (1 - share) / error**2 * certainty**2, most))
    least, greatest = np.floor(share * trials), np.ceil(share * trials)
    lower = 0.0 if least == 0 else stats.beta.ppf(1 - confidence, least, trials - least + 1)
    upper = 1.0 if greatest == trials else stats.beta.ppf(confidence, greatest + 1, trials - greatest)
    show(share, error, degrees, most, confidence, lower, upper)

print("proportion.rs, wilson: coverage of each bound at 0.95 for shares from 0.8 to 0.999: least, and on average")
z = stats.norm.ppf(0.95)
for trials in [50, 200, 1000]:
    hits = np.arange(trials + 1)
    middle = (hits + z * z / 2) / (trials + z * z)
    reach = z / (trials + z * z) * np.sqrt(hits * (trials - hits) / trials + z * z / 4)
    shares = np.linspace(0.8, 0.999, 399)
    weights = [stats.binom.pmf(hits, trials, share) for share in shares]
    for name, holds in [("lower", lambda p: middle - reach <= p), ("upper", lambda p: middle + reach >= p)]:
        held = np.array([w[holds(p)].sum() for w, p in zip(weights, shares)])
        print(f"        {trials} trials, {name}: {held.min():.3f} at {shares[held.argmin()]:.4f}, {held.mean():.3f}")

print("proportion/tests.rs, binomial_tail: k, n, p, probability")
for k, n, p in [
    (0, 5, 0.3),
    (1, 10, 0.5),
    (5, 10, 0.5),
    (10, 10, 0.5),
    (3, 7, 0.01),
    (11, 12, 0.05),
    (200, 1000, 0.1),
    (900, 1000, 0.88),
    (700, 1000, 0.88),
    (50, 100_000, 0.001),
    (99_990, 100_000, 0.9999),
    (500_000, 1_000_000, 0.4999),
    (8_000, 1_000_000, 0.0075),
]:
    show(k, n, p, stats.binom.sf(k - 1, n, p))

# The scores of groups of different sizes; the value is their mean.
GROUPS = [[((37 * i + 11 * g) % 101) / 100 for i in range(5 + 3 * (g % 4))] for g in range(9)]


def mean(groups):
    return np.concatenate(groups).mean()


def replicates(value, groups):
    return np.array([value(groups[:g] + groups[g + 1 :]) for g in range(len(groups))])


def jackknife_error(without):
    return np.sqrt((len(without) - 1) * np.var(without))


def jackknife(estimate, without, confidence):
    reach = stats.t.ppf(confidence, len(without) - 1) * jackknife_error(without)
    return estimate - reach, estimate + reach


print("jackknife.rs, of groups: estimate, standard error; confidence, lower, upper")
without = replicates(mean, GROUPS)
show(mean(GROUPS), jackknife_error(without))
for confidence in [0.8, 0.95, 0.99]:
    show(confidence, *jackknife(mean(GROUPS), without, confidence))

print("jackknife.rs, groups of one score, by astropy: estimate, standard error")
singles = np.array(GROUPS[3])
_, _, error, _ = jackknife_stats(singles, np.mean, 0.95)
assert abs(error - stats.sem(singles)) < 1e-15
show(singles.mean(), error)


print("two_sample/tests.rs, proportion_difference: first, second, confidence, alpha, difference, lower, upper, p-value, detectable")
for first, second, confidence, alpha in [
    ((90, 100), (80, 100), 0.95, 0.05),
    ((450, 500), (160, 200), 0.95, 0.01),
    ((3, 10), (6, 10), 0.9, 0.05),
    ((20, 20), (15, 30), 0.975, 0.025),
    ((7, 7), (9, 10), 0.95, 0.05),
    ((881_000, 1_000_000), (430_000, 500_000), 0.95, 0.05),
    ((5, 50), (0, 60), 0.95, 0.05),
]:
    _, p_value = proportions_ztest(
        [first[0], second[0]], [first[1], second[1]], alternative="larger", prop_var=False
    )
    lower, upper = confint_proportions_2indep(
        *first, *second, method="newcomb", compare="diff", alpha=2 * (1 - confidence)
    )
    share = second[0] / second[1]

    def short(difference):
        power = power_proportions_2indep(
            difference, share, first[1], ratio=second[1] / first[1], alpha=alpha, alternative="larger"
        )
        return power.power - 0.8

    # statsmodels has no power for a share of 1, whose own variance is zero.
    most = (1 - share) * (1 - 1e-12)
    found = most > 0 and short(most) >= 0
    least = f"Some({optimize.brentq(short, 1e-9, most, xtol=1e-15, rtol=1e-14)!r})" if found else "None"
    show(first, second, confidence, alpha, first[0] / first[1] - share, lower, upper, p_value, least)

print("two_sample/tests.rs, jackknife_difference: difference, confidence, alpha, lower, upper, p-value, detectable; `without`")
SECOND = [[((53 * i + 29 * g) % 101) / 125 for i in range(4 + 2 * (g % 3))] for g in range(9)]
difference = mean(GROUPS) - mean(SECOND)
without = replicates(mean, GROUPS) - replicates(mean, SECOND)
show(*without)
for confidence, alpha in [(0.95, 0.05), (0.99, 0.01)]:
    error = jackknife_error(without)
    degrees = len(without) - 1
    detectable = (stats.t.ppf(1 - alpha, degrees) + stats.t.ppf(0.8, degrees)) * error
    p_value = stats.t.sf(difference / error, degrees)
    show(difference, confidence, alpha, *jackknife(difference, without, confidence), p_value, detectable)

print("two_sample.rs, jackknife_difference: (t + t) over the noncentral t less 1: groups, at the level 0.05, at 0.01")
for groups in [2, 3, 5, 10, 20, 60]:
    degrees = groups - 1
    off = []
    for alpha in [0.05, 0.01]:
        t = stats.t.ppf(1 - alpha, degrees)
        exact = optimize.brentq(lambda d: stats.nct.sf(t, degrees, d) - 0.8, 0.1, 100)
        off.append(round((t + stats.t.ppf(0.8, degrees)) / exact - 1, 4).item())
    show(groups, *off)

print("gamma_sum.rs: terms, probability")
for terms in [
    [(-0.3, 1.0), (0.2, 2.0)],
    [(-0.9, 1.0), (0.05, 3.0), (0.08, 5.0)],
    [(-0.9, 1.0), (-0.1, 500.0), (0.1, 600.0)],
    [(-0.5, 2.5), (0.001, 4000.0)],
    [(-0.001, 4000.0), (0.5, 5.5)],
    [(-1.0, 3.0), (-0.2, 40.0), (0.3, 60.0), (2.0, 1.0)],
    [(-0.6, 1.0), (0.4, 0.015), (-2e-6, 2800.0)],
]:
    show(f"&{terms}", gamma_sum_below_zero(terms))

print("bounded_mean/tests.rs: scores, confidence, lower, upper")
for scores, confidence in [
    ([(0.0, 3.0), (0.5, 5.0), (1.0, 2.0)], 0.95),
    ([(0.2, 1.0), (0.4, 1.0), (0.9, 1.0)], 0.95),
    ([(0.0, 2.0), (0.9, 300.0), (1.0, 698.0)], 0.95),
    ([(0.1, 10.5), (0.2, 2.25), (0.35, 30.0), (0.6, 1.0), (0.99, 0.5)], 0.9),
    ([(0.3, 500.0), (0.7, 500.0)], 0.5),
    ([(0.5, 1.0), (0.6, 3.0)], 0.999),
    ([(0.97, 3e5), (0.98, 3e5), (1.0, 4e5)], 0.95),
    ([(0.6, 2800.0), (1.0, 0.015)], 0.95),
]:
    show(f"&{scores}", confidence, *bounded_mean(scores, 0.0, 1.0, confidence))
