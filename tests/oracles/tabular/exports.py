"""Exports of scikit-learn, XGBoost, LightGBM and CatBoost, answered by ONNX Runtime.

    pip install --requirement ../../../examples/models/requirements.txt
    python exports.py small ../../../plugins/tabular/onnx/tests/exports.cases.gz
    python exports.py full /tmp/exports        # models of typical sizes

The second command writes for each model NAME.onnx, NAME.cases.gz, and 4,096 rows as NAME.jsonl, and a list of all models with the reason of
those that cannot be exported, as models.json. `cargo xtask models` runs it.
"""

import importlib
import json
import os
import pathlib
import sys
import warnings

# Threads would wait for each other on a busy machine. The libraries read this when they are loaded.
os.environ["OMP_NUM_THREADS"] = "1"

import catboost
import lightgbm as lgb
import numpy as np
import onnx
import onnxmltools
import pandas as pd
import sklearn.calibration
import sklearn.compose
import sklearn.decomposition
import sklearn.discriminant_analysis
import sklearn.ensemble
import sklearn.feature_selection
import sklearn.gaussian_process
import sklearn.impute
import sklearn.linear_model
import sklearn.multiclass
import sklearn.naive_bayes
import sklearn.neighbors
import sklearn.neural_network
import sklearn.pipeline
import sklearn.preprocessing
import sklearn.svm
import sklearn.tree
import skl2onnx
import xgboost as xgb
from onnxmltools.convert.common.data_types import FloatTensorType as ToolsFloat
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

from case_file import compressed, onnxruntime_case, write

warnings.filterwarnings("ignore")
SMALL = sys.argv[1] == "small"
ROWS = 24 if SMALL else 4096
WIDTH = 10
CLASSES = np.array(["corporate", "direct", "groups"])
rng = np.random.default_rng(16)


def trees(full, small=6):
    return small if SMALL else full


def depth(full, small=3):
    return small if SMALL else full


samples = 600 if SMALL else 6000
X = rng.normal(size=(samples, WIDTH)).astype(np.float32)
X[:, 3] = rng.integers(0, 6, samples)
signal = X[:, 0] * X[:, 1] + np.sin(X[:, 2] * 2) + 0.5 * (X[:, 3] > 2) + 0.3 * rng.normal(size=samples)
y = np.digitize(signal, [-0.4, 0.6])
label = CLASSES[y]
binary = (signal > 0).astype(int)
target = (signal * 10).astype(np.float32)
positive = np.exp(signal).astype(np.float32)
rows = rng.normal(size=(ROWS, WIDTH)).astype(np.float32)
rows[:, 3] = rng.integers(0, 6, ROWS)
missing = X.copy()
missing[rng.random(X.shape) < 0.1] = np.nan
missing_rows = rows.copy()
missing_rows[rng.random(rows.shape) < 0.1] = np.nan

TEXTS = {"country": ["PRT", "GBR", "FRA", "ESP", "DEU"], "segment": ["Direct", "Online TA", "Groups"], "deposit": ["No", "Refund"]}
NUMBERS = [f"n{index}" for index in range(7)]


def frame(numbers, seed, unseen=False):
    rng = np.random.default_rng(seed)
    data = {name: rng.choice(values + (["???"] if unseen else []), len(numbers)) for name, values in TEXTS.items()}
    data |= {name: numbers[:, index] for index, name in enumerate(NUMBERS)}
    return pd.DataFrame(data)


train_frame, row_frame = frame(X, 1), frame(rows, 2, unseen=True)
frame_types = [(name, StringTensorType([None, 1])) for name in TEXTS] + [(name, FloatTensorType([None, 1])) for name in NUMBERS]


def frame_inputs(data):
    return [data[name].to_numpy(dtype=object if name in TEXTS else np.float32).reshape(-1, 1) for name in data]


def skl(model, target=label, data=X, inputs=rows, zipmap=False, types=None, **options):
    model.fit(data, target)
    settings = {id(model): {"zipmap": zipmap}} if hasattr(model, "predict_proba") else None
    types = types or [("X", FloatTensorType([None, WIDTH]))]
    return to_onnx(model, initial_types=types, options=settings, target_opset={"": 18, "ai.onnx.ml": 3}, **options), [inputs]


