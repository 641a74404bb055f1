"""Trains the models of trained-models.toml on the first four months of the hotel's bookings.

    pip install 'protobuf<7' onnx==1.23.2 onnxruntime==1.32.0 scikit-learn==1.9.1 skl2onnx==1.20.0 lightgbm==4.7.0 pandas==3.1.1
    pip install --no-deps xgboost==3.2.0
    python train.py

It reads hotel-bookings.jsonl.gz and hotel-assignments.jsonl.gz beside it, and writes there:

- forest.onnx: a scikit-learn pipeline of encoders and a random forest;
- boosted-trees.ubj: XGBoost;
- boosted-trees.txt: LightGBM;
- shadow-bookings.jsonl.gz and shadow-assignments.jsonl.gz: the feed from 7 November 2016, which no model has seen.

Then it prints how many bookings of that feed each library answers with the room that the hotel assigned.
`python train.py --check` only prints these numbers.
"""

import gzip
import json
import pathlib
import sys

import lightgbm
import numpy
import onnxruntime
import pandas
import xgboost
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

FOLDER = pathlib.Path(__file__).parent
# Bookings that arrive from the first day to the day before the second are the training data.
TRAINING = ("2016-07-02", "2016-11-01")
# The shadow begins with a Monday after that, so that its first week is complete.
SHADOW = "2016-11-07"

TEXTS = ["reserved_room_type", "market_segment", "customer_type"]
LABELS = numpy.array(list("abcdefghi"))
NUMBERS = ["lead_time", "adults", "children", "is_repeated_guest", "total_of_special_requests"]


def lines(name):
    with gzip.open(FOLDER / name, "rt", encoding="utf-8") as file:
        return file.readlines()


def fields_and_rooms(prefix, is_chosen):
    """The fields of the chosen bookings, and the rooms that the hotel assigned."""
    rooms = {record["id"]: record["room"] for record in map(json.loads, lines(f"{prefix}-assignments.jsonl.gz"))}
    bookings = [booking for booking in map(json.loads, lines(f"{prefix}-bookings.jsonl.gz")) if is_chosen(booking)]
    return pandas.DataFrame(bookings)[TEXTS + NUMBERS], numpy.array([rooms[booking["id"]] for booking in bookings])


def is_training_data(booking):
    return TRAINING[0] <= booking["observed_at"][:10] < TRAINING[1]


def forest(fields, rooms):
    """A random forest on encoded texts and on numbers."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    prepare = ColumnTransformer([("texts", encoder, TEXTS), ("numbers", "passthrough", NUMBERS)])
    trees = RandomForestClassifier(n_estimators=30, max_depth=7, min_samples_leaf=5, random_state=1)
    model = make_pipeline(prepare, trees).fit(fields, rooms)
    types = [(name, StringTensorType([None, 1])) for name in TEXTS]
    types += [(name, FloatTensorType([None, 1])) for name in NUMBERS]
    exported = to_onnx(model, name="forest", initial_types=types, options={"zipmap": False})
    (FOLDER / "forest.onnx").write_bytes(exported.SerializeToString())


def boosted_trees(fields, rooms):
    """Gradient boosting by XGBoost and by LightGBM, which take texts as categories."""
    fields = fields.astype({name: "category" for name in TEXTS})
    codes = numpy.searchsorted(LABELS, rooms)
    model = xgboost.XGBClassifier(n_estimators=20, max_depth=3, enable_categorical=True, n_jobs=1, random_state=1)
    model.fit(fields, codes)
    model.save_model(FOLDER / "boosted-trees.ubj")
    parameters = {"objective": "multiclass", "num_class": len(LABELS), "num_leaves": 6, "min_data_in_leaf": 20}
    parameters |= {"seed": 1, "deterministic": True, "num_threads": 1, "verbosity": -1}
    data = lightgbm.Dataset(fields, label=codes, categorical_feature=TEXTS)
    lightgbm.train(parameters, data, num_boost_round=20).save_model(FOLDER / "boosted-trees.txt")


def shadow_feed():
    """The records from the first day of the shadow."""
    for name, time in (("bookings", "observed_at"), ("assignments", "decided_at")):
        kept = [line for line in lines(f"hotel-{name}.jsonl.gz") if json.loads(line)[time] >= SHADOW]
        # Without the time of compression, so that the same records give the same file.
        (FOLDER / f"shadow-{name}.jsonl.gz").write_bytes(gzip.compress("".join(kept).encode(), 9, mtime=0))


def check():
    """Prints how many bookings of the shadow each library answers with the assigned room."""
    fields, rooms = fields_and_rooms("shadow", lambda _: True)
    inputs = {name: fields[[name]].to_numpy(object) for name in TEXTS}
    inputs |= {name: fields[[name]].to_numpy(numpy.float32) for name in NUMBERS}
    answers = {"forest": onnxruntime.InferenceSession(FOLDER / "forest.onnx").run(None, inputs)[0]}
    fields = fields.astype({name: "category" for name in TEXTS})
    model = xgboost.XGBClassifier()
    model.load_model(FOLDER / "boosted-trees.ubj")
    answers["xgboost"] = LABELS[model.predict_proba(fields).argmax(axis=1)]
    model = lightgbm.Booster(model_file=FOLDER / "boosted-trees.txt")
    answers["lightgbm"] = LABELS[model.predict(fields).argmax(axis=1)]
    answers["booked-room"] = fields["reserved_room_type"].to_numpy()
    for name, rooms_of_model in answers.items():
        print(name, (rooms_of_model == rooms).sum(), "of", len(rooms))


if sys.argv[1:] != ["--check"]:
    fields, rooms = fields_and_rooms("hotel", is_training_data)
    forest(fields, rooms)
    boosted_trees(fields, rooms)
    shadow_feed()
check()
