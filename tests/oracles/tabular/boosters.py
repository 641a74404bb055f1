"""XGBoost, LightGBM and CatBoost models in their own formats, with the predictions of the libraries.

    pip install 'protobuf<7' onnx==1.23.2 onnxruntime==1.32.0 scikit-learn==1.9.1 lightgbm==4.7.0 catboost==1.2.10 pandas==3.1.1
    pip install --no-deps xgboost==3.2.0
    python boosters.py ../../../plugins/tabular/boosters/tests/boosters.cases.gz
"""

import json
import sys
import warnings

import catboost as cat
import lightgbm as lgb
import numpy as np
import pandas as pd
import xgboost as xgb

from case_file import field, write

warnings.filterwarnings("ignore")
ROWS = 32
rng = np.random.default_rng(16)
X = rng.normal(size=(800, 6)).astype(np.float32)
X[:, 3] = rng.integers(0, 12, 800)
X[:, 4] = np.where(rng.random(800) < 0.4, 0, X[:, 4])
signal = X[:, 0] * X[:, 1] + np.sin(X[:, 2] * 2) + (X[:, 3] % 3) + 0.3 * rng.normal(size=800)
y = np.digitize(signal, [0.6, 1.6])
binary = (signal > 1).astype(int)
target = signal * 10
positive = np.exp(signal / 2)
rows = rng.normal(size=(ROWS, 6)).astype(np.float32)
rows[:, 3] = rng.integers(-1, 15, ROWS)
rows[:, 4] = np.where(rng.random(ROWS) < 0.3, 0, rows[:, 4])
rows[rng.random(rows.shape) < 0.1] = np.nan
rows[0, 3] = 2.5
rows[1, 4] = 1e-36
missing = X.copy()
missing[rng.random(X.shape) < 0.1] = np.nan
frame = pd.DataFrame(X.astype(np.float64), columns=list("abcdef"))
frame["d"] = pd.Categorical([f"c{int(value)}" for value in X[:, 3]])
row_frame = pd.DataFrame(rows.astype(np.float64), columns=list("abcdef"))
row_frame["d"] = pd.Categorical([f"c{int(value) % 12}" if value == value else "c1" for value in rows[:, 3]], categories=frame["d"].cat.categories)


def text_column(column):
    """Texts as bytes that are separated by zeros."""
    return b"\0".join(str(value).encode() for value in column)


def case(name, model, data, outputs):
    """Fields: name, model, columns of 64-bit floats (3) or of text (4), outputs of 64-bit floats (5)."""
    parts = [field(1, name.encode()), field(2, model)]
    for index in range(data.shape[1]):
        column = data.iloc[:, index] if isinstance(data, pd.DataFrame) else data[:, index]
        if isinstance(column, pd.Series) and str(column.dtype) == "category":
            parts.append(field(4, text_column(column)))
        else:
            parts.append(field(3, np.asarray(column, dtype="<f8").tobytes()))
    parts += [field(5, np.asarray(output, dtype="<f8").tobytes()) for output in outputs]
    return field(1, b"".join(parts))


def xgboost(name, settings, target, data=X, inputs=rows, extension="json", **fit):
    classifier = settings.get("objective", "").split(":")[0] in ("binary", "multi")
    kind = xgb.XGBClassifier if classifier else xgb.XGBRegressor
    if settings.pop("ranker", False):
        kind = xgb.XGBRanker
    if settings.pop("forest", False):
        kind = xgb.XGBRFClassifier
    model = kind(**{"n_estimators": 3, "max_depth": 3, "n_jobs": 1} | settings).fit(data, target, **fit)
    path = f"/tmp/model.{extension}"
    model.save_model(path)
    hinge = settings.get("objective") == "binary:hinge"
    booster = model.get_booster()
    if classifier and not hinge:
        probabilities = model.predict_proba(inputs)
        outputs = [probabilities.argmax(axis=1), probabilities]
    else:
        outputs = [model.predict(inputs)]
    del booster
    return case(f"xgboost-{name}", open(path, "rb").read(), inputs, outputs)


