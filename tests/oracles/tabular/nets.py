"""Nets and operators of nets, answered by ONNX Runtime.

    pip install 'protobuf<7' numpy onnx==1.23.2 onnxruntime==1.32.0
    python nets.py ../../../plugins/tabular/onnx/tests/net-operators.cases.gz ../../../plugins/tabular/onnx/tests/nets.cases.gz study

The first file has operators in forms that ONNX's node tests lack; the second has small nets with random weights, in the
form in which `torch.onnx` exports them. A net that was exported for one row is asked row by row. Into the folder go
`net.onnx`, a net that reads text and numbers and answers a label, `net.csv` with its answers to `snapshots.jsonl`, and
`net-external.onnx`, the same net with its weights in `net-external.weights`.
"""

import csv
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from case_file import case, write

# Of operators, of nets.
OPERATOR_ROWS, ROWS = 2, 8
random = np.random.default_rng(16)


def weights(*shape, scale=0.4):
    return random.normal(size=shape, scale=scale).astype(np.float32)


class Net:
    """A graph in the making. Values are named by their operators."""

    def __init__(self, version=18, ml=False):
        self.nodes, self.constants, self.inputs, self.outputs = [], [], [], []
        self.opsets = [helper.make_opsetid("", version)] + ([helper.make_opsetid("ai.onnx.ml", 3)] if ml else [])

    def input(self, name, *shape, kind=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, kind, ["rows", *shape]))
        return name

    def constant(self, array):
        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def __call__(self, operator, *inputs, outputs=1, domain="", **attributes):
        inputs = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        names = [f"{operator}{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name=names[0], domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def output(self, name, kind=TensorProto.FLOAT):
        self.outputs.append(helper.make_tensor_value_info(name, kind, None))

    def model(self):
        graph = helper.make_graph(self.nodes, "net", self.inputs, self.outputs, self.constants)
        model = helper.make_model(graph, opset_imports=self.opsets, ir_version=8, producer_name="nets.py")
        return model.SerializeToString()


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def net_case(name, net, inputs, row_by_row=False):
    model = net.model()
    runtime = session(model)
    names = [value.name for value in runtime.get_inputs()]
    if row_by_row:
        rows = [runtime.run(None, {key: array[row : row + 1] for key, array in zip(names, inputs)}) for row in range(len(inputs[0]))]
        outputs = [np.concatenate(parts) for parts in zip(*rows)]
    else:
        outputs = runtime.run(None, dict(zip(names, inputs)))
    return case(name, model, inputs, outputs)


def numbers(*shape, rows=ROWS):
    return random.normal(size=(rows, *shape)).astype(np.float32)


def few(*shape):
    """Numbers for a case of one operator."""
    return numbers(*shape, rows=OPERATOR_ROWS).round(1)


def operator_case(name, shape, operator, *arguments, before=None, after=None, outputs=1, **attributes):
    """A case of one operator on an input of a shape."""
    net = Net()
    value = net.input("x", *shape)
    if before:
        value = before(net, value)
    results = net(operator, value, *arguments, outputs=outputs, **attributes)
    for result in [results] if outputs == 1 else results:
        net.output(after(net, result) if after else result)
    return net_case(name, net, [few(*shape)])


def recurrent_cases():
    steps, features, hidden = 5, 3, 4
    to_steps = lambda net, value: net("Transpose", value, perm=[1, 0, 2])
    for operator, gates in [("LSTM", 4), ("GRU", 3)]:
        for direction, count in [("forward", 1), ("reverse", 1), ("bidirectional", 2)]:
            for has_bias in [False, True]:
                arguments = [weights(count, gates * hidden, features), weights(count, gates * hidden, hidden)]
                arguments += [weights(count, 2 * gates * hidden)] if has_bias else []
                attributes = dict(hidden_size=hidden, direction=direction)
                if operator == "GRU":
                    attributes["linear_before_reset"] = 1
                # The rows are the third dimension of the steps, and the second of the states.
                net = Net()
                value = to_steps(net, net.input("x", steps, features))
                results = net(operator, value, *arguments, outputs=gates - 1, **attributes)
                net.output(net("Transpose", results[0], perm=[2, 0, 1, 3]))
                for state in results[1:]:
                    net.output(net("Transpose", state, perm=[1, 0, 2]))
                yield net_case(f"{operator} {direction} {has_bias}", net, [few(steps, features)])
    # First states, which depend on the row.
    for operator, gates in [("LSTM", 4), ("GRU", 3)]:
        net = Net()
        value = to_steps(net, net.input("x", steps, features))
        states = [net("Transpose", net.input(f"h{index}", 1, hidden), perm=[1, 0, 2]) for index in range(gates - 2)]
        attributes = dict(linear_before_reset=1) if operator == "GRU" else {}
        shapes = [(1, gates * hidden, features), (1, gates * hidden, hidden), (1, 2 * gates * hidden)]
        results = net(operator, value, *(weights(*shape) for shape in shapes), "", *states, outputs=gates - 1, hidden_size=hidden, **attributes)
        net.output(net("Transpose", results[1], perm=[1, 0, 2]))
        yield net_case(f"{operator} first state", net, [few(steps, features), *(few(1, hidden) for _ in states)])


def spatial_cases():
    for rank in [1, 2]:
        shape = (2, 6, 5)[: rank + 1]
        for groups in [1, 2]:
            for pad in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
                kernel = weights(4, 2 // groups, *(4, 3)[:rank])
                yield operator_case(f"Conv {rank} {groups} {pad}", shape, "Conv", kernel, weights(4), group=groups, auto_pad=pad, strides=[2, 1][:rank])
            pads = [1, 0, 2, 1] if rank == 2 else [1, 2]
            kernel = weights(4, 2 // groups, *(3, 2)[:rank])
            yield operator_case(f"Conv {rank} {groups} dilated", shape, "Conv", kernel, group=groups, dilations=[2, 3][:rank], pads=pads)
            kernel = weights(2, 4 // groups, *(3, 2)[:rank])
            attributes = dict(group=groups, strides=[2, 3][:rank], pads=pads, output_padding=[1, 0][:rank])
            yield operator_case(f"ConvTranspose {rank} {groups}", shape, "ConvTranspose", kernel, weights(4), **attributes)
        for operator in ["MaxPool", "AveragePool"]:
            for ceil in [0, 1]:
                attributes = dict(kernel_shape=[3, 2][:rank], strides=[2, 2][:rank], pads=[1, 1, 1, 0] if rank == 2 else [1, 1], ceil_mode=ceil)
                yield operator_case(f"{operator} {rank} {ceil}", shape, operator, **attributes)
                if operator == "AveragePool":
                    yield operator_case(f"{operator} {rank} {ceil} padding counts", shape, operator, count_include_pad=1, **attributes)


def other_cases():
    yield operator_case("Cast of booleans", (3,), "Cast", before=lambda net, value: net("Greater", value, np.float32(0)), to=TensorProto.FLOAT)
    net = Net()
    net.output(net("Cast", net.input("x", 3, kind=TensorProto.INT64), to=TensorProto.FLOAT))
    yield net_case("Cast of integers", net, [random.integers(-(2**31), 2**31, size=(OPERATOR_ROWS, 3))])
    is_positive = lambda net, value: net("Greater", value, np.float32(0))
    to_float = lambda net, value: net("Cast", value, to=TensorProto.FLOAT)
    yield operator_case("Not", (4,), "Not", before=is_positive, after=to_float)
    for equation, shapes in [("bij,bjk->bik", [(3, 4), (4, 2)]), ("bij,bkj->bik", [(3, 4), (2, 4)]), ("bi,bi->b", [(4,), (4,)]), ("bij->bji", [(3, 4)]), ("bij->bj", [(3, 4)])]:
        net = Net()
        names = [net.input(f"x{index}", *shape) for index, shape in enumerate(shapes)]
        net.output(net("Einsum", *names, equation=equation))
        yield net_case(f"Einsum {equation}", net, [few(*shape) for shape in shapes])
    yield operator_case("Einsum with weights", (3, 4), "Einsum", weights(4, 2), equation="bij,jk->bik")
    for upper in [0, 1]:
        for diagonal in [-1, 0, 2]:
            yield operator_case(f"Trilu {upper} {diagonal}", (4, 5), "Trilu", np.int64(diagonal), upper=upper)
    # Products of two values that depend on the row, and of vectors.
    for left, right in [((3, 4), (4, 2)), ((2, 3, 4), (2, 4, 2)), ((2, 3, 4), (1, 4, 2))]:
        net = Net()
        net.output(net("MatMul", net.input("x", *left), net.input("y", *right)))
        yield net_case(f"MatMul {left} {right}", net, [few(*left), few(*right)])
    yield operator_case("MatMul of a vector", (2, 3, 4), "MatMul", weights(4))
    yield operator_case("MatMul with a vector first", (4, 3), "MatMul", before=lambda net, value: net("MatMul", weights(4), value), *[weights(3, 2)])
    for mode in ["constant", "reflect", "edge"]:
        pads = np.array([0, 1, 0, 0, 0, 2])
        value = [np.float32(1.5)] if mode == "constant" else []
        yield operator_case(f"Pad {mode}", (3, 4), "Pad", pads, *value, mode=mode)
    yield operator_case("GroupNormalization", (6, 4), "Reshape", np.array([0, 6, 2, 2]), after=lambda net, value: net("GroupNormalization", value, weights(3), weights(3), num_groups=3))
    yield operator_case("Gelu", (5,), "Identity", after=gelu)


def gelu(net, value):
    """As exporters write it for versions before 20."""
    scaled = net("Erf", net("Div", value, np.float32(np.sqrt(2))))
    return net("Mul", net("Mul", value, net("Add", scaled, np.float32(1))), np.float32(0.5))


def conv1d():
    net = Net()
    value = net("Reshape", net.input("x", 24), np.array([-1, 2, 12]))
    value = net("Relu", net("Conv", value, weights(8, 2, 3), weights(8), kernel_shape=[3], pads=[1, 1]))
    value = net("MaxPool", value, kernel_shape=[2], strides=[2])
    value = net("Relu", net("Conv", value, weights(8, 8, 3), weights(8), kernel_shape=[3], dilations=[2], pads=[2, 2]))
    value = net("Flatten", net("GlobalAveragePool", value))
    net.output(net("Softmax", net("Gemm", value, weights(3, 8), weights(3), transB=1), axis=1))
    return net, [numbers(24)], False


def conv2d():
    net = Net()
    value = net("Reshape", net.input("x", 64), np.array([-1, 1, 8, 8]))
    value = net("Conv", value, weights(6, 1, 3, 3), weights(6), pads=[1, 1, 1, 1])
    scale, bias, mean, variance = weights(6), weights(6), weights(6), np.abs(weights(6)) + 0.1
    value = net("Relu", net("BatchNormalization", value, scale, bias, mean, variance))
    skip = value
    value = net("Relu", net("Conv", value, weights(6, 1, 3, 3), group=6, pads=[1, 1, 1, 1]))
    value = net("Add", net("Conv", value, weights(6, 6, 1, 1), weights(6)), skip)
    value = net("AveragePool", value, kernel_shape=[2, 2], strides=[2, 2])
    value = net("HardSwish", net("Conv", value, weights(4, 6, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1]))
    net.output(net("Gemm", net("Flatten", value), weights(1, 16), weights(1), transB=1))
    return net, [numbers(64)], False


def recurrent(operator, gates):
    net = Net()
    steps, features, hidden = 6, 4, 8
    value = net("Reshape", net.input("x", steps * features), np.array([0, steps, features]))
    value = net("Transpose", value, perm=[1, 0, 2])
    attributes = dict(linear_before_reset=1) if operator == "GRU" else {}
    for layer, width in enumerate([features, 2 * hidden]):
        arguments = [weights(2, gates * hidden, width), weights(2, gates * hidden, hidden), weights(2, 2 * gates * hidden)]
        results = net(operator, value, *arguments, outputs=gates - 1, hidden_size=hidden, direction="bidirectional", **attributes)
        value = net("Reshape", net("Transpose", results[0], perm=[0, 2, 1, 3]), np.array([0, 0, -1]))
    last = net("Gather", net("Transpose", value, perm=[1, 0, 2]), np.int64(-1), axis=1)
    net.output(net("Gemm", last, weights(3, 2 * hidden), weights(3), transB=1))
    return net, [numbers(steps * features)], False


def attention(net, value, steps, width, heads, shape):
    """Self-attention whose heads are a dimension of their own: `shape` is that of queries, keys and values."""
    parts = net("Split", net("Add", net("MatMul", value, weights(width, 3 * width)), weights(3 * width)), outputs=3, axis=2, num_outputs=3)
    queries, keys, values = (net("Transpose", net("Reshape", part, np.array(shape)), perm=[0, 2, 1, 3]) for part in parts)
    scores = net("MatMul", queries, net("Transpose", keys, perm=[0, 1, 3, 2]))
    scores = net("Softmax", net("Mul", scores, np.float32(1 / np.sqrt(width // heads))), axis=-1)
    mixed = net("Transpose", net("MatMul", scores, values), perm=[0, 2, 1, 3])
    mixed = net("Reshape", mixed, np.array([0, steps, width]))
    return net("Add", net("MatMul", mixed, weights(width, width)), weights(width))


def feed_forward(net, value, width):
    hidden = gelu(net, net("Add", net("MatMul", value, weights(width, 2 * width)), weights(2 * width)))
    return net("Add", net("MatMul", hidden, weights(2 * width, width)), weights(width))


def normal(net, value, width):
    return net("LayerNormalization", value, weights(width), weights(width), axis=-1)


def transformer():
    net = Net()
    steps, width, heads = 5, 8, 2
    value = net("Reshape", net.input("x", steps * 3), np.array([-1, steps, 3]))
    value = net("Add", net("MatMul", value, weights(3, width)), weights(1, steps, width))
    for _ in range(2):
        value = normal(net, net("Add", value, attention(net, value, steps, width, heads, [0, steps, heads, width // heads])), width)
        value = normal(net, net("Add", value, feed_forward(net, value, width)), width)
    net.output(net("Sigmoid", net("Gemm", net("ReduceMean", value, np.array([1]), keepdims=0), weights(1, width), weights(1), transB=1)))
    return net, [numbers(steps * 3)], False


def transformer_of_one_row():
    """As PyTorch's `MultiheadAttention` is exported for one row: rows and heads are one dimension for a while."""
    net = Net(17)
    steps, width, heads = 5, 8, 2
    value = net("Transpose", net("Reshape", net.input("x", steps * width), np.array([1, steps, width])), perm=[1, 0, 2])
    projected = net("Add", net("MatMul", value, weights(width, 3 * width)), weights(3 * width))
    projected = net("Transpose", net("Unsqueeze", net("Reshape", projected, np.array([steps, 1, 3, width])), np.array([0])), perm=[3, 1, 2, 0, 4])
    projected = net("Squeeze", projected, np.array([3]))
    parts = [net("Gather", projected, np.int64(index), axis=0) for index in range(3)]
    queries, keys, values = (net("Transpose", net("Reshape", part, np.array([steps, heads, width // heads])), perm=[1, 0, 2]) for part in parts)
    scores = net("MatMul", net("Mul", queries, np.float32(0.5)), net("Transpose", keys, perm=[0, 2, 1]))
    mixed = net("MatMul", net("Softmax", scores, axis=-1), values)
    mixed = net("Reshape", net("Transpose", mixed, perm=[1, 0, 2]), np.array([steps, width]))
    mixed = net("Reshape", net("Gemm", mixed, weights(width, width), weights(width), transB=1), np.array([steps, 1, width]))
    value = normal(net, net("Add", value, mixed), width)
    value = normal(net, net("Add", value, feed_forward(net, value, width)), width)
    net.output(net("Flatten", net("Transpose", value, perm=[1, 0, 2])))
    return net, [numbers(steps * width)], True


def embeddings():
    net = Net()
    codes = net.input("codes", 3, kind=TensorProto.INT64)
    value = net("Gather", weights(10, 4), codes)
    value = net("Conv", net("Transpose", value, perm=[0, 2, 1]), weights(6, 4, 2), weights(6))
    value = net("Concat", net("Flatten", net("Tanh", value)), net.input("x", 2), axis=1)
    net.output(net("Gemm", net("Relu", net("Gemm", value, weights(8, 14), weights(8), transB=1)), weights(2, 8), weights(2), transB=1))
    return net, [random.integers(0, 10, size=(ROWS, 3)), numbers(2)], False


def perceptron():
    """A net that the tabular engine runs alone."""
    net = Net(13)
    value = net.input("x", 10)
    for width in [10, 16]:
        value = net("Gemm", value, weights(16, width), weights(16), transB=1)
        value = net("BatchNormalization", value, weights(16), weights(16), weights(16), np.abs(weights(16)) + 0.1)
        value = net("Dropout", net("Relu", value), np.float32(0.5), np.array(False))
    net.output(net("Softmax", net("Gemm", value, weights(3, 16), weights(3), transB=1), axis=-1))
    return net, [numbers(10)], False


def mixture():
    """Operators of both engines in turns: an integer sum and the position of the largest value between convolutions."""
    net = Net()
    value = net("Conv", net.input("x", 3, 6), weights(4, 3, 3), pads=[1, 1])
    largest = net("ArgMax", value, axis=1, keepdims=0)
    shifted = net("Mod", net("Add", largest, np.int64(1)), np.int64(4))
    embedded = net("Transpose", net("Gather", weights(4, 4), shifted), perm=[0, 2, 1])
    value = net("Conv", net("Add", value, embedded), weights(2, 4, 2), weights(2))
    net.output(net("ReduceMax", value, np.array([2]), keepdims=0))
    net.output(shifted, TensorProto.INT64)
    return net, [numbers(3, 6)], False


NETS = {
    "conv1d": conv1d,
    "conv2d": conv2d,
    "lstm": lambda: recurrent("LSTM", 4),
    "gru": lambda: recurrent("GRU", 3),
    "transformer": transformer,
    "transformer-of-one-row": transformer_of_one_row,
    "embeddings": embeddings,
    "perceptron": perceptron,
    "mixture": mixture,
}
ROOMS = ["a", "b", "c"]


def study_net():
    """A net of two texts and two numbers."""
    net = Net(ml=True)
    tokens = []
    for name, values in [("segment", ["direct", "groups", "corporate"]), ("country", ["PRT", "GBR", "FRA", "ESP"])]:
        text = net.input(name, 1, kind=TensorProto.STRING)
        code = net("LabelEncoder", text, domain="ai.onnx.ml", keys_strings=values, values_int64s=range(1, len(values) + 1), default_int64=0)
        tokens.append(net("Gather", weights(len(values) + 1, 6), code))
    for name, scale in [("lead_time", 200), ("adults", 2)]:
        scaled = net("Unsqueeze", net("Div", net.input(name, 1), np.float32(scale)), np.array([2]))
        tokens.append(net("Mul", scaled, weights(1, 1, 6)))
    value = net("Concat", *tokens, axis=1)
    value = normal(net, net("Add", value, attention(net, value, 4, 6, 2, [0, 4, 2, 3])), 6)
    value = net("GlobalMaxPool", net("Conv", net("Transpose", value, perm=[0, 2, 1]), weights(6, 6, 2), weights(6)))
    scores = net("Softmax", net("Gemm", net("Flatten", value), weights(3, 6, scale=2), weights(3), transB=1), axis=-1)
    position = net("ArgMax", scores, axis=1, keepdims=0)
    label = net("ArrayFeatureExtractor", net.constant(np.array(ROOMS, dtype=object)), position, domain="ai.onnx.ml")
    net.output(net("Reshape", label, np.array([-1])), TensorProto.STRING)
    net.output(scores)
    return net.model()


def write_study(folder):
    """The first random net that answers every label often."""
    global random
    rows = [json.loads(line) for line in (folder / "snapshots.jsonl").read_text().splitlines()]
    kinds = {"segment": object, "country": object, "lead_time": np.float32, "adults": np.float32}
    inputs = {name: np.array([[row[name]] for row in rows], dtype=kind) for name, kind in kinds.items()}
    for seed in range(1000):
        random = np.random.default_rng(seed)
        model = study_net()
        labels, scores = session(model).run(None, inputs)
        if all(list(labels).count(label) >= 40 for label in ROOMS):
            break
    (folder / "net.onnx").write_bytes(model)
    external = onnx.load_from_string(model)
    location = folder / "net-external.weights"
    location.unlink(missing_ok=True)
    onnx.save_model(external, folder / "net-external.onnx", save_as_external_data=True, location=location.name, size_threshold=64)
    with open(folder / "net.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["label", "confidence"])
        writer.writerows(zip(labels, (f"{score:.9g}" for score in scores.max(axis=1))))
    print(f"study: seed {seed},", {label: list(labels).count(label) for label in ROOMS})


def main():
    operators, nets, folder = sys.argv[1:]
    cases = [*recurrent_cases(), *spatial_cases(), *other_cases()]
    write(operators, cases)
    print(f"{len(cases)} operators")
    made = {name: make() for name, make in NETS.items()}
    write(nets, [net_case(name, *parts) for name, parts in made.items()])
    print(f"{len(made)} nets")
    write_study(pathlib.Path(folder))


main()
