"""LightGBM with texts as categories, saved as text."""

import lightgbm
import numpy
from bookings import ROOMS, ROWS, TEXTS, TRAINING, labels_and_confidences, output_folder, rooms, write_predictions

folder = output_folder()
categories = {name: "category" for name in TEXTS}
data = lightgbm.Dataset(TRAINING.astype(categories), label=numpy.searchsorted(ROOMS, rooms(TRAINING)))
parameters = {"objective": "multiclass", "num_class": len(ROOMS), "seed": 1, "verbosity": -1}
model = lightgbm.train(parameters, data, num_boost_round=50)
model.save_model(folder / "model.txt")

predictions = labels_and_confidences(model.predict(ROWS.astype(categories)))
write_predictions(folder, predictions, ["model.txt"], f" --labels {','.join(ROOMS)}")
