"""Reference values for the tests of `host/statistics/src/verdict/chance_corrected_agreement.rs`.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
    venv/bin/python tests/oracles/chance.py

Pairs without an answer are a category that only the model has.
"""

import numpy as np
from paired_difference import lower as exact_lower
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

LABELS = ["cancel", "delay", "operate", None]
N, GROUPS = 1200, 16


def substrate(i):
    return "operate" if i % 20 < 15 else "delay" if i % 20 < 18 else "cancel"


def model(i):
    if i % 97 == 5:
        return None
    if i % 31 == 7:
        return "delay"
    return "operate" if i % 20 == 17 else substrate(i)


PAIRS = [(substrate(i), model(i), (7 * i + i // 50) % GROUPS) for i in range(N)]


def gain(pairs, label):
    return np.mean([float(s == m) - float(s == label) for s, m, _ in pairs])


def kappa(pairs):
    table = np.zeros((4, 4))
    for s, m, _ in pairs:
        table[LABELS.index(s), LABELS.index(m)] += 1
    return cohens_kappa(table).kappa


def jackknife(value, pairs, confidence):
    without = [value([pair for pair in pairs if pair[2] != group]) for group in range(GROUPS)]
    error = np.sqrt((GROUPS - 1) / GROUPS * ((without - np.mean(without)) ** 2).sum())
    reach = stats.t.ppf(confidence, GROUPS - 1) * error
    return value(pairs) - reach, value(pairs) + reach


def exact(label, confidence):
    gains = sum(s == m and s != label for s, m, _ in PAIRS)
    losses = sum(s == label and m != label for s, m, _ in PAIRS)
    return exact_lower(gains, losses, N, confidence), -exact_lower(losses, gains, N, confidence)


def exclusion(share):
    """The lower bound of the lead of `operate` over another label, at a tenth of the level over two labels."""
    leads = sum(s == "operate" for s, _, _ in PAIRS)
    return exact_lower(leads, sum(s == share for s, _, _ in PAIRS), N, 1 - 0.05 * 0.1 / 2)


def table(pairs):
    counts = np.zeros((4, 4))
    for s, m, _ in pairs:
        counts[LABELS.index(s), LABELS.index(m)] += 1
    return counts


def kappa_of(shares):
    agreement, expected = np.trace(shares), shares.sum(1) @ shares.sum(0)
    return (agreement - expected) / (1 - expected)


def unseen(counts, error, clusters, confidence):
    """Bounds of kappa if some clusters consist of pairs of one kind: the labels of substrate and model, one of which may be new.

    The slopes are numerical derivatives, and the mixtures are tables of shares.
    """
    size = len(counts) + 2
    shares = np.zeros((size, size))
    shares[: len(counts), : len(counts)] = counts / counts.sum()
    value = kappa_of(shares)

    def mixture(share, kind):
        own = np.zeros_like(shares)
        own[kind] = 1
        return kappa_of((1 - share) * shares + share * own)

    kinds = [(i, j) for i in range(size) for j in range(size)]
    slopes = {kind: (mixture(1e-6, kind) - mixture(-1e-6, kind)) / 2e-6 for kind in kinds}

    # Scores from the least to the greatest slope have at most this variance.
    greatest_variance = -min(slopes.values()) * max(slopes.values())

    def bound(sign):
        kind = max(kinds, key=lambda kind: sign * slopes[kind])
        reach = abs(slopes[kind])
        variance = min(error**2 * clusters, greatest_variance)
        other = reach + variance / reach
        weight = clusters * reach / other
        quantile = other * stats.beta.ppf(1 - confidence, weight, clusters - weight + 1)
        share = max(1 - min(quantile, reach) / reach, 0)
        return max((mixture(share, kind) for kind in kinds), key=lambda found: sign * found)

    return bound(-1), bound(1)


def main():
    agreement = np.mean([s == m for s, m, _ in PAIRS])
    commonest = np.mean([s == "operate" for s, _, _ in PAIRS])
    print("agreement, commonest share, gain, kappa:")
    print(f"    {agreement!r}, {commonest!r}, {agreement - commonest!r}, {kappa(PAIRS)!r}")
    bounds = {
        "exact gain": [exact(label, 0.95) for label in LABELS[:3]],
        "jackknife gain": [
            jackknife(lambda pairs: gain(pairs, label), PAIRS, 0.95) for label in LABELS[:3]
        ],
    }
    # The other labels are excluded from the commonest ones, so the upper bound is that over `operate`.
    assert exclusion("delay") > 0 and exclusion("cancel") > 0
    remaining = 1 - 0.05 * 0.9
    upper = exact("operate", remaining)[1], jackknife(lambda pairs: gain(pairs, "operate"), PAIRS, remaining)[1]
    for (name, found), upper in zip(bounds.items(), upper):
        print(f"{name}: {min(float(low) for low, _ in found)!r}, {float(upper)!r}")
    lower, upper = jackknife(kappa, PAIRS, 0.95)
    least, greatest = jackknife(lambda pairs: np.log(1 - kappa(pairs)), PAIRS, 0.95)
    skewed = min(lower, 1 - np.exp(greatest)), max(upper, 1 - np.exp(least))
    print("jackknife kappa: " + ", ".join(repr(float(bound)) for bound in skewed))
    for counts, error, clusters in [
        (table(PAIRS), 0.02, 1200),
        (np.array([[882, 98], [0, 20]]), 0.1, 40),
        (np.array([[480, 20], [10, 490]]), 0.03, 100),
        (np.array([[960, 0], [0, 40]]), 0.0, 50),
    ]:
        found = unseen(counts, error, clusters, 0.95)
        print(f"unseen of {counts.tolist()}, {error}, {clusters}: " + ", ".join(repr(float(b)) for b in found))


main()
