"""Reference values for the tests of review estimates and of weighted shares.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 statsmodels==0.15.0
    venv/bin/python tests/oracles/review.py

Computes a stratified estimate: the shares of a judgement in the strata, weighted by their disagreements, with Wilson's
interval at Kish's effective sample size.
"""

import numpy as np
from statsmodels.stats.proportion import proportion_confint

JUDGEMENTS = ["model-right", "substrate-right", "both-fine", "unclear"]

# By name: the number of disagreements, and how often each judgement was given.
STRATA = {
    "segment groups": (420, [5, 2, 0, 1]),
    "segment direct and day weekend": (60, [0, 6, 1, 0]),
    "room suite": (15, [0, 0, 0, 0]),
    "elsewhere": (2629, [3, 8, 4, 0]),
}

reviewed = {name: (size, counts) for name, (size, counts) in STRATA.items() if sum(counts)}
sizes = np.array([size for size, _ in reviewed.values()])
counts = np.array([counts for _, counts in reviewed.values()])
weights = sizes / sizes.sum()
judged = counts.sum(axis=1)
effective = 1 / np.sum(weights**2 / judged)
print("effective", repr(float(effective)))
for at, judgement in enumerate(JUDGEMENTS):
    share = float(np.sum(weights * counts[:, at] / judged))
    lower, upper = proportion_confint(share * effective, effective, alpha=0.1, method="wilson")
    print(judgement, repr(share), repr(float(lower)), repr(float(upper)))

print("proportion/tests.rs, wilson_weighted: share, trials, confidence, lower, upper")
for share, trials, confidence in [(0.0, 7.5, 0.95), (1.0, 7.5, 0.95), (0.3, 12.25, 0.95), (0.875, 1e5 + 0.5, 0.975)]:
    lower, upper = proportion_confint(share * trials, trials, alpha=2 * (1 - confidence), method="wilson")
    print(f"        ({share}, {trials}, {confidence}, {float(lower)!r}, {float(upper)!r}),")
