"""ONNX's own node tests.

    pip install 'protobuf<7' onnx==1.23.2
    python node_tests.py cases ../../../plugins/tabular/onnx/tests/node-tests.cases.gz
    python node_tests.py net-cases ../../../plugins/tabular/onnx/tests/net-node-tests.cases.gz
    python node_tests.py table ../../../docs/src/reference/onnx-operators.md

The first commands write the tests of the operators that the tabular engine has, and of those that only the neural engine has. The last runs all tests on the current code, each
in the engine that a model would get and again with everything in the neural engine that this has, and writes a page
with the result of each operator; it needs cargo.
"""

import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

import onnx
from onnx.backend.test.case.node import collect_testcases

from case_file import case, write

OPERATORS = set(
    """Abs Add And ArgMax ArgMin ArrayFeatureExtractor BatchNormalization Binarizer Cast CategoryMapper Ceil Clip Concat
    Constant ConstantOfShape Cos CumSum Div Dropout Elu Equal Erf Exp Expand FeatureVectorizer Flatten Floor Gather
    GatherElements Gemm Greater GreaterOrEqual HardSigmoid Identity Imputer IsInf IsNaN LabelEncoder LeakyRelu Less LessOrEqual
    LinearClassifier LinearRegressor Log LogSoftmax LpNormalization MatMul Max Mean Min Mod Mul Neg Normalizer Not OneHotEncoder
    Or PRelu Pow Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
    ReduceSumSquare Relu Reshape Round Scaler Scan Selu Shape Sigmoid Sign Sin Slice Softmax Softplus Softsign Split Sqrt Squeeze
    StringNormalizer Sub Sum Tanh TfIdfVectorizer TopK Transpose TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor
    Unsqueeze Where Xor ZipMap""".split()
)
# What only the neural engine has.
NET_OPERATORS = set(
    """Acos Asin Atan AveragePool Conv ConvTranspose DepthToSpace Einsum GRU Gelu GlobalAveragePool GlobalMaxPool GroupNormalization
    HardSwish InstanceNormalization LSTM LayerNormalization MaxPool Mish Pad RMSNormalization SpaceToDepth Swish Tan Tile Trilu""".split()
)
# Element types that the tabular engine has.
TYPES = {"float32", "float64", "int32", "int64", "bool", "object"}
# Inputs of fewer elements are enough, and keep the file small.
LARGEST = 3_000
# Small integers are computed in 64 bits, as constants and results.
SMALL_INTEGERS = {"int8", "int16", "uint8", "uint16"}
# The greatest difference that counts as equal, relative to expected values above 1. ONNX's own limit is 1e-3.
LIMIT = 1e-4


def arrays(test, types=TYPES):
    """Inputs and outputs; nothing if one is no tensor of the types."""
    inputs, outputs = test.data_sets[0]
    values = [*inputs, *outputs]
    has_types = all(hasattr(value, "dtype") and str(value.dtype) in types for value in values)
    return (inputs, outputs) if has_types else None


def write_cases(path):
    write_some(path, lambda operators: operators <= OPERATORS)


def write_net_cases(path):
    write_some(path, lambda operators: operators & NET_OPERATORS and operators <= OPERATORS | NET_OPERATORS)


def write_some(path, is_chosen):
    """Writes the small tests whose operators are chosen."""
    cases, skipped = [], 0
    for test in collect_testcases(op_type=None):
        operators = {node.op_type for node in test.model.graph.node}
        if not is_chosen(operators) or len(test.model.graph.node) > 3:
            continue
        values = arrays(test)
        if values and sum(array.nbytes for array in [*values[0], *values[1]]) <= LARGEST:
            cases.append(case(test.name, test.model.SerializeToString(), *values))
        else:
            skipped += 1
    write(path, cases)
    print(f"{len(cases)} node tests; {skipped} with other types or too large")


def operator(test, by_name):
    """The operator that a test is about: a test of an expanded function is about the function."""
    original = by_name.get(re.sub(r"_expanded(_ver\d+)?$", "", test.name), test)
    node = original.model.graph.node[-1]
    domain = "" if node.domain in ("", "ai.onnx") else f"{node.domain}."
    return domain + node.op_type


