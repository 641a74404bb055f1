"""A LightGBM regression that MLflow saves with its signature."""

import shutil

import lightgbm
import mlflow
from bookings import NUMBERS, ROWS, TRAINING, output_folder, prices, write_predictions

folder = output_folder()
data = TRAINING[NUMBERS].astype({"lead_time": "float64", "adults": "float64"})
parameters = {"objective": "regression", "seed": 1, "verbosity": -1}
model = lightgbm.train(parameters, lightgbm.Dataset(data, prices(TRAINING)), num_boost_round=50)
# MLflow writes into new folders only.
shutil.rmtree(folder / "mlflow", ignore_errors=True)
signature = mlflow.models.infer_signature(data, model.predict(data))
mlflow.lightgbm.save_model(model, folder / "mlflow", signature=signature)

write_predictions(folder, {"price": model.predict(ROWS[NUMBERS])}, ["mlflow"])
