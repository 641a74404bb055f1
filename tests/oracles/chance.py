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
    for name, found in bounds.items():
        print(f"{name}: {min(float(low) for low, _ in found)!r}, {float(found[2][1])!r}")
    lower, upper = jackknife(kappa, PAIRS, 0.95)
    least, greatest = jackknife(lambda pairs: np.log(1 - kappa(pairs)), PAIRS, 0.95)
    skewed = min(lower, 1 - np.exp(greatest)), max(upper, 1 - np.exp(least))
    print("jackknife kappa: " + ", ".join(repr(float(bound)) for bound in skewed))


main()
