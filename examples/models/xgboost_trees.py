"""XGBoost with texts as categories, saved as JSON and as UBJSON."""

import numpy
import xgboost
from bookings import ROOMS, ROWS, TEXTS, TRAINING, labels_and_confidences, output_folder, rooms, write_predictions

folder = output_folder()
categories = {name: "category" for name in TEXTS}
model = xgboost.XGBClassifier(n_estimators=50, max_depth=4, enable_categorical=True, random_state=1)
# XGBoost takes the numbers of classes and does not save their names.
model.fit(TRAINING.astype(categories), numpy.searchsorted(ROOMS, rooms(TRAINING)))
for name in ("model.json", "model.ubj"):
    model.save_model(folder / name)

predictions = labels_and_confidences(model.predict_proba(ROWS.astype(categories)))
write_predictions(folder, predictions, ["model.json", "model.ubj"], f" --labels {','.join(ROOMS)}")
