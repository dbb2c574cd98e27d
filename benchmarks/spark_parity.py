"""Tags of a lake on DuckDB and on Spark: seconds of each, and every value that is not the same.

::

    MALLARD_HOME=/tmp/cj mallard sample complete-journey
    python benchmarks/spark_parity.py /tmp/cj 2018-01-01
"""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.home import Home
from features.engine import EventTables, build_tags
from features.engine.duck import DuckRelations
from features.engine.spark import SparkRelations
from features.lake import Lake

#: What is left of a real tag when two engines add up in another order: one unit of the last digit that is kept.
LAST_DIGIT = 1.001e-6


def compare(home: Path, as_of: datetime) -> int:
    """Build all tags twice, print what differs, and return the number of tags that do."""
    lake = Lake(Home(home, home / "configs", home / "mlruns"))
    start = time.perf_counter()
    expected = build_tags(EventTables.from_lake(lake, DuckRelations()), as_of)  # folds for itself, as Spark does
    tags = expected.num_columns - 1
    print(f"DuckDB  {time.perf_counter() - start:7.1f} s   {expected.num_rows:,} users, {tags} tags")
    start = time.perf_counter()
    with SparkRelations() as relations:
        print(f"Spark   {time.perf_counter() - start:7.1f} s to start")
        found = build_tags(EventTables.from_lake(lake, relations), as_of)
        print(f"Spark   {time.perf_counter() - start:7.1f} s")
    if not found[c.USER_ID].equals(expected[c.USER_ID]):
        print("the users differ")
        return tags
    reports = [report for name in expected.column_names if (report := _report(name, found[name], expected[name]))]
    for name, told, _ in reports:
        print(f"  {name}: {told}")
    wrong = sum(not close for _, _, close in reports)
    print(f"{tags - len(reports)} tags equal to the bit, {len(reports) - wrong} to the last digit")
    return wrong


def _report(name: str, found: pa.ChunkedArray, expected: pa.ChunkedArray) -> tuple[str, str, bool] | None:
    """Name, what differs, and whether it is the last digit only; nothing when all is the same."""
    same = pc.fill_null(pc.equal(found, expected), False)
    same = pc.or_(same, pc.and_(pc.is_null(found), pc.is_null(expected)))
    wrong = pc.invert(same)
    if not pc.any(wrong).as_py():
        return None
    left, right = found.filter(wrong), expected.filter(wrong)
    told = f"{len(left)} users, for instance {left[0].as_py()} instead of {right[0].as_py()}"
    close = pa.types.is_floating(found.type) and not (left.null_count or right.null_count)
    return name, told, close and pc.max(pc.abs(pc.subtract(left, right))).as_py() <= LAST_DIGIT


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("home", type=Path, help="a MALLARD_HOME whose lake holds events")
    asked.add_argument("as_of", type=datetime.fromisoformat, help="moment of the build, UTC")
    given = asked.parse_args()
    sys.exit(min(compare(given.home, given.as_of.replace(tzinfo=UTC)), 1))
