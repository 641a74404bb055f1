"""The exports of typical models, imported by the program and compared with ONNX Runtime, as a page of the documents.

    python exports.py full FOLDER
    python model_table.py FOLDER UNDERSTUDY ../../../docs/src/reference/exported-models.md

`cargo xtask models` runs both. UNDERSTUDY is the program. The comparison needs cargo. The script fails if a model is not imported or differs by
more than its limit.
"""

import importlib.metadata
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

import onnx

PACKAGES = ["scikit-learn", "xgboost-cpu", "lightgbm", "catboost", "skl2onnx", "onnxmltools", "onnx", "onnxruntime", "protobuf", "numpy"]
TREES = {"TreeEnsembleClassifier", "TreeEnsembleRegressor"}
# Operators that leave the results of trees as they are, or prepare their inputs by comparisons and copies.
COPIES = {"ArrayFeatureExtractor", "Cast", "Concat", "Identity", "LabelEncoder", "OneHotEncoder", "Reshape", "ZipMap"}


def operators(model):
    return [node.op_type for node in model.graph.node]


def classes(model):
    """The number of classes of the first classifier of trees; 0 without one."""
    for node in model.graph.node:
        if node.op_type == "TreeEnsembleClassifier":
            return max(len(attribute.ints) + len(attribute.strings) for attribute in node.attribute if attribute.name.startswith("classlabels"))
    return 0


def limit(model):
    """The least share of rows that have the bits of ONNX Runtime, and the greatest difference."""
    found = set(operators(model))
    if not found & TREES:
        return 0.0, 1e-5
    if found - TREES - COPIES:
        return 0.0, 1e-6
    return (1.0, 0.0) if classes(model) <= 2 else (0.999, 1e-6)


def comparison(paths):
    """The fields of the line that the test prints for each case."""
    command = ["cargo", "test", "--release", "--package", "tabular-onnx", "--lib", "--", "--ignored", "--nocapture", "report_of_exports"]
    result = subprocess.run(command, env=os.environ | {"CASES": ":".join(map(str, paths))}, capture_output=True, text=True)
    found = {}
    for line in result.stdout.splitlines():
        # The name of the test is before the first line.
        match = re.search(r"(?:^| )export\t(.*)", line)
        if match:
            name, *fields = match[1].split("\t")
            found[name] = fields
    if len(found) < len(paths):
        sys.exit(f"{len(paths) - len(found)} models were not compared\n{result.stderr[-2000:]}")
    return found


def imported(understudy, path, model):
    """What `understudy model show` says: an empty text, or why it fails."""
    command = [understudy, "model", "show", path]
    inputs = model.graph.input
    if len(inputs) == 1:
        dimensions = inputs[0].type.tensor_type.shape.dim
        if len(dimensions) == 2 and dimensions[1].dim_value > 1:
            command += ["--fields", ",".join(f"f{index}" for index in range(dimensions[1].dim_value))]
    result = subprocess.run(command, capture_output=True, text=True)
    return result.stderr.strip().replace(str(path), path.name) if result.returncode else ""


# Models that are refused: a `Flatten` that keeps the last axis of columns.
REFUSED = {"quantile-transformer"}


def cell(text):
    """A text that fits into a cell."""
    text = text.splitlines()[0].replace("|", "\\|").replace("<", "&lt;")
    return text if len(text) <= 160 else text[:160] + " ..."


def main(folder, understudy, page):
    listed = json.loads((folder / "models.json").read_text())
    models = {name: onnx.load(folder / f"{name}.onnx") for name, entry in listed.items() if "bytes" in entry}
    compared = comparison([folder / f"{name}.cases.gz" for name, entry in listed.items() if "reason" not in entry])
    lines, failures = [], []
    exact = refused = 0
    for name, entry in listed.items():
        if "bytes" not in entry:
            lines.append(f"| `{name}` | | no: {cell(entry['reason'])} | | |")
            continue
        why = imported(understudy, folder / f"{name}.onnx", models[name])
        size = f"{entry['bytes'] / 1000:,.1f} kB"
        if why:
            refused += 1
            if name not in REFUSED:
                failures.append(why)
            lines.append(f"| `{name}` | {size} | refused: {cell(why)} | | |")
            continue
        if "reason" in entry:
            lines.append(f"| `{name}` | {size} | yes; ONNX Runtime refuses it: {cell(entry['reason'])} | | |")
            continue
        rows, equal, greatest = compared[name]
        share, most = limit(models[name])
        if int(equal) < share * int(rows) or float(greatest) > most:
            failures.append(f"{name}: {equal} of {rows} rows are equal, the greatest difference is {greatest}; limits {share} and {most}")
        exact += int(equal) == int(rows)
        lines.append(f"| `{name}` | {size} | yes | {int(equal):,} of {int(rows):,} | {float(greatest):.1e} |".replace("| 0.0e+00 |", "| 0 |"))
    exported = len(models)
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in PACKAGES)
    head = [
        "# Exported models",
        "",
        f"This page has typical models of scikit-learn, XGBoost, LightGBM and CatBoost as the current releases of the exporters write them. Of {len(listed)} models",
        f"**{exported} can be exported, {exported - refused} of these are imported, and {exact} answer all rows with the bits of ONNX Runtime** on one thread. The rows are not",
        "those of the training. A difference is relative to the expected value if that is above 1; it covers all outputs, such as the probabilities of all",
        "classes.",
        "",
        "Limits, which the script checks: tree regressors and binary classifiers have all bits. Other classifiers of trees have the bits in 99.9 % of the rows,",
        "and differences below 1e-6. Models with other arithmetic differ by at most 1e-5, and by at most 1e-6 if they have trees.",
        "",
        f"`cargo xtask models` trains and exports the models and writes this page. It was written with Python {platform.python_version()}, {versions}.",
        "",
        "| model | size | imported | rows equal to the bit | greatest difference |",
        "| --- | ---: | --- | ---: | ---: |",
    ]
    page.write_text("\n".join(head + lines) + "\n")
    print(f"{len(listed)} models, {exported} exported, {exported - refused} imported, {exact} equal to the bit", *failures, sep="\n")
    if failures:
        sys.exit(1)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]))
