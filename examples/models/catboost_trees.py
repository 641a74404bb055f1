"""CatBoost on numbers, saved as JSON."""

import catboost
from bookings import NUMBERS, ROWS, TRAINING, labels_and_confidences, output_folder, rooms, write_predictions

folder = output_folder()
model = catboost.CatBoostClassifier(iterations=100, depth=4, verbose=0, allow_writing_files=False, random_seed=1)
model.fit(TRAINING[NUMBERS], rooms(TRAINING))
model.save_model(folder / "model.json", format="json")

predictions = labels_and_confidences(model.predict_proba(ROWS[NUMBERS]), model.classes_)
write_predictions(folder, predictions, ["model.json"])
