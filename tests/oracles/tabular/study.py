"""Small trained models for the whole-system tests, with rows and the answers that other implementations give.

    pip install 'protobuf<7' numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 scikit-learn==1.9.1 skl2onnx==1.20.0 pandas==3.1.1 \
        catboost==1.2.10 lightgbm==4.7.0 mlflow-skinny==3.17.2
    pip install --no-deps xgboost==3.2.0
    python study.py study

It writes into the folder:

- `snapshots.jsonl`: bookings with two texts and three numbers, one of which is missing now and then;
- `pipeline.onnx`: a scikit-learn pipeline of encoder, imputer, scaler and gradient boosting, with `pipeline.csv`: the
  label and its probability by onnxruntime;
- `price.onnx`: a pipeline of scaler and linear regression, with `price.csv`: the number by onnxruntime;
- `xgboost.json`: a binary classifier with `xgboost.csv`: the probability of the second class by XGBoost itself;
- `catboost.json`: a classifier of three classes, with `catboost.csv`: the label and its probability by CatBoost itself;
- `mlflow/`: the folder of a LightGBM model that MLflow has saved, with `mlflow.csv`: the number by LightGBM itself;
- `external.onnx`: a net of three scores, with its weights in `external.weights`, and `external.csv`: the classes by their
  score in descending order, and the probability of the first one, by onnxruntime and a softmax;
- `outside.onnx`: the same with its weights in `../external.weights`;
- `classes-*.onnx`: classifiers whose classes are numbers other than 0, 1, ..., of each operator that has classes, with
  `classes.csv`: the label of each by onnxruntime; `classes.json` is one of CatBoost;
- `gaps.jsonl`: rows with gaps in a text, `gaps-*`: models that were trained with such gaps, and `gaps.csv`: their answers
  by LightGBM, XGBoost and onnxruntime; `gaps-unused.onnx` has an input that its graph never reads;
- `hardmax.onnx`: a graph with an operator that is not supported;
- `dimensions.onnx`: a graph whose constant claims 2^62 elements.
"""

import csv
import json
import pathlib
import shutil
import sys

import catboost
import lightgbm
import mlflow
import numpy
import onnx
import onnxruntime
import xgboost
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

ROWS = 200
TEXTS = {"segment": ["direct", "groups", "corporate"], "country": ["PRT", "GBR", "FRA", "ESP"]}
NUMBERS = ["lead_time", "adults", "rate"]


def bookings(count, seed):
    """Columns of bookings. `rate` is missing in every ninth row."""
    random = numpy.random.default_rng(seed)
    columns = {name: random.choice(values, count).astype(object) for name, values in TEXTS.items()}
    columns["lead_time"] = random.integers(0, 400, count).astype(numpy.float64)
    columns["adults"] = random.integers(1, 5, count).astype(numpy.float64)
    columns["rate"] = numpy.round(random.gamma(4, 30, count), 2)
    columns["rate"][::9] = numpy.nan
    return columns


def rooms(columns):
    """A label that depends on the columns."""
    score = columns["lead_time"] / 100 + columns["adults"] + (columns["segment"] == "groups") * 2
    return numpy.select([score < 3, score < 5.5], ["a", "b"], "c")


def onnx_inputs(columns, names):
    """One input of one column for each name."""
    kinds = {name: (object if name in TEXTS else numpy.float32) for name in names}
    return {name: columns[name].astype(kinds[name]).reshape(-1, 1) for name in names}


