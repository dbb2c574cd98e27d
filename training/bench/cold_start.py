"""People of whom the training part knows nothing: what their context, their session and their login are worth.

The temporal split asks everybody at the cut-off, where a newcomer is nobody. In a mall he is asked about when he comes.
So each test user is asked about once more at the moment of his first target event after the cut-off, with what could be
known by then; the truth is what he takes from that moment to the end of the horizon. Models stay those of the cut-off.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.ids import UNKNOWN, IdMap
from training.bench.folds import Question
from training.bench.rows import difference
from training.evaluation.fold import Truth
from training.evaluation.ranking import Float64, judge
from training.evaluation.splits import TemporalSplit
from training.interactions import SECONDS_PER_DAY, Bool, Histories, Int32, Int64, Interactions
from training.models.ragged import contains, first_of_run, pair_keys, row_starts
from training.models.recommender import Ranked, Recommender
from training.models.source import CandidateSource, shown

_TRENDING = "trending"


@dataclass(frozen=True)
class Arrival:
    """Test users at the moment of their first target event after the cut-off."""

    users: Int32  # (q,) indices of the whole log
    as_of: Int64  # (q,)
    truth: Truth

    def some(self, mask: Bool) -> Self:
        """The users under ``mask`` (q,)."""
        sizes = np.diff(self.truth.indptr)
        item = self.truth.item[np.repeat(mask, sizes)]
        indptr = np.concatenate([[0], np.cumsum(sizes[mask])]).astype(np.int64)
        return type(self)(self.users[mask], self.as_of[mask], Truth(indptr, item))


def owners_of(events: pa.Table, users: IdMap) -> Int32:
    """(users,) the user whom the events of each id belong to: of an anonymous id the user who logged in under it."""
    owner = np.arange(len(users), dtype=np.int32)
    if {c.USER_ID, c.ANONYMOUS_ID} <= set(events.column_names):
        logins = events.filter(pc.and_(pc.is_valid(events[c.USER_ID]), pc.is_valid(events[c.ANONYMOUS_ID])))
        visitor, user = (users.indices(logins[name].to_pylist()) for name in (c.ANONYMOUS_ID, c.USER_ID))
        known = (visitor != UNKNOWN) & (user != UNKNOWN)
        owner[visitor[known]] = user[known]
    return owner


def cold_start(
    data: Interactions,
    owner: Int32,
    question: Question,
    recommender: Recommender,
    trending: CandidateSource | None,
    metric: str,
    *,
    exclude_seen: bool,
) -> dict[str, Any]:
    """``metric`` of the pipeline and of trending alone in three ways of asking, as ``result.json`` has it.

    ``new users`` are asked about with nothing, with channel and hour, and with the session so far as well; users who
    visited before they logged in, ``merged at login``, without and with what they did before it. A group without a
    user is left out, and under another split than a temporal one there is none. ``data`` is the whole log, ``owner``
    as of :func:`owners_of`, ``trending`` the source as the pipeline fitted it.
    """
    split = question.split
    if not isinstance(split, TemporalSplit):
        return {}
    train = question.fold.train
    everything = _in_items_of(data, train)
    apart = everything.where(everything.item < len(train.items))
    merged = _of_owners(apart, owner)
    arrival = _arrivals(everything, split, merged if exclude_seen else None)
    contestants: dict[str, Recommender | CandidateSource] = {"pipeline": recommender}
    if trending is not None:
        contestants[_TRENDING] = trending
    judged = _Judge(contestants, metric, len(train.items), exclude_seen)
    found = {
        "new users": judged.compare(*_new_users(arrival, merged, split.cutoff)),
        "merged at login": judged.compare(*_merged_at_login(arrival, apart, merged, owner, split.cutoff)),
    }
    return {name: group for name, group in found.items() if group["users"]}


def _new_users(arrival: Arrival, merged: Interactions, cutoff: int) -> tuple[Arrival, dict[str, Histories]]:
    known = np.zeros(len(merged.users), dtype=np.bool_)
    known[merged.user[merged.time < cutoff]] = True
    part = arrival.some(~known[arrival.users])
    nobody = merged.histories(np.full(len(part.users), UNKNOWN, dtype=np.int32), part.as_of)
    session = merged.histories(part.users, part.as_of)
    # A visitor comes by a channel before he does anything: it is that of the event at whose moment he is asked about.
    channel = merged.histories(part.users, part.as_of + 1).channel
    hour = (part.as_of % SECONDS_PER_DAY // 3600).astype(np.int16)
    return part, {
        "nothing": nobody,
        "context": replace(nobody, channel=channel, hour=hour),
        "context and session": replace(session, channel=channel, hour=hour),
    }


def _merged_at_login(
    arrival: Arrival, apart: Interactions, merged: Interactions, owner: Int32, cutoff: int
) -> tuple[Arrival, dict[str, Histories]]:
    moment = np.full(len(apart.users), -1, dtype=np.int64)
    moment[arrival.users] = arrival.as_of
    theirs = owner[apart.user]
    before_login = (theirs != apart.user) & (apart.time >= cutoff) & (apart.time < moment[theirs])
    part = arrival.some(np.isin(arrival.users, theirs[before_login]))
    return part, {
        "without the visit": apart.histories(part.users, part.as_of),
        "with the visit": merged.histories(part.users, part.as_of),
    }


@dataclass(frozen=True)
class _Judge:
    """Asks contestants in several ways about the same users."""

    contestants: dict[str, Recommender | CandidateSource]
    metric: str
    items: int
    exclude_seen: bool

    def compare(self, part: Arrival, ways: dict[str, Histories]) -> dict[str, Any]:
        """The metric by contestant and way, and what each way gains over the first, with its 95 % interval."""
        if not len(part.users):
            return {"users": 0}
        values = {
            name: {way: self._values(histories, part, contestant) for way, histories in ways.items()}
            for name, contestant in self.contestants.items()
        }
        first, *others = ways
        return {
            "users": len(part.users),
            "metric": self.metric,
            "ways": {name: {way: float(v.mean()) for way, v in of.items()} for name, of in values.items()},
            "gains": {
                name: {way: vars(difference(of[way], of[first])) for way in others} for name, of in values.items()
            },
        }

    def _values(self, histories: Histories, part: Arrival, contestant: Recommender | CandidateSource) -> Float64:
        k = int(self.metric.rsplit("@", 1)[1])
        if isinstance(contestant, Recommender):
            ranked = contestant.recommend(histories, k, exclude_seen=self.exclude_seen)
        else:
            found = contestant.retrieve(shown(type(contestant), histories), k, exclude_seen=self.exclude_seen)
            ranked = Ranked(found.row, found.item, found.score, found.row)
        unpopular = np.zeros(self.items, dtype=np.int64)
        return judge(ranked.lists(len(histories), k), part.truth, (k,), unpopular).per_user[self.metric]


def _arrivals(data: Interactions, split: TemporalSplit, had: Interactions | None) -> Arrival:
    """Everybody who takes something after the cut-off; with ``had`` what a user had before he is asked is no truth."""
    inside = (data.time >= split.cutoff) & (data.time < split.cutoff + split.horizon) & split.targets(data)
    place = np.flatnonzero(inside)
    first = first_of_run(data.user[place])
    users, as_of = data.user[place][first], data.time[place][first]
    width = int(data.item.max(initial=-1)) + 1
    row = np.cumsum(first) - 1
    pairs = np.unique(pair_keys(row, data.item[place], width))
    if had is not None:
        before = had.histories(users, as_of)
        pairs = pairs[~contains(np.sort(pair_keys(before.row, before.item, width)), pairs)]
    indptr = row_starts(pairs // max(width, 1), len(users))
    whole = Arrival(users, as_of, Truth(indptr, (pairs % max(width, 1)).astype(np.int32)))
    return whole.some(np.diff(indptr) > 0)


def _in_items_of(data: Interactions, train: Interactions) -> Interactions:
    """The whole log with the item indices of the training part; an item that it lacks gets one past its last."""
    place = train.items.indices(data.items.ids(np.arange(len(data.items), dtype=np.int32)))
    strange = place == UNKNOWN
    place[strange] = len(train.items) + np.arange(int(strange.sum()))
    return replace(data, item=place[data.item].astype(np.int32))


def _of_owners(data: Interactions, owner: Int32) -> Interactions:
    """The log in which everything is its owner's."""
    user = owner[data.user]
    order = np.lexsort((data.time, user))
    names = ("item", "kind", "time", "quantity", "amount", "basket", "channel", "region")
    return replace(data, user=user[order], **{name: getattr(data, name)[order] for name in names})
