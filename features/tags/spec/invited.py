"""The base of invitations that paid off: it looks from a user at what other users did."""

from typing import Final

import ibis

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.knowledge import RAW_ID
from features.tags.spec.base import POPULATION, Base
from features.tags.spec.bases import UserDays, UserInvites
from features.tags.spec.columns import AGE, Column, Lineage
from features.tags.spec.vocabulary import Value
from features.tags.spec.windows import ALL_TIME, Window

#: Merged ids of users as they are known at the moment of the build: the id, and the user whom it stands for.
CANONICAL: Final = "canonical_users"
CANONICAL_SCHEMA: Final = {RAW_ID: "string", c.USER_ID: "string"}

_LAST_BOUGHT: Final = "days_since_purchase"
#: Days; tags keep six digits after the point, and a purchase at the moment of the invitation comes after it.
_SAME_MOMENT: Final = 1e-6


class InvitedBuyers(Base):
    """One row per user, day and other user whom he invited on that day and who has bought since.

    The id that an invitation names counts for the user whom it stands for; one that no identity knows is taken as it
    is. A user who invited himself, by another of his ids, is left out.
    """

    table = UserInvites.table
    of_others = (_LAST_BOUGHT,)

    age = Column("int64", "whole days from the invitation to the day of as_of")
    buyer = Column("string", "the user who was invited")

    @classmethod
    def relation(cls, window: Window = ALL_TIME) -> Value:
        invites = UserInvites.relation(window)
        ids = ibis.table(CANONICAL_SCHEMA, name=CANONICAL).rename(_stands_for=c.USER_ID)
        named = invites.left_join(ids, invites[p.INVITED] == ids[RAW_ID])
        named = named.mutate(buyer=ibis.coalesce(named._stands_for, named[p.INVITED]))
        named = named.filter(named.buyer != named[c.USER_ID])
        others = ibis.table({c.USER_ID: "string", _LAST_BOUGHT: "float64"}, name=POPULATION).rename(_other=c.USER_ID)
        since = others[_LAST_BOUGHT] < named.since_invite + _SAME_MOMENT
        rows = named.inner_join(others, [named.buyer == others._other, since])
        return rows.select(c.USER_ID, AGE, "buyer")

    @classmethod
    def lineage_of(cls, column: Column) -> Lineage:
        return UserDays.lineage_of(UserDays.invited) | Lineage(columns=frozenset({c.OCCURRED_AT}))
