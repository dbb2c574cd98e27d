"""``mallard train churn`` where the history is too short, or tells of one outcome only."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.contracts import columns as c
from features.contracts.errors import NotEnoughDataError, PromotionRefusedError
from features.contracts.home import Home
from features.lake import Lake
from tests.serving.conftest import home_at
from tests.training.pipelines import cdnow
from training.bundle import read_bundle
from training.jobs import TrainReport, train_churn
from training.models.churn import ChurnModel
from training.models.churn_fallback import Rule
from training.tracking import Tracker

FIRST = datetime(1997, 1, 1, tzinfo=UTC)
Mall = Callable[[pa.Table], Home]


@pytest.fixture
def mall(tmp_path_factory: pytest.TempPathFactory) -> Mall:
    def make(log: pa.Table) -> Home:
        home = home_at(tmp_path_factory.mktemp("mall"))
        home.configs.mkdir()
        (home.configs / "churn.yaml").write_text(cdnow.config().model_dump_json())  # a horizon of 60 days
        Lake(home).append_events(log, batch_id="all")
        return home

    return make


def until(days: int) -> pa.Table:
    log = cdnow.events()
    return log.filter(pc.less(log[c.OCCURRED_AT], pa.scalar(FIRST + timedelta(days=days))))


def model_of(home: Home, report: TrainReport) -> ChurnModel:
    return ChurnModel.from_bundle(read_bundle(Tracker(home).find("churn", report.version).path))


def test_a_fallback_is_judged_where_a_window_allows_it_and_is_not_promoted(mall: Mall) -> None:
    home = mall(until(135))
    report = train_churn(home)
    assert report.rows[0]["model"] == "pipeline"
    assert model_of(home, report).fallback is not None
    assert report.refusal is not None
    assert report.refusal.startswith("it is a fallback, a simple rule that may serve meanwhile: history is too short")
    assert f"mallard deploy churn --version {report.version}" in report.advice
    with pytest.raises(PromotionRefusedError, match="it is a fallback"):
        Tracker(home).promote("churn")
    assert Tracker(home).promote("churn", force=True).version == report.version


def test_before_anything_can_be_judged_a_fallback_still_serves(mall: Mall) -> None:
    home = mall(until(100))
    report = train_churn(home)
    assert report.rows == ()
    assert "not judged" in report.to_text()
    fallback = model_of(home, report).fallback
    assert fallback is not None
    assert "history is too short" in fallback.reason.en
    assert fallback.reason.zh.startswith("历史太短")
    assert "it is a fallback" in report.advice
    assert TrainReport.of(Tracker(home).find("churn", report.version)).stands_in


def test_without_one_closed_window_there_is_not_even_that(mall: Mall) -> None:
    home = mall(until(50))
    with pytest.raises(NotEnoughDataError, match="history is too short"):
        train_churn(home)
    assert Tracker(home).versions("churn") == []


def test_where_everybody_left_nobody_is_told_apart(mall: Mall) -> None:
    early = until(20)
    stranger = cdnow.events().filter(pc.equal(cdnow.events()[c.EVENT_ID], early[c.EVENT_ID][0]))
    late = stranger.set_column(
        stranger.schema.get_field_index(c.OCCURRED_AT),
        stranger.schema.field(c.OCCURRED_AT),
        pa.array([FIRST + timedelta(days=300)], stranger.schema.field(c.OCCURRED_AT).type),
    )
    late = late.set_column(late.schema.get_field_index(c.USER_ID), late.schema.field(c.USER_ID), pa.array(["new"]))
    late = late.set_column(late.schema.get_field_index(c.EVENT_ID), late.schema.field(c.EVENT_ID), pa.array(["new"]))
    home = mall(pa.concat_tables([early, late]))
    report = train_churn(home)
    fallback = model_of(home, report).fallback
    assert fallback is not None
    assert fallback.rule is Rule.BASE_RATE
    assert "0 users" in fallback.reason.en
    assert "60 天内有过购买的用户只有 0 名" in fallback.reason.zh
