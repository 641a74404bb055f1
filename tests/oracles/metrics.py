"""Reference values for the unit tests of the metrics in `plugins/`, and for
`tests/tests/stock_metrics.rs`, and for `host/statistics/src/scoring/label_metrics.rs`.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 rbo==0.1.3 scikit-learn==1.9.1 scipy==1.17.1
    venv/bin/python tests/oracles/metrics.py

Numbers, labels, class probabilities and NDCG come from scikit-learn, Kendall's tau from scipy, and rank-biased overlap from the package `rbo`. Equation 32
of Webber, Moffat and Zobel in exact fractions checks `rbo`.
"""

from fractions import Fraction

import numpy as np
from rbo import RankingSimilarity
from scipy.stats import kendalltau
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    cohen_kappa_score,
    f1_score,
    jaccard_score,
    log_loss,
    matthews_corrcoef,
    mean_absolute_percentage_error,
    mean_pinball_loss,
    ndcg_score,
    precision_recall_fscore_support,
    r2_score,
)

# The pairs of the unit tests of numbers.
DECISIONS = np.array([110.0, 74.0, 81.9, -3.5, 0.0])
MODEL = np.array([104.98, 104.98, 80.0, 2.25, 0.5])

# The pairs of the unit tests of rankings: the model's list, then the decision's, one letter an item.
RANKINGS = [
    ("abcdefg", "abcdefg"),
    ("abcdefg", "gfedcba"),
    ("abcde", "bacxd"),
    ("abc", "bcadef"),
    ("bcadefgh", "abc"),
    ("abcd", "efgh"),
    ("xaybz", "abc"),
    ("a", "abcd"),
    ("abcd", "c"),
    ("a", "b"),
]


def equation_32(one, other, p):
    """RBO_ext of two lists, at least one of which has an item."""
    if not one or not other:
        return 0.0
    shorter, longer = sorted([one, other], key=len)
    s, l, p = len(shorter), len(longer), Fraction(p)
    overlap = [len(set(shorter[:d]) & set(longer[:d])) for d in range(l + 1)]
    seen = sum(Fraction(overlap[d], d) * p**d for d in range(1, l + 1))
    unseen = sum(Fraction(overlap[s] * (d - s), s * d) * p**d for d in range(s + 1, l + 1))
    tail = Fraction(overlap[l] - overlap[s], l) + Fraction(overlap[s], s)
    return float((1 - p) / p * (seen + unseen) + tail * p**l)


def rank_biased_overlap(model, decision, p):
    found = RankingSimilarity(list(model), list(decision)).rbo_ext(p=p)
    if model or decision:
        assert abs(found - equation_32(model, decision, p)) < 1e-13
    return float(found)


def ndcg(model, decision, k):
    """The model's list is padded with items without gain, so that an item that it lacks is never among the first k."""
    if not decision:
        return float(not model)
    first = decision[:k]
    gains = {item: len(first) - rank for rank, item in enumerate(first)}
    fillers = [f"filler {n}" for n in range(k)]
    order = [*model, *fillers, *[item for item in first if item not in model]]
    truth = [gains.get(item, 0) for item in order]
    scores = [len(order) - position for position in range(len(order))]
    return float(ndcg_score([truth], [scores], k=k, ignore_ties=True))


def tau(model, decision):
    """Items that a list lacks are tied behind its last item."""
    if list(model) == list(decision):
        return 1.0
    union = [*model, *[item for item in decision if item not in model]]
    rank = lambda ranking: [ranking.index(i) if i in ranking else len(ranking) for i in union]
    found = kendalltau(rank(list(model)), rank(list(decision)), variant="b").statistic if len(union) > 1 else np.nan
    return -1.0 if np.isnan(found) else float(found)


def show(name, values):
    print(f"{name}: {values!r}")