def pipe(model, steps, target=label, data=row_frame, zipmap=False):
    pipeline = sklearn.pipeline.make_pipeline(sklearn.compose.ColumnTransformer(steps), model)
    pipeline.fit(train_frame, target)
    settings = {id(pipeline): {"zipmap": zipmap}} if hasattr(model, "predict_proba") else None
    export = to_onnx(pipeline, initial_types=frame_types, options=settings, target_opset={"": 18, "ai.onnx.ml": 3})
    return export, frame_inputs(data)


def one_hot(sparse=True):
    return [
        ("text", sklearn.preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=sparse), list(TEXTS)),
        ("number", sklearn.preprocessing.StandardScaler(), NUMBERS),
    ]


def ordinal():
    encoder = sklearn.preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return [("text", encoder, list(TEXTS)), ("number", sklearn.impute.SimpleImputer(), NUMBERS)]


def xgboost(model, target=y, data=X, inputs=rows, **fit):
    model.fit(data, target, **fit)
    return onnxmltools.convert_xgboost(model, initial_types=[("X", ToolsFloat([None, WIDTH]))], target_opset=15), [inputs]


def lightgbm(model, target=y, data=X, inputs=rows, zipmap=False, **fit):
    model.fit(data, target, **fit)
    model = model if not isinstance(model, lgb.LGBMRanker) else model.booster_
    types = [("X", ToolsFloat([None, WIDTH]))]
    return onnxmltools.convert_lightgbm(model, initial_types=types, zipmap=zipmap, target_opset=15), [inputs]


def catboosted(model, target=label, data=X, **fit):
    model.fit(data, target, **fit)
    path = "/tmp/catboost.onnx"
    model.save_model(path, format="onnx")
    return pathlib.Path(path).read_bytes(), [rows]


SENTENCES = ["Two rooms, sea view", "a room for two", "late arrival; sea view please", "LATE check-out", "no view", "group of twenty", "Group: late arrival"]


def knn_cdist():
    """Distances by ONNX Runtime's own operator."""
    model = sk("neighbors.KNeighborsClassifier", 5).fit(X[:120], label[:120])
    options = {id(model): {"zipmap": False, "optim": "cdist"}}
    return to_onnx(model, initial_types=[("X", FloatTensorType([None, WIDTH]))], options=options, target_opset={"": 18, "ai.onnx.ml": 3}), [rows]


