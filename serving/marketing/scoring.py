"""From forecasts to the rows of a snapshot: who may be contacted, who is held out, who belongs on the list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.errors import MissingStateError
from features.contracts.home import Home
from serving.engine.actions import ACTIONS, WHYS, ActionsConfig, reason_text
from serving.engine.forecast import FATIGUE_TAGS, VALUE_DAYS, Forecast, Models, forecast
from serving.marketing.columns import (
    ACTION,
    ACTION_REASON,
    EXPECTED_PROFIT,
    EXPECTED_PURCHASES,
    HIGH,
    HOLDOUT,
    HORIZONS,
    LIFECYCLE,
    LOW,
    NEXT_PURCHASE,
    OVERDUE,
    PROBABILITY,
    REASONS,
    SNAPSHOT_SCHEMA,
    SUPPRESSED,
    SUPPRESSION_REASON,
    TIER,
    UPLIFT,
    VALUE_AT_RISK,
    VALUES,
)
from serving.marketing.config import MarketingConfig
from serving.marketing.holdout import in_holdout
from serving.marketing.snapshot import SnapshotInfo, save_snapshot
from serving.marketing.suppression import NO_CONSENT
from training.models.churn_scores import ChurnScores

#: The tag that says where a user stands: new, active, silent, lost.
LIFECYCLE_TAG = "lifecycle_stage"

ERASED = "erased"

#: Users whose columns, contributions and reasons are in memory at a time.
_CHUNK: Final = 50_000


def snapshot_tags(models: Models) -> tuple[str, ...]:
    """The tags that :func:`write_snapshot` reads: what the models need, where a user stands, and how tired he is."""
    return tuple(dict.fromkeys((*models.required_tags, LIFECYCLE_TAG, *FATIGUE_TAGS)))


def write_snapshot(
    home: Home,
    models: Models,
    tags: pa.Table | Iterable[pa.Table],
    users: pa.Table,
    *,
    as_of: datetime,
    consents: Mapping[str, bool] | None = None,
    config: MarketingConfig | None = None,
    actions: ActionsConfig | None = None,
    reasons: bool = True,
) -> SnapshotInfo:
    """Score every user of ``tags`` (:func:`snapshot_tags`, built as of ``as_of``) and write the newest snapshot.

    ``tags`` is a table or slices of one, of which few are in memory at a time. Only users of the population that the
    churn model was fitted for are listed. ``users`` is the lake's table (USER_SCHEMA, may be empty); ``consents`` are
    marketing consents said since, by user id, which take precedence. Without ``reasons`` rows have none, and the
    snapshot takes a fraction of the time. Whatever goes wrong, the snapshots before stay as they are.

    Raises :class:`InputError` for a tag that is missing, and :class:`MissingStateError` when tags are null throughout
    or nobody belongs to the population.
    """
    contact = _Contact.of(users, consents or {}, config or MarketingConfig())
    told = actions or ActionsConfig()
    slices = [tags] if isinstance(tags, pa.Table) else tags
    parts = [SNAPSHOT_SCHEMA.empty_table()]
    read = models.churn.tags or models.churn.required_tags  # a fallback has no trees that read tags
    seen, told_of = 0, False
    for table in slices:
        for start in range(0, table.num_rows, _CHUNK):
            chunk = table.slice(start, _CHUNK)
            seen += chunk.num_rows
            told_of = told_of or any(chunk[name].null_count < len(chunk) for name in read)
            asked = models.churn.asked(chunk)
            if asked.any():
                chunk = chunk.filter(pa.array(asked))
                parts.append(_rows(forecast(models, chunk, told, reasons=reasons), chunk, contact, as_of))
    if seen and not told_of:
        raise MissingStateError(
            f"every tag that the churn model reads is null for every user of {seen:,}; the last snapshot stays"
        )
    rows = pa.concat_tables(parts)
    if not rows.num_rows:
        raise MissingStateError(
            f"none of {seen:,} users belongs to the population of the churn model, so nobody is listed; "
            "the last snapshot stays"
        )
    tiers = models.churn.tiers
    return save_snapshot(
        home,
        rows,
        as_of=as_of,
        model_version=models.version,
        tag_spec=models.churn.tag_spec,
        horizon_days=round(models.churn.label.horizon_days),
        models={"churn": models.version, **models.versions},
        missing=models.missing,
        fallback={} if models.fallback is None else models.fallback._asdict(),
        tiers={"yellow": tiers.yellow, "red": tiers.red},
        gap_days=models.churn.label.opens / timedelta(days=1),
    )


@dataclass(frozen=True)
class _Contact:
    """Who may be contacted, by user id."""

    consent: Mapping[str, bool | None]
    erased: frozenset[str]
    config: MarketingConfig

    @classmethod
    def of(cls, users: pa.Table, consents: Mapping[str, bool], config: MarketingConfig) -> "_Contact":
        known = users.select([c.USER_ID, c.CONSENT_MARKETING, c.ERASED_AT]).to_pydict()
        consent = {**dict(zip(known[c.USER_ID], known[c.CONSENT_MARKETING], strict=True)), **consents}
        erased = (u for u, at in zip(known[c.USER_ID], known[c.ERASED_AT], strict=True) if at is not None)
        return cls(consent, frozenset(erased), config)

    def suppression(self, user: str) -> str | None:
        """Why a user must not be contacted."""
        if user in self.erased:
            return ERASED
        return NO_CONSENT if self.consent.get(user) is False else None


def _rows(told: Forecast, tags: pa.Table, contact: _Contact, as_of: datetime) -> pa.Table:
    """The rows of a snapshot; ``told`` and ``tags`` are aligned."""
    scores, config = told.risk, contact.config
    suppression = [contact.suppression(user) for user in scores.user_id]
    lifecycle = tags[LIFECYCLE_TAG] if LIFECYCLE_TAG in tags.column_names else pa.nulls(tags.num_rows, pa.string())
    action, why = _actions(told)
    columns: dict[str, Any] = {
        c.USER_ID: scores.user_id,
        PROBABILITY: scores.probability,
        LOW: scores.low,
        HIGH: scores.high,
        TIER: [str(tier) for tier in scores.tier],
        LIFECYCLE: lifecycle,
        EXPECTED_PURCHASES: scores.expected_purchases,
        VALUE_AT_RISK: told.value_at_risk,
        REASONS: [orjson.dumps(reasons_of(scores, row)).decode() for row in range(len(scores))],
        c.CONSENT_MARKETING: [contact.consent.get(user) for user in scores.user_id],
        HOLDOUT: [in_holdout(user, config.holdout_share, config.holdout_salt) for user in scores.user_id],
        SUPPRESSED: [reason is not None for reason in suppression],
        SUPPRESSION_REASON: suppression,
        **{name: _known(told.spend[:, VALUE_DAYS.index(days)]) for days, name in VALUES.items()},
        NEXT_PURCHASE: told.next_purchase_on(as_of),
        OVERDUE: _known(told.overdue),
        UPLIFT: _known(told.effect),
        ACTION: action,
        ACTION_REASON: why,
        EXPECTED_PROFIT: told.recommended.profit,
        HORIZONS: _horizons(scores),
    }
    return pa.table(columns, schema=SNAPSHOT_SCHEMA)


def _actions(told: Forecast) -> tuple[pa.Array, pa.Array]:
    """Actions and their reasons as JSON; the few different texts are made once."""
    words = [action.value for action in ACTIONS]
    texts = [reason_text(why, assumed=told.recommended.assumed) for why in WHYS]
    reasons = [
        orjson.dumps({"code": why.value, "text": {"en": english, "zh": chinese}}).decode()
        for why, (english, chinese) in zip(WHYS, texts, strict=True)
    ]
    action = pa.DictionaryArray.from_arrays(pa.array(told.recommended.action), pa.array(words))
    why = pa.DictionaryArray.from_arrays(pa.array(told.recommended.why), pa.array(reasons))
    return action.cast(pa.string()), why.cast(pa.string())


def _horizons(scores: ChurnScores) -> list[str]:
    """Churn by horizon as JSON, four digits each."""
    days = [each.days for each in scores.horizons]
    parts = [np.column_stack([each.probability, each.low, each.high]).round(4).tolist() for each in scores.horizons]
    return [
        orjson.dumps(
            [
                {"days": day, "probability": probability, "low": low, "high": high}
                for day, (probability, low, high) in zip(days, row, strict=True)
            ]
        ).decode()
        for row in zip(*parts, strict=True)
    ]


def _known(values: npt.NDArray[np.float64]) -> pa.Array:
    """Numbers with null for what is not known."""
    return pa.array(values, pa.float64(), mask=~np.isfinite(values))


def reasons_of(scores: ChurnScores, row: int) -> list[dict[str, Any]]:
    """The reasons of one user as JSON values."""
    return [
        {"code": r.code, "value": r.value, "raises": r.raises, "text": {"en": r.text, "zh": r.text_zh}}
        for r in scores.reasons(row)
    ]
