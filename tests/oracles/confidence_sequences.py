"""Reference values for the tests of the confidence sequences, printed as the tests have them: those of
`host/statistics/src/scoring/interval/` and of `host/statistics/examples/coverage/`.

    apt-get install libboost-dev
    python3 -m venv venv
    venv/bin/pip install matplotlib multiprocess numpy==2.4.6 pybind11==3.1.0 scipy==1.17.1
    venv/bin/pip download --no-deps --no-binary confseq confseq==0.0.11
    tar xzf confseq-0.0.11.tar.gz
    c++ -O2 -shared -fPIC -std=c++17 $(venv/bin/python -m pybind11 --includes) \\
        confseq-0.0.11/src/confseq/boundaries.cpp \\
        -o confseq-0.0.11/src/confseq/boundaries$(python3-config --extension-suffix)
    PYTHONPATH=confseq-0.0.11/src venv/bin/python tests/oracles/confidence_sequences.py

The package confseq is unpacked and not installed, since only one of its two compiled modules is needed. It was written for
numpy 1 and needs one name of it.
"""

import numpy as np

np.float_ = np.float64

from confseq.boundaries import gamma_exponential_mixture_bound
from confseq.conjmix_bounded import conjmix_empbern_lower_cs
from confseq.predmix import predmix_empbern_lower_cs, predmix_lower_cs
from scipy import special


def show(*values):
    print("        (" + ", ".join(v if isinstance(v, str) else repr(v) for v in map(plain, values)) + "),")


def plain(value):
    return value.item() if isinstance(value, np.generic) else value


def boundary(variance, alpha, expected):
    return gamma_exponential_mixture_bound(variance, alpha=alpha, v_opt=expected, c=1, alpha_opt=alpha)


print("mixture_boundary/tests.rs, boundaries: alpha, expected variance, variance, bound")
for alpha, expected in [(0.05, 100.0), (0.05, 1.0), (0.01, 25.0), (0.025, 2500.0), (0.2, 10.0), (0.05 / 2550, 10.0)]:
    for variance in [1e-6, 0.1, 1.0, 12.5, 100.0, 2464.0, 100_000.0]:
        show(alpha, expected, variance, boundary(variance, alpha, expected))

print("mixture_boundary/tests.rs, the lower incomplete gamma function at its shape: shape, probability")
for shape in [0.05, 0.5, 1.0, 3.7, 25.0, 400.0, 10_000.0, 1e6]:
    show(shape, special.gammainc(shape, shape))

print("mixture_boundary/tests.rs, the upper incomplete gamma function: shape, excess of the argument, probability")
for shape, beyond in [
    (0.3, 0.1),
    (0.5, 2.0),
    (1.0, 3.0),
    (12.0, 10.0),
    (12.0, 1.0),
    (400.0, 60.0),
    (400.0, 5.0),
    (10_000.0, 300.0),
    (1e6, 3500.0),
]:
    show(shape, beyond, special.gammaincc(shape, shape + beyond))


def scores(count):
    return np.array([((37 * i + 11) % 101) / 100 for i in range(count)])


def hits(count):
    return np.array([1.0 if (7 * i * i + 3) % 10 < 8 else 0.0 for i in range(count)])


print("confidence_sequence/tests.rs, blocks of one score: kind, level, observations, looks, lower, upper")
for name, kind in [("scores", scores), ("hits", hits)]:
    for level, observations in [(0.05, 400), (0.01, 40)]:
        x = kind(1000)
        # confseq halves the level that it is given.
        variance = observations / 4
        lower = conjmix_empbern_lower_cs(x, v_opt=variance, alpha=2 * level)
        upper = 1 - conjmix_empbern_lower_cs(1 - x, v_opt=variance, alpha=2 * level)
        for look in [1, 2, 10, 40, 200, 1000]:
            show(name, level, observations, look, lower[look - 1], upper[look - 1])

SIZES = np.array([120, 1, 300, 40, 77, 462])


def block_guesses(x, sizes, first):
    """The guess for each score of a block: the average of the blocks before it."""
    ends = np.cumsum(sizes)
    guesses = [x[:end].mean() if end else first for end in [0, *ends[:-1]]]
    return ends, np.array(guesses)