def texts(*steps):
    """A pipeline on one column of text. The locale of the exporter is not on every machine."""
    lines = np.array(SENTENCES * (samples // 7 + 1), dtype=object)[:samples]
    pipeline = sklearn.pipeline.make_pipeline(*steps).fit(lines, label)
    export = to_onnx(
        pipeline, initial_types=[("text", StringTensorType([None, 1]))], options={id(pipeline): {"zipmap": False}}, target_opset={"": 18, "ai.onnx.ml": 3}
    )
    for node in export.graph.node:
        if node.op_type == "StringNormalizer":
            node.attribute.append(onnx.helper.make_attribute("locale", "C.UTF-8"))
    lines = [SENTENCES[row % 7] + [" room", "", " LATE late"][row % 3] for row in range(ROWS)]
    return export, [np.array(lines, dtype=object).reshape(-1, 1)]


def frame_export():
    """An export that takes the columns and their types from a table."""
    pipeline = sklearn.pipeline.make_pipeline(sklearn.compose.ColumnTransformer(one_hot()), sk("linear_model.LogisticRegression"))
    pipeline.fit(train_frame, label)
    export = to_onnx(pipeline, train_frame[:1], options={id(pipeline): {"zipmap": False}}, target_opset={"": 18, "ai.onnx.ml": 3})
    return export, frame_inputs(row_frame)


def booster_pipe(model, alias, converter, shape_calculator):
    """A pipeline whose last step is a booster, by the converter of onnxmltools."""
    skl2onnx.update_registered_converter(
        type(model), alias, shape_calculator, converter, options={"nocl": [True, False], "zipmap": [True, False], "raw_scores": [True, False]}
    )
    return pipe(model, one_hot(sparse=False), y)


def xgboost_booster():
    """A booster of XGBoost without its scikit-learn wrapper."""
    settings = {"objective": "multi:softprob", "num_class": 3, "max_depth": depth(6), "nthread": 1}
    booster = xgb.train(settings, xgb.DMatrix(X, y), trees(100))
    return onnxmltools.convert_xgboost(booster, initial_types=[("X", ToolsFloat([None, WIDTH]))], target_opset=15), [rows]


def split_lightgbm():
    """A sum in parts of ten trees, as doubles."""
    model = lgb.LGBMRegressor(n_estimators=trees(300, 25), **lgb_settings).fit(X, target)
    types = [("X", ToolsFloat([None, WIDTH]))]
    return onnxmltools.convert_lightgbm(model, initial_types=types, split=trees(100, 10), target_opset=15), [rows]


def sk(path, *arguments, **settings):
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(f"sklearn.{module}"), name)(*arguments, **settings)


lgb_settings = dict(verbose=-1, num_leaves=depth(31, 6))
xgb_settings = dict(max_depth=depth(6), nthread=1)
cat_settings = dict(depth=depth(6), verbose=0, allow_writing_files=False, thread_count=2)
n = trees

MODELS = {
    "rf100": lambda: skl(sk("ensemble.RandomForestClassifier", n(100), max_depth=depth(8), random_state=1)),
    "rf100-unlimited": lambda: skl(sk("ensemble.RandomForestClassifier", n(100, 3), max_depth=depth(None, 6), random_state=1)),
    "rf-zipmap": lambda: skl(sk("ensemble.RandomForestClassifier", n(20, 3), max_depth=depth(8), random_state=1), zipmap=True),
    "rf-binary": lambda: skl(sk("ensemble.RandomForestClassifier", n(100), max_depth=depth(8), random_state=1), binary),
    "rfr": lambda: skl(sk("ensemble.RandomForestRegressor", n(100), max_depth=depth(8), random_state=1), target),
    "extra": lambda: skl(sk("ensemble.ExtraTreesClassifier", n(100), max_depth=depth(8), random_state=1)),
    "tree": lambda: skl(sk("tree.DecisionTreeClassifier", max_depth=depth(None, 5))),
    "tree-regressor": lambda: skl(sk("tree.DecisionTreeRegressor", max_depth=depth(None, 5)), target),
    "gb100": lambda: skl(sk("ensemble.GradientBoostingClassifier", n_estimators=n(100), max_depth=depth(6))),
    "gb-binary": lambda: skl(sk("ensemble.GradientBoostingClassifier", n_estimators=n(100), max_depth=depth(6)), binary),
    "gbr": lambda: skl(sk("ensemble.GradientBoostingRegressor", n_estimators=n(100), max_depth=depth(6)), target),
    "hgb": lambda: skl(sk("ensemble.HistGradientBoostingClassifier", max_iter=n(100), max_leaf_nodes=depth(31, 6)), data=missing, inputs=missing_rows),
    "hgb-binary": lambda: skl(sk("ensemble.HistGradientBoostingClassifier", max_iter=n(100), max_leaf_nodes=depth(31, 6)), binary),
    "hgbr": lambda: skl(sk("ensemble.HistGradientBoostingRegressor", max_iter=n(100), max_leaf_nodes=depth(31, 6)), target),
    "hgbr-poisson": lambda: skl(sk("ensemble.HistGradientBoostingRegressor", max_iter=n(30), loss="poisson"), positive),
    "ada": lambda: skl(sk("ensemble.AdaBoostClassifier", n_estimators=n(30, 4))),
    "bagging": lambda: skl(sk("ensemble.BaggingClassifier", sk("tree.DecisionTreeClassifier", max_depth=depth(8)), n_estimators=n(10, 3))),
    "voting": lambda: skl(sk("ensemble.VotingClassifier", [("a", sk("linear_model.LogisticRegression")), ("b", sk("tree.DecisionTreeClassifier", max_depth=3))], voting="soft", flatten_transform=False)),
    "stacking": lambda: skl(sk("ensemble.StackingClassifier", [("a", sk("linear_model.LogisticRegression")), ("b", sk("tree.DecisionTreeClassifier", max_depth=3))])),
    "calibrated": lambda: skl(sk("calibration.CalibratedClassifierCV", sk("linear_model.LogisticRegression"), cv=2)),
    "logistic": lambda: skl(sk("linear_model.LogisticRegression")),
    "logistic-binary": lambda: skl(sk("linear_model.LogisticRegression"), binary),
    "linear": lambda: skl(sk("linear_model.LinearRegression"), target),
    "tweedie": lambda: skl(sk("linear_model.TweedieRegressor", power=1), positive),
    "sgd": lambda: skl(sk("linear_model.SGDClassifier", loss="log_loss")),
    "linear-svc": lambda: skl(sk("svm.LinearSVC")),
    "lda": lambda: skl(sk("discriminant_analysis.LinearDiscriminantAnalysis")),
    "naive-bayes": lambda: skl(sk("naive_bayes.GaussianNB")),
    "mlp": lambda: skl(sk("neural_network.MLPClassifier", hidden_layer_sizes=depth((64, 64), (8, 8)), max_iter=40)),
    "mlp-regressor": lambda: skl(sk("neural_network.MLPRegressor", hidden_layer_sizes=depth((64, 64), (8, 8)), max_iter=40), target),
    "double": lambda: skl(
        sklearn.pipeline.make_pipeline(sklearn.preprocessing.StandardScaler(), sk("linear_model.LogisticRegression")),
        data=X.astype(np.float64), inputs=rows.astype(np.float64), types=[("X", DoubleTensorType([None, WIDTH]))],
    ),
    "pca": lambda: skl(sklearn.pipeline.make_pipeline(sklearn.preprocessing.StandardScaler(), sk("decomposition.PCA", 4), sk("linear_model.LogisticRegression"))),
    "kbins": lambda: skl(sklearn.pipeline.make_pipeline(sklearn.preprocessing.KBinsDiscretizer(4, encode="onehot-dense"), sk("linear_model.LogisticRegression"))),
    "polynomial": lambda: skl(sklearn.pipeline.make_pipeline(sklearn.preprocessing.PolynomialFeatures(2), sk("linear_model.LogisticRegression"))),
    "robust": lambda: skl(
        sklearn.pipeline.make_pipeline(sklearn.impute.SimpleImputer(), sklearn.preprocessing.RobustScaler(), sk("linear_model.LogisticRegression")),
        data=missing, inputs=missing_rows,
    ),
    "power": lambda: skl(sklearn.pipeline.make_pipeline(sklearn.preprocessing.PowerTransformer(), sk("linear_model.LogisticRegression"))),
    "min-max": lambda: skl(sklearn.pipeline.make_pipeline(sklearn.preprocessing.MinMaxScaler(clip=True), sk("linear_model.LogisticRegression"))),
    "select": lambda: skl(sklearn.pipeline.make_pipeline(sk("feature_selection.SelectKBest", k=5), sk("linear_model.LogisticRegression"))),
    "normalizer": lambda: skl(sklearn.pipeline.make_pipeline(sklearn.preprocessing.Normalizer(), sklearn.preprocessing.Binarizer(), sk("linear_model.LogisticRegression"))),
    "knn": lambda: skl(sk("neighbors.KNeighborsClassifier", 5), data=X[:120], target=label[:120]),
    "knn-distance": lambda: skl(sk("neighbors.KNeighborsRegressor", 4, weights="distance"), target[:120], data=X[:120]),
    "knn-manhattan": lambda: skl(sk("neighbors.KNeighborsClassifier", 5, metric="manhattan"), data=X[:120], target=label[:120]),
    "knn-minkowski": lambda: skl(sk("neighbors.KNeighborsRegressor", 3, p=3), target[:120], data=X[:120]),
    "knn-double": lambda: skl(
        sk("neighbors.KNeighborsClassifier", 3), data=X[:120].astype(np.float64), target=label[:120], inputs=rows.astype(np.float64),
        types=[("X", DoubleTensorType([None, WIDTH]))],
    ),
    "knn-cdist": lambda: knn_cdist(),
    "gaussian-process": lambda: skl(sk("gaussian_process.GaussianProcessRegressor", alpha=1.0), target[:60], data=X[:60]),
    "ada-regressor": lambda: skl(sk("ensemble.AdaBoostRegressor", n_estimators=n(30, 4)), target),
    "one-vs-rest": lambda: skl(sk("multiclass.OneVsRestClassifier", sk("linear_model.LogisticRegression"))),
    "text-tf-idf": lambda: texts(sk("feature_extraction.text.TfidfVectorizer"), sk("linear_model.LogisticRegression")),
    "text-counts": lambda: texts(sk("feature_extraction.text.CountVectorizer", ngram_range=(1, 2)), sk("naive_bayes.MultinomialNB")),
    "text-characters": lambda: texts(sk("feature_extraction.text.TfidfVectorizer", analyzer="char", ngram_range=(2, 3)), sk("linear_model.LogisticRegression")),
    "text-binary": lambda: texts(sk("feature_extraction.text.CountVectorizer", lowercase=False, binary=True), sk("tree.DecisionTreeClassifier", max_depth=3)),
    "pipe-logistic": lambda: pipe(sk("linear_model.LogisticRegression"), one_hot()),
    "pipe-rf": lambda: pipe(sk("ensemble.RandomForestClassifier", n(100), max_depth=depth(8)), one_hot()),
    "pipe-hgb": lambda: pipe(sk("ensemble.HistGradientBoostingClassifier", max_iter=n(100), max_leaf_nodes=depth(31, 6)), one_hot(sparse=False)),
    "pipe-ordinal": lambda: pipe(sk("ensemble.HistGradientBoostingClassifier", max_iter=n(50), max_leaf_nodes=depth(31, 6)), ordinal()),
    "pipe-infrequent": lambda: pipe(sk("linear_model.LogisticRegression"), [("text", sklearn.preprocessing.OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=0.22), list(TEXTS)), one_hot()[1]], data=frame(rows, 2)),
    "xgb200": lambda: xgboost(xgb.XGBClassifier(n_estimators=n(200), **xgb_settings)),
    "xgb-binary": lambda: xgboost(xgb.XGBClassifier(n_estimators=n(200), **xgb_settings), binary),
    "xgb-regressor": lambda: xgboost(xgb.XGBRegressor(n_estimators=n(200), **xgb_settings), target),
    "xgb-missing": lambda: xgboost(xgb.XGBClassifier(n_estimators=n(100), **xgb_settings), data=missing, inputs=missing_rows),
    "xgb-rf": lambda: xgboost(xgb.XGBRFClassifier(n_estimators=n(100), **xgb_settings)),
    "xgb-gamma": lambda: xgboost(xgb.XGBRegressor(n_estimators=n(30), objective="reg:gamma", **xgb_settings), positive),
    "xgb-poisson": lambda: xgboost(xgb.XGBRegressor(n_estimators=n(30), objective="count:poisson", **xgb_settings), positive),
    "lgb300": lambda: lightgbm(lgb.LGBMClassifier(n_estimators=n(300), **lgb_settings)),
    "lgb-binary": lambda: lightgbm(lgb.LGBMClassifier(n_estimators=n(300), **lgb_settings), binary),
    "lgb-regressor": lambda: lightgbm(lgb.LGBMRegressor(n_estimators=n(300), **lgb_settings), target),
    "lgb-missing": lambda: lightgbm(lgb.LGBMClassifier(n_estimators=n(100), **lgb_settings), data=missing, inputs=missing_rows),
    "lgb-category": lambda: lightgbm(lgb.LGBMClassifier(n_estimators=n(100), **lgb_settings), categorical_feature=[3]),
    "lgb-dart": lambda: lightgbm(lgb.LGBMClassifier(n_estimators=n(50), boosting_type="dart", **lgb_settings)),
    "lgb-rf": lambda: lightgbm(lgb.LGBMClassifier(n_estimators=n(50), boosting_type="rf", bagging_freq=1, bagging_fraction=0.7, **lgb_settings)),
    "lgb-poisson": lambda: lightgbm(lgb.LGBMRegressor(n_estimators=n(50), objective="poisson", **lgb_settings), positive),
    "lgb-quantile": lambda: lightgbm(lgb.LGBMRegressor(n_estimators=n(50), objective="quantile", **lgb_settings), target),
    "lgb-rank": lambda: lightgbm(lgb.LGBMRanker(n_estimators=n(50), **lgb_settings), y, group=[20] * (samples // 20)),
    "lgb-zipmap": lambda: lightgbm(lgb.LGBMClassifier(n_estimators=n(20, 3), **lgb_settings), label, zipmap=True),
    "catboost300": lambda: catboosted(catboost.CatBoostClassifier(iterations=n(300), **cat_settings)),
    "catboost-binary": lambda: catboosted(catboost.CatBoostClassifier(iterations=n(300), **cat_settings), binary),
    "catboost-regressor": lambda: catboosted(catboost.CatBoostRegressor(iterations=n(300), **cat_settings), target),
    "catboost-category": lambda: catboosted(catboost.CatBoostClassifier(iterations=n(30), **cat_settings), data=train_frame, cat_features=list(TEXTS)),
    "rfr-double": lambda: skl(
        sk("ensemble.RandomForestRegressor", n(20, 3), max_depth=depth(8), random_state=1), target, data=X.astype(np.float64),
        inputs=rows.astype(np.float64), types=[("X", DoubleTensorType([None, WIDTH]))],
    ),
    "quantile": lambda: skl(sk("linear_model.QuantileRegressor", alpha=0.01), target),
    "svc": lambda: skl(sk("svm.SVC", probability=True, random_state=1), data=X[:1000], target=label[:1000]),
    "svr": lambda: skl(sk("svm.SVR"), target[:1000], data=X[:1000]),
    "pipe-logistic-zipmap": lambda: pipe(sk("linear_model.LogisticRegression"), one_hot(), zipmap=True),
    "pipe-dense": lambda: pipe(sk("linear_model.LogisticRegression"), one_hot(sparse=False)),
    "pipe-hgb-category": lambda: pipe(sk("ensemble.HistGradientBoostingClassifier", max_iter=n(50), max_leaf_nodes=depth(31, 6), categorical_features=[0, 1, 2]), ordinal()),
    "pipe-frame": lambda: frame_export(),
    "pipe-lgb": lambda: booster_pipe(lgb.LGBMClassifier(n_estimators=n(100), **lgb_settings), "LightGbmLGBMClassifier", convert_lightgbm, calculate_linear_classifier_output_shapes),
    "pipe-xgb": lambda: booster_pipe(xgb.XGBClassifier(n_estimators=n(100), **xgb_settings), "XGBoostXGBClassifier", convert_xgboost, calculate_linear_classifier_output_shapes),
    "xgb-booster": lambda: xgboost_booster(),
    "xgb-category": lambda: xgboost(xgb.XGBClassifier(n_estimators=n(100), enable_categorical=True, feature_types=["q"] * 3 + ["c"] + ["q"] * 6, **xgb_settings)),
    "xgb-dart": lambda: xgboost(xgb.XGBClassifier(n_estimators=n(30), booster="dart", **xgb_settings)),
    "xgb-linear": lambda: xgboost(xgb.XGBRegressor(n_estimators=n(30), booster="gblinear", nthread=1), target),
    "xgb-rank": lambda: xgboost(xgb.XGBRanker(n_estimators=n(30), **xgb_settings), y, qid=np.arange(samples) // 20),
    "lgb-split": lambda: split_lightgbm(),
    "isolation-forest": lambda: skl(sk("ensemble.IsolationForest", n_estimators=n(100), random_state=1), None),
    "spline": lambda: skl(sklearn.pipeline.make_pipeline(sklearn.preprocessing.SplineTransformer(), sk("linear_model.LogisticRegression"))),
    "target-encoder": lambda: pipe(sk("linear_model.LogisticRegression"), [("text", sklearn.preprocessing.TargetEncoder(), list(TEXTS)), one_hot()[1]]),
    "quantile-transformer": lambda: skl(sklearn.pipeline.make_pipeline(sklearn.preprocessing.QuantileTransformer(n_quantiles=10), sk("linear_model.LogisticRegression"))),
}


def write_rows(path, model, inputs):
    """Writes the inputs as JSON Lines. The columns of a matrix are `f0`, `f1` and so on; a missing number is left out."""
    names = [value.name for value in onnx.load_model_from_string(model).graph.input]
    columns = {}
    for name, values in zip(names, inputs):
        width = values.shape[1]
        columns |= {name if width == 1 else f"f{index}": values[:, index] for index in range(width)}
    with path.open("w") as file:
        for row in range(ROWS):
            cells = {name: values[row] for name, values in columns.items()}
            record = {name: cell if isinstance(cell, str) else float(cell) for name, cell in cells.items() if cell == cell}
            file.write(json.dumps(record) + "\n")


def main():
    out = pathlib.Path(sys.argv[2])
    wanted = sys.argv[3:] or MODELS
    cases, listed = [], {}
    if not SMALL:
        out.mkdir(exist_ok=True)
    for name in wanted:
        try:
            model, inputs = MODELS[name]()
            model = model if isinstance(model, bytes) else model.SerializeToString()
            listed[name] = {"bytes": len(model)}
            if not SMALL:
                (out / f"{name}.onnx").write_bytes(model)
                write_rows(out / f"{name}.jsonl", model, inputs)
            case = onnxruntime_case(name, model, inputs)
        except Exception as error:
            listed[name] = listed.get(name, {}) | {"reason": f"{type(error).__name__}: {error}"}
            print(f"{name}: {str(error)[:200]}", file=sys.stderr)
            continue
        cases.append(case)
        if not SMALL:
            (out / f"{name}.cases.gz").write_bytes(compressed([case]))
    if SMALL:
        write(out, cases)
        print(f"{len(cases)} of {len(wanted)} models")
    else:
        (out / "models.json").write_text(json.dumps(listed, indent=1) + "\n")


if __name__ == "__main__":
    main()
