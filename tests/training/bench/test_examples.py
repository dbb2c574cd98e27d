"""The people whom the report shows."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from features.contracts.config import load_config
from features.contracts.ids import IdMap
from tests.training.bench import mall
from training.bench.config import RecommendBench
from training.bench.examples import examples, titles
from training.bench.recommend import Prepared, prepare
from training.models.blend import Blend
from training.models.item_statistics import ItemStatistics
from training.models.recommender import Recommender
from training.models.source import sources


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("examples")
    mall.write(mall.log(), folder / "e.parquet")
    mall.write(mall.catalogue(), folder / "items.parquet")
    split = "{kind: temporal, cutoff: 2021-04-03, horizon: 28d, target: [purchase]}"
    items = "items: {path: items.parquet, columns: {item_id: i, category: c}}"
    path = mall.config(folder, f"path: e.parquet\n  {mall.MAPPED}", split, items)
    return prepare(load_config(RecommendBench, path), folder, datetime(2021, 6, 1, tzinfo=UTC))


def test_people_stand_from_short_to_long_history_and_under_no_name(prepared: Prepared) -> None:
    fold = prepared.question.fold
    fitted = {name: sources()[name].fit(fold.train, sources()[name].Config()) for name in ("repeat", "trending")}
    recommender = Recommender(fitted, dict.fromkeys(fitted, 20), ItemStatistics.fit(fold.train), Blend((1.0, 0.1)))
    found = examples(recommender, fold, fold.histories(), prepared.title, exclude_seen=False)
    assert len(found) == 5
    assert [person["events"] for person in found] == sorted(person["events"] for person in found)
    assert "u0" not in str(found)
    for person in found:
        assert len(person["list"]) == 8
        assert len(person["before"]) == 5
        assert 0 < sum(entry["taken"] for entry in person["list"]) <= person["taken"]
        assert person["list"][0]["times"] > 1
        assert all(entry["days_ago"] is None for entry in person["list"] if not entry["times"])
        assert person["list"][0]["title"].startswith("Row ")


def test_nobody_with_a_history_means_no_examples(prepared: Prepared) -> None:
    fold = prepared.question.fold
    recommender = Recommender({}, {}, ItemStatistics.fit(fold.train), Blend(()))
    nobody = fold.train.histories(fold.users, 0)
    assert examples(recommender, fold, nobody, prepared.title, exclude_seen=False) == []


def test_titles_fall_back_on_the_category_and_then_on_the_id() -> None:
    items = pa.table(
        {"item_id": ["a", "b", "c"], "title": ["Apples", None, None], "category": ["FOOD", "FOOD > PEARS", None]}
    )
    ids = IdMap.of(["a", "b", "c", "d"])
    assert [titles(items, ids)(ids.index(i)) for i in "abcd"] == ["Apples", "PEARS (b)", "c", "d"]
    assert titles(None, ids)(ids.index("a")) == "a"
