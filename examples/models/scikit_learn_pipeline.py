"""A scikit-learn pipeline of encoders and boosted trees, exported to ONNX."""

from bookings import NUMBERS, ROWS, TEXTS, TRAINING, labels_and_confidences, output_folder, rooms, write_predictions
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

folder = output_folder()
encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
prepare = ColumnTransformer([("texts", encoder, list(TEXTS)), ("numbers", SimpleImputer(), NUMBERS)])
pipeline = make_pipeline(prepare, HistGradientBoostingClassifier(max_iter=50, random_state=1))
pipeline.fit(TRAINING, rooms(TRAINING))

# One input for each column, so that the inputs name the fields.
types = [(name, StringTensorType([None, 1])) for name in TEXTS] + [(name, FloatTensorType([None, 1])) for name in NUMBERS]
export = to_onnx(pipeline, initial_types=types, options={"zipmap": False})
(folder / "pipeline.onnx").write_bytes(export.SerializeToString())

predictions = labels_and_confidences(pipeline.predict_proba(ROWS), pipeline.classes_)
write_predictions(folder, predictions, ["pipeline.onnx"])
