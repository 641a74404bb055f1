"""Times ONNX Runtime on one thread: the other side of `cargo xtask bench models`.

    python onnxruntime_timing.py MODEL.onnx ROWS.jsonl

For each line `BATCH CALLS` of standard input it answers the rows in calls of BATCH rows, from the first row on again and again, and prints the
nanoseconds of thread CPU time a row. At the end of the input it prints the peak memory above that before ONNX Runtime was loaded, in bytes.
"""

import json
import pathlib
import sys
import time

import numpy

KINDS = {"tensor(float)": numpy.float32, "tensor(double)": numpy.float64, "tensor(int64)": numpy.int64, "tensor(string)": object}


def status(key):
    """A value of the process in bytes."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


def inputs(session, records):
    """The arrays of the inputs: a column for each, or one matrix of the columns `f0`, `f1` and so on."""
    arrays = {}
    for value in session.get_inputs():
        width = value.shape[1]
        names = [value.name] if width == 1 else [f"f{index}" for index in range(width)]
        cells = [[record.get(name, numpy.nan) for name in names] for record in records]
        arrays[value.name] = numpy.array(cells, dtype=KINDS[value.type])
    return arrays


def main(model, rows):
    records = [json.loads(line) for line in open(rows, encoding="utf-8")]
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    arrays = inputs(session, records)
    for line in sys.stdin:
        batch, calls = map(int, line.split())
        slices = [{name: array[start : start + batch] for name, array in arrays.items()} for start in range(0, len(records) - batch + 1, batch)][:calls]
        started = time.thread_time_ns()
        for call in range(calls):
            session.run(None, slices[call % len(slices)])
        print((time.thread_time_ns() - started) / (calls * batch), flush=True)
    print(status("VmHWM") - before)


main(sys.argv[1], sys.argv[2])