def pipeline(folder, train, test):
    """The classifier and its answers."""
    import pandas

    names = [*TEXTS, *NUMBERS]
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    prepare = ColumnTransformer([("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(TEXTS)), ("numbers", numbers, NUMBERS)])
    model = make_pipeline(prepare, HistGradientBoostingClassifier(max_iter=12, max_leaf_nodes=8, random_state=1))
    model.fit(pandas.DataFrame(train), rooms(train))
    types = [(name, StringTensorType([None, 1]) if name in TEXTS else FloatTensorType([None, 1])) for name in names]
    proto = to_onnx(model, initial_types=types, options={"zipmap": False})
    (folder / "pipeline.onnx").write_bytes(proto.SerializeToString())
    labels, scores = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, onnx_inputs(test, names))
    write(folder / "pipeline.csv", ["label", "confidence"], zip(labels, scores.max(axis=1)))


def price(folder, train, test):
    """The regression and its answers. Its two columns are one matrix, named by the metadata of the file."""
    names = ["lead_time", "adults"]
    matrix = lambda columns: numpy.stack([columns[name] for name in names], axis=1).astype(numpy.float32)
    target = train["lead_time"] * 0.3 + train["adults"] * 40
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(matrix(train), target)
    proto = to_onnx(model, initial_types=[("features", FloatTensorType([None, 2]))])
    helper.set_model_props(proto, {"understudy.fields": json.dumps(names)})
    (folder / "price.onnx").write_bytes(proto.SerializeToString())
    numbers = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {"features": matrix(test)})[0]
    write(folder / "price.csv", ["number"], ((number,) for number in numbers[:, 0]))


def boosted(folder, train, test):
    """The model of XGBoost and its probabilities."""
    matrix = lambda columns: xgboost.DMatrix(numpy.stack([columns[name] for name in NUMBERS], axis=1), feature_names=NUMBERS)
    data = matrix(train)
    data.set_label((rooms(train) != "a").astype(int))
    model = xgboost.train({"objective": "binary:logistic", "max_depth": 4, "seed": 1}, data, num_boost_round=15)
    model.save_model(folder / "xgboost.json")
    write(folder / "xgboost.csv", ["probability"], ((number,) for number in model.predict(matrix(test))))


def gaps(folder):
    """Models of one text and one number. Gaps of the text have answers of their own."""
    import pandas

    random = numpy.random.default_rng(7)
    size = 400
    text = random.choice(["car", "house", "debt"], size).astype(object)
    number = numpy.round(random.normal(size=size), 3)
    is_gap = random.random(size) < 0.25
    target = numpy.select([is_gap, text == "car"], [50.0, 20.0], 5.0) + number

    def frame(gap, categories=False):
        values = pandas.Series(numpy.where(is_gap, gap, text).astype(object) if gap is not None else [None if empty else value for value, empty in zip(text, is_gap)], dtype=object)
        return pandas.DataFrame({"purpose": values.astype("category") if categories else values, "number": number})

    data = frame(numpy.nan, categories=True)
    settings = {"verbose": -1, "num_leaves": 6, "min_data_per_group": 1, "cat_smooth": 1, "num_threads": 1, "seed": 1}
    light = lightgbm.train(settings, lightgbm.Dataset(data, target), 12)
    light.save_model(folder / "gaps-lightgbm.txt")
    boosted = xgboost.XGBRegressor(n_estimators=12, max_depth=3, enable_categorical=True, n_jobs=1).fit(data, target)
    boosted.save_model(folder / "gaps-xgboost.json")
    answers = {"lightgbm": light.predict(data), "xgboost": boosted.predict(data)}
    encoders = {
        "one-hot-nan": (OneHotEncoder(handle_unknown="ignore", sparse_output=False), numpy.nan),
        "one-hot-none": (OneHotEncoder(handle_unknown="ignore", sparse_output=False), None),
        "ordinal-none": (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), None),
        "ordinal-value": (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2), numpy.nan),
        # skl2onnx makes a category of NaN here, and scikit-learn does not.
        "ordinal-nan": (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), numpy.nan),
    }
    types = [("purpose", StringTensorType([None, 1])), ("number", FloatTensorType([None, 1]))]
    for name, (encoder, gap) in encoders.items():
        prepare = ColumnTransformer([("text", encoder, ["purpose"])], remainder="passthrough")
        model = make_pipeline(prepare, DecisionTreeRegressor(max_depth=4, random_state=1)).fit(frame(gap), target)
        proto = to_onnx(model, initial_types=types)
        (folder / f"gaps-{name}.onnx").write_bytes(proto.SerializeToString())
        inputs = {"purpose": frame(gap)[["purpose"]].to_numpy(dtype=object), "number": number.astype(numpy.float32).reshape(-1, 1)}
        answers[name] = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, inputs)[0][:, 0]
    prepare = ColumnTransformer([("number", "passthrough", ["number"])])
    model = make_pipeline(prepare, DecisionTreeRegressor(max_depth=3, random_state=1)).fit(frame(None), target)
    (folder / "gaps-unused.onnx").write_bytes(to_onnx(model, initial_types=types).SerializeToString())
    rows = 80
    lines = (json.dumps({"purpose": None if is_gap[row] else text[row], "number": number[row]}) for row in range(rows))
    (folder / "gaps.jsonl").write_text("".join(line + "\n" for line in lines))
    write(folder / "gaps.csv", list(answers), zip(*(column[:rows] for column in answers.values())))


