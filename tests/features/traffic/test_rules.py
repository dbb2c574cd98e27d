"""Every rule finds what it is for, and leaves ordinary and heavy shoppers alone."""

from datetime import datetime, timedelta

import pytest

from features.contracts import columns as c
from features.contracts.events import EventType
from features.lake import Lake
from features.traffic import RULES, TrafficConfig, mark
from tests.features.traffic.conftest import fill, flagged_at, marked_by
from tests.features.traffic.mall import NOW, START, Mall

NOON = START + timedelta(days=3, hours=12)
MINUTE = timedelta(minutes=1)


def plant(rule: str, mall: Mall) -> None:
    """The pattern that ``rule`` is for."""
    match rule:
        case "burst":
            mall.burst("bot", NOON)
        case "impossible_dwell":
            mall.stays("liar", NOON, 600.0)
            mall.stays("constant", NOON, 3.0)
            mall.stays("zero", NOON, 0.0)
        case "metronome":
            mall.metronome("clock", NOON)
        case "shared_device":
            mall.ring("farm", NOON, 9, every=timedelta(hours=11))
            mall.ring("brush", NOON, 4, item="i7", every=timedelta(hours=30))
        case "self_refund":
            mall.self_refund("back", NOON, 5, every=timedelta(hours=20), after=timedelta(minutes=9))
        case _:
            raise AssertionError(f"plant something for the new rule {rule}")


@pytest.fixture(scope="module")
def ordinary() -> Mall:
    mall = Mall()
    mall.people(users=25, days=9)
    return mall


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_what_it_is_for_and_nothing_else(rule: str, lake: Lake, ordinary: Mall) -> None:
    mall = Mall(seed=5)
    plant(rule, mall)
    for row in mall.rows:
        row[c.EVENT_ID] = f"planted-{row[c.EVENT_ID]}"
    mall.rows += ordinary.rows
    mark(fill(lake, mall), TrafficConfig(), now=NOW)
    found = marked_by(lake)
    assert found[rule] == {f"planted-{event}" for event in mall.fake}
    assert set().union(*found.values()) == found[rule]


def test_ordinary_people_and_a_heavy_shopper_are_left_alone(lake: Lake, ordinary: Mall) -> None:
    marked = mark(fill(lake, ordinary), TrafficConfig(), now=NOW)
    assert marked_by(lake) == {}
    assert len(marked.judged) == marked.days >= 9


def test_logs_whose_clock_is_coarse_accuse_nobody(lake: Lake) -> None:
    mall = Mall()
    for number in range(200):
        for unit, name in ((60, "minutes"), (86_400, "days")):
            at = START + timedelta(seconds=number * 60 // unit * unit)
            mall.add(EventType.VIEW, name, at, item_id=f"i{number}", **{c.CHANNEL: name})
    mark(fill(lake, mall), TrafficConfig(), now=NOW)
    assert marked_by(lake) == {}


def test_a_refund_exposes_the_order_of_an_earlier_day(lake: Lake) -> None:
    mall = Mall()
    mall.self_refund("back", START + timedelta(hours=20), 4, every=timedelta(days=1), after=timedelta(hours=6))
    mark(fill(lake, mall), TrafficConfig(), now=NOW)
    # The fourth refund comes early on the day after the fourth order.
    assert set(flagged_at(lake).values()) == {START + timedelta(days=5)}
    assert len(flagged_at(lake)) == 12


def test_an_order_after_the_exposure_is_marked_on_its_own_day(lake: Lake) -> None:
    mall = Mall()
    mall.ring("brush", START + timedelta(hours=1), 6, item="i7", every=timedelta(days=1))
    mark(fill(lake, mall), TrafficConfig(), now=NOW)
    days = sorted((moment - START).days for moment in flagged_at(lake).values())
    assert days == [4] * 8 + [5] * 2 + [6] * 2


def test_a_till_may_be_shared(lake: Lake) -> None:
    mall = Mall()
    mall.ring("till", NOON, 30, every=MINUTE)
    config = TrafficConfig.model_validate({"shared_device": {"public_devices": ["till"]}})
    mark(fill(lake, mall), config, now=NOW)
    assert marked_by(lake) == {}


def test_a_burst_is_marked_at_the_end_of_the_day_on_which_it_arrived(lake: Lake) -> None:
    mall = Mall()
    mall.burst("bot", NOON)
    arrived: datetime = NOON + timedelta(days=5)
    for row in mall.rows:
        row[c.RECEIVED_AT] = arrived
    mark(fill(lake, mall), TrafficConfig(), now=NOW)
    assert set(flagged_at(lake).values()) == {START + timedelta(days=9)}
