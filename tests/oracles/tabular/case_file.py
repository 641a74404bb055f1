"""Case files: models with inputs and the outputs that another implementation gives for them.

A file is a protocol buffer message, compressed with gzip: field 1, repeated, is a case. A case has a name (1), a model (2), inputs (3, repeated
tensors) and outputs (4, repeated tensors). plugins/tabular/onnx/src/tests.rs reads them.
"""

import gzip
import pathlib

import numpy as np
import onnx
import onnx.numpy_helper
import onnxruntime


def field(number: int, data: bytes) -> bytes:
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(parts + [value])


def tensor(array) -> bytes:
    array = np.asarray(array)
    if array.dtype.kind == "U":
        array = array.astype(object)
    return onnx.numpy_helper.from_array(array).SerializeToString()


def case(name: str, model: bytes, inputs, outputs) -> bytes:
    parts = [field(1, name.encode()), field(2, model)]
    parts += [field(3, tensor(array)) for array in inputs]
    parts += [field(4, tensor(array)) for array in outputs]
    return field(1, b"".join(parts))


def onnxruntime_case(name: str, model: bytes, inputs) -> bytes:
    """A case whose outputs are those of ONNX Runtime on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    outputs = session.run(None, dict(zip(names, inputs)))
    arrays = []
    for output in outputs:
        if isinstance(output, list):  # A ZipMap: one dictionary for each row.
            output = np.array([list(row.values()) for row in output], dtype=np.float32)
        arrays.append(np.asarray(output))
    return case(name, model, inputs, arrays)


def compressed(cases) -> bytes:
    """The bytes of a file of cases; the same ones give the same bytes."""
    return gzip.compress(b"".join(cases), mtime=0)


def write(path: str, cases) -> None:
    """Writes a file of cases."""
    pathlib.Path(path).write_bytes(compressed(cases))
