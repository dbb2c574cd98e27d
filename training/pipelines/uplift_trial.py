"""From randomised messages in a lake to a trial: who could have been sent a campaign, who was, and who did what then.

A log tells who was sent a message and with which probability, not who was passed over. Passed over by a campaign is who
was sent another one, had been active before it, and belongs to the same group: chance decides on each campaign anew, so
this choice does not depend on the one that is judged. The probability of those passed over is that of the sent ones of
the same first channel; where these differ among each other it is not known, and the campaign is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.errors import NotEnoughDataError
from features.contracts.progress import track
from features.engine import EventTables, build_tags
from features.engine.sent import messages_sent
from features.lake import Lake
from training.models.churn_features import tag_values
from training.models.uplift_config import UpliftConfig
from training.models.uplift_learners import Trial
from training.pipelines.btyd_summary import returned
from training.pipelines.churn_data import candidate_tags, telling_tags
from training.pipelines.outcomes import outcome
from training.pipelines.thinning import spread

#: Logged probabilities of one group that lie closer than this are one.
_SAME = 1e-6
_CHANNEL = "channel"
_ANY = "all"


@dataclass(frozen=True)
class Campaign:
    """One campaign: when it began, and who could have been sent it."""

    name: str
    start: datetime
    people: pd.DataFrame  # user_id, treated, propensity


@dataclass(frozen=True)
class LakeTrial:
    """A trial with what is needed beside it."""

    trial: Trial
    campaign: npt.NDArray[np.int64]  # (n,) place among the campaigns, newest first
    names: tuple[str, ...]  # of campaigns
    user_id: npt.NDArray[np.object_]  # (n,)
    examples: pa.Table  # tag rows of the newest campaign
    spend_per_outcome: float


def campaigns_of(lake: Lake, cutoff: datetime, config: UpliftConfig) -> list[Campaign]:
    """The newest campaigns whose window has closed by ``cutoff``, newest first.

    Raises :class:`NotEnoughDataError` that says what is missing of an experiment.
    """
    sent = messages_sent(lake, cutoff).to_pandas()
    if sent.empty:
        raise NotEnoughDataError(
            f"there is no randomised arm: no message_sent event before {cutoff.isoformat()}; an effect cannot be learnt"
        )
    told = sent.dropna(subset=[p.PROPENSITY, p.CAMPAIGN])
    if told.empty:
        raise NotEnoughDataError(
            f"propensity unknown: no message_sent event names '{p.CAMPAIGN}' and '{p.PROPENSITY}' in its properties"
        )
    if (told[p.PROPENSITY] >= 1).all():
        raise NotEnoughDataError("there is no randomised arm: every message was sent with a propensity of 1")
    users = lake.read_users()
    channel = {
        user: first or _ANY
        for user, first in zip(users[c.USER_ID].to_pylist(), users[c.SOURCE_CHANNEL].to_pylist(), strict=True)
    }
    told = told.assign(**{_CHANNEL: [channel.get(user, _ANY) for user in told[c.USER_ID]]})
    reached = told.groupby(c.USER_ID)[p.CAMPAIGN].nunique()
    starts = told.groupby(p.CAMPAIGN)[c.OCCURRED_AT].agg(["min", "max"]).sort_values("min", ascending=False)
    closed = starts[starts["max"] + config.outcome.window <= pd.Timestamp(cutoff).tz_convert(None)]
    found: list[Campaign] = []
    for name, row in closed.iterrows():
        people = _people(told[told[p.CAMPAIGN] == name], reached, channel)
        if people is not None and len(found) < config.campaigns:
            found.append(Campaign(str(name), row["min"].to_pydatetime().replace(tzinfo=UTC), people))
    if not found:
        raise NotEnoughDataError(
            f"propensity unknown: none of {len(closed)} closed campaigns logs one probability for all users of a first "
            "channel, so that of users who were passed over cannot be told"
        )
    return found


def _people(sent: pd.DataFrame, reached: "pd.Series[int]", channel: dict[str, str]) -> pd.DataFrame | None:
    """Who could have been sent a campaign, by user id; ``None`` when the probabilities are not known."""
    levels = sent.groupby(_CHANNEL)[p.PROPENSITY].agg(["min", "max"])
    known = levels[(levels["max"] - levels["min"] < _SAME) & (levels["max"] < 1)]["min"]
    if known.empty:
        return None
    mine = set(sent[c.USER_ID])
    # Sent another campaign: of those who were sent this one it must be a second, of the others a first.
    others = reached.index[(reached > 1) | ~reached.index.isin(list(mine))]
    people = pd.DataFrame({c.USER_ID: np.sort(np.asarray(others, dtype=object))})
    people["propensity"] = [known.get(channel.get(user, _ANY), np.nan) for user in people[c.USER_ID]]
    people = people.dropna(subset=["propensity"])
    return people.assign(treated=people[c.USER_ID].isin(list(mine)))


def lake_trial(tables: EventTables, campaigns: Sequence[Campaign], cutoff: datetime, config: UpliftConfig) -> LakeTrial:
    """The users of ``campaigns`` with their tags as of each, and whether the outcome came."""
    names = candidate_tags(config.tags)
    most = max(1, config.rows // len(campaigns))
    parts: list[tuple[pa.Table, pd.DataFrame, npt.NDArray[np.bool_]]] = []
    spent, outcomes = 0.0, 0
    for turn, campaign in enumerate(track(list(campaigns), "reading campaigns", unit="campaigns")):
        people = campaign.people.iloc[spread(len(campaign.people), most, turn)]
        table = build_tags(tables, campaign.start, names, people[c.USER_ID].tolist())
        people = people.set_index(c.USER_ID).loc[table[c.USER_ID].to_pylist()].reset_index()
        ids = table[c.USER_ID].combine_chunks()
        came = _came(tables, ids, campaign.start, config, cutoff)
        days = config.outcome.window / timedelta(days=1)
        spend = outcome(tables, ids, campaign.start, (days,), cutoff).spend[:, 0]
        spent, outcomes = spent + float(spend[came].sum()), outcomes + int(came.sum())
        parts.append((table, people, came))
    names = telling_tags([table for table, _, _ in parts], names)
    columns = np.concatenate([tag_values(table, names).astype(np.float32) for table, _, _ in parts])
    trial = Trial(
        names=names,
        columns=columns,
        treated=np.concatenate([people["treated"].to_numpy(dtype=np.bool_) for _, people, _ in parts]),
        propensity=np.concatenate([people["propensity"].to_numpy(dtype=np.float64) for _, people, _ in parts]),
        outcome=np.concatenate([came for _, _, came in parts]),
    )
    return LakeTrial(
        trial=trial,
        campaign=np.repeat(np.arange(len(parts)), [len(came) for _, _, came in parts]),
        names=tuple(campaign.name for campaign in campaigns),
        user_id=np.concatenate([people[c.USER_ID].to_numpy(dtype=object) for _, people, _ in parts]),
        examples=parts[0][0],
        spend_per_outcome=spent / outcomes if outcomes else 0.0,
    )


def _came(
    tables: EventTables, ids: pa.Array, start: datetime, config: UpliftConfig, cutoff: datetime
) -> npt.NDArray[np.bool_]:
    """(n,) who had an event of the outcome within the window, as had arrived by ``cutoff``."""
    came = np.zeros(len(ids), dtype=np.bool_)
    for event in config.outcome.events:
        found = returned(tables, event, start, start + config.outcome.window, cutoff).user_id
        came |= pc.is_in(ids, value_set=found).to_numpy(zero_copy_only=False)
    return came
