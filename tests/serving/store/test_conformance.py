"""What every online store must do."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from features.contracts import columns as c
from features.contracts.events import EventType
from serving.store import Arrival, Consent, KeptAnswer, KeyRecord, OnlineStore, Profile, RecentEvent, Visitor
from tests.serving.store.conftest import Opener

START = datetime(2026, 1, 1, 8, tzinfo=UTC)
ANNA = Visitor(user_id="anna")


def event(number: int, *, kind: EventType = EventType.VIEW, item: str | None = "i1", **more: Any) -> dict[str, Any]:
    row = {
        c.EVENT_ID: f"e{number}",
        c.EVENT_TYPE: kind.value,
        c.ITEM_ID: item,
        c.OCCURRED_AT: START + timedelta(seconds=number),
        **more,
    }
    return row if c.USER_ID in row or c.ANONYMOUS_ID in row else {**row, c.USER_ID: "anna"}


def test_events_are_recent_oldest_first(store: OnlineStore) -> None:
    late, early = event(9, item="b", kind=EventType.PURCHASE, quantity=2.0, order_id="o"), event(1, item="a")
    assert store.add_events([late, early]) == [True, True]
    at = int(START.timestamp())
    assert store.recent(ANNA) == [
        RecentEvent("a", EventType.VIEW.code, at + 1, 1.0, None),
        RecentEvent("b", EventType.PURCHASE.code, at + 9, 2.0, "o"),
    ]


def test_an_event_id_counts_once(store: OnlineStore) -> None:
    assert store.add_events([event(1), event(1), event(2)]) == [True, False, True]
    assert store.add_events([event(2)]) == [False]
    assert len(store.recent(ANNA)) == 2
    assert store.queue_length() == 2


def test_the_bound_of_the_queue_is_no_less_than_its_length(store: OnlineStore) -> None:
    assert store.queue_bound() == 0
    store.add_events([event(n) for n in (1, 2, 3, 4)])
    store.mark_drained([store.queued(1)[0].position])
    assert store.queue_bound() == store.queue_length() == 3
    store.add_events([event(4), event(5)])  # a repeated id may leave a gap
    store.mark_drained([store.queued(3)[1].position])
    assert store.queue_length() == 3
    assert 3 <= store.queue_bound() <= 5
    store.mark_drained([queued.position for queued in store.queued(9)])
    assert store.queue_bound() == 0


def test_what_one_worker_wrote_the_other_sees_at_once(opener: Opener) -> None:
    one, other = opener(), opener()
    one.add_events([event(1)])
    assert [e.item_id for e in other.recent(ANNA)] == ["i1"]
    assert other.add_events([event(1)]) == [False]


def test_events_survive_closing(opener: Opener) -> None:
    first = opener()
    first.add_events([event(1)])
    first.close()
    assert opener().queue_length() == 1


def test_recent_events_are_bounded_to_the_latest(store: OnlineStore) -> None:
    store.add_events([event(n, item=f"i{n}") for n in range(12)])
    assert [e.item_id for e in store.recent(ANNA)] == ["i7", "i8", "i9", "i10", "i11"]
    assert [e.item_id for e in store.recent(ANNA, 2)] == ["i10", "i11"]
    assert store.queue_length() == 12  # nothing is lost for the lake


def test_what_was_shown_does_not_crowd_out_what_was_done(store: OnlineStore) -> None:
    store.add_events(
        [event(0, item="done"), *(event(n, item=f"i{n}", kind=EventType.IMPRESSION) for n in range(1, 12))]
    )
    assert [e.item_id for e in store.recent(ANNA)] == ["done", "i7", "i8", "i9", "i10", "i11"]
    assert [e.item_id for e in store.recent(ANNA, 1)] == ["done", "i11"]


def test_both_bounds_may_be_full_and_one_more_takes_the_oldest_of_its_own_kind(store: OnlineStore) -> None:
    did = [event(n, item=f"did{n}") for n in range(5)]
    shown = [event(10 + n, item=f"shown{n}", kind=EventType.IMPRESSION) for n in range(5)]
    store.add_events(did)
    store.add_events(shown)
    assert len(store.recent(ANNA)) == 10
    store.add_events([event(20, item="did5")])
    assert [e.item_id for e in store.recent(ANNA)] == [
        *("did1", "did2", "did3", "did4"),
        *("shown0", "shown1", "shown2", "shown3", "shown4"),
        "did5",
    ]
    store.add_events([event(21, item="shown5", kind=EventType.IMPRESSION)])
    assert [e.item_id for e in store.recent(ANNA)][4:] == ["shown1", "shown2", "shown3", "shown4", "did5", "shown5"]


def test_events_without_item_are_queued_but_not_recent(store: OnlineStore) -> None:
    store.add_events([event(1, kind=EventType.SEARCH, item=None)])
    assert store.recent(ANNA) == []
    assert store.queue_length() == 1


def test_visitors_are_kept_apart(store: OnlineStore) -> None:
    store.add_events([event(1, user_id="x"), event(2, anonymous_id="x", user_id=None)])
    assert len(store.recent(Visitor(user_id="x"))) == 1
    assert len(store.recent(Visitor(anonymous_id="x"))) == 1


def test_a_merged_visit_counts_for_the_user_before_and_after(store: OnlineStore) -> None:
    anonymous = {c.USER_ID: None, c.ANONYMOUS_ID: "device"}
    store.add_events([event(1, item="before", **anonymous)])
    merge = store.merge("device", "anna")
    assert (merge.moved, merge.previous_user_id) == (1, None)
    store.add_events([event(2, item="after", **anonymous)])
    assert [e.item_id for e in store.recent(ANNA)] == ["before", "after"]
    assert [e.item_id for e in store.recent(Visitor(anonymous_id="device"))] == ["before", "after"]
    assert store.user_of("device") == "anna"
    assert {q.row.get(c.USER_ID) for q in store.queued(10)} == {None}  # the log says what happened, as it came
    (login,) = store.logins(10)
    assert (login.anonymous_id, login.user_id) == ("device", "anna")
    store.forget_logins(login.position)
    assert store.logins(10) == []


def test_merging_twice_changes_nothing_and_a_second_user_takes_over(store: OnlineStore) -> None:
    store.add_events([event(1, user_id=None, anonymous_id="device")])
    store.merge("device", "anna")
    assert store.merge("device", "anna").moved == 0
    assert len(store.logins(10)) == 1
    assert store.merge("device", "bert").previous_user_id == "anna"
    assert len(store.recent(ANNA)) == 1
    assert store.user_of("device") == "bert"


def test_the_queue_is_in_order_and_empties(store: OnlineStore) -> None:
    store.add_events([event(n) for n in (3, 1, 2)])
    queued = store.queued(2)
    assert [q.row[c.EVENT_ID] for q in queued] == ["e3", "e1"]
    store.mark_drained([q.position for q in queued])
    assert [q.row[c.EVENT_ID] for q in store.queued(2)] == ["e2"]
    assert store.add_events([event(3)]) == [False]  # a late retry is still known
    assert len(store.recent(ANNA)) == 3  # draining takes nothing away from the visitor


def test_consent_changes_field_by_field(store: OnlineStore) -> None:
    assert store.consent("anna") == Consent()
    store.set_consent("anna", Consent(personalization=False))
    assert store.set_consent("anna", Consent(marketing=True)) == Consent(False, True)
    changes = store.consents_since(0)
    assert [(c.user_id, c.consent) for c in changes] == [("anna", Consent(False, True))]
    assert store.consents_since(changes[-1].revision) == []


def test_items_keep_fields_and_follow_by_revision(store: OnlineStore) -> None:
    store.put_items({"i1": {"stock": 3, "title": "tea"}, "i2": {"stock": 1}})
    first = store.items_since(0)
    store.put_items({"i1": {"stock": None}})
    (change,) = store.items_since(first[-1].revision)
    assert (change.id, change.fields) == ("i1", {"stock": None, "title": "tea"})
    assert [c.id for c in store.items_since(0)] == ["i2", "i1"]


def test_users_are_no_items(store: OnlineStore) -> None:
    store.put_users({"i1": {"member_level": "V2"}})
    assert store.items_since(0) == []
    assert store.users_since(0)[0].fields == {"member_level": "V2"}


def test_keys_are_kept_and_revoked_once(store: OnlineStore) -> None:
    key = KeyRecord("k1", "mall", "hash", ("recommend", "risk"), 100, 200)
    store.add_key(key)
    assert store.key("k1") == key
    assert store.key("k2") is None
    assert store.revoke_key("k1", 150)
    assert not store.revoke_key("k1", 160)
    assert not store.revoke_key("k2", 160)
    (kept,) = store.keys()
    assert kept.revoked_at == 150


def test_many_threads_write_and_none_is_lost(store: OnlineStore) -> None:
    def write(part: int) -> None:
        for n in range(10):
            store.add_events([event(part * 100 + n, user_id=f"u{part}")])

    threads = [threading.Thread(target=write, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.queue_length() == 40


def test_a_store_answers_a_ping(store: OnlineStore) -> None:
    store.ping()


# --- rights of the user, repeated calls ----------------------------------------------------------------------
def test_an_erased_user_leaves_nothing(store: OnlineStore) -> None:
    visit = {c.USER_ID: None, c.ANONYMOUS_ID: "device"}
    store.add_events([event(1), event(2, user_id="bert"), event(3, **visit), event(4)])
    store.mark_drained([store.queued(1)[0].position])
    store.merge("device", "anna")
    store.merge("tablet", "bert")
    store.put_users({"anna": {"city": "x"}, "bert": {"city": "y"}})
    store.put_profiles([Profile(user, START, START, "s", 1, {}) for user in ("anna", "bert")])
    store.set_consent("bert", Consent(True, None))
    store.set_consent("anna", Consent(True, True))
    store.keep_answer("k1", KeptAnswer("f", 200, b'{"user_id":"anna"}', 2**40), now=1)
    store.keep_answer("k2", KeptAnswer("f", 200, b'{"user_id":"annabel"}', 2**40), now=1)
    before = store.consents_since(0)[-1].revision
    assert store.devices_of(["anna", "nobody"]) == ["device"]

    held = store.held_of(["anna", "nobody"])
    assert store.erase(["anna", "nobody"]) == held >= 9
    assert store.held_of(["anna", "nobody"]) == 0
    assert store.recent(ANNA) == store.recent(Visitor(anonymous_id="device")) == []
    assert [q.row[c.EVENT_ID] for q in store.queued(10)] == ["e2"]
    assert (store.queue_length(), store.queued_of(["anna"], 99)) == (1, [])
    assert [a.user_id for a in store.arrivals_after(0, 10)] == ["bert"]
    assert store.profile("anna") is None
    assert [change.id for change in store.users_since(0)] == ["bert"]
    assert [login.user_id for login in store.logins(10)] == ["bert"]
    assert (store.user_of("device"), store.user_of("tablet")) == (None, "bert")
    assert store.consent("anna") == Consent()
    assert [change.user_id for change in store.consents_since(0)] == ["bert"]
    assert (store.kept_answer("k1", now=2), store.kept_answer("k2", now=2) is not None) == (None, True)
    # Followers of revisions miss nothing, although the newest of each kind is gone.
    store.set_consent("cleo", Consent(False, None))
    assert [change.user_id for change in store.consents_since(before)] == ["cleo"]
    # Positions are not given out again: readers of arrivals would take them for what they have seen.
    seen = store.arrivals_after(0, 10)[-1].position
    store.add_events([event(9)])
    assert store.arrivals_after(seen, 10)[-1].position > 4


@pytest.mark.parametrize("user", ["a/b", 'a"b', "a\\b", "张三", "a%b", "a\tb", "用户/1"])
def test_an_erased_user_leaves_nothing_whatever_his_id_is_written_with(store: OnlineStore, user: str) -> None:
    store.add_events([event(1, user_id=user), event(2, user_id=f"{user}2")])
    store.merge(f"{user} phone", user)
    store.put_users({user: {"city": "x"}})
    store.put_profiles([Profile(user, START, START, "s", 1, {})])
    store.set_consent(user, Consent(True, True))
    for key, named in (("k1", user), ("k2", f"{user}2")):
        store.keep_answer(key, KeptAnswer("f", 200, orjson.dumps({"user_id": named}), 2**40), now=1)
    # Two of the event, one each of profile, change, consent, login, answer and merge.
    assert store.held_of([user]) == store.erase([user]) == 8
    assert store.held_of([user]) == 0
    assert (store.kept_answer("k1", now=2), store.kept_answer("k2", now=2) is not None) == (None, True)
    assert [q.row[c.EVENT_ID] for q in store.queued(10)] == ["e2"]


def test_visits_of_an_erased_device_go_and_those_of_users_on_it_stay(store: OnlineStore) -> None:
    visit = {c.USER_ID: None, c.ANONYMOUS_ID: "device"}
    store.add_events([event(1, **visit), event(2, user_id="bert", anonymous_id="device"), event(3, **visit)])
    store.mark_drained([store.queued(1)[0].position])
    assert store.held_of([], ["device"]) == store.erase([], ["device"]) == 4
    assert store.recent(Visitor(anonymous_id="device")) == []
    assert [q.row[c.EVENT_ID] for q in store.queued(10)] == ["e2"]
    assert len(store.recent(Visitor(user_id="bert"))) == 1


def test_a_change_after_an_erasure_is_newer_than_all_before(store: OnlineStore) -> None:
    store.put_users({"anna": {"city": "x"}})
    before = store.users_since(0)[-1].revision
    store.erase(["anna"])
    store.put_users({"bert": {"city": "y"}})
    assert [change.id for change in store.users_since(before)] == ["bert"]


def test_erasing_nobody_changes_nothing(store: OnlineStore) -> None:
    store.add_events([event(1)])
    assert store.erase([]) == 0
    assert store.queue_length() == 1


def test_the_first_answer_to_a_call_is_kept_until_it_expires(opener: Opener) -> None:
    store, other = opener(), opener()
    first, second = KeptAnswer("f1", 200, b"{}", 100), KeptAnswer("f2", 201, b"[]", 300)
    assert store.kept_answer("k", now=50) is None
    assert store.keep_answer("k", first, now=50) == first
    assert other.keep_answer("k", second, now=60) == first
    assert other.kept_answer("k", now=99) == first
    assert other.kept_answer("k", now=100) is None
    assert other.keep_answer("k", second, now=100) == second


def test_answers_are_bounded(store: OnlineStore) -> None:
    for n in range(5):
        store.keep_answer(f"k{n}", KeptAnswer("f", 200, b"", 100), now=1)
    assert [n for n in range(5) if store.kept_answer(f"k{n}", now=1)] == [2, 3, 4]


# --- tags of single users ---------------------------------------------------------------------------------
def test_arrivals_are_told_in_order_with_the_moment_from_which_they_count(store: OnlineStore) -> None:
    late, ahead = START + timedelta(hours=1), START + timedelta(minutes=1)
    store.add_events([event(1, received_at=late), event(2, received_at=START, occurred_at=ahead), event(3)])
    first, second, third = store.arrivals_after(0, 10)
    assert first == Arrival(first.position, "anna", "view", late)
    assert (second.counts_at, third.counts_at) == (ahead, START + timedelta(seconds=3))
    assert store.arrivals_after(first.position, 1) == [second]
    store.mark_drained([first.position])
    assert store.arrivals_after(0, 10) == [first, second, third], "whether in the lake or not"


def test_arrivals_of_a_visit_have_a_user_from_the_merge_on(store: OnlineStore) -> None:
    store.add_events([event(1, user_id=None, anonymous_id="device")])
    assert [a.user_id for a in store.arrivals_after(0, 10)] == [None]
    store.merge("device", "anna")
    assert [a.user_id for a in store.arrivals_after(0, 10)] == ["anna"]


def test_the_queue_of_some_users_has_their_merged_visits(store: OnlineStore) -> None:
    store.add_events([event(1), event(2, user_id="bert"), event(3, user_id=None, anonymous_id="device"), event(4)])
    store.merge("device", "anna")
    first, _, visit, last = store.arrivals_after(0, 10)
    queued = store.queued_of(["anna"], visit.position)
    assert [(q.row[c.EVENT_ID], q.row[c.USER_ID]) for q in queued] == [("e1", "anna"), ("e3", "anna")]
    assert store.first_queued() == first.position
    store.mark_drained([first.position])
    assert [q.row[c.EVENT_ID] for q in store.queued_of(["anna", "bert"], last.position)] == ["e2", "e3", "e4"]
    store.mark_drained([q.position for q in store.queued(10)])
    assert store.first_queued() is None


def test_cursors_are_kept_by_name(opener: Opener) -> None:
    store = opener()
    assert store.cursor("one") == 0
    store.set_cursor("one", 5)
    store.set_cursor("one", 7)
    assert (opener().cursor("one"), store.cursor("other")) == (7, 0)


def test_a_user_has_one_profile_which_goes_when_it_is_old_or_of_other_declarations(store: OnlineStore) -> None:
    def profile(user: str, seconds: int, spec: str = "s1") -> Profile:
        moment = START + timedelta(seconds=seconds, microseconds=7)
        return Profile(user, moment, moment, spec, seconds, {"orders": seconds, "city": "杭州", "last": None})

    store.put_profiles([profile("anna", 1), profile("bert", 1), profile("cleo", 9, "s0")])
    store.put_profiles([profile("anna", 5)])
    assert store.profile("anna") == profile("anna", 5)
    assert store.profile("nobody") is None
    assert store.profiled(["anna", "nobody"]) == {"anna": (5, profile("anna", 5).as_of)}
    assert store.drop_profiles(START + timedelta(seconds=3), "s1") == 2
    assert [user for user in ("anna", "bert", "cleo") if store.profile(user)] == ["anna"]
