"""The Spark engine gives the table that DuckDB gives, for every tag that discovery finds."""

import os
import runpy
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.contracts import columns as c
from features.contracts.errors import MissingExtraError
from features.contracts.knowledge import ALIAS_SCHEMA, FLAG_SCHEMA, FLAGGED_AT, ID_KIND, KNOWN_FROM, RAW_ID, RULE, SCORE
from features.contracts.rule_files import using_rules
from features.engine import EventTables, build_tags
from features.lake import read_table
from features.simulator.simulate import simulate
from features.simulator.world import World
from features.sources import SAMPLES
from features.tags import catalogue
from features.tags.spec.registry import is_rule
from tests.features import mall

if "CI" not in os.environ:  # there the test runs, or fails
    pytest.importorskip("pyspark", reason="the Spark engine needs pip install mallard[spark]")

from features.engine import spark as engine
from features.engine.spark import SparkRelations, local_session

#: The rule tags that come with Mallard.
_RULES = Path(__file__).parents[3] / "configs" / "tags"

#: Plans of hundreds of columns over few rows: compiling them takes longer than running them.
_SMALL = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.driver.defaultJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkRelations]:
    scratch = tmp_path_factory.mktemp("spark")
    session = local_session(scratch, settings=_SMALL)
    with SparkRelations(session, scratch) as relations:
        yield relations
    session.stop()


def differences(found: pa.Table, expected: pa.Table) -> list[str]:
    """Every tag whose values are not the same ones, with one of them."""
    assert found.schema == expected.schema
    assert found[c.USER_ID].to_pylist() == expected[c.USER_ID].to_pylist()
    told = []
    for name in expected.column_names:
        rows = zip(expected[c.USER_ID].to_pylist(), found[name].to_pylist(), expected[name].to_pylist(), strict=True)
        if wrong := [row for row in rows if row[1] != row[2]]:
            told.append(f"{name} of {len(wrong)} users: {wrong[0][0]} has {wrong[0][1]}, DuckDB says {wrong[0][2]}")
    return told


def test_every_tag_equals_that_of_duckdb(spark: SparkRelations, mall_tags: Callable[[datetime], pa.Table]):
    """In the middle of a day, with late rows: kept folds and open days both take part. Equal to the last bit."""
    tables = EventTables.from_arrow(mall.table(mall.events()), mall.items(), mall.users(), relations=spark)
    found = build_tags(tables, mall.MIDDAY)
    assert found.column_names == [c.USER_ID, *catalogue()]
    assert differences(found, mall_tags(mall.MIDDAY)) == []


def test_every_tag_equals_that_of_duckdb_on_a_simulated_mall(spark: SparkRelations, tmp_path: Path):
    """With rule tags, merged identities and fake events: the latter become known in the course of the days."""
    world = World(users=200, items=300, days=120, seed=5)
    folder = simulate(world, tmp_path / "mall").folder
    events, items = pq.read_table(folder / "events"), pq.read_table(folder / "items.parquet")
    baby = pc.replace_substring(items[c.CATEGORY], "Mother and baby", "母婴")  # as a rule calls it
    given = {
        "events": events,
        "items": items.set_column(items.column_names.index(c.CATEGORY), c.CATEGORY, baby),
        "users": pq.read_table(folder / "users.parquet"),
        "aliases": _aliases(pq.read_table(folder / "truth" / "identities.parquet")),
        "flags": _flags(events),
    }
    assert given["aliases"].num_rows
    as_of = datetime(2025, 4, 20, 15, 30, tzinfo=UTC)
    with using_rules(_RULES):
        found = build_tags(EventTables.from_arrow(**given, relations=spark), as_of)
        assert differences(found, build_tags(EventTables.from_arrow(**given), as_of)) == []
        rules = [name for name in catalogue() if is_rule(name)]
    assert [name for name in rules if len(found[name].unique()) < 2] == [], "rules that say the same of everybody"
    assert {"expecting_parent", "recall_package", "message_quota"} <= set(rules)


def test_every_tag_equals_that_of_duckdb_on_complete_journey(spark: SparkRelations):
    """A hundred households of the real sample; ``benchmarks/spark_parity.py`` has all of them."""
    loaded = read_table(SAMPLES["complete-journey"](), now=datetime(2026, 1, 1, tzinfo=UTC))
    some = pc.unique(loaded.events[c.USER_ID]).sort()[::25]
    given = {
        "events": loaded.events.filter(pc.is_in(loaded.events[c.USER_ID], value_set=some)),
        "items": loaded.items,
        "users": loaded.users,
    }
    as_of = datetime(2017, 11, 20, tzinfo=UTC)
    found = build_tags(EventTables.from_arrow(**given, relations=spark), as_of)
    assert found.num_rows > 90
    assert differences(found, build_tags(EventTables.from_arrow(**given), as_of)) == []


