from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts.errors import InputError, MissingStateError, UnknownNameError
from features.contracts.home import Home
from features.engine import TagStore
from features.engine.ranges import check_ranges
from features.engine.writing import ROW_GROUP
from features.tags import spec_hash, tag
from features.tags.spec import Family, counts, find
from features.tags.spec.registry import registered
from tests.features import mall

FAMILY = Family("trial", "试验", "Tags of a test.")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(root=tmp_path / "var", configs=tmp_path / "configs", mlruns=tmp_path / "mlruns")


def small(*users: str) -> pa.Table:
    return pa.table({"user_id": list(users), "orders": list(range(len(users))), "stage": ["new"] * len(users)})


def test_what_is_written_is_read_back(home: Home, mall_tags):
    table = mall_tags(mall.AS_OF)
    written = TagStore(home).write(table, mall.AS_OF, spec_hash())
    latest = TagStore(home).latest()
    assert latest == written
    assert latest.users == table.num_rows
    assert latest.as_of == mall.AS_OF
    assert set(latest.tags) == set(table.column_names) - {"user_id"}
    assert TagStore(home).read().equals(table)
    user = table["user_id"][4].as_py()
    assert TagStore(home).profile(user) == {k: v for k, v in table.to_pylist()[4].items() if k != "user_id"}


def test_rows_are_sorted_by_user_so_that_a_look_up_reads_little(home: Home):
    build = TagStore(home).write(small("b", "c", "a"), mall.AS_OF, "spec")
    assert pq.read_table(build.path)["user_id"].to_pylist() == ["a", "b", "c"]
    assert TagStore(home).profile("c") == {"orders": 1, "stage": "new"}


def test_coverage_and_distribution(home: Home):
    table = pa.table({"user_id": ["a", "b", "c", "d"], "n": [0.0, 1.0, None, 3.0], "w": ["x", "y", "x", None]})
    build = TagStore(home).write(table.append_column("f", pa.array([True, False, True, None])), mall.AS_OF, "spec")
    n, w, f = build.tags["n"], build.tags["w"], build.tags["f"]
    assert (n.coverage, n.nonzero, n.minimum, n.maximum, n.quantiles["p50"]) == (0.75, 0.5, 0.0, 3.0, 1.0)
    assert w.top == {"x": 0.5, "y": 0.25}
    assert f.mean == pytest.approx(2 / 3)


def test_the_pointer_moves_to_the_newest_and_old_builds_go(home: Home):
    store = TagStore(home)
    for day in range(5):
        store.write(small(f"u{day}"), mall.AS_OF + timedelta(days=day), "spec")
    assert store.latest().as_of == mall.AS_OF + timedelta(days=4)
    assert len([path for path in home.tags.iterdir() if path.is_dir()]) == 3
    again = store.write(small("z"), mall.AS_OF + timedelta(days=4), "spec")
    assert store.latest() == again
    assert store.read(["orders"]).to_pylist() == [{"user_id": "z", "orders": 0}]


def test_a_failed_write_leaves_the_build_before(home: Home):
    store = TagStore(home)
    before = store.write(small("a"), mall.AS_OF, "spec")
    with pytest.raises(InputError, match="user_id"):
        store.write(pa.table({"n": [1]}), mall.AS_OF, "spec")
    with pytest.raises(pa.ArrowException):
        store.write(small("a").append_column("n", pa.array([{}], pa.struct([]))), mall.AS_OF, "spec")
    assert store.latest() == before
    assert sorted(path.name for path in home.tags.iterdir()) == sorted(["LATEST", before.path.parent.name])


def test_missing_build_user_and_tag_are_told_apart(home: Home):
    store = TagStore(home)
    with pytest.raises(MissingStateError, match="mallard tags build"):
        store.latest()
    store.write(small("a"), mall.AS_OF, "spec")
    with pytest.raises(UnknownNameError, match="no user 'b'"):
        store.profile("b")
    with pytest.raises(UnknownNameError, match="no tag spend"):
        store.read(["spend"])


def batches(*groups: str, fail: Exception | None = None) -> Iterator[pa.Table]:
    for group in groups:
        yield small(*group)
    if fail is not None:
        raise fail


