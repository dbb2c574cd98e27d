from tests.serving.conftest import home_at
from training.jobs.trials import studies_of
from training.tracking import Tracker


def scores(settings):
    yield from (float(part + settings["damping"]) for part in range(20))


def tune(studies):
    return studies.tune("covisit", {"damping": [1.0]}, {"damping": 0.0}, scores, fingerprint="data", deadline=1e18)


def test_trials_are_children_of_the_run_that_made_them_and_known_to_the_next(tmp_path):
    home = home_at(tmp_path)
    tracker = Tracker(home)
    with tracker.run("recommend", {}, "data") as first:
        tuned = tune(studies_of(home, "recommend", first, "ndcg@10"))
    with tracker.run("recommend", {}, "data") as second:
        assert tune(studies_of(home, "recommend", second, "ndcg@10")) == tuned
    assert (home.root / "tuning" / "recommend.db").exists()
    assert tuned.settings == {"damping": 1.0}

    client = tracker._client
    experiment = client.get_run(first.id).info.experiment_id

    def children(run):
        return client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run.id}'", order_by=["start_time"])

    assert children(second) == []
    made = {child.info.run_name: child.data for child in children(first)}
    assert set(made) == {"covisit-0", "covisit-1"}
    assert made["covisit-1"].params == {"damping": "1.0"}
    assert made["covisit-1"].metrics["ndcg_at_10"] == 10.5
    assert made["covisit-1"].metrics["seconds"] >= 0
    assert made["covisit-1"].tags["state"] == "complete"
    assert made["covisit-1"].tags["study"] == "covisit"
