from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contracts.knowledge import ANONYMOUS, USER
from features.identity import canonical_users, merge_rows, unmerge_rows
from features.identity import resolve as resolve_anew
from features.identity.links import LOGIN_SCHEMA
from tests.features.identity.facts import at, link, links, login, logins, told_users, told_visitor, user_at

_ENGINE = duckdb.connect()  # one for all examples: opening it takes longer than the work
_USERS = ("ann", "bob", "cid", "dee", "eve")
_MINUTES = st.integers(0, 8)
_LINKS = st.lists(
    st.builds(
        link,
        st.sampled_from(("p", "q", "r", "s")),
        st.sampled_from(_USERS),
        _MINUTES,
        linked=st.sampled_from((True, True, True, False)),
        source=st.sampled_from(("users", "users", "operator")),
    ),
    max_size=14,
)
_LOGINS = st.lists(
    st.builds(
        login,
        st.sampled_from(("x", "y")),
        st.sampled_from(_USERS[:3]),
        st.integers(0, 6).map(lambda n: 2 * n),
        st.integers(0, 14),
        linked=st.sampled_from((True, True, True, True, False)),
    ),
    max_size=9,
)


@settings(max_examples=25, deadline=None)
@given(_LINKS, st.randoms(use_true_random=False))
def test_users_are_what_the_log_says_at_every_moment_in_any_order(rows: list[dict[str, Any]], random: Any) -> None:
    aliases = resolve(links(rows), LOGIN_SCHEMA.empty_table())
    again = [*rows, *random.choices(rows, k=len(rows))] if rows else []
    random.shuffle(again)
    assert resolve(links(again), LOGIN_SCHEMA.empty_table()).equals(aliases)
    answers = aliases.to_pylist()
    for minute in range(10):
        told = told_users(rows, at(minute))
        for user in _USERS:
            assert user_at(answers, USER, user, at(minute), at(0)) == told.get(user, user)
        moved = {user: canonical for user, canonical in told.items() if user != canonical}
        assert canonical_users(aliases, at(minute)) == moved
    assert canonical_users(aliases) == canonical_users(aliases, at(10))


@settings(max_examples=25, deadline=None)
@given(_LOGINS, _LINKS, st.randoms(use_true_random=False))
def test_visits_are_what_the_log_says_at_every_moment_in_any_order(
    rows: list[dict[str, Any]], strong: list[dict[str, Any]], random: Any
) -> None:
    aliases = resolve(links(strong), logins(rows))
    again = [*rows, *random.choices(rows, k=len(rows))] if rows else []
    random.shuffle(again)
    assert resolve(links(strong), logins(again)).equals(aliases)
    answers = aliases.to_pylist()
    for known in range(16):
        merged = told_users(strong, at(known))
        for occurred in range(known + 1):  # what has not happened yet is in no build
            for visitor in ("x", "y"):
                told = told_visitor(rows, visitor, at(known), at(occurred))
                assert user_at(answers, ANONYMOUS, visitor, at(known), at(occurred)) == merged.get(told, told)


@settings(max_examples=15, deadline=None)
@given(_LINKS, st.sampled_from(_USERS), st.sampled_from(_USERS))
def test_an_undone_merge_leaves_the_users_as_without_it(rows: list[dict[str, Any]], one: str, other: str) -> None:
    if one == other:
        return
    nothing = LOGIN_SCHEMA.empty_table()
    merged = merge_rows(one, other, reason="same person", at=at(20))
    undone = unmerge_rows(other, one, reason="not so", at=at(21))
    told = links(rows)
    before = told_users(rows, at(20))
    with_merge = resolve(_all(told, merged), nothing)
    assert canonical_users(with_merge).get(one, one) == canonical_users(with_merge).get(other, other)
    parted = resolve(_all(told, merged, undone), nothing)
    assert canonical_users(parted) == {u: v for u, v in before.items() if u != v}


def test_a_shared_device_joins_nobody() -> None:
    rows = [login("tablet", "ann", 10), login("tablet", "bob", 20), login("tablet", "ann", 30)]
    aliases = resolve(links([]), logins(rows)).to_pylist()
    assert {row["id_kind"] for row in aliases} == {ANONYMOUS}
    owners = [user_at(aliases, ANONYMOUS, "tablet", at(99), at(minute)) for minute in (5, 15, 25, 35)]
    assert owners == ["ann", "ann", "bob", "ann"]
    assert user_at(aliases, ANONYMOUS, "tablet", at(9), at(5)) is None


def test_the_rows_of_one_login_and_of_one_merge() -> None:
    strong = [link("p", "bob", 5), link("p", "ann", 9)]
    aliases = resolve(links(strong), logins([login("web", "ann", 3)]))
    assert [tuple(row.values()) for row in aliases.to_pylist()] == [
        (ANONYMOUS, "web", None, None, at(3), None, None),
        (ANONYMOUS, "web", "ann", at(3), at(9), None, None),
        (ANONYMOUS, "web", "bob", at(9), None, None, None),
        (USER, "ann", "ann", None, at(9), None, None),
        (USER, "ann", "bob", at(9), None, None, None),
    ]


def test_later_links_change_the_canonical_user_only_by_merging() -> None:
    first = [link("p", "bob", 1), link("p", "ann", 2)]
    assert canonical_users(resolve(links(first), logins([]))) == {"ann": "bob"}
    later = [*first, link("q", "ann", 3), link("q", "aaron", 4), link("p", "bob", 5, linked=False)]
    assert canonical_users(resolve(links(later[:-1]), logins([]))) == {"ann": "bob", "aaron": "bob"}
    assert canonical_users(resolve(links(later), logins([]))) == {"aaron": "ann"}


def test_an_operator_has_the_last_word() -> None:
    rows = [link("p", "ann", 1), link("p", "bob", 2), link("p", "bob", 3, linked=False, source="operator")]
    again = [*rows, link("p", "bob", 4)]  # the table is ingested once more
    assert canonical_users(resolve(links(again), logins([]))) == {}


def _all(*tables: pa.Table) -> pa.Table:
    return pa.concat_tables(tables)


def resolve(links: pa.Table, logins: pa.Table) -> pa.Table:
    return resolve_anew(links, logins, connection=_ENGINE)
