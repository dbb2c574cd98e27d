"""Watching a model of real customers (CDNOW), through the lake, with drift that is planted."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from click.testing import CliRunner
from markupsafe import escape

from features.contracts import columns as c
from features.contracts.errors import BundleError, MissingStateError, UnknownNameError
from features.contracts.home import Home
from features.engine import EventTables
from features.lake import Lake
from serving.cli import program
from serving.cli.commands.score import score_users
from serving.marketing.snapshot import snapshot_infos
from serving.monitoring import MonitorReport, monitor
from tests.training.pipelines.cdnow import CUTOFF, config, events
from training.deployment import deploy
from training.jobs.churn import reference_of
from training.monitoring import REFERENCE, Level, MonitorConfig
from training.pipelines.churn import FittedChurn, fit_churn

#: The horizon of the model has passed after it, and all data lie before.
END = datetime(1998, 6, 30, tzinfo=UTC)
WINDOW = "1997-12-31 + 60 d"
#: Most customers of CDNOW leave: here that is no alarm.
CALM = MonitorConfig(segment_churn=0.95)


@pytest.fixture(scope="module")
def fitted() -> FittedChurn:
    before = events().filter(pc.less(events()[c.OCCURRED_AT], pa.scalar(CUTOFF)))
    return fit_churn(EventTables.from_arrow(before), CUTOFF, config())


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "var", tmp_path / "configs", tmp_path / "mlruns")


@pytest.fixture
def live(home: Home, fitted: FittedChurn, tmp_path: Path) -> Callable[..., Home]:
    """A home whose lake holds the given events and whose churn model was fitted at the cut-off."""

    def make(log: pa.Table, *, fitted: FittedChurn = fitted, referenced: bool = True) -> Home:
        Lake(home).append_events(log, batch_id="cdnow", now=datetime.now(UTC))
        beside = {REFERENCE: reference_of(fitted, 0.75).to_json()} if referenced else {}
        made = fitted.model.to_bundle(
            tmp_path / "made",
            fitted.examples,
            version="churn-1",
            as_of=CUTOFF.isoformat(),
            code_version="test",
            beside=beside,
        )
        deploy(home, made.path)
        return home

    return make


def score(home: Home, moment: datetime) -> str:
    return score_users(home, moment.isoformat(), keep_tags=False, reasons=False).id


def levels(report: MonitorReport, about: str) -> dict[str, Level]:
    return {finding.name: finding.level for finding in report.findings if finding.about == about}


def test_a_model_that_is_right_is_left_alone(live: Callable[..., Home]) -> None:
    home = live(events())
    score(home, CUTOFF)
    report = monitor(home, CALM)
    assert levels(report, "inputs") == {"": Level.FINE}
    assert levels(report, "scores") == {"": Level.FINE}
    # So late in the data fewer came back than the model learnt to expect, by little more than chance.
    assert levels(report, "calibration")[WINDOW] < Level.YELLOW
    assert levels(report, "ranking") == {WINDOW: Level.FINE}
    assert report.retrain == ()
    assert {finding.name for finding in report.findings if finding.about == "expected"} == {"auc", "log_loss", "brier"}
    assert any("last year" in note.text for note in report.notes)


def test_drift_of_what_the_model_reads_is_named(live: Callable[..., Home]) -> None:
    log = events()
    # All customers come back at once in the last days: a campaign that the model has never seen.
    users = pc.unique(log[c.USER_ID]).to_pylist()
    rows = [
        {**log.slice(0, 1).to_pylist()[0], c.EVENT_ID: f"new-{user}-{day}", c.USER_ID: user,
         c.OCCURRED_AT: END - timedelta(days=day, hours=1), c.RECEIVED_AT: END - timedelta(days=day, hours=1)}
        for user in users for day in range(6)
    ]  # fmt: skip
    home = live(pa.concat_tables([log, pa.Table.from_pylist(rows, schema=log.schema)]))
    score(home, END)
    report = monitor(home, CALM)
    moved = levels(report, "inputs")
    assert moved[""] is Level.RED
    assert len(moved) > 1, "no tag is named"
    assert report.retrain[0].level is Level.RED
    assert report.to_json()["retrain"]["needed"]


def test_another_outcome_is_found_once_the_window_has_closed(live: Callable[..., Home]) -> None:
    log = events()
    times = log[c.OCCURRED_AT]
    after = pc.greater(times, pa.scalar(END - timedelta(days=60)))
    home = live(log.filter(pc.or_(pc.less(times, pa.scalar(CUTOFF)), after)))
    score(home, CUTOFF)
    report = monitor(home, CALM)
    assert levels(report, "inputs") == {"": Level.FINE}
    assert levels(report, "calibration")[WINDOW] is Level.RED
    assert [finding.about for finding in report.retrain] == ["calibration"]


def test_where_a_simple_rule_scored_it_is_said_why_in_both_languages(live: Callable[..., Home]) -> None:
    simple = fit_churn(EventTables.from_arrow(events(600)), CUTOFF, config())
    assert simple.model.fallback is not None
    home = live(events(), fitted=simple)
    score(home, CUTOFF)
    said = next(note for note in monitor(home, CALM).notes if "a simple rule scored" in note.text)
    assert f"({simple.model.fallback.reason.en})" in said.text
    assert f"（{simple.model.fallback.reason.zh}）" in said.text_zh


def test_of_several_scores_of_one_moment_the_last_is_judged(live: Callable[..., Home]) -> None:
    home = live(events())
    first, second = score(home, CUTOFF), score(home, CUTOFF)
    assert [info.id for info in snapshot_infos(home)] == sorted([first, second])
    report = monitor(home, CALM, first)
    assert report.snapshot == first
    assert len(levels(report, "calibration")) == 1


def test_few_users_are_not_judged_and_it_is_said(live: Callable[..., Home]) -> None:
    home = live(events())
    score(home, CUTOFF)
    report = monitor(home, CALM.model_copy(update={"least_users": 100_000}))
    assert not levels(report, "calibration")
    assert any("too few to judge" in note.text for note in report.notes)


def test_a_window_that_is_open_is_not_judged(live: Callable[..., Home]) -> None:
    home = live(events())
    score(home, END)
    report = monitor(home, CALM)
    assert not levels(report, "calibration")
    assert any("no window has closed yet" in note.text for note in report.notes)
    assert levels(report, "age")[""] is Level.RED  # half a year behind


def test_what_is_missing_is_said(live: Callable[..., Home], home: Home) -> None:
    with pytest.raises(MissingStateError, match="mallard score"):
        monitor(home, CALM)
    live(events(), referenced=False)
    snapshot = score(home, CUTOFF)
    with pytest.raises(BundleError, match="train churn again"):
        monitor(home, CALM)
    with pytest.raises(UnknownNameError, match="no risk snapshot"):
        monitor(home, CALM, "yesterday")
    (home.bundles / "churn" / "churn-1").rename(home.root / "away")
    with pytest.raises(BundleError, match=f"churn-1 that scored snapshot {snapshot}"):
        monitor(home, CALM)


def test_the_command_writes_a_page_and_leaves_with_the_level(
    live: Callable[..., Home], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = live(events())
    score(home, END)
    home.configs.mkdir()
    (home.configs / "monitor.yaml").write_text("segment_churn: 0.95\n", encoding="utf-8")
    for name, folder in (("HOME", home.root), ("CONFIGS", home.configs), ("MLRUNS", home.mlruns)):
        monkeypatch.setenv(f"MALLARD_{name}", str(folder))
    page, out = tmp_path / "page.html", tmp_path / "look.json"
    called = CliRunner().invoke(program, ["monitor", "--page", str(page), "--out", str(out)])
    assert called.exit_code == Level.RED  # the model's data end half a year before
    assert called.stdout.startswith("red: ")
    assert "train again: yes" in called.stdout
    document = json.loads(out.read_text(encoding="utf-8"))
    assert document["exit_code"] == Level.RED
    told = page.read_text(encoding="utf-8")
    for finding in document["findings"]:
        assert escape(finding["text"]) in told
        assert escape(finding["text_zh"]) in told

    (home.configs / "monitor.yaml").write_text("least_users: 3\n", encoding="utf-8")
    refused = CliRunner().invoke(program, ["monitor"])
    assert refused.exit_code not in {0, *map(int, Level)}
    assert "least_users" in refused.stderr
