"""Who switched personalisation off, as the lake knows it."""

import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.home import Home
from features.lake import Lake


def refused_in_lake(home: Home) -> frozenset[str]:
    """The users whose consent to personalisation is recorded as refused, and erased users."""
    users = Lake(home).read_users([c.USER_ID, c.CONSENT_PERSONALIZATION, c.ERASED_AT])
    refused = pc.fill_null(pc.invert(users[c.CONSENT_PERSONALIZATION]), False)
    return frozenset(users.filter(pc.or_(refused, pc.is_valid(users[c.ERASED_AT])))[c.USER_ID].to_pylist())