def numbers(model, decisions):
    """The metrics of numbers over answered pairs."""
    counted = decisions != 0
    errors = np.abs(model - decisions)
    show("bias", float(np.mean(model - decisions)))
    show("percentage error", float(mean_absolute_percentage_error(decisions[counted], model[counted])))
    show("zero decisions", int(np.sum(~counted)))
    show("r squared", float(r2_score(decisions, model)))
    for quantile in [0.1, 0.5, 0.9]:
        show(f"quantile loss {quantile}", float(mean_pinball_loss(decisions, model, alpha=quantile)))
    show("pairs within 1.9", int(np.sum(errors <= 1.9)))
    show("pairs within 10 %", int(np.sum(np.isclose(model, decisions, rtol=0.1, atol=0))))


# The pairs of the unit tests of class probabilities: the label, its classes in the order of CLASSES, and the decision. The
# decision "d" has the probability 0.
CLASSES = ["a", "b", "c", "d"]
PREDICTIONS = [
    ("a", [0.7, 0.2, 0.1, 0.0], "a"),
    ("b", [0.25, 0.5, 0.25, 0.0], "b"),
    ("c", [0.0, 0.0, 1.0, 0.0], "c"),
    ("b", [0.1, 0.6, 0.3, 0.0], "d"),
    ("a", [0.3, 0.3, 0.4, 0.0], "c"),
    ("c", [0.05, 0.3, 0.65, 0.0], "b"),
]


def calibration_error(confidence, agrees, bins):
    """The bins of scikit-learn have their upper edge, too."""
    true, mean = calibration_curve(agrees, confidence, n_bins=bins, strategy="uniform")
    edges = np.linspace(0, 1, bins + 1)[1:-1]
    counts = np.bincount(np.searchsorted(edges, confidence), minlength=bins)
    return float(np.sum(counts[counts > 0] * np.abs(true - mean)) / len(confidence))


def probabilities(classes, predictions):
    decided = [decision for _, _, decision in predictions]
    values = np.array([row for _, row, _ in predictions])
    show("brier score", float(brier_score_loss(decided, values, labels=classes, scale_by_half=False)))
    show("log loss", float(log_loss(decided, np.clip(values, 1e-15, 1 - 1e-15), labels=classes)))
    confidence = np.array([row[classes.index(label)] for label, row, _ in predictions])
    agrees = np.array([label == decision for label, _, decision in predictions])
    for bins in [1, 5, 10]:
        show(f"calibration error {bins}", calibration_error(confidence, agrees, bins))


# The pairs of the unit tests of sets: the model's labels, then those of the decision, one letter a label.
SETS = [("ab", "bc"), ("a", "a"), ("", ""), ("abc", "acd"), ("d", ""), ("", "b")]


def jaccard(pairs):
    labels = sorted({label for pair in pairs for side in pair for label in side})
    indicators = lambda side: np.array([[label in pair[side] for label in labels] for pair in pairs], dtype=int)
    return float(jaccard_score(indicators(1), indicators(0), average="samples", zero_division=1.0))


# The study of `tests/tests/stock_metrics.rs`.
PAIRS = 60


def decided_number(i):
    return ((37 * i) % 41 - 8) * 0.7


def model_number(i):
    return None if i % 19 == 4 else decided_number(i) + ((13 * i) % 17 - 7) * 0.3


def decided_ranking(i):
    return [(3 * i + 7 * (1 + i % 3) * j) % 11 for j in range(i % 7)]


def model_ranking(i):
    if i % 13 == 6:
        return None
    if i % 5 == 0:
        return decided_ranking(i)
    return [(3 * i + i % 2 + 5 * (1 + i % 4) * j) % 11 for j in range((5 * i) % 8)]


def decided_class(i):
    weights = class_weights(i)
    chosen = weights.index(max(weights)) if i % 5 == 0 or max(weights) > 9 else i // 7 % 3
    return "hold" if i % 17 == 9 else ["go", "wait", "stop"][chosen]


def class_weights(i):
    return [1.0 + (7 * i + 5 * c) % 11 for c in range(3)]


def predicted_classes(i):
    weights = np.array([*class_weights(i), 0.0])
    return None if i % 13 == 6 else weights / np.sum(weights)