def save_catboost(model, path):
    """Saves a model of CatBoost without what its training did."""
    model.save_model(path, format="json")
    document = json.loads(path.read_text())
    for key in ("catboost_version_info", "model_guid", "output_options", "train_finish_time", "training"):
        document["model_info"].pop(key, None)
    document["model_info"]["params"] = {"loss_function": document["model_info"]["params"]["loss_function"]}
    path.write_text(json.dumps(document, sort_keys=True) + "\n")


def oblivious(folder, train, test):
    """The model of CatBoost and its answers."""
    matrix = lambda columns: numpy.stack([columns[name] for name in NUMBERS], axis=1)
    data = catboost.Pool(matrix(train), rooms(train), feature_names=NUMBERS)
    model = catboost.CatBoostClassifier(iterations=10, depth=3, verbose=0, allow_writing_files=False, thread_count=1, random_seed=1).fit(data)
    save_catboost(model, folder / "catboost.json")
    rows = catboost.Pool(matrix(test), feature_names=NUMBERS)
    write(folder / "catboost.csv", ["label", "confidence"], zip(model.predict(rows)[:, 0], model.predict_proba(rows).max(axis=1)))


def numbered(folder, train, test):
    """Classifiers of class numbers, with their labels. They read the matrix of lead time and adults."""
    names = ["lead_time", "adults"]
    matrix = lambda columns: numpy.stack([columns[name] for name in names], axis=1).astype(numpy.float32)
    classes = numpy.searchsorted(["a", "b", "c"], rooms(train))
    tree = lambda: DecisionTreeClassifier(max_depth=3, random_state=1)
    three, two, signs = numpy.array([1, 2, 3]), numpy.array([1, 2, 2]), numpy.array([-1, 1, 1])
    models = {
        "tree": (tree(), three, False),
        "forest": (RandomForestClassifier(n_estimators=3, max_depth=2, random_state=1), two, False),
        "signs": (tree(), signs, False),
        "zipmap": (tree(), three, True),
        "linear": (make_pipeline(StandardScaler(), LogisticRegression()), three, False),
        "margin": (make_pipeline(StandardScaler(), LogisticRegression()), numpy.array([-1, -1, 1]), False),
        "svm": (make_pipeline(StandardScaler(), SVC(kernel="linear", random_state=1)), three, False),
        "neighbours": (GaussianNB(), numpy.array([10, 20, 40]), False),
    }
    answers = {}
    for name, (model, numbers, zipmap) in models.items():
        model.fit(matrix(train)[:120], numbers[classes[:120]])
        options = {id(model[-1] if hasattr(model, "steps") else model): {"zipmap": zipmap}}
        proto = to_onnx(model, initial_types=[("features", FloatTensorType([None, 2]))], options=options)
        (folder / f"classes-{name}.onnx").write_bytes(proto.SerializeToString())
        answers[name] = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {"features": matrix(test)})[0]
    model = catboost.CatBoostClassifier(iterations=4, depth=2, verbose=0, allow_writing_files=False, thread_count=1, random_seed=1, class_names=[3, 1, 2])
    model.fit(matrix(train), three[classes])
    save_catboost(model, folder / "classes.json")
    answers["catboost"] = model.predict(matrix(test))[:, 0]
    write(folder / "classes.csv", list(answers), zip(*answers.values()))


