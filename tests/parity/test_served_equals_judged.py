"""What the server answers is what the offline evaluation ranked, for the same users at the same moment."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from features.contracts.home import Home
from serving.api import Settings, create_app
from tests.serving import small_mall
from tests.serving.conftest import home_at, key_for
from tests.serving.servers import in_thread
from training.bench.folds import seal
from training.bundle import Manifest
from training.dataset import interactions_from_events
from training.deployment import deploy
from training.evaluation.fold import Fold
from training.evaluation.splits import TemporalSplit
from training.models.ranker import Ranker, RankerConfig
from training.models.recommend_bundle import write_recommend_bundle
from training.models.recommender import Recommender
from training.pipelines.recommend_config import RecommendConfig
from training.pipelines.recommend_folds import Explored
from training.pipelines.recommender import FittedRecommender, fit_recommender

DAY = 86_400
CUTOFF = int(small_mall.MIDNIGHT.timestamp()) - 7 * DAY
PLACES = 10


def taught(recommender: Recommender, fold: Fold) -> Ranker:
    """A ranker that learnt from what followed ``fold``."""
    examples = Explored.of(recommender, fold, exclude_seen=False).examples(max_pairs=100_000, seed=0)
    assert examples is not None
    return Ranker.fit(examples, RankerConfig(), rounds=(30, 30))


@pytest.fixture(scope="module", params=["ranker", "blend"])
def judged(request: pytest.FixtureRequest) -> tuple[Fold, FittedRecommender, Recommender]:
    """A fold and the recommender that an evaluation would judge on it, with and without its learnt ranker."""
    items = small_mall.items()
    split = TemporalSplit(repeats=True, cutoff=CUTOFF, horizon=7 * DAY)
    fold = seal(split.outer(interactions_from_events(small_mall.events(), items)), items)
    with threadpool_limits(1):
        fitted = fit_recommender(fold.train, split, RecommendConfig(folds=3), budget_minutes=1)
    # On a mall this small either may win on validation; both ways of ranking must be served as they were judged.
    ranker = taught(fitted.recommender, split.inner(fold.train, 1)[0]) if request.param == "ranker" else None
    recommender = replace(fitted.recommender, ranker=ranker)
    return fold, fitted, recommender


@pytest.fixture(scope="module")
def home(judged: tuple[Fold, FittedRecommender, Recommender], tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The judged recommender, deployed behind a placement without rules, answering as of the cut-off."""
    fold, fitted, recommender = judged
    root = tmp_path_factory.mktemp("judged")
    home = home_at(root)
    (home.configs / "placements").mkdir(parents=True)
    (home.configs / "placements" / "home.yaml").write_text("rules: []\n")
    (home.configs / "serving.yaml").write_text("engine: {stale_after_days: 1}\n")
    manifest = Manifest("recommend", "judged", datetime.fromtimestamp(CUTOFF, UTC).isoformat(), "test")
    write_recommend_bundle(
        root / "bundle",
        manifest,
        recommender,
        fold.train,
        small_mall.items(),
        settings=fitted.settings,
        choices={},
        exclude_seen=False,
    )
    deploy(home, root / "bundle")
    return home


def test_every_judged_user_is_served_the_list_he_was_judged_by(
    judged: tuple[Fold, FittedRecommender, Recommender], home: Home
) -> None:
    fold, _, recommender = judged
    lists = recommender.recommend(fold.histories(), PLACES, exclude_seen=False).lists(len(fold.users), PLACES)
    assert len(fold.users) > 30
    with in_thread(create_app(Settings.of(home))) as address, httpx.Client(base_url=address, timeout=20) as client:
        headers = key_for(home, "recommend")
        for user, offline in zip(fold.users, lists, strict=True):
            name = fold.train.users.id(int(user))
            answer = client.get(f"/v1/users/{name}/recommendations", params={"n": PLACES}, headers=headers)
            assert answer.status_code == 200, answer.text
            served = [item["item_id"] for item in answer.json()["items"] if item["score"] is not None]
            assert served == fold.train.items.ids(offline[offline >= 0])


def test_one_at_a_time_is_the_same_as_all_at_once(judged: tuple[Fold, FittedRecommender, Recommender]) -> None:
    fold, _, recommender = judged
    histories = fold.histories()
    together = recommender.recommend(histories, PLACES, exclude_seen=False)
    for row in range(len(histories)):
        alone = recommender.recommend(histories.slice(row, row + 1), PLACES, exclude_seen=False)
        mine = together.row == row
        np.testing.assert_array_equal(alone.item, together.item[mine])
        np.testing.assert_array_equal(alone.score, together.score[mine])


def test_the_placement_files_of_the_project_load(tmp_path: Path) -> None:
    configs = Path(__file__).parents[2] / "configs"
    settings = Settings.of(Home(tmp_path, configs, tmp_path))
    assert settings.config.engine.default_placement in settings.placements