def outcomes(tests):
    """The outcome of each test, its engine and the reason, by preference and name."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "all.cases.gz"
        # A test with other types has neither inputs nor outputs, so importing its model has to fail.
        write(path, [case(test.name, test.model.SerializeToString(), *(arrays(test, TYPES | SMALL_INTEGERS) or ([], []))) for test in tests])
        command = ["cargo", "test", "--package", "tabular-onnx", "--lib", "--", "--ignored", "--nocapture", "report_of_a_case_file"]
        result = subprocess.run(command, env=os.environ | {"CASES": str(path), "LIMIT": str(LIMIT)}, capture_output=True, text=True)
    found = {}
    for line in result.stdout.splitlines():
        # The name of the test is before the first line.
        match = re.search(r"(?:^| )case\t(\w+)\t(\S+)\t\S*\t(\w+)\t(\w*)\t(.*)", line)
        if match:
            found[match[1], match[2]] = (match[3], match[4], match[5])
    missing = [test.name for test in tests for preference in ("engine", "neural") if (preference, test.name) not in found]
    if missing:
        sys.exit(f"{len(missing)} tests were not run, such as {missing[0]}\n{result.stderr[-2000:]}")
    return found


def reason(text):
    """A reason without the name of the node and the values of one test."""
    text = re.sub(r'^node ".*?" \((.*?)\): the operator is not supported', r"`\1` is not supported", text)
    text = re.sub(r'^node ".*?" \(.*?\): ', "", text)
    text = re.sub(r"^the graph of the ONNX file is invalid: (tensor|input|output) \".*?\":? ?", r"the \1 ", text)
    text = re.split(r"; ", text)[0]
    text = re.sub(r"^the input .*\(?element type.*", "another element type", text)
    text = re.sub(r"^element type .*", "another element type", text)
    text = re.sub(r'at \S+ ".*?": ', "", text)
    text = re.sub(r"\[[^\]]*\]", "[...]", text)
    return text.replace("|", "\\|").replace("<", "&lt;")


def write_table(path):
    tests = collect_testcases(op_type=None)
    by_name = {test.name: test for test in tests}
    counts = collections.defaultdict(collections.Counter)
    engines = collections.defaultdict(set)
    reasons = collections.defaultdict(collections.Counter)
    wrong, neural = [], 0
    for (preference, name), (outcome, engine, why) in outcomes(tests).items():
        key = operator(by_name[name], by_name)
        if outcome == "wrong":
            wrong.append(f"{preference}: {why}")
        if preference == "neural":
            neural += outcome == "passed" and engine == "neural"
            # Both give the same answer, so a wrong one counts for either.
            counts[key]["wrong"] += outcome == "wrong"
            continue
        counts[key][outcome] += 1
        if outcome == "passed":
            engines[key].add(engine)
        elif outcome == "refused":
            reasons[key][reason(why)] += 1
    totals = sum(counts.values(), collections.Counter())
    lines = [
        "# ONNX operators",
        "",
        f"This page has the results of ONNX's own node tests (onnx {onnx.__version__}, {len(tests)} tests) for the importer and both engines:",
        f"**{totals['passed']} pass, {totals['refused']} are refused, {totals['wrong']} are answered wrongly.** A refused test is refused at import, with the",
        f"operator, the node and the reason. An answer passes if it differs by at most {LIMIT:g}, relative to expected values above 1; ONNX allows 0.001.",
        "",
        "A test is run as a model of rows: its first dimension is that of the rows, or its inputs are constants. An operator that combines rows is",
        "refused, since the answer to a snapshot depends on that snapshot alone. The page is written by `tests/oracles/tabular/node_tests.py`.",
        "",
        "The tabular engine runs what it can. Only what it lacks is run by the neural engine, with the operators of a net in between. The",
        f"tests are run a second time with all operators in the neural engine that it has: {neural} pass there, and the wrong answers of both are",
        "counted. Forms that ONNX's tests lack, such as `GRU` as PyTorch exports it and `Einsum` of 32-bit floats, are compared with onnxruntime",
        "(`tests/oracles/tabular/nets.py`).",
        "",
    ]
    supported = sorted(key for key in counts if counts[key]["passed"] or counts[key]["wrong"])
    lines += ["## Operators that run", "", "| operator | engine | passed | refused | wrong | reasons of refusals |", "| --- | --- | --- | --- | --- | --- |"]
    for key in supported:
        why = "; ".join(f"{text} ({count})" for text, count in sorted(reasons[key].items()))
        engine = ", ".join(sorted(engines[key], reverse=True))
        lines.append(f"| `{key}` | {engine} | {counts[key]['passed']} | {counts[key]['refused']} | {counts[key]['wrong']} | {why} |")
    others = sorted(key for key in counts if key not in supported)
    lines += ["", "## Operators that are refused", "", "No test of these operators passes. The reason is that of the most tests.", ""]
    lines += ["| operator | refused | reason |", "| --- | --- | --- |"]
    for key in others:
        lines.append(f"| `{key}` | {counts[key]['refused']} | {reasons[key].most_common(1)[0][0]} |")
    pathlib.Path(path).write_text("\n".join(lines) + "\n")
    print(dict(totals), *wrong, sep="\n")
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    {"cases": write_cases, "net-cases": write_net_cases, "table": write_table}[sys.argv[1]](sys.argv[2])
