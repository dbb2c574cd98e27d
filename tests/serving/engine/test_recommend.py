"""The engine over a trained bundle, with a real store beside it."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.contracts import columns as c
from features.contracts.errors import StoreUnavailableError, UnknownNameError
from features.contracts.events import EventType
from features.contracts.home import Home
from serving.engine import (
    Ask,
    Degraded,
    EngineConfig,
    RecommendEngine,
    RequestedFilters,
    SessionEvent,
    load_placements,
)
from serving.engine.placements import Placement
from serving.engine.reasons import SEEN
from serving.engine.served import read_served
from serving.store import Consent, EmbeddedStore, OnlineStore, RecentEvent, Visitor, open_store
from tests.serving.conftest import WriteBundle
from tests.serving.small_mall import MIDNIGHT
from training.bundle import read_bundle
from training.deployment import deploy, live, rollback
from training.models.recommend_bundle import RecommendBundle

NOW = int(MIDNIGHT.timestamp()) + 3600
USER = Visitor(user_id="u03")


class BrokenStore(EmbeddedStore):
    """A store that can be taken away."""

    away = False

    def recent(self, visitor: Visitor, limit: int = 200) -> list[RecentEvent]:
        if self.away:
            raise StoreUnavailableError("taken away")
        return super().recent(visitor, limit)


@pytest.fixture
def store(home: Home) -> Iterator[BrokenStore]:
    opened = BrokenStore(home.online / "store.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def engine(home: Home, store: OnlineStore) -> RecommendEngine:
    made = RecommendEngine(home, store, load_placements(), EngineConfig(), clock=lambda: NOW)
    made.refresh()
    return made


def ids(answer: Any) -> list[str]:
    return [item.item_id for item in answer.items]


def event(number: int, item: str, visitor: dict[str, str], kind: str = "purchase") -> dict[str, Any]:
    moment = datetime.fromtimestamp(NOW - 60, UTC) + timedelta(seconds=number)
    return {c.EVENT_ID: f"n{number}", c.EVENT_TYPE: kind, c.ITEM_ID: item, c.OCCURRED_AT: moment, **visitor}


# --- the list itself --------------------------------------------------------------------------------------
def test_the_served_list_is_the_offline_list(engine: RecommendEngine, home: Home) -> None:
    """The same users at the same moment: what evaluation ranks is what the server ranks, rules aside."""
    path = live(home, "recommend")
    assert path is not None
    bundle = RecommendBundle.from_bundle(read_bundle(path))
    users = np.arange(len(bundle.users), dtype=np.int32)
    ranked = bundle.recommender.recommend(bundle.interactions.histories(users, NOW), 30, exclude_seen=False)
    plain = load_placements()["home"].model_copy(update={"rules": ()})
    served = RecommendEngine(home, open_store(home), {"home": plain}, EngineConfig(), clock=lambda: NOW)
    served.refresh()
    for place, user in enumerate(bundle.users.ids(users)):
        offline = bundle.items.ids(ranked.item[ranked.row == place])
        answer = served.recommend(Ask(Visitor(user_id=user), n=30))
        assert ids(answer)[: len(offline)] == offline
        assert [i.score for i in answer.items][: len(offline)] == pytest.approx(
            ranked.score[ranked.row == place].tolist()
        )


def test_an_answer_says_what_it_is(engine: RecommendEngine) -> None:
    answer = engine.recommend(Ask(USER))
    assert (answer.model_version, answer.user_id, answer.placement) == ("r1", "u03", "home")
    assert (answer.known, answer.personalized, answer.degraded) == (True, True, ())
    assert len(answer.items) == 5
    assert len(answer.request_id) == 32
    assert answer.request_id != engine.recommend(Ask(USER)).request_id
    scores = [item.score for item in answer.items]
    assert scores == sorted(scores, reverse=True)
    for item in answer.items:
        assert item.title == f"thing {int(item.item_id[1:])}"
        assert item.reason.en
        assert item.reason.zh
        assert item.sources == {}


def test_the_user_s_own_past_is_the_first_reason(engine: RecommendEngine, home: Home) -> None:
    path = live(home, "recommend")
    assert path is not None
    past = RecommendBundle.from_bundle(read_bundle(path)).interactions
    users = past.users.ids(np.arange(len(past.users), dtype=np.int32))
    answers = engine.recommend_many([Ask(Visitor(user_id=user), placement="search_empty", n=10) for user in users])
    told = {"own": 0, "other": 0}
    for user, answer in enumerate(answers):
        history = past.histories(np.array([user], np.int32), NOW)
        bought = set(past.items.ids(history.item[history.kind == EventType.PURCHASE.code]))
        had = set(past.items.ids(history.item))
        for item in answer.items:
            habit = item.reason.en.startswith(("you buy this", "you bought it"))
            seen = item.reason == SEEN
            ranked = item.score is not None  # popular items that fill up say that they are popular
            assert habit == (item.item_id in bought and ranked)
            assert seen == (item.item_id in had - bought and ranked)
            told["own" if habit or seen else "other"] += 1
    assert min(told.values()) > 0


def test_a_stranger_gets_what_is_popular(engine: RecommendEngine) -> None:
    answer = engine.recommend(Ask(Visitor(user_id="stranger")))
    assert (answer.known, answer.personalized, len(answer.items)) == (False, False, 5)


def test_an_unknown_placement_is_named(engine: RecommendEngine) -> None:
    with pytest.raises(UnknownNameError, match="no placement 'moon'"):
        engine.recommend(Ask(USER, placement="moon"))


def test_what_the_store_just_took_in_counts(engine: RecommendEngine, store: OnlineStore) -> None:
    visitor = Visitor(user_id="newcomer")
    before = ids(engine.recommend(Ask(visitor)))
    store.add_events([event(n, f"i{n * 4 + 2:02}", {c.USER_ID: "newcomer"}, "view") for n in range(4)])
    answer = engine.recommend(Ask(visitor))
    assert (answer.known, answer.personalized) == (True, True)
    assert ids(answer) != before
    # i02, i06 ... are of one department; so is most of the answer.
    assert sum(int(item[1:]) % 4 == 2 for item in ids(answer)) >= 3


def test_what_was_just_bought_does_not_come_back(engine: RecommendEngine, store: OnlineStore) -> None:
    first = ids(engine.recommend(Ask(USER)))[0]
    store.add_events([event(1, first, {c.USER_ID: "u03"})])
    assert first not in ids(engine.recommend(Ask(USER)))


def test_an_anonymous_visit_counts_at_login(engine: RecommendEngine, store: OnlineStore) -> None:
    visit = {c.ANONYMOUS_ID: "device", c.USER_ID: None}
    store.add_events([event(n, f"i{n * 4 + 1:02}", visit, "view") for n in range(4)])
    anonymous = engine.recommend(Ask(Visitor(anonymous_id="device")))
    assert anonymous.known
    store.merge("device", "fresh")
    assert ids(engine.recommend(Ask(Visitor(user_id="fresh")))) == ids(anonymous)
    assert engine.recommend(Ask(Visitor(anonymous_id="device"))).user_id == "fresh"


# --- what the caller adds ---------------------------------------------------------------------------------
def test_context_steers_and_is_not_part_of_the_answer(engine: RecommendEngine) -> None:
    answer = engine.recommend(Ask(item_ids=("i02",), placement="detail"))
    assert answer.user_id is None
    assert "i02" not in ids(answer)
    assert ids(answer) != ids(engine.recommend(Ask(item_ids=("i01",), placement="detail")))


def test_unknown_ids_are_reported_not_refused(engine: RecommendEngine) -> None:
    answer = engine.recommend(
        Ask(
            USER,
            item_ids=("ghost",),
            session=(SessionEvent("wisp"),),
            exclude=("spook",),
            filters=RequestedFilters(brands=("nobody's",)),
        )
    )
    assert set(answer.unknown_items) == {"ghost", "wisp", "spook", "nobody's"}
    assert answer.items == ()  # nothing is of a brand that does not exist


def test_filters_hold_and_places_are_filled_within_them(engine: RecommendEngine) -> None:
    filters = RequestedFilters(categories=("BABY",), price_max=30)
    answer = engine.recommend(Ask(Visitor(user_id="u00"), n=7, filters=filters))
    assert len(answer.items) == 7
    assert all(int(item[1:]) % 4 == 2 and int(item[1:]) < 30 for item in ids(answer))


def test_exclusions_hold(engine: RecommendEngine) -> None:
    unwanted = tuple(ids(engine.recommend(Ask(USER))))
    assert not set(unwanted) & set(ids(engine.recommend(Ask(USER, exclude=unwanted))))


def test_explain_shows_sources_and_what_rules_took_out(engine: RecommendEngine) -> None:
    answer = engine.recommend(Ask(USER, explain=True, n=20))
    assert all(item.source in item.sources for item in answer.items if item.score is not None)
    dropped = {d.item_id: d.rule for d in answer.dropped}
    assert dropped.get("i39", "availability") == "availability"
    assert "bought" in dropped.values()


def test_what_cannot_be_bought_is_not_shown(engine: RecommendEngine, store: OnlineStore) -> None:
    everything = ids(engine.trending(100))
    assert "i38" not in everything
    assert "i39" not in everything
    store.put_items({"i39": {"stock": 3}, everything[0]: {"status": "off"}})
    assert "i39" in ids(engine.trending(100))
    assert everything[0] not in ids(engine.trending(100))
    store.put_items({everything[0]: {"status": None, "title": "renamed"}})
    assert next(i.title for i in engine.trending(100).items if i.item_id == everything[0]) == "renamed"


# --- placements -------------------------------------------------------------------------------------------
def engine_with(
    home: Home, store: OnlineStore, rules: list[dict[str, Any]], ranked: int = 100, **more: Any
) -> RecommendEngine:
    """An engine whose home page has ``rules``."""
    page = {"home": Placement.model_validate({"rules": rules, "target": "click", "ranked": ranked})}
    made = RecommendEngine(home, store, page, EngineConfig(), clock=lambda: NOW, **more)
    made.refresh()
    return made


def test_every_placement_answers_with_five_items_and_reasons(engine: RecommendEngine) -> None:
    for name in load_placements():
        answer = engine.recommend(Ask(USER, placement=name, item_ids=("i02", "i06")))
        assert len(answer.items) == 5
        assert not {"i02", "i06"} & set(ids(answer))
        assert all(item.reason.en and item.reason.zh for item in answer.items)
        assert all((item.propensity is not None) is (name == "discover") for item in answer.items)


def test_the_detail_page_shows_what_is_like_the_item(engine: RecommendEngine) -> None:
    near = ids(engine.similar("i02", 30, "similar"))
    answer = engine.recommend(Ask(item_ids=("i02",), placement="detail"))
    assert sum(item in near for item in ids(answer)) >= 4


def test_neighbours_that_were_not_ranked_say_whose_they_are(home: Home, store: OnlineStore) -> None:
    ranked = engine_with(home, store, [{"rule": "near"}], ranked=1).recommend(Ask(USER, n=6, item_ids=("i02",)))
    rules = [{"rule": "near"}, {"rule": "block", "blocks": [{"items": ids(ranked)}]}]
    answer = engine_with(home, store, rules, ranked=1).recommend(Ask(USER, item_ids=("i02",)))
    brought = [item for item in answer.items if item.source == "similar"]
    assert len(brought) >= 3
    assert all((item.score, item.reason.en) == (None, "similar to “thing 2”") for item in brought)


def shown(day_ago: int, items: list[str], user: str = "u03") -> list[dict[str, Any]]:
    moment = datetime.fromtimestamp(NOW, UTC) - timedelta(days=day_ago)
    return [
        {c.EVENT_ID: f"s{day_ago}{i}", c.EVENT_TYPE: "impression", c.ITEM_ID: i, c.OCCURRED_AT: moment, c.USER_ID: user}
        for i in items
    ]


def test_a_kind_shown_two_days_running_is_damped_on_the_third(home: Home, store: OnlineStore) -> None:
    engine = engine_with(home, store, [{"rule": "fatigue", "days": 3, "factor": 0.01}])
    before = ids(engine.recommend(Ask(USER, n=30)))
    kind = {i for i in before if int(i[1:]) % 8 == int(before[0][1:]) % 8}
    assert before[0] in kind
    store.add_events(shown(2, [before[0]]))
    assert ids(engine.recommend(Ask(USER, n=30))) == before
    store.add_events(shown(1, [before[0]]))
    after = ids(engine.recommend(Ask(USER, n=30)))
    rest = [i for i in before if i not in kind]
    assert after[: len(rest)] == rest
    store.set_consent("u03", Consent(personalization=False))
    assert ids(engine.recommend(Ask(USER))) == ids(engine.recommend(Ask(None)))


def test_being_shown_things_is_not_having_done_anything(engine: RecommendEngine, store: OnlineStore) -> None:
    store.add_events(shown(0, ["i02", "i06"], user="passer-by"))
    answer = engine.recommend(Ask(Visitor(user_id="passer-by")))
    assert (answer.known, answer.personalized) == (False, False)


def test_many_impressions_do_not_crowd_out_what_was_done(home: Home, store: OnlineStore) -> None:
    engine = RecommendEngine(home, store, load_placements(), EngineConfig(recent_events=1), clock=lambda: NOW)
    engine.refresh()
    store.add_events([event(1, "i02", {c.USER_ID: "newcomer"}, "view")])
    store.add_events(shown(0, [f"i{k:02}" for k in range(10)], user="newcomer"))
    assert engine.recommend(Ask(Visitor(user_id="newcomer"))).personalized


def test_pins_boosts_and_blocks_hold_in_the_answer(home: Home, store: OnlineStore) -> None:
    plain = ids(engine_with(home, store, [{"rule": "availability"}]).recommend(Ask(USER)))
    rules = [
        {"rule": "availability"},
        {"rule": "pin", "pins": [{"item": "i39", "place": 1}, {"item": "i00", "place": 2}]},
        {"rule": "block", "blocks": [{"items": [plain[0]]}]},
    ]
    answer = engine_with(home, store, rules).recommend(Ask(USER))
    assert ids(answer) == [plain[1], "i00", *plain[2:5]]  # i39 is sold out
    assert answer.items[1].title == "thing 0"


def test_an_exploring_placement_logs_what_it_served(home: Home, store: OnlineStore) -> None:
    names = iter(f"request-{k}" for k in range(400))
    engine = engine_with(home, store, [{"rule": "explore", "epsilon": 0.3, "pool": 4}], new_id=lambda: next(names))
    answers = [engine.recommend(Ask(USER)) for _ in range(400)]
    day = datetime.fromtimestamp(NOW, UTC).date()
    logged = read_served(home.online / "served", day, day).to_pylist()
    told = [(a.request_id, i.item_id, i.propensity) for a in answers for i in a.items]
    assert [(row["request_id"], row["item_id"], row["propensity"]) for row in logged] == told
    assert {row["target"] for row in logged} == {"click"}
    assert {round(propensity, 4) for _, _, propensity in told} == {1.0, 0.7, 0.075}
    # The estimate that propensities are for: how often would the sixth item stand there, were it always shown?
    last = [(row["item_id"], row["propensity"]) for row in logged if row["place"] == 5]
    drawn = {item: sum(1 / p for i, p in last if i == item) / len(last) for item, _ in last}
    assert all(0.5 < share < 1.5 for share in drawn.values())
    again = engine_with(
        home, store, [{"rule": "explore", "epsilon": 0.3, "pool": 4}], new_id=lambda: answers[7].request_id
    )
    assert ids(again.recommend(Ask(USER))) == ids(answers[7])


def test_a_model_without_trending_source_still_shows_something(engine: RecommendEngine) -> None:
    answer = engine.trending(100)
    assert len(answer.items) >= 30
    heat = [item.score for item in answer.items]
    assert heat == sorted(heat, reverse=True)


# --- lists about items ------------------------------------------------------------------------------------
def test_similar_items_are_near_and_without_the_item(engine: RecommendEngine) -> None:
    for intent in ("similar", "complementary"):
        answer = engine.similar("i02", 5, intent)
        assert answer.known
        assert len(answer.items) == 5
        assert "i02" not in ids(answer)
        assert sum(int(item[1:]) % 4 == 2 for item in ids(answer)) >= 3


def test_an_unknown_item_has_popular_neighbours(engine: RecommendEngine) -> None:
    answer = engine.similar("ghost", 5, "similar")
    assert not answer.known
    assert ids(answer) == ids(engine.trending(5))


def test_trending_can_be_of_a_category(engine: RecommendEngine) -> None:
    assert all(int(item[1:]) % 4 == 3 for item in ids(engine.trending(5, ("SPORT",))))


def test_ranking_keeps_the_list_and_orders_it(engine: RecommendEngine) -> None:
    given = ("i38", "i03", "ghost", "i02", "i07", "i01")
    answer = engine.rank(USER, given)
    assert set(ids(answer)) == set(given) - {"ghost"}
    assert answer.unknown_items == ("ghost",)
    assert [i.score for i in answer.items] == sorted((i.score for i in answer.items), reverse=True)
    assert ids(answer)[0] in {"i03", "i07"}  # of this user's department
    assert engine.rank(USER, ("ghost",)).items == ()


# --- what can be missing ----------------------------------------------------------------------------------
def test_without_the_store_the_bundle_answers_and_says_so(engine: RecommendEngine, store: BrokenStore) -> None:
    whole = ids(engine.recommend(Ask(USER)))
    store.away = True
    answer = engine.recommend(Ask(USER))
    assert answer.degraded == (Degraded.REALTIME_STATE,)
    assert ids(answer) == whole


def test_a_ranking_that_breaks_gives_trending_items(
    engine: RecommendEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("serving.engine.recommend.personal_answers", broken)
    answer = engine.recommend(Ask(USER))
    assert answer.degraded == (Degraded.RANKING,)
    assert not answer.personalized
    assert len(answer.items) == 5
    assert "broken on purpose" in caplog.text


def test_without_any_model_the_answer_is_empty_and_says_so(tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path, tmp_path)
    store = open_store(home)
    engine = RecommendEngine(home, store, load_placements(), EngineConfig())
    engine.refresh()
    answer = engine.recommend(Ask(USER))
    assert (answer.items, answer.degraded, answer.model_version) == ((), (Degraded.NO_MODEL,), None)
    assert engine.trending(5).degraded == (Degraded.NO_MODEL,)
    store.close()


def test_a_stale_model_answers_as_of_its_end(home: Home, store: OnlineStore) -> None:
    years_later = RecommendEngine(home, store, load_placements(), EngineConfig(), clock=lambda: NOW + 10**8)
    at_its_end = RecommendEngine(home, store, load_placements(), EngineConfig(), clock=MIDNIGHT.timestamp)
    for engine in (years_later, at_its_end):
        engine.refresh()
    answer = years_later.recommend(Ask(USER))
    assert answer.degraded == (Degraded.STALE_MODEL,)
    assert ids(answer) == ids(at_its_end.recommend(Ask(USER)))
    visitor = Visitor(user_id="late")
    store.add_events([event(1, "i01", {c.USER_ID: "late"}, "view")])
    assert years_later.recommend(Ask(visitor)).personalized


# --- consent ----------------------------------------------------------------------------------------------
def test_without_personalisation_everybody_gets_the_same(engine: RecommendEngine, store: OnlineStore) -> None:
    stranger = ids(engine.recommend(Ask(None)))
    for user in ("u03", "u04"):
        store.set_consent(user, Consent(personalization=False))
        session = (SessionEvent("i01"),)
        answer = engine.recommend(Ask(Visitor(user_id=user), session=session))
        assert not answer.personalized
        assert ids(answer) == stranger
    store.set_consent("u03", Consent(personalization=True))
    assert engine.recommend(Ask(USER)).personalized


def test_a_refusal_recorded_in_the_lake_counts_and_outlives_the_store(home: Home, store: BrokenStore) -> None:
    engine = RecommendEngine(home, store, load_placements(), EngineConfig(), refused=lambda: {"u03"}, clock=lambda: NOW)
    engine.refresh()
    assert not engine.recommend(Ask(USER)).personalized
    store.away = True
    assert not engine.recommend(Ask(USER)).personalized
    store.away = False
    store.set_consent("u03", Consent(personalization=True))
    assert engine.recommend(Ask(USER)).personalized


# --- deployment -------------------------------------------------------------------------------------------
def test_a_flip_is_taken_up_and_a_rollback_too(
    engine: RecommendEngine, home: Home, write_bundle: WriteBundle, tmp_path: Path
) -> None:
    deploy(home, write_bundle(tmp_path / "new", "r2"))
    assert engine.recommend(Ask(USER)).model_version == "r1"
    engine.refresh()
    assert engine.recommend(Ask(USER)).model_version == "r2"
    rollback(home, "recommend")
    engine.refresh()
    assert engine.recommend(Ask(USER)).model_version == "r1"


def test_a_damaged_bundle_is_refused_and_the_old_one_stays(
    engine: RecommendEngine, home: Home, write_bundle: WriteBundle, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deployed = deploy(home, write_bundle(tmp_path / "new", "r3"))
    (deployed.path / "recommender.json").write_text("{}", encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        engine.refresh()
    assert "r1 stays live" in caplog.text
    assert engine.recommend(Ask(USER)).model_version == "r1"