def mean_over_pairs(score, unanswered):
    pairs = [(model_ranking(i), decided_ranking(i)) for i in range(PAIRS)]
    return float(np.mean([unanswered if m is None else score(m, d) for m, d in pairs]))


def main():
    print("unit tests of numbers")
    numbers(MODEL, DECISIONS)

    print("unit tests of rankings")
    for p in [0.5, 0.9, 0.98]:
        show(f"rank-biased overlap {p}", [rank_biased_overlap(m, d, p) for m, d in RANKINGS])
    for k in [1, 3, 10]:
        show(f"ndcg {k}", [ndcg(m, d, k) for m, d in RANKINGS])
    show("tau", [tau(m, d) for m, d in RANKINGS])

    print("unit tests of class probabilities")
    probabilities(CLASSES, PREDICTIONS)

    print("unit tests of sets")
    show("jaccard", jaccard(SETS))

    print("study of sets")
    sets = [({*(model_ranking(i) or [])}, {*decided_ranking(i)}) for i in range(PAIRS)]
    answered = [pair for i, pair in enumerate(sets) if model_ranking(i) is not None]
    show("jaccard", jaccard(answered) * len(answered) / PAIRS)
    show("agreement", sum(model == decision for model, decision in answered) / PAIRS)

    print("study of class probabilities")
    classes = ["go", "wait", "stop", "hold"]
    predictions = [(predicted_classes(i), decided_class(i)) for i in range(PAIRS)]
    answered = [(classes[np.argmax(p)], p, d) for p, d in predictions if p is not None]
    show("answered", len(answered))
    order = np.argsort(classes)
    probabilities(sorted(classes), [(label, p[order], d) for label, p, d in answered])

    print("study of numbers")
    answered = [i for i in range(PAIRS) if model_number(i) is not None]
    show("answered", len(answered))
    numbers(*(np.array([value(i) for i in answered]) for value in (model_number, decided_number)))

    print("study of rankings")
    show("rank-biased overlap 0.9", mean_over_pairs(lambda m, d: rank_biased_overlap(m, d, 0.9), 0.0))
    show("ndcg 3", mean_over_pairs(lambda m, d: ndcg(m, d, 3), 0.0))
    show("tau", mean_over_pairs(tau, -1.0))
    first = lambda m, d: float(m[:1] == d[:1])
    show("equal first items", mean_over_pairs(first, 0.0))


main()

# The label of the model, that of the substrate, and the number of pairs. The model did not answer "-".
CELLS = [
    ("a", "a", 50),
    ("b", "a", 7),
    ("-", "a", 3),
    ("a", "b", 9),
    ("b", "b", 20),
    ("d", "b", 1),
    ("b", "c", 4),
    ("c", "c", 5),
    ("-", "c", 1),
]
model = [cell[0] for cell in CELLS for _ in range(cell[2])]
true = [cell[1] for cell in CELLS for _ in range(cell[2])]
labels = list("abcd")


def label_metrics(true, model):
    """The metrics of all labels that either side gave; "-" is no label."""
    labels = sorted({*true, *model} - {"-"})
    f1 = [f1_score(true, model, labels=labels, average=average, zero_division=0) for average in ("macro", "weighted")]
    summary = [accuracy_score(true, model), balanced_accuracy_score(true, model), *f1]
    return [float(value) for value in [*summary, cohen_kappa_score(true, model), matthews_corrcoef(true, model)]]


print("label_metrics.rs, all labels:", label_metrics(true, model))
decided = [["go", "wait", "go", "stop", "go"][pair % 5] for pair in range(60)]
answers = [{3: "-", 5: "stop", 8: "hold"}.get(pair % 11, label) for pair, label in enumerate(decided)]
print("stock_metrics.rs, labels:", label_metrics(decided, answers), decided.count("stop"))
by_label = precision_recall_fscore_support(true, model, labels=labels, zero_division=0)
print("label_metrics.rs, by label:", [[float(value) for value in label] for label in zip(*by_label[:3])])
