"""Who a person is at the moment he asks to be forgotten: every id of his, and which rows are his by them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from features.contracts import columns as c
from features.contracts.knowledge import ANONYMOUS, ID_KIND, KNOWN_UNTIL, OCCURRED_FROM, OCCURRED_UNTIL, RAW_ID
from features.identity.links import LINKED
from features.lake.lake import Lake
from features.lake.operators import known_user
from features.lake.rewriting import one_of


class Stretch(BaseModel):
    """A time in which a device that several people use was his."""

    model_config = ConfigDict(frozen=True)

    anonymous_id: str
    since: datetime | None  # null: from the first
    until: datetime | None  # null: without end


class Person(BaseModel):
    """The ids of one person. Visitors are devices that nobody else logged in on."""

    model_config = ConfigDict(frozen=True)

    users: tuple[str, ...]
    visitors: tuple[str, ...]
    stretches: tuple[Stretch, ...]
    alias: str
    """What stands for him in the events of others; a random word that nothing else is known by."""

    def owns(self, events: pa.Table) -> npt.NDArray[np.bool_]:
        """(n,) which events are his: they name him, or no user and a device of his."""
        nobody = events[c.USER_ID].is_null().to_numpy()
        visits = one_of(events[c.ANONYMOUS_ID], self.visitors)
        for stretch in self.stretches:
            visits |= one_of(events[c.ANONYMOUS_ID], [stretch.anonymous_id]) & _within(events[c.OCCURRED_AT], stretch)
        his: npt.NDArray[np.bool_] = one_of(events[c.USER_ID], self.users) | (nobody & visits)
        return his


def person_of(
    lake: Lake, user_id: str, devices_of: Callable[[Collection[str]], Iterable[str]] = lambda _: ()
) -> Person:
    """Who ``user_id`` is now: his merged ids, and the devices of his that the lake or ``devices_of`` knows.

    An id that was never seen is a person of that one id.
    """
    users = known_user(lake, user_id).members
    logged_in: defaultdict[str, set[str]] = defaultdict(set)
    logins = lake.read_logins()
    told = logins.filter(logins[LINKED])
    for device, user in zip(told[c.ANONYMOUS_ID].to_pylist(), told[c.USER_ID].to_pylist(), strict=True):
        logged_in[device].add(user)
    devices = {*devices_of(users), *(device for device, found in logged_in.items() if found & set(users))}
    shared = sorted(device for device in devices if logged_in[device] - set(users))
    return Person(
        users=tuple(dict.fromkeys((user_id, *users))),
        visitors=tuple(sorted(devices - set(shared))),
        stretches=_stretches(lake, users, shared),
        alias=f"erased-{uuid4().hex}",
    )


def _stretches(lake: Lake, users: tuple[str, ...], shared: list[str]) -> tuple[Stretch, ...]:
    if not shared:
        return ()
    rows = lake.read_aliases()
    his = one_of(rows[c.USER_ID], users) & one_of(rows[RAW_ID], shared)
    his &= pc.equal(rows[ID_KIND], ANONYMOUS).to_numpy() & rows[KNOWN_UNTIL].is_null().to_numpy()
    told = rows.filter(pa.array(his)).select([RAW_ID, OCCURRED_FROM, OCCURRED_UNTIL]).to_pylist()
    return tuple(Stretch(anonymous_id=row[RAW_ID], since=row[OCCURRED_FROM], until=row[OCCURRED_UNTIL]) for row in told)


def _within(moments: pa.ChunkedArray, stretch: Stretch) -> npt.NDArray[np.bool_]:
    inside = np.ones(len(moments), dtype=np.bool_)
    if stretch.since is not None:
        inside &= pc.greater_equal(moments, pa.scalar(stretch.since, moments.type)).to_numpy()
    if stretch.until is not None:
        inside &= pc.less(moments, pa.scalar(stretch.until, moments.type)).to_numpy()
    return inside
