"""What was shown, with which probability, and what followed: the rows that off-policy estimates are made of."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.errors import NotEnoughDataError
from features.contracts.events import EventType

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_KEY = [c.REQUEST_ID, c.ITEM_ID, p.POSITION]


@dataclass(frozen=True)
class Impressions:
    """``n`` items shown on one placement, in the order of the log."""

    user: pa.Array  # (n,) who saw it: the user id, else the anonymous id
    item: pa.Array  # (n,) ids
    at: pa.Array  # (n,) moments
    place: Int64  # (n,) 0 is the first; 0 where the log says nothing
    propensity: Float64  # (n,) NaN where the log says nothing
    reward: Float64  # (n,) 1 where the reward followed in the same answer, else 0

    def __len__(self) -> int:
        return len(self.place)

    def take(self, rows: Int64) -> "Impressions":
        """The impressions at ``rows``."""
        places = pa.array(rows)
        return Impressions(
            user=self.user.take(places),
            item=self.item.take(places),
            at=self.at.take(places),
            place=self.place[rows],
            propensity=self.propensity[rows],
            reward=self.reward[rows],
        )

    @property
    def cluster(self) -> Int64:
        """(n,) a code for each user."""
        codes: Int64 = self.user.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        return codes


def read_impressions(events: pa.Table, placement: str, reward: EventType = EventType.CLICK) -> Impressions:
    """The impressions of ``placement`` in ``events``, a table of the event contract.

    A reward belongs to the impression of the same request, item and place. Raises :class:`NotEnoughDataError` when
    nothing was shown there.
    """
    here = events.filter(pc.equal(events[c.PLACEMENT], placement))
    shown = _placed(here.filter(pc.equal(here[c.EVENT_TYPE], EventType.IMPRESSION.value)))
    if not shown.num_rows:
        raise NotEnoughDataError(f"the log holds no impression of the placement '{placement}'")
    followed = _placed(here.filter(pc.equal(here[c.EVENT_TYPE], reward.value)))
    keys = followed.select(_KEY).group_by(_KEY).aggregate([])
    rows = shown.append_column("row", pa.array(np.arange(shown.num_rows)))
    hit = rows.select([*_KEY, "row"]).join(keys, _KEY, join_type="left semi")["row"].to_numpy()
    earned = np.zeros(shown.num_rows)
    earned[hit] = 1.0
    who = pc.coalesce(shown[c.USER_ID], shown[c.ANONYMOUS_ID])
    return Impressions(
        user=who.combine_chunks(),
        item=shown[c.ITEM_ID].combine_chunks(),
        at=shown[c.OCCURRED_AT].combine_chunks(),
        place=shown[p.POSITION].to_numpy(),
        propensity=shown[p.PROPENSITY].to_numpy(),
        reward=earned,
    )


def _placed(rows: pa.Table) -> pa.Table:
    """``rows`` with the place and the propensity that their properties tell of."""
    texts = rows[c.PROPERTIES].to_pylist()
    place, propensity = _read(texts, p.POSITION), _read(texts, p.PROPENSITY)
    rows = rows.append_column(p.POSITION, pa.array(np.nan_to_num(place).astype(np.int64)))
    return rows.append_column(p.PROPENSITY, pa.array(propensity))


def _read(texts: list[str | None], key: str) -> Float64:
    """(n,) the number under ``key`` of each JSON object, NaN where there is none."""
    values = (orjson.loads(text).get(key) if text else None for text in texts)
    return np.array([value if isinstance(value, int | float) else np.nan for value in values], dtype=np.float64)
