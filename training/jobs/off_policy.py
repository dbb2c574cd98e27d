"""``mallard counterfactual``: what another policy would have earned, from what the lake says was shown."""

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.errors import InputError, NotEnoughDataError
from features.contracts.events import TIMESTAMP, EventType
from features.contracts.home import Home
from features.engine import known_events
from features.lake import Lake
from training.evaluation.impressions import read_impressions
from training.evaluation.off_policy import evaluate
from training.evaluation.policies import Policy

_READS: Final = [
    c.EVENT_ID, c.EVENT_TYPE, c.ANONYMOUS_ID, c.ITEM_ID, c.OCCURRED_AT, c.PLACEMENT, c.REQUEST_ID, c.PROPERTIES,
]  # fmt: skip


def judge_policy(
    home: Home, placement: str, policy: Path, *, reward: EventType, since: datetime | None, clip: float | None
) -> dict[str, Any]:
    """Estimates of the policy in a Parquet file (:class:`Policy`) on the impressions of ``placement``.

    Raises :class:`MissingStateError` for an empty lake, :class:`InputError` for a file that is no policy or a log
    without propensities, and :class:`NotEnoughDataError` when too little of the log speaks for the policy.
    """
    lake = Lake(home)
    table = _read(policy)
    shown = read_impressions(_events(lake, placement, reward, since), placement, reward)
    logged, model, left_out = Policy.of(table, str(policy)).judged(shown)
    if not len(logged.reward):
        raise NotEnoughDataError(f"{policy}: none of its users saw anything on the placement '{placement}'")
    found = evaluate(logged, model, clip=clip)
    return {"placement": placement, "policy": str(policy), "reward": str(reward), "left_out": left_out, **asdict(found)}


def _events(lake: Lake, placement: str, reward: EventType, since: datetime | None) -> pa.Table:
    """Impressions and rewards on a placement, under the users whom they count for; fake ones are left out."""
    kinds = (EventType.IMPRESSION, reward)
    now = lake.last_event_at() + timedelta(microseconds=1)
    counted = known_events(lake, (c.EVENT_ID, c.USER_ID), kinds, now)
    wanted = (pc.field(c.PLACEMENT) == placement) & pc.field(c.EVENT_TYPE).isin([kind.value for kind in kinds])
    if since is not None:
        wanted &= pc.field(c.OCCURRED_AT) >= pa.scalar(since, TIMESTAMP)
    return pq.read_table(lake.event_files(), columns=_READS, filters=wanted).join(
        counted, c.EVENT_ID, join_type="inner"
    )


def _read(policy: Path) -> pa.Table:
    try:
        return pq.read_table(policy)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{policy}: this is no Parquet file that can be read: {error}") from error
