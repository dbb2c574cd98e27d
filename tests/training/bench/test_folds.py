"""The fold that a benchmark hands out: right truth, and a training part without a trace of the test."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts import columns as c
from features.contracts.config import parse_config
from features.contracts.errors import NotEnoughDataError, UnreadableSourceError
from features.contracts.ids import UNKNOWN
from training.bench.config import RecommendBench
from training.bench.folds import Question, ask
from training.dataset import interactions_from_events
from training.interactions import Interactions

NOW = datetime(2020, 3, 1, tzinfo=UTC)
DAYS = {day: datetime(2020, 1, day, tzinfo=UTC) for day in range(1, 32)}


def log_of(rows: list[tuple[str, str, int]], *, times: bool = True, ordered: bool = True) -> Interactions:
    """Purchases of user, item, day of January 2020."""
    columns = {
        c.EVENT_TYPE: pa.array(["purchase"] * len(rows)),
        c.USER_ID: pa.array([r[0] for r in rows]),
        c.ITEM_ID: pa.array([r[1] for r in rows]),
    }
    if times:
        columns[c.OCCURRED_AT] = pa.array([DAYS[r[2]] for r in rows], pa.timestamp("us", tz="UTC"))
    return interactions_from_events(pa.table(columns), ordered=ordered)


ROWS = [
    ("ann", "milk", 1),
    ("ann", "tea", 2),
    ("bob", "milk", 3),
    ("bob", "jam", 4),
    ("ann", "milk", 20),
    ("ann", "zwieback", 21),  # nobody took it before the cut-off
    ("cat", "jam", 22),  # nor was cat there
]


def question(
    split: str, data: Interactions, seen: str = "include", base: Path = Path(), items: pa.Table | None = None
) -> Question:
    text = f"name: x\ninteractions: {{path: e.csv}}\nsplit: {split}\nseen: {seen}\n"
    return ask(parse_config(RecommendBench, text, "bench.yaml"), base, data, items, NOW)


def truths(asked: Question) -> dict[str, set[str]]:
    """The truth by external ids; what training does not know is called ``?``."""
    fold = asked.fold
    names = [*fold.train.items.ids(np.arange(len(fold.train.items), dtype=np.int32)), *"?" * 9]
    rows = np.split(fold.truth.item, fold.truth.indptr[1:-1])
    users = ["?" if u == UNKNOWN else fold.train.users.id(u) for u in fold.users]
    return {user: {names[i] for i in row} for user, row in zip(users, rows, strict=True)}


TEMPORAL = "{kind: temporal, cutoff: 2020-01-15, horizon: 14d}"


def test_temporal_truth_keeps_strangers() -> None:
    assert truths(question(TEMPORAL, log_of(ROWS))) == {"ann": {"milk", "?"}, "?": {"jam"}}


def test_excluding_what_was_seen_takes_it_out_of_the_truth() -> None:
    assert truths(question(TEMPORAL, log_of(ROWS), "exclude")) == {"ann": {"?"}, "?": {"jam"}}


def test_horizon_ends() -> None:
    short = "{kind: temporal, cutoff: 2020-01-15, horizon: 6d}"
    assert truths(question(short, log_of(ROWS))) == {"ann": {"milk"}}


def test_the_sealed_training_part_knows_no_id_of_the_test() -> None:
    train = question(TEMPORAL, log_of(ROWS)).fold.train
    assert train.users.ids(np.arange(len(train.users), dtype=np.int32)) == ["ann", "bob"]
    assert train.items.ids(np.arange(len(train.items), dtype=np.int32)) == ["jam", "milk", "tea"]
    assert [(train.users.id(u), train.items.id(i)) for u, i in zip(train.user, train.item, strict=True)] == [
        r[:2] for r in ROWS[:4]
    ]


def test_the_catalogue_is_known_beforehand() -> None:
    items = pa.table({c.ITEM_ID: ["milk", "zwieback"], c.CATEGORY: ["dairy", "bread"]})
    asked = question(TEMPORAL, log_of(ROWS), items=items)
    assert truths(asked) == {"ann": {"milk", "zwieback"}, "?": {"jam"}}


def same(a: Interactions, b: Interactions) -> bool:
    arrays = ("user", "item", "kind", "time", "quantity", "basket")
    return (
        all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays)
        and np.array_equal(a.users.to_array(), b.users.to_array())
        and np.array_equal(a.items.to_array(), b.items.to_array())
    )


@pytest.mark.parametrize(
    "future", [[], [("aaa", "aaa", 20)], [("ann", "a new thing", 20), ("zoe", "zwieback", 16), ("bob", "tea", 16)]]
)
def test_other_test_rows_give_the_same_training_part(future: list[tuple[str, str, int]]) -> None:
    past, extra = ROWS[:4], [("bob", "milk", 16)]
    reference = question(TEMPORAL, log_of([*past, *extra])).fold
    other = question(TEMPORAL, log_of([*past, *extra, *future])).fold
    assert same(reference.train, other.train)
    assert not set(reference.users.tolist()) - set(other.users.tolist())


@pytest.mark.parametrize("times", [True, False])
def test_leave_one_out_takes_the_last_interaction(times: bool) -> None:
    asked = question("{kind: leave_one_out}", log_of(ROWS, times=times))
    assert truths(asked) == {"ann": {"?"}, "bob": {"jam"}}  # only ann ever took zwieback; cat has nothing before
    history = asked.fold.histories()
    assert np.diff(history.indptr).tolist() == [3, 1]


@pytest.fixture
def test_file(tmp_path: Path) -> Path:
    pairs = {"user_id": ["ann", "ann", "bob", "zoe"], "item_id": ["jam", "milk", "nougat", "milk"]}
    pq.write_table(pa.table(pairs), tmp_path / "test.parquet")
    return tmp_path


@pytest.mark.parametrize(("times", "ordered"), [(True, True), (False, True), (False, False)])
def test_given_pairs_with_strangers(test_file: Path, times: bool, ordered: bool) -> None:
    data = log_of(ROWS, times=times, ordered=ordered)
    asked = question("{kind: given, test: test.parquet}", data, base=test_file)
    assert truths(asked) == {"ann": {"jam", "milk"}, "bob": {"?"}, "?": {"milk"}}
    assert same(asked.fold.train, data)
    assert np.diff(asked.fold.histories().indptr).tolist() == [0, 4, 2]
    assert len(asked.split.inner(asked.fold.train, 1)) == 1


def test_given_pairs_that_the_user_has_are_no_truth_when_seen_is_excluded(test_file: Path) -> None:
    data = log_of(ROWS)
    asked = question("{kind: given, test: test.parquet}", data, "exclude", test_file)
    assert truths(asked) == {"ann": {"jam"}, "bob": {"?"}, "?": {"milk"}}
    assert same(asked.fold.train, data)  # the test changes nothing of what is known


def test_test_columns_may_be_called_as_in_the_interactions_or_mapped(tmp_path: Path) -> None:
    pq.write_table(pa.table({"u": ["ann"], "i": ["jam"]}), tmp_path / "test.parquet")
    mapped = "{kind: given, test: test.parquet, columns: {user_id: u, item_id: i}}"
    assert truths(question(mapped, log_of(ROWS), base=tmp_path)) == {"ann": {"jam"}}
    text = (
        "name: x\ninteractions: {path: e.csv, columns: {user_id: u, item_id: i}}\n"
        "split: {kind: given, test: test.parquet}\n"
    )
    config = parse_config(RecommendBench, text, "bench.yaml")
    assert truths(ask(config, tmp_path, log_of(ROWS), None, NOW)) == {"ann": {"jam"}}


def test_a_test_file_without_its_columns_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"who": ["ann"], "item_id": ["jam"]}), tmp_path / "test.parquet")
    with pytest.raises(UnreadableSourceError, match=r"test\.parquet.*user_id"):
        question("{kind: given, test: test.parquet}", log_of(ROWS), base=tmp_path)


def test_a_pair_without_an_item_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user_id": ["ann", "bob"], "item_id": ["jam", None]}), tmp_path / "test.parquet")
    with pytest.raises(UnreadableSourceError, match="1 rows of the test file"):
        question("{kind: given, test: test.parquet}", log_of(ROWS), base=tmp_path)


def test_nothing_to_ask_is_said() -> None:
    with pytest.raises(NotEnoughDataError):
        question("{kind: temporal, cutoff: 2020-03-01, horizon: 14d}", log_of(ROWS))
    with pytest.raises(NotEnoughDataError, match="training part is empty"):
        question("{kind: temporal, cutoff: 2019-12-31, horizon: 14d}", log_of(ROWS))
    views = replace(log_of(ROWS), kind=np.zeros(len(ROWS), dtype=np.int8))
    with pytest.raises(NotEnoughDataError):
        question(TEMPORAL, views)