def _aliases(identities: pa.Table) -> pa.Table:
    """Every second id of a person counts for him from April on."""
    second = identities.filter(pc.not_equal(identities["raw_id"], identities["person"]))
    rows = [
        dict.fromkeys(ALIAS_SCHEMA.names)
        | {ID_KIND: row["id_kind"], RAW_ID: row["raw_id"], c.USER_ID: row["person"]}
        | {KNOWN_FROM: datetime(2025, 4, 1, tzinfo=UTC)}
        for row in second.to_pylist()
    ]
    return pa.Table.from_pylist(rows, ALIAS_SCHEMA)


def _flags(events: pa.Table) -> pa.Table:
    """Every thirtieth event, found out after three days."""
    rows = events.select([c.EVENT_ID, c.OCCURRED_AT]).to_pylist()[::30]
    marks = {RULE: "burst", SCORE: None}
    return pa.Table.from_pylist(
        [row | marks | {FLAGGED_AT: row[c.OCCURRED_AT] + timedelta(days=3)} for row in rows], FLAG_SCHEMA
    )


def test_times_are_utc_and_naive_inside(spark: SparkRelations):
    when = datetime(2024, 3, 31, 23, 30, 0, 123_456, tzinfo=UTC)
    zoned = pa.array([when, None], pa.timestamp("us", "Asia/Shanghai"))
    spark.add("moments", pa.table({"zoned": zoned, "day": pa.array([when.date(), None])}))
    spark.keep("kept", "SELECT *, CAST(zoned AS TIMESTAMP) AS plain, CAST(zoned AS DATE) AS its_day FROM moments")
    assert spark.schema("kept").field("plain").type == pa.timestamp("us")
    row, empty = spark.rows("SELECT plain, its_day, day FROM kept ORDER BY plain DESC").to_pylist()
    assert row == {"plain": when.replace(tzinfo=None), "its_day": when.date(), "day": when.date()}
    assert set(empty.values()) == {None}


def test_not_a_number_is_not_null(spark: SparkRelations):
    spark.add("numbers", pa.table({"x": [1.5, float("nan"), None]}))
    assert spark.rows("SELECT count(x) AS n, sum(x) > 0 AS not_a_number_is_greatest FROM numbers").to_pylist() == [
        {"n": 2, "not_a_number_is_greatest": True}
    ]


def test_words_are_ordered_as_by_duckdb(spark: SparkRelations):
    words = ["b", "B", "é", "杭州", "😀", "\uffff", "a b", "ab", ""]
    spark.add("words", pa.table({"word": words}))
    ordered = spark.rows("SELECT word FROM words ORDER BY word")["word"].to_pylist()
    assert ordered == sorted(words, key=str.encode)


def test_a_view_follows_what_it_reads(spark: SparkRelations):
    spark.keep("source", "SELECT 1 AS x")
    spark.view("twice", "SELECT 2 * x AS y FROM source")
    spark.keep("source", "SELECT x + 1 AS x FROM source")
    assert spark.rows("SELECT y FROM twice").to_pylist() == [{"y": 4}]


def test_columns_of_parquet_files_are_matched_by_name(spark: SparkRelations, tmp_path: Path):
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"b": ["y"], "c": [True]}), tmp_path / "2.parquet")
    spark.add_parquet("files", [str(tmp_path / "1.parquet"), str(tmp_path / "2.parquet")])
    assert spark.rows("SELECT a, b, c FROM files ORDER BY b").to_pylist() == [
        {"a": 1, "b": "x", "c": None},
        {"a": None, "b": "y", "c": True},
    ]


def test_an_impossible_cast_is_an_error(spark: SparkRelations):
    with pytest.raises(Exception, match="CAST_INVALID_INPUT"):
        spark.rows("SELECT CAST('a word' AS DOUBLE) AS x")


def test_nothing_stays_on_disk(spark: SparkRelations, tmp_path: Path):
    with SparkRelations(spark.session, tmp_path) as relations:
        relations.keep("kept", "SELECT 1 AS x")
        assert list(tmp_path.rglob("*.parquet"))
    assert list(tmp_path.iterdir()) == []
    assert spark.rows("SELECT 1 AS x").num_rows == 1, "a session that was handed in goes on"


def test_without_pyspark_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyspark.logger", None)
    with pytest.raises(MissingExtraError, match=r"pip install mallard\[spark\]"):
        runpy.run_path(engine.__file__)


@pytest.mark.parametrize(("version", "message"), [("11.0.2", 'Java 17 or newer; .*"11.0.2"'), (None, "finds none")])
def test_java_is_asked_for_by_version(
    version: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if version:
        java = tmp_path / "bin" / "java"
        java.parent.mkdir()
        java.write_text(f"""#!/bin/sh\necho 'openjdk version "{version}" 2019-01-15' >&2\n""")
        java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(MissingExtraError, match=message):
        local_session(tmp_path)
