"""Reads a run of the hotel study of rooms with common analysis tools, and prints the results as JSON.

pyarrow, pandas and DuckDB read every file. SQL and pandas compute the agreement.
"""

import json
import sys
from pathlib import Path

import duckdb
import pandas
import pyarrow.parquet

run = Path(sys.argv[1])
found = {"rows": {}}

for path in sorted(run.glob("*/*.parquet")):
    rows = {
        len(pyarrow.parquet.read_table(path)),
        len(pandas.read_parquet(path)),
        duckdb.read_parquet(str(path)).shape[0],
    }
    (count,) = rows
    columns = pyarrow.parquet.read_schema(path).names
    assert columns == list(pandas.read_parquet(path)) == duckdb.read_parquet(str(path)).columns, path
    table = path.parent.name
    found["rows"][table] = found["rows"].get(table, 0) + count

found["sql"] = duckdb.sql(f"""
    select
        count(*) filter (s."model.booked-room.answer" = d."decision.room"),
        count(*) filter (s."input.reserved_room_type" = d."decision.room"),
        count(*)
    from '{run}/snapshots/*.parquet' s join '{run}/decisions/*.parquet' d using (id)
""").fetchall()[0]

snapshots = pandas.read_parquet(run / "snapshots")
decisions = pandas.read_parquet(run / "decisions")
both = snapshots.merge(decisions, on="id")
agrees = both["model.booked-room.answer"] == both["decision.room"]
weekend = both["observed_at"].dt.day_of_week >= 5
found["pandas"] = [int(agrees.sum()), int(agrees[weekend].sum()), len(both)]

# A pair refers to its snapshot and its decision by sequence number and repeats some of their values.
found["joined"] = duckdb.sql(f"""
    select
        count(*),
        count(distinct p.snapshot),
        count(distinct p.decision),
        count(*) filter (p.id = s.id and p.id = d.id),
        count(*) filter (p.observed_at = s.observed_at and p.decided_at = d.decided_at),
        count(*) filter (p."comparator.answer" = d."decision.room"),
        count(*) filter (p."condition.segment" = s."input.market_segment"),
        count(*) filter (p."condition.day" = if(isodow(p.observed_at at time zone 'UTC') >= 6, 'weekend', 'weekday'))
    from '{run}/pairs/*.parquet' p
    join '{run}/snapshots/*.parquet' s on p.snapshot = s.sequence
    join '{run}/decisions/*.parquet' d on p.decision = d.sequence
""").fetchall()[0]

# The text of each record is stored beside its columns.
found["raw"] = duckdb.sql(f"""
    select count(*) filter (json_extract_string(raw, '$.reserved_room_type') = "input.reserved_room_type")
    from '{run}/snapshots/*.parquet'
""").fetchall()[0]

json.dump(found, sys.stdout)
