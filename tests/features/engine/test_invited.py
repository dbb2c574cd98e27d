"""Invited users who bought: a value of one user that other users' purchases make."""

import json
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts import knowledge as k
from features.contracts import properties as p
from features.contracts.events import EventType
from features.engine import EventTables, build_slices, build_tags
from tests.features import mall

DAY = timedelta(days=1)
T0 = mall.START + 100 * DAY
NAME = "invited_buyers"


def invite(user: str, who: str, day: float) -> dict[str, Any]:
    told = {c.EVENT_ID: f"{user}-{who}-{day}", c.PROPERTIES: json.dumps({p.INVITED: who})}
    return mall.event(EventType.INVITE, user, T0 + day * DAY, **told)


def bought(user: str, day: float, **more: Any) -> dict[str, Any]:
    return mall.event(EventType.PURCHASE, user, T0 + day * DAY, **more)


def merged(raw: str, user: str, since: float, until: float | None = None) -> dict[str, Any]:
    row = dict.fromkeys(k.ALIAS_SCHEMA.names) | {k.ID_KIND: k.USER, k.RAW_ID: raw, c.USER_ID: user}
    return row | {k.KNOWN_FROM: T0 + since * DAY, k.KNOWN_UNTIL: None if until is None else T0 + until * DAY}


def tables(rows: list[dict[str, Any]], *aliases: dict[str, Any]) -> EventTables:
    known = pa.Table.from_pylist(list(aliases), schema=k.ALIAS_SCHEMA)
    return EventTables.from_arrow(mall.table(rows), aliases=known)


def of(user: str, seen: EventTables, day: float, name: str = NAME) -> int | None:
    values = build_tags(seen, at(day), [name]).to_pylist()
    return {row[c.USER_ID]: row[name] for row in values}.get(user)


def at(day: float) -> datetime:
    return T0 + day * DAY


@pytest.mark.parametrize(
    ("day", "count"),
    [(1.5, 0), (3.0, 0), (3.1, 1), (5.5, 1), (6.1, 2)],
    ids=["only invited", "at the moment of the purchase", "after it", "not arrived yet", "arrived late"],
)
def test_a_purchase_counts_from_the_moment_it_is_known(day: float, count: int):
    rows = [
        bought("b", -1),
        invite("a", "b", 0),
        invite("a", "c", 1),
        bought("b", 3),
        bought("c", 4, **{c.RECEIVED_AT: at(6)}),
    ]
    assert of("a", tables(rows), day) == count


def test_who_bought_before_the_invitation_only_did_not_buy_for_it():
    rows = [bought("b", -1), invite("a", "b", 0), invite("a", "c", 1), bought("c", 1)]
    assert of("a", tables(rows), 10) == 1, "at its very moment is after it"


def test_a_window_is_of_invitations_and_a_user_counts_once():
    rows = [invite("a", "b", 0), invite("a", "b", 20), invite("a", "c", 1), bought("b", 50), bought("c", 51)]
    assert of("a", tables(rows), 52) == 2
    assert of("a", tables(rows), 100, f"{NAME}_90d") == 1


def test_an_invited_id_counts_for_the_user_whom_it_stands_for():
    other_id, purchase = invite("a", "b2", 0.5), bought("b", 1)
    seen = tables([other_id, purchase], merged("b2", "b2", -99, 2), merged("b2", "b", 2))
    assert [of("a", seen, day) for day in (1.5, 2.5)] == [0, 1]


def test_two_who_are_merged_count_once_until_they_are_parted():
    rows = [invite("a", "b", 0), invite("a", "b2", 0), bought("b", 1), bought("b2", 1)]
    seen = tables(rows, merged("b2", "b2", -99, 3), merged("b2", "b", 3, 5), merged("b2", "b2", 5))
    assert [of("a", seen, day) for day in (1.5, 3.5, 5.5)] == [2, 1, 2]


def test_nobody_brings_himself():
    rows = [invite("a", "a", 0), invite("a", "a2", 0), bought("a", 1), bought("a2", 1)]
    seen = tables(rows, merged("a2", "a2", -99, 2), merged("a2", "a", 2))
    assert [of("a", seen, day) for day in (1.5, 2.5)] == [1, 0]


def test_one_user_some_and_slices_have_the_values_of_the_whole():
    seen = EventTables.from_arrow(mall.table(mall.events()))
    names = [NAME, f"{NAME}_90d", "days_since_purchase"]
    whole = build_tags(seen, mall.MIDDAY, names)
    lucky = [row[c.USER_ID] for row in whole.to_pylist() if row[NAME]]
    assert len(lucky) > 2
    assert pa.concat_tables(build_slices(seen, mall.MIDDAY, names, slice_users=7)).equals(whole)
    for users in (lucky[:1], lucky[1:]):
        expected = whole.filter(pa.compute.is_in(whole[c.USER_ID], pa.array(users)))
        assert build_tags(seen, mall.MIDDAY, names, users).equals(expected)
        assert build_tags(seen, mall.MIDDAY, names, users, others=whole).equals(expected)