def logged(folder, train, test):
    """A LightGBM model as MLflow saves it, and its numbers."""
    import pandas

    names = ["lead_time", "rate"]
    frame = lambda columns: pandas.DataFrame({name: columns[name] for name in names}).astype({"lead_time": "int64"})
    data = frame(train)
    target = train["lead_time"] * 0.3 + train["adults"] * 40
    model = lightgbm.train({"objective": "regression", "verbose": -1, "num_leaves": 6, "seed": 1, "num_threads": 1}, lightgbm.Dataset(data, target), 8)
    path = folder / "mlflow"
    shutil.rmtree(path, ignore_errors=True)
    mlflow.lightgbm.save_model(model, path, signature=mlflow.models.infer_signature(data, model.predict(data)))
    for name in ("conda.yaml", "python_env.yaml", "requirements.txt"):
        (path / name).unlink()
    write(folder / "mlflow.csv", ["number"], ((number,) for number in model.predict(frame(test))))


def external(folder, test):
    """A net with its weights in another file."""
    random = numpy.random.default_rng(3)
    first, second = random.normal(size=(2, 5)) / [[100], [1]], random.normal(size=(5, 3))
    tensors = [onnx.numpy_helper.from_array(weights.astype(numpy.float32), name) for name, weights in [("first", first), ("second", second)]]
    nodes = [helper.make_node("MatMul", ["x", "first"], ["hidden"]), helper.make_node("Relu", ["hidden"], ["active"]), helper.make_node("MatMul", ["active", "second"], ["y"])]
    values = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 2]), helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 3])]
    graph = helper.make_graph(nodes, "graph", values[:1], values[1:], tensors)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    matrix = numpy.stack([test["lead_time"], test["adults"]], axis=1).astype(numpy.float32)
    scores = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {"x": matrix})[0].astype(numpy.float64)
    order = numpy.argsort(-scores, axis=1, kind="stable")
    exponentials = numpy.exp(scores - scores.max(axis=1, keepdims=True))
    confidence = (exponentials / exponentials.sum(axis=1, keepdims=True)).max(axis=1)
    labels = numpy.array(["a", "b", "c"])
    write(folder / "external.csv", ["first", "second", "third", "confidence"], ((*labels[ranks], number) for ranks, number in zip(order, confidence)))
    (folder / "external.weights").unlink(missing_ok=True)
    onnx.save_model(proto, folder / "external.onnx", save_as_external_data=True, location="external.weights", size_threshold=0)
    proto = onnx.load(folder / "external.onnx", load_external_data=False)
    for tensor in proto.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../external.weights"
    (folder / "outside.onnx").write_bytes(proto.SerializeToString())


def refused(folder):
    """A graph with an operator that is not supported, and one with a constant of 2^62 elements."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 3]) for name in ("x", "y")]
    save(folder / "hardmax.onnx", [helper.make_node("Hardmax", ["x"], ["y"], name="choice")], values, [])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 1]) for name in ("x", "y")]
    constant = TensorProto(name="huge", data_type=TensorProto.FLOAT, dims=[1 << 31, 1 << 31], float_data=[1.0])
    save(folder / "dimensions.onnx", [helper.make_node("Add", ["x", "huge"], ["y"], name="add")], values, [constant])


def save(path, nodes, values, constants):
    graph = helper.make_graph(nodes, "graph", values[:1], values[1:], constants)
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)]).SerializeToString())


def write(path, header, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        # The shortest text that reads as the same 64-bit float.
        writer.writerows([repr(float(cell)) if isinstance(cell, numpy.floating) else cell for cell in row] for row in rows)


def snapshots(path, columns):
    with path.open("w") as file:
        for row in range(ROWS):
            record = {"id": f"b{row}", "at": f"2026-03-{1 + row // 24:02}T{row % 24:02}:00:00Z"}
            for name, values in columns.items():
                value = values[row]
                if name in TEXTS:
                    record[name] = value
                elif not numpy.isnan(value):
                    record[name] = int(value) if name in ("lead_time", "adults") else float(value)
            file.write(json.dumps(record) + "\n")


def main(folder):
    folder.mkdir(exist_ok=True)
    train, test = bookings(1500, 1), bookings(ROWS, 2)
    snapshots(folder / "snapshots.jsonl", test)
    pipeline(folder, train, test)
    price(folder, train, test)
    boosted(folder, train, test)
    oblivious(folder, train, test)
    numbered(folder, train, test)
    gaps(folder)
    logged(folder, train, test)
    external(folder, test)
    refused(folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
