import logging
import os
import socket

import matplotlib.figure
import pytest

from features.contracts.errors import MallardError, MissingStateError, UnknownNameError
from training.bundle import read_bundle
from training.evaluation.paired import Paired
from training.tracking import Comparison, Tracker
from training.tracking.names import tracked_name
from training.tracking.ui import ui_arguments

from .conftest import home_at


def only_run(home, kind):
    """The artifacts folder of the newest run, found on disk as a person would."""
    folders = sorted((home.mlruns / "artifacts" / kind).iterdir(), key=lambda f: f.stat().st_mtime)
    return folders[-1] / "artifacts"


def test_a_run_keeps_metrics_pictures_tables_and_a_bundle(home, tracker, bundle):
    figure = matplotlib.figure.Figure()
    figure.add_subplot().plot([1, 2])
    with tracker.run("churn", {"trees": 80, "split": {"gap": "7d"}}, "abc", {"sample": "cdnow"}) as run:
        run.metrics({"auc": 0.81, "lift@10%": 2.5, "nothing": float("nan")})
        run.picture("calibration", figure)
        run.page("report", "<p>买</p>")
        run.table("leaderboard", [{"model": "pipeline", "auc": 0.81}, {"model": "bgnbd", "seconds": 2}])
        run.document("report", {"slices": {"new": 0.7}})
        model = run.bundle(bundle(run_id=run.id))
    assert tracker.metrics(run.id)["lift_at_10pct"] == 2.5
    assert model.run_id == run.id
    assert model.fingerprint == "abc"
    assert read_bundle(model.path).manifest.run_id == run.id
    kept = only_run(home, "churn")
    assert (kept / "pictures" / "calibration.png").read_bytes().startswith(b"\x89PNG")
    assert (kept / "report.html").read_text(encoding="utf-8") == "<p>买</p>"
    table = (kept / "tables" / "leaderboard.csv").read_text(encoding="utf-8")
    assert table == "model,auc,seconds\npipeline,0.81,\nbgnbd,,2\n"
    assert (kept / "report.json").exists()
    data = tracker._client.get_run(run.id).data
    assert data.params == {"trees": "80", "split.gap": "7d"}
    assert data.tags["data_fingerprint"] == "abc"
    assert data.tags["sample"] == "cdnow"


def test_more_parameters_and_metrics_than_one_call_takes(tracker):
    with tracker.run("recommend", {f"p{i}": i for i in range(230)} | {"long": "x" * 9000}, "abc") as run:
        run.metrics({f"m{i}": i for i in range(230)})
    assert len(tracker.metrics(run.id)) == 230
    assert len(tracker._client.get_run(run.id).data.params) == 231


@pytest.mark.parametrize(("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_a_broken_run_is_marked_and_the_error_goes_on(tracker, error, status):
    with pytest.raises(error), tracker.run("churn", {}, "abc") as run:
        raise error
    assert tracker._client.get_run(run.id).info.status == status


def test_an_unknown_kind_is_refused(tracker):
    with pytest.raises(UnknownNameError, match="no model kind 'weather'"), tracker.run("weather", {}, "abc"):
        pass


def test_fetch_by_alias_and_by_number(tracker, bundle):
    with pytest.raises(MissingStateError, match="no recommend champion yet"):
        tracker.fetch("recommend", "champion")
    with tracker.run("recommend", {}, "abc") as run:
        model = run.bundle(bundle("recommend"), [Comparison("ndcg@10", "popular", Paired(0.1, 0.05, 0.2))])
    assert tracker.fetch("recommend", "challenger") == tracker.fetch("recommend", model.version) == model.path
    assert tracker.alias("recommend", "challenger") == model
    assert model.aliases == ("challenger",)
    with pytest.raises(UnknownNameError, match=r"no version '99'; versions: 1"):
        tracker.fetch("recommend", "99")


def test_a_second_tracker_sees_what_the_first_wrote(home, tracker):
    assert [m.version for m in Tracker(home).versions("churn")] == [m.version for m in tracker.versions("churn")]


def test_opening_a_store_is_silent_and_stays_off_the_network(tmp_path, monkeypatch, capfd):
    def refuse(*args, **kwargs):
        raise AssertionError("MLflow tried the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with Tracker(home_at(tmp_path)).run("churn", {}, "abc") as run:
        run.metrics({"auc": 0.5})
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("alembic").level >= logging.ERROR


def test_a_database_that_cannot_be_opened_is_named(tmp_path):
    home = home_at(tmp_path)
    home.mlruns.mkdir()
    (home.mlruns / "mlflow.db").write_text("not a database, surely, whatever else it may be" * 10)
    with pytest.raises(MallardError, match=r"mlflow\.db cannot be opened"):
        Tracker(home)


def test_the_interface_opens_the_store(home):
    command = ui_arguments(home, "127.0.0.1", 5001)
    assert f"sqlite:///{home.mlruns / 'mlflow.db'}" in command
    assert command[-3:] == ["5001", "--workers", "1"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("ndcg@10", "ndcg_at_10"),
        ("lift@10%", "lift_at_10pct"),
        ("auc/new users", "auc/new users"),
        ("新#用户", "新_用户"),
    ],
)
def test_names_as_mlflow_takes_them(ours, theirs, tracker):
    assert tracked_name(ours) == theirs


def test_a_trial_is_a_child_with_its_settings_and_its_outcome(tracker):
    with tracker.run("recommend", {}, "abc") as run:
        run.trial("covisit-0", {"damping": 0.3}, {"ndcg@10": 0.2, "seconds": 1.5}, {"state": "pruned"}, 1.5)
        run.trial("covisit-1", {"damping": 0.0}, {"ndcg@10": 0.3, "seconds": 2.0}, {"state": "complete"}, 2.0)
    client = tracker._client
    experiment = client.get_run(run.id).info.experiment_id
    found = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{run.id}'", order_by=["metrics.seconds"])
    assert [child.info.run_name for child in found] == ["covisit-0", "covisit-1"]
    assert found[0].data.params == {"damping": "0.3"}
    assert found[0].data.metrics == {"ndcg_at_10": 0.2, "seconds": 1.5}
    assert found[0].data.tags["state"] == "pruned"
    assert {child.info.status for child in found} == {"FINISHED"}
    assert found[0].info.end_time - found[0].info.start_time == 1500
