"""``mallard train uplift``: learn on older campaigns, judge on the newest, learn again from all, register."""

import time

import numpy as np

from features.contracts.config import load_config
from features.contracts.errors import NotEnoughDataError
from features.contracts.home import Home
from features.contracts.progress import say
from features.engine import EventTables
from features.tags import spec_hash
from training.evaluation.uplift import effect_scores, mean_effect, qini, qini_curve, uplift_at
from training.jobs.moments import end_of_data
from training.jobs.registering import Judged, opened, register
from training.jobs.report import TrainReport
from training.models.uplift import KIND, UpliftModel
from training.models.uplift_config import UpliftConfig
from training.pictures import qini as qini_picture
from training.pipelines.uplift import check_trial, fit_uplift
from training.pipelines.uplift_trial import campaigns_of, lake_trial
from training.tracking import Comparison, Tracker

METRIC = "qini"
_JUDGING = 3  # one campaign in so many judges


def train_uplift(home: Home) -> TrainReport:
    """Train, judge and register an uplift model on the randomised messages in the lake of ``home``.

    Raises :class:`MissingStateError` for an empty lake, :class:`NotEnoughDataError` that says what is missing of an
    experiment.
    """
    started = time.monotonic()
    lake = opened(home)
    config = load_config(UpliftConfig, home.configs / "uplift.yaml", optional=True)
    as_of = end_of_data(lake.last_event_at())
    campaigns = campaigns_of(lake, as_of, config)
    if len(campaigns) < 2:
        raise NotEnoughDataError("one campaign alone cannot both teach and judge; at least two are needed")
    tables = EventTables.from_lake(lake)
    tracker = Tracker(home)
    with tracker.run(KIND, config.model_dump(mode="json"), lake.fingerprint()) as run:
        data = lake_trial(tables, campaigns, as_of, config)
        judging = data.campaign < max(1, len(campaigns) // _JUDGING)
        say(f"learning from {len(campaigns)} campaigns, the newest of which judge")
        fitted = fit_uplift(data.trial.take(~judging), config)
        test = data.trial.take(judging)
        check_trial(test, config)
        score = effect_scores(test.treated, test.propensity, test.outcome.astype(np.float64))
        effect = fitted.effect.of(test.columns)
        area, top, mean = qini(score, effect), uplift_at(score, effect), mean_effect(score)
        rows = [
            {"model": "uplift", "kind": "pipeline", "qini": area.mean, "uplift@30%": top.mean},
            {"model": "random order", "kind": "baseline", "qini": 0.0, "uplift@30%": mean.mean},
        ]
        run.document("choices", {**fitted.choices, "campaigns": list(data.names)})
        run.table("test", rows)
        run.metrics({"qini": area.mean, "qini.low": area.low, "uplift@30%": top.mean, "mean_effect": mean.mean})
        curve = qini_curve(score, effect)
        run.picture("qini", qini_picture(curve.share, curve.gain))
        final = fit_uplift(data.trial, config)
        model = UpliftModel(
            outcome=config.outcome,
            tags=data.trial.names,
            tag_spec=spec_hash(data.trial.names),
            effect=final.effect,
            spend_per_outcome=data.spend_per_outcome,
        )
        newest = campaigns[int(data.campaign[judging].max())].start
        found = Judged(newest, METRIC, rows, [Comparison(METRIC, "random order", area)])
        return register(tracker, run, KIND, model.to_bundle, data.examples, found, as_of=as_of, started=started)
