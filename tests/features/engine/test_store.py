from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts.errors import InputError, MissingStateError, UnknownNameError
from features.contracts.home import Home
from features.engine import TagStore
from features.tags import spec_hash
from tests.features import mall


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
