"""Reference values for the tests of `host/statistics/src/verdict/family.rs`.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 statsmodels==0.15.0
    venv/bin/python tests/oracles/family.py
"""

import numpy as np
from statsmodels.stats.multitest import multipletests

ROWS = [
    [0.01, 0.04, 0.03, 0.005],
    [0.01, 0.06, 0.016, 0.011],
    [0.5, 0.02],
    [0.5, 0.026],
    [0.0126, 0.001, 0.02, 0.8],
    *np.random.default_rng(15).beta(0.3, 4, size=(4, 8)).round(4).tolist(),
]


def main():
    print("p-values, and the least level at which Holm's method rejects each")
    for row in ROWS:
        print(f"    (&{row}, &{multipletests(row, method='holm')[1].tolist()}),")


main()
