"""What context, session and login are worth to those of whom the training part knows nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.contracts.ids import IdMap
from tests.training.bench import mall
from tests.training.models.logs import PURCHASE, START, VIEW, make_log
from training.bench.cold_start import cold_start, owners_of
from training.bench.folds import Question, seal
from training.bench.recommend import bench_recommend
from training.evaluation.splits import LeaveOneOut, TemporalSplit
from training.interactions import SECONDS_PER_DAY
from training.models.blend import Blend
from training.models.trending import Trending, TrendingConfig
from training.pipelines.recommend_config import RecommendConfig, source_config
from training.pipelines.recommend_explore import assemble
from training.report import write_report

QUICK = RecommendConfig.model_validate(
    {"folds": 2, "ranker": {"rounds": 10, "patience": 5, "threads": 1}, "search_users": 50, "fold_users": 50}
)
OLD, NEW, ITEMS = 400, 60, 20
CUTOFF = START + 50 * SECONDS_PER_DAY


def log():
    """Channel 0 buys the lower half of the items and channel 1 the upper; ids after the old users' are newcomers,
    each of whom has an anonymous id (the last ones) under which he looks at what he buys an hour later."""
    rng = np.random.default_rng(5)
    rows = []
    for user in range(OLD):
        rows += [(user, i, rng.integers(0, 50), PURCHASE) for i in rng.choice(10, 3, replace=False) + 10 * (user % 2)]
    for user in range(OLD, OLD + NEW):
        item = rng.integers(10) + 10 * (user % 2)
        rows += [(user + NEW, item, 52, VIEW), (user, item, 52.04, PURCHASE)]
    data = make_log(rows, users=OLD + 2 * NEW, items=ITEMS)
    return replace(data, channel=(data.user % 2).astype(np.int16), channel_names=("app", "web"))


@pytest.fixture(scope="module")
def found():
    data = log()
    split = TemporalSplit(cutoff=CUTOFF, horizon=10 * SECONDS_PER_DAY)
    question = Question(seal(split.outer(data)), split)
    configs = {name: source_config(name, {}) for name in ("covisit", "trending")}
    recommender = assemble(question.fold.train, configs, RecommendConfig(), Blend((1.0, 1.0)))
    trending = Trending.fit(question.fold.train, TrendingConfig())
    owner = np.arange(len(data.users), dtype=np.int32)
    owner[OLD + NEW :] = np.arange(OLD, OLD + NEW)
    return cold_start(data, owner, question, recommender, trending, "ndcg@10", exclude_seen=False)


def test_the_channel_of_a_newcomer_is_worth_what_channels_differ_by(found):
    group = found["new users"]
    assert group["users"] == NEW
    for name in ("pipeline", "trending"):
        assert group["gains"][name]["context"]["low"] > 0
        assert group["ways"][name]["context"] > group["ways"][name]["nothing"]


def test_the_visit_before_the_login_counts_once_it_is_merged(found):
    group = found["merged at login"]
    assert group["users"] == NEW
    assert set(group["ways"]["pipeline"]) == {"without the visit", "with the visit"}
    assert group["gains"]["pipeline"]["with the visit"]["mean"] != 0


def test_only_a_temporal_split_has_newcomers():
    data = log()
    split = LeaveOneOut()
    question = Question(seal(split.outer(data)), split)
    recommender = assemble(question.fold.train, {"trending": TrendingConfig()}, RecommendConfig(), Blend((1.0,)))
    owner = np.arange(len(data.users), dtype=np.int32)
    assert cold_start(data, owner, question, recommender, None, "ndcg@10", exclude_seen=False) == {}


def test_a_bench_with_newcomers_shows_them_in_its_report(tmp_path: Path):
    """Half of the users come after the cut-off, each by his department's channel, and looked around without login."""
    log = mall.log()
    late = log["ts"] >= pd.Timestamp("2021-04-03", tz="UTC")
    number = log["u"].str[1:].astype(int)
    log = log[late | (number < 30)].assign(ch="c" + (number % 4).astype(str), a="v" + number.astype(str))
    log["u"] = log["u"].where(log["kind"] == "buy")
    log.to_parquet(tmp_path / "e.parquet", index=False)
    columns = mall.COLUMNS.removesuffix("}") + ", anonymous_id: a, channel: ch}"
    split = "{kind: temporal, cutoff: 2021-04-03, horizon: 28d, target: [purchase]}"
    path = mall.config(tmp_path, f"path: e.parquet\n  columns: {columns}\n  event_map: {{buy: purchase}}", split)
    result = bench_recommend(path, QUICK)
    assert set(result["cold_start"]) == {"new users", "merged at login"}
    write_report(result, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for name, part in zip(("People who are new", "登录前已匿名来访的用户"), result["cold_start"].values(), strict=True):
        _, _, section = page.partition(name)
        section, _, _ = section.partition("</table>")
        assert f"{part['users']:,} people" in section
        for values in part["ways"].values():
            assert all(f"{value:.3f}" in section for value in values.values())
        for gain in part["gains"]["pipeline"].values():
            assert f"{gain['low']:+.3f} … {gain['high']:+.3f}" in section


def test_an_anonymous_id_belongs_to_the_user_who_logged_in_under_it():
    users = IdMap.of(["a1", "a2", "u1"])
    events = pa.table({"user_id": [None, "u1", None], "anonymous_id": ["a1", "a1", "a2"]})
    assert users.ids(owners_of(events, users)) == ["u1", "a2", "u1"]
    assert owners_of(events.drop_columns("anonymous_id"), users).tolist() == [0, 1, 2]
