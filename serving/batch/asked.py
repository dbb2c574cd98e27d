"""Who gets a list: every user of the model and of the lake, merged ones once, erased ones not at all."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.home import Home
from features.contracts.ids import UNKNOWN, IdMap, Int32
from features.lake import Lake
from serving.engine.consent import refused_in_lake
from serving.engine.identities import KnownAs


@dataclass(frozen=True)
class Asked:
    """Users in the order of their ids."""

    ids: pa.Array  # (q,) strings
    index: Int32  # (q,) as the model knows them; UNKNOWN for strangers and for who switched personalisation off

    def __len__(self) -> int:
        return len(self.index)


def everybody(home: Home, known: IdMap) -> Asked:
    """The users of the model (``known``) and of the lake of ``home``. Who switched personalisation off is asked about
    as a stranger, as the server does.
    """
    lake = Lake(home)
    users = lake.read_users()
    one = KnownAs(lake)
    one.refresh()
    trained = known.ids(np.arange(len(known), dtype=np.int32))
    marked = set(users.filter(pc.is_valid(users[c.ERASED_AT]))[c.USER_ID].to_pylist())
    names = {one.canonical(user) for user in (*trained, *users[c.USER_ID].to_pylist())}
    ids = sorted(name for name in names - marked if not lake.tombstones.is_refused(name))
    index = known.indices(ids)
    refused = refused_in_lake(home)
    for place, user in enumerate(ids):
        members = one.members(user)
        if any(member in refused for member in members):
            index[place] = UNKNOWN
        elif index[place] == UNKNOWN and len(members) > 1:
            index[place] = next((i for m in members if (i := known.index(m)) != UNKNOWN), UNKNOWN)
    return Asked(pa.array(ids, pa.string()), index)
