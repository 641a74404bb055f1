"""Generated bookings of a hotel: the training data and the rows of the scripts beside this file."""

import pathlib
import sys

import numpy
import pandas

TEXTS = {"segment": ["corporate", "direct", "groups"], "country": ["DEU", "ESP", "FRA", "GBR", "PRT"]}
NUMBERS = ["lead_time", "adults", "rate"]
ROOMS = ["double", "single", "suite"]


def bookings(count, seed):
    """A table of bookings. Every ninth one has no rate."""
    random = numpy.random.default_rng(seed)
    table = pandas.DataFrame({name: random.choice(values, count) for name, values in TEXTS.items()})
    table["lead_time"] = random.integers(0, 400, count)
    table["adults"] = random.integers(1, 5, count)
    table["rate"] = numpy.round(random.gamma(4, 30, count), 2)
    table.loc[::9, "rate"] = numpy.nan
    return table


def rooms(table):
    """The room of each booking, with some noise."""
    noise = numpy.random.default_rng(3).normal(scale=0.4, size=len(table))
    score = table["lead_time"] / 100 + table["adults"] + 2 * (table["segment"] == "groups") + noise
    return numpy.select([score < 3, score < 5.5], ["single", "double"], "suite")


def prices(table):
    """The price of each booking, with some noise."""
    noise = numpy.random.default_rng(4).normal(scale=5, size=len(table))
    return 30 + 40 * table["adults"] + 0.3 * table["rate"].fillna(80) + noise


TRAINING = bookings(2000, 1)
ROWS = bookings(500, 2)


def output_folder():
    """The folder that the command line names, which is created."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {pathlib.Path(sys.argv[0]).name} FOLDER")
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_predictions(folder, predictions, models, options=""):
    """Writes the rows and their predictions, and prints the command that checks each model."""
    ROWS.to_csv(folder / "rows.csv", index=False)
    table = pandas.DataFrame(predictions)
    table.to_csv(folder / "predictions.csv", index=False)
    for model in models:
        files = f"{folder / model} --rows {folder / 'rows.csv'} --expect {folder / 'predictions.csv'}"
        confidence = " --confidence confidence" if "confidence" in table else ""
        print(f"understudy model check {files}{confidence}{options}")


def labels_and_confidences(probabilities, names=ROOMS):
    """The most probable label of each row and its probability, as 64-bit floats: pandas writes these without loss."""
    probabilities = numpy.asarray(probabilities, dtype=numpy.float64)
    return {"label": numpy.array(names)[probabilities.argmax(axis=1)], "confidence": probabilities.max(axis=1)}
