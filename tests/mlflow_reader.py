"""Reads the runs of a tracking directory with MLflow's own store, and prints them as JSON.

Usage: mlflow_reader.py DIRECTORY STUDY
"""

import json
import os
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from mlflow.tracking import MlflowClient

folder, study = sys.argv[1:]
client = MlflowClient(tracking_uri=folder)
experiment = client.get_experiment_by_name(study)
runs = []
for run in client.search_runs([experiment.experiment_id], order_by=["tags.mlflow.runName ASC"]):
    history = client.get_metric_history(run.info.run_id, "agreement.window")
    path = client.download_artifacts(run.info.run_id, "report.json")
    runs.append({
        "name": run.info.run_name,
        "status": run.info.status,
        "metrics": run.data.metrics,
        "params": run.data.params,
        "tags": {key: value for key, value in run.data.tags.items() if key.startswith("understudy.")},
        "windows": [[point.step, point.timestamp, point.value] for point in history],
        "artifacts": sorted(found.path for found in client.list_artifacts(run.info.run_id)),
        "study": json.load(open(path))["report"]["study"],
    })
print(json.dumps(runs))