def lightgbm(name, settings, target, data=X.astype(np.float64), inputs=rows.astype(np.float64), **fit):
    settings = {"objective": "regression", "verbose": -1, "num_leaves": 7, "num_threads": 1, "min_data_in_leaf": 5} | settings
    dataset = lgb.Dataset(data, target, free_raw_data=False, **fit)
    model = lgb.train(settings, dataset, num_boost_round=4)
    prediction = model.predict(inputs)
    classifier = settings["objective"] in ("binary", "multiclass", "multiclassova")
    if classifier:
        probabilities = prediction if prediction.ndim == 2 else np.stack([1 - prediction, prediction], axis=1)
        outputs = [probabilities.argmax(axis=1), probabilities]
    else:
        outputs = [prediction]
    return case(f"lightgbm-{name}", model.model_to_string().encode(), inputs, outputs)


def catboost(name, settings, target, data=X, inputs=rows, threshold=None):
    settings = {"iterations": 5, "depth": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1} | settings
    loss = settings.get("loss_function", "RMSE")
    classifier = loss in ("Logloss", "CrossEntropy", "Focal", "MultiClass", "MultiClassOneVsAll") or loss.startswith("Focal")
    kind = cat.CatBoostClassifier if classifier else cat.CatBoostRegressor
    if settings.pop("ranker", False):
        kind = cat.CatBoostRanker
    pool = cat.Pool(data, target, group_id=np.arange(800) // 20 if kind is cat.CatBoostRanker else None)
    model = kind(**settings).fit(pool)
    if threshold:
        model.set_probability_threshold(threshold)
    path = "/tmp/model.json"
    model.save_model(path, format="json")
    # The tests need no history of the training.
    document = json.load(open(path))
    document["model_info"] = {
        key: value if key != "params" else {"loss_function": value["loss_function"]}
        for key, value in document["model_info"].items()
        if key in ("class_params", "params", "binclass_probability_threshold")
    }
    if classifier:
        probabilities = model.predict_proba(inputs)
        names = [str(name) for name in model.classes_]
        outputs = [[names.index(str(label)) for label in model.predict(inputs).ravel()], probabilities]
    else:
        outputs = [model.predict(inputs)]
    return case(f"catboost-{name}", json.dumps(document, sort_keys=True).encode(), inputs, outputs)


def cases():
    multi = dict(objective="multi:softprob")
    yield xgboost("multi", multi, y)
    yield xgboost("multi-ubj", multi, y, extension="ubj")
    yield xgboost("softmax", dict(objective="multi:softmax"), y)
    yield xgboost("binary", dict(objective="binary:logistic"), binary)
    yield xgboost("binary-ubj", dict(objective="binary:logistic"), binary, extension="ubj")
    yield xgboost("hinge", dict(objective="binary:hinge"), binary)
    yield xgboost("missing", multi, y, data=missing)
    yield xgboost("dart", dict(objective="binary:logistic", booster="dart", rate_drop=0.5, n_estimators=8), binary)
    yield xgboost("linear", dict(booster="gblinear"), target)
    yield xgboost("linear-multi", multi | dict(booster="gblinear"), y)
    yield xgboost("squared", {}, target)
    yield xgboost("base-score", dict(base_score=3.5), target)
    yield xgboost("absolute", dict(objective="reg:absoluteerror"), target)
    yield xgboost("quantile", dict(objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9]), target)
    yield xgboost("logistic", dict(objective="reg:logistic"), binary)
    for objective in ("count:poisson", "reg:gamma", "reg:tweedie"):
        yield xgboost(objective.split(":")[1], dict(objective=objective), positive)
    yield xgboost("targets", {}, np.stack([target, -target], axis=1))
    yield xgboost("vector", dict(multi_strategy="multi_output_tree"), np.stack([target, -target], axis=1))
    yield xgboost("forest", multi | dict(forest=True), y)
    yield xgboost("rank", dict(objective="rank:ndcg", ranker=True), y, qid=np.arange(800) // 20)
    types = ["q", "q", "q", "c", "q", "q"]
    # XGBoost refuses the data frame's categories that it has not seen, and so are not in the rows.
    codes = rows.copy()
    codes[:, 3] = np.where(np.isnan(rows[:, 3]), np.nan, np.abs(np.nan_to_num(rows[:, 3])) // 1)
    yield xgboost("category", dict(feature_types=types, enable_categorical=True, max_cat_to_onehot=1), target, inputs=codes)
    yield xgboost("one-hot", dict(feature_types=types, enable_categorical=True, max_cat_to_onehot=50), target, inputs=codes)
    yield xgboost("frame", dict(enable_categorical=True, max_cat_to_onehot=1), target, data=frame, inputs=row_frame)
    early = dict(n_estimators=60, early_stopping_rounds=2, learning_rate=0.9)
    yield xgboost("early", early, target, eval_set=[(X[:100] + 1, target[:100])], verbose=False)

    yield lightgbm("squared", {}, target)
    yield lightgbm("multi", dict(objective="multiclass", num_class=3), y)
    yield lightgbm("one-against-all", dict(objective="multiclassova", num_class=3), y)
    yield lightgbm("binary", dict(objective="binary", sigmoid=0.7), binary)
    yield lightgbm("missing", dict(objective="multiclass", num_class=3), y, data=missing.astype(np.float64))
    yield lightgbm("zero", dict(zero_as_missing=True), target)
    yield lightgbm("zero-missing", dict(zero_as_missing=True), target, data=missing.astype(np.float64))
    yield lightgbm("category", dict(cat_smooth=1, min_data_per_group=1), target, categorical_feature=[3])
    yield lightgbm("frame", dict(cat_smooth=1, min_data_per_group=1), target, data=frame, inputs=row_frame)
    yield lightgbm("dart", dict(boosting="dart", drop_rate=0.5), target)
    yield lightgbm("forest", dict(boosting="rf", bagging_freq=1, bagging_fraction=0.7), target)
    yield lightgbm("rank", dict(objective="lambdarank"), y, group=[20] * 40)
    yield lightgbm("sqrt", dict(reg_sqrt=True), target)
    yield lightgbm("no-split", dict(min_data_in_leaf=900), target)
    for objective in ("poisson", "gamma", "tweedie", "quantile", "regression_l1", "huber", "fair", "mape"):
        yield lightgbm(objective, dict(objective=objective), positive)
    yield lightgbm("cross-entropy", dict(objective="cross_entropy"), binary)
    yield lightgbm("cross-entropy-lambda", dict(objective="cross_entropy_lambda"), binary)
    full = np.nan_to_num(rows)
    yield catboost("squared", {}, target, data=missing)
    yield catboost("no-missing", {}, target, inputs=full)
    yield catboost("missing-above", dict(nan_mode="Max"), target, data=missing)
    yield catboost("multi", dict(loss_function="MultiClass"), np.array(["a", "b", "c"])[y], data=missing)
    yield catboost("one-against-all", dict(loss_function="MultiClassOneVsAll"), y, data=missing)
    yield catboost("binary", dict(loss_function="Logloss"), binary, data=missing)
    yield catboost("boolean", dict(loss_function="Logloss"), binary == 1, data=missing)
    yield catboost("threshold", dict(loss_function="Logloss"), binary, data=missing, threshold=0.3)
    yield catboost("cross-entropy", dict(loss_function="CrossEntropy"), np.clip(signal - signal.min(), 0, 1), data=missing)
    yield catboost("depthwise", dict(grow_policy="Depthwise", depth=4), target, data=missing)
    yield catboost("lossguide", dict(grow_policy="Lossguide", depth=6, loss_function="MultiClass"), y, data=missing)
    yield catboost("targets", dict(loss_function="MultiRMSE"), np.stack([target, -target], axis=1), data=missing)
    yield catboost("quantiles", dict(loss_function="MultiQuantile:alpha=0.1,0.5,0.9"), target, data=missing)
    yield catboost("rank", dict(loss_function="YetiRank", ranker=True), y, data=missing)
    for loss in ("Poisson", "Tweedie:variance_power=1.5", "MAE", "Huber:delta=2", "Expectile:alpha=0.3", "MAPE"):
        yield catboost(loss.split(":")[0].lower(), dict(loss_function=loss), positive, data=missing)
    # Seconds since 1970, which floats of 32 bits cannot tell apart.
    seconds = X.astype(np.float64)
    seconds[:, 0] = 1.7e9 + np.arange(800)
    close = rows.astype(np.float64)
    close[:, 0] = 1.7e9 + np.arange(ROWS) * 20
    yield lightgbm("seconds", {}, np.sin(np.arange(800) / 30), data=seconds, inputs=close)


def main():
    written = list(cases())
    write(sys.argv[1], written)
    print(f"{len(written)} cases")


main()
