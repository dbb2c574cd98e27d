"""From churn scores to the rows of a snapshot: who may be contacted, who is held out, who belongs on the list."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.home import Home
from serving.marketing.columns import (
    EXPECTED_PURCHASES,
    HIGH,
    HOLDOUT,
    LIFECYCLE,
    LOW,
    PROBABILITY,
    REASONS,
    SNAPSHOT_SCHEMA,
    SUPPRESSED,
    SUPPRESSION_REASON,
    TIER,
    VALUE_AT_RISK,
)
from serving.marketing.config import MarketingConfig
from serving.marketing.holdout import in_holdout
from serving.marketing.snapshot import SnapshotInfo, save_snapshot
from training.models.churn import ChurnModel
from training.models.churn_scores import ChurnScores

#: The tag that says where a user stands: new, active, silent, lost.
LIFECYCLE_TAG = "lifecycle_stage"

NO_CONSENT = "no_marketing_consent"
ERASED = "erased"


def snapshot_tags(model: ChurnModel) -> tuple[str, ...]:
    """The tags that :func:`write_snapshot` reads: what the model needs, and where a user stands in his lifecycle."""
    return tuple(dict.fromkeys((*model.required_tags, LIFECYCLE_TAG)))


def write_snapshot(
    home: Home,
    model: ChurnModel,
    tags: pa.Table,
    users: pa.Table,
    *,
    as_of: datetime,
    model_version: str,
    consents: Mapping[str, bool] | None = None,
    config: MarketingConfig | None = None,
) -> SnapshotInfo:
    """Score every user of ``tags`` (:func:`snapshot_tags`, built as of ``as_of``) and write the newest snapshot.

    Only users of the population that the model was fitted for are listed. ``users`` is the lake's table (USER_SCHEMA,
    may be empty); ``consents`` are marketing consents said since, by user id, which take precedence.
    """
    scores = model.predict(tags)
    rows = snapshot_rows(scores, tags, users, consents or {}, config or MarketingConfig())
    return save_snapshot(
        home,
        rows,
        as_of=as_of,
        model_version=model_version,
        tag_spec=model.tag_spec,
        horizon_days=round(model.label.horizon_days),
    )


def snapshot_rows(
    scores: ChurnScores, tags: pa.Table, users: pa.Table, consents: Mapping[str, bool], config: MarketingConfig
) -> pa.Table:
    """The rows of a snapshot; ``scores`` and ``tags`` are aligned."""
    known = users.select([c.USER_ID, c.CONSENT_MARKETING, c.ERASED_AT]).to_pydict()
    consent = {**dict(zip(known[c.USER_ID], known[c.CONSENT_MARKETING], strict=True)), **consents}
    erased = {u for u, at in zip(known[c.USER_ID], known[c.ERASED_AT], strict=True) if at is not None}
    suppression = [
        ERASED if user in erased else NO_CONSENT if consent.get(user) is False else None for user in scores.user_id
    ]
    lifecycle = tags[LIFECYCLE_TAG] if LIFECYCLE_TAG in tags.column_names else pa.nulls(tags.num_rows, pa.string())
    columns: dict[str, Any] = {
        c.USER_ID: scores.user_id,
        PROBABILITY: scores.probability,
        LOW: scores.low,
        HIGH: scores.high,
        TIER: [str(tier) for tier in scores.tier],
        LIFECYCLE: lifecycle,
        EXPECTED_PURCHASES: scores.expected_purchases,
        VALUE_AT_RISK: scores.value_at_risk,
        REASONS: [orjson.dumps(reasons_of(scores, row)).decode() for row in range(len(scores))],
        c.CONSENT_MARKETING: [consent.get(user) for user in scores.user_id],
        HOLDOUT: [in_holdout(user, config.holdout_share, config.holdout_salt) for user in scores.user_id],
        SUPPRESSED: [reason is not None for reason in suppression],
        SUPPRESSION_REASON: suppression,
    }
    return pa.table(columns, schema=SNAPSHOT_SCHEMA).filter(pa.array(scores.asked))


def reasons_of(scores: ChurnScores, row: int) -> list[dict[str, Any]]:
    """The reasons of one user as JSON values."""
    return [
        {"code": r.code, "value": r.value, "raises": r.raises, "text": {"en": r.text, "zh": r.text_zh}}
        for r in scores.reasons(row)
    ]