print("confidence_sequence/tests.rs, blocks of several scores: kind, level, guess, observations, looks, lower, upper")
for name, kind in [("scores", scores), ("hits", hits)]:
    for level, first, observations in [(0.05, 0.85, 300), (0.01, 0.5, 100)]:
        x = kind(SIZES.sum())
        ends, guesses = block_guesses(x, SIZES, first)
        variation = np.cumsum((x - np.repeat(guesses, SIZES)) ** 2)[ends - 1]
        expected = max(observations * first * (1 - first), 1.0)
        means = np.array([x[:end].mean() for end in ends])
        reach = boundary(variation, level, expected) / ends
        for look in [0, 1, 2, 5]:
            show(name, level, first, observations, look, max(means[look] - reach[look], 0.0), min(means[look] + reach[look], 1.0))

print("window_sequence.rs, windows: kind, level, usual size, look, lower, upper")
MANY = np.tile(SIZES, 12)
for name, kind in [("scores", scores), ("hits", hits)]:
    for level, usual in [(0.05, 600), (0.05, 100)]:
        x = kind(MANY.sum())
        ends, guesses = block_guesses(x, MANY, 0.8)
        sums = np.add.reduceat(x, np.concatenate([[0], ends[:-1]]))
        variation = np.cumsum((sums - MANY * guesses) ** 2)
        for look in [0, 17, 71]:
            largest = MANY[: look + 1].max()
            number = next(k for k in range(1, 60) if usual * 2 ** (k - 1) >= largest)
            scale = usual * 2 ** (number - 1)
            bound = boundary(variation[look] / scale**2, level / (number * (number + 1)), max(30 * 0.8 * 0.2, 1.0))
            mean, reach = x[: ends[look]].mean(), bound * scale / ends[look]
            show(name, level, usual, look, max(mean - reach, 0.0), min(mean + reach, 1.0))

print("examples/coverage/weighted_sequence.rs, blocks of one score: kind, confidence, scores, lower, upper")
for name, kind in [("scores", scores), ("hits", hits)]:
    for confidence in [0.95, 0.99]:
        x = kind(1000)
        lower = predmix_empbern_lower_cs(x, alpha=1 - confidence)
        upper = 1 - predmix_empbern_lower_cs(1 - x, alpha=1 - confidence)
        for n in [1, 2, 3, 10, 40, 200, 1000]:
            show(name, confidence, n, lower[n - 1], upper[n - 1])


def in_blocks(x, sizes, first, alpha):
    """The lower bounds at the ends of blocks, by confseq's mixture with the weights of the blocks, score by score."""
    ends = np.cumsum(sizes)
    weights, guesses = [], []
    spread = 0.0
    for block, (size, end) in enumerate(zip(sizes, ends)):
        begin = end - size
        t = begin + (sizes[block - 1] if block else first)
        variance = (0.25 + spread) / (1 + begin)
        weight = min(0.5, np.sqrt(2 * np.log(1 / alpha) / (variance * t * np.log(1 + t))))
        guess = x[:begin].mean() if begin else (0.0 if first == 1 else 0.5)
        weights += [weight] * size
        guesses += [guess] * size
        spread += ((x[begin:end] - (0.5 + x[:end].sum()) / (1 + end)) ** 2).sum()
    weights = np.array(weights)
    lower = predmix_lower_cs(
        x,
        v=(x - np.array(guesses)) ** 2,
        lambdas_fn=lambda _: weights,
        psi_fn=lambda weights: -np.log(1 - weights) - weights,
        alpha=alpha,
    )
    return lower[ends - 1]


print("examples/coverage/weighted_sequence.rs, blocks of several scores: kind, first, confidence, look, lower, upper")
for name, kind in [("scores", scores), ("hits", hits)]:
    for first, confidence in [(120, 0.95), (1, 0.95), (50, 0.99)]:
        x = kind(SIZES.sum())
        lower = in_blocks(x, SIZES, first, 1 - confidence)
        upper = 1 - in_blocks(1 - x, SIZES, first, 1 - confidence)
        for look in [0, 1, 5]:
            show(name, first, confidence, look, lower[look], upper[look])