def test_batches_are_written_as_they_come(home: Home):
    build = TagStore(home).write(batches("abc", "", "d", "ef"), mall.AS_OF, "spec", small("a").schema)
    assert pq.read_table(build.path)["user_id"].to_pylist() == list("abcdef")
    assert (build.users, build.tags["orders"].maximum, build.tags["stage"].top) == (6, 2.0, {"new": 1.0})


def test_small_and_large_batches_give_the_same_row_groups(home: Home):
    names = [f"u{number:06}" for number in range(2 * ROW_GROUP + 5)]
    whole = pa.table({"user_id": names, "n": range(len(names))})
    store = TagStore(home)
    for day, size in enumerate((len(names), 1000, 3 * ROW_GROUP)):
        pieces = (whole.slice(start, size) for start in range(0, len(names), size))
        build = store.write(pieces, mall.AS_OF + timedelta(days=day), "spec", whole.schema)
        with pq.ParquetFile(build.path) as file:
            groups = [file.metadata.row_group(place).num_rows for place in range(file.num_row_groups)]
        assert groups == [ROW_GROUP, ROW_GROUP, 5]
        assert store.read().equals(whole)
        assert store.profile("u000007") == {"n": 7}


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (("ab", "cb"), "'b' comes after 'c'"),
        (("ab", "bc"), "begins with 'b' after 'b'"),
        (("aab",), "'a' comes after 'a'"),
    ],
)
def test_users_ascend_over_all_batches(home: Home, groups: tuple[str, ...], message: str):
    with pytest.raises(InputError, match=message):
        TagStore(home).write(batches(*groups), mall.AS_OF, "spec", small("a").schema)
    assert list(home.tags.iterdir()) == []


def test_batches_need_a_schema_and_users(home: Home):
    with pytest.raises(InputError, match="schema"):
        TagStore(home).write(batches("a"), mall.AS_OF, "spec")
    nobody = pa.table({"user_id": pa.array(["a", None]), "orders": [1, 2], "stage": ["new", "new"]})
    with pytest.raises(InputError, match="in every row"):
        TagStore(home).write([nobody], mall.AS_OF, "spec", nobody.schema)


def test_a_violation_in_a_late_batch_leaves_the_build_before(home: Home):
    """Batches that are checked while they are written: the first ones are on disk already when it comes out."""
    store = TagStore(home)
    before = store.write(small("a"), mall.AS_OF, "spec")
    with registered():
        title = ("Orders", "订单")
        tag("orders_of_test", FAMILY, counts("orders"), title=title, description="Orders.")(lambda orders: orders)
        schema = pa.schema({"user_id": pa.string(), "orders_of_test": pa.int64()})

        def checked() -> Iterator[pa.Table]:
            for number, value in enumerate((3, -1)):
                table = pa.table({"user_id": [f"u{number}"], "orders_of_test": [value]})
                check_ranges(table, [find("orders_of_test")])
                yield table

        with pytest.raises(InputError, match=r"orders_of_test: valid is ≥ 0, 1 users are outside.* user u1 with -1"):
            store.write(checked(), mall.AS_OF, "spec", schema)
    assert store.latest() == before
    assert sorted(path.name for path in home.tags.iterdir()) == sorted(["LATEST", before.name])


def test_builds_have_names(home: Home):
    store = TagStore(home)
    assert store.builds() == ()
    first = store.write(small("a"), mall.AS_OF, "spec")
    with pytest.raises(MissingStateError, match="only kept build"):
        store.get("previous")
    second = store.write(small("b"), mall.AS_OF + timedelta(days=1), "spec", meanings={"orders": "12345678"})
    assert store.builds() == (first, second)
    names = ("latest", "previous", first.name, second.name[:8])
    assert [store.get(name) for name in names] == [second, first, first, second]
    assert store.get("latest").meanings == {"orders": "12345678"}
    with pytest.raises(UnknownNameError, match=f"there is no build 'x'; kept are {first.name}, {second.name}"):
        store.get("x")
    with pytest.raises(UnknownNameError, match="several builds begin with '2025'"):
        store.get("2025")
