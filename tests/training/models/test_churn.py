import json

import numpy as np
import pytest

from features.contracts import columns as c
from features.contracts.errors import BundleError, InputError
from features.engine import EventTables
from tests.training.pipelines.cdnow import CUTOFF, config, events
from training.bundle import GOLDEN, MANIFEST, Bundle, read_bundle
from training.models.churn import ChurnModel, Tier
from training.models.churn_fallback import Fallback, Rule
from training.models.reasons import Both
from training.pipelines.churn import FittedChurn, fit_churn


@pytest.fixture(scope="module")
def fitted() -> FittedChurn:
    return fit_churn(EventTables.from_arrow(events(25)), CUTOFF, config())


@pytest.fixture(scope="module")
def bundle(fitted: FittedChurn, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    path = tmp_path_factory.mktemp("bundles") / "one"
    return fitted.model.to_bundle(
        path, fitted.examples, version="churn-1", as_of=CUTOFF.isoformat(), code_version="test"
    )


def test_scores_are_consistent(fitted: FittedChurn) -> None:
    scores = fitted.model.predict(fitted.examples)
    assert ((scores.low <= scores.probability) & (scores.probability <= scores.high)).all()
    assert ((scores.low >= 0) & (scores.high <= 1)).all()
    np.testing.assert_allclose(scores.probability, fitted.model.probability(fitted.examples))
    np.testing.assert_allclose(scores.value_at_risk, scores.probability * scores.expected_spend)
    place = np.digitize(scores.probability, [fitted.model.tiers.yellow, fitted.model.tiers.red])
    assert scores.tier == [(Tier.BLUE, Tier.YELLOW, Tier.RED)[t] for t in place]
    assert scores.asked.all()


def test_reasons_are_tags_with_the_users_own_values(fitted: FittedChurn) -> None:
    scores = fitted.model.predict(fitted.examples)
    counts = [len(scores.reasons(row)) for row in range(len(scores))]
    assert min(counts) >= 1
    assert max(counts) == 3
    for row in range(0, len(scores), 97):
        for reason in scores.reasons(row):
            assert reason.text
            assert any("一" <= sign <= "鿿" for sign in reason.text_zh)
            if reason.code in fitted.examples.column_names:
                assert reason.value == fitted.examples[reason.code][row].as_py()


def test_contributions_add_up_to_the_score(fitted: FittedChurn) -> None:
    model, tags = fitted.model, fitted.examples
    total = model.contributions(tags).sum(axis=1)
    raw = model._raw(model._columns(tags)).mean(axis=0)
    assert np.ptp(raw) > 1.0
    np.testing.assert_allclose(total - raw, np.mean(total - raw), atol=1e-6)  # all but the base value


def test_one_user_scores_as_in_a_batch(fitted: FittedChurn) -> None:
    batch = fitted.model.predict(fitted.examples)
    alone = fitted.model.predict(fitted.examples.slice(7, 1))
    assert alone.user_id == [batch.user_id[7]]
    np.testing.assert_array_equal(alone.probability, batch.probability[7:8])
    assert alone.reasons(0) == batch.reasons(7)


def test_nobody_gives_no_scores(fitted: FittedChurn) -> None:
    assert len(fitted.model.predict(fitted.examples.slice(0, 0))) == 0


def test_a_missing_tag_is_named(fitted: FittedChurn) -> None:
    with pytest.raises(InputError, match="'days_since_purchase'"):
        fitted.model.predict(fitted.examples.drop_columns(["days_since_purchase"]))


def test_a_bundle_gives_the_same_scores(fitted: FittedChurn, bundle: Bundle) -> None:
    again = ChurnModel.from_bundle(read_bundle(bundle.path))
    ours, theirs = fitted.model.predict(fitted.examples), again.predict(fitted.examples)
    np.testing.assert_allclose(ours.probability, theirs.probability, rtol=0, atol=1e-12)
    assert (
        ours.to_arrow()
        .select(["tier", "asked", "reasons"])
        .equals(theirs.to_arrow().select(["tier", "asked", "reasons"]))
    )
    golden = json.loads((bundle.path / GOLDEN).read_text(encoding="utf-8"))
    assert len(golden["outputs"]["probability"]) == 20
    assert c.USER_ID not in golden["inputs"]


def _tampered(bundle: Bundle, change: dict[str, object], golden: dict[str, object] | None = None) -> Bundle:
    manifest = json.loads((bundle.path / MANIFEST).read_text(encoding="utf-8"))
    manifest.update(change)
    altered = Bundle(bundle.path, type(bundle.manifest)(**manifest))
    if golden is None:
        return altered

    class _Altered(Bundle):
        def json(self, name: str) -> object:
            return golden if name == GOLDEN else super().json(name)

    return _Altered(altered.path, altered.manifest)


def test_a_bundle_of_another_kind_is_refused(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="kind 'recommend'"):
        ChurnModel.from_bundle(_tampered(bundle, {"kind": "recommend"}))


def test_tags_that_mean_something_else_today_are_refused(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="declared otherwise"):
        ChurnModel.from_bundle(_tampered(bundle, {"tag_spec": "0123456789abcdef"}))


def test_golden_rows_that_differ_are_refused(bundle: Bundle) -> None:
    golden = bundle.json(GOLDEN)
    golden["outputs"]["probability"][3] += 0.01
    with pytest.raises(BundleError, match="golden row 3"):
        ChurnModel.from_bundle(_tampered(bundle, {}, golden))


def test_an_incomplete_payload_is_refused(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="not a whole churn model"):
        ChurnModel.from_bundle(_tampered(bundle, {"payload": {}}))


def _marked(bundle: Bundle, mark: object) -> Bundle:
    return _tampered(bundle, {"payload": bundle.manifest.payload | {"fallback": mark}})


def test_the_mark_of_a_fallback_is_read_in_both_languages(bundle: Bundle) -> None:
    mark = Fallback(Rule.RHYTHM, Both("too short", "太短"))
    assert ChurnModel.from_bundle(_marked(bundle, mark.document())).fallback == mark


def test_a_bundle_that_kept_the_reason_in_english_alone_is_read(bundle: Bundle) -> None:
    mark = ChurnModel.from_bundle(_marked(bundle, {"rule": "rhythm", "reason": "too short"})).fallback
    assert mark is not None
    assert mark.reason == Both("too short", "数据不足，无法训练流失模型（too short）")


@pytest.mark.parametrize(
    "mark", [{"rule": "rhythm", "reason": {"en": "too short"}}, {"rule": "rhythm", "reason": 7}, {"rule": "luck"}]
)
def test_a_mark_that_is_none_is_refused(bundle: Bundle, mark: object) -> None:
    with pytest.raises(BundleError, match="not a whole churn model"):
        ChurnModel.from_bundle(_marked(bundle, mark))
