"""Marks depend on the events alone: not on when, how often or in which portions one judged."""

from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.events import EventType
from features.contracts.home import Home
from features.lake import Lake
from features.traffic import RULES, TrafficConfig, mark
from features.traffic.forest import NAME
from tests.features.traffic.conftest import NewLake, fill, flagged_at, marked_by, marks_of
from tests.features.traffic.mall import NOW, START, Mall, table

DAYS = 8
DAY = timedelta(days=1)
#: A forest every four days, on few people, so that its marks and refits are part of what is compared.
CONFIG = TrafficConfig.model_validate(
    {
        "window_days": 3,
        "forest": {
            "refit_days": 4,
            "reference_days": 3,
            "least_rows": 20,
            "least_moments": 8,
            "extreme": 1.0,
            "deviations": 2.0,
            "trees": 25,
        },
    }
)


def busy_mall() -> Mall:
    """Ordinary days, every kind of fraud, and late rows."""
    mall = Mall(seed=11)
    mall.people(users=20, days=DAYS)
    for day in (2, 6):
        noon = START + timedelta(days=day, hours=12)
        mall.burst(f"bot{day}", noon)
        mall.metronome(f"clock{day}", noon, clicks=120)
        mall.stays(f"liar{day}", noon, 900.0)
        mall.metronome(f"slower{day}", noon, clicks=20, device="shelf")  # one gap too short for the rule: the forest's
        mall.ring(f"farm{day}", noon, 9, every=timedelta(hours=7))
        mall.self_refund(f"back{day}", noon, 5, every=timedelta(hours=14), after=timedelta(hours=20))
    mall.late(share=0.03, days=3.0)
    return mall


def known_at(row: dict[str, object]) -> datetime:
    occurred, received = row[c.OCCURRED_AT], row[c.RECEIVED_AT]
    assert isinstance(occurred, datetime)
    return max(occurred, received) if isinstance(received, datetime) else occurred


@pytest.fixture(scope="module")
def mall() -> Mall:
    return busy_mall()


@pytest.fixture(scope="module")
def whole(mall: Mall, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    root = tmp_path_factory.mktemp("whole")
    lake = fill(Lake(Home(root=root, configs=root, mlruns=root)), mall)
    mark(lake, CONFIG, now=NOW)
    return lake


def test_day_by_day_is_all_at_once(mall: Mall, whole: Lake, lake: Lake) -> None:
    for day in range(0, DAYS + 6, 2):
        end = START + DAY * (day + 2)
        arrived = [row for row in mall.rows if end - DAY * 2 <= known_at(row) < end]
        lake.append_events(table(arrived), batch_id=f"night {day}", now=end)
        mark(lake, CONFIG, now=end)
        so_far = marks_of(whole)
        so_far = so_far.filter(pa.array([moment <= end for moment in so_far.column("flagged_at").to_pylist()]))
        assert marks_of(lake).equals(so_far), f"night {day}"
    assert set(marked_by(lake)) == {*RULES, NAME}


def test_no_event_of_the_future_changes_a_mark(mall: Mall, whole: Lake, lake: Lake) -> None:
    moment = START + DAY * 7
    lake.append_events(table([row for row in mall.rows if known_at(row) < moment]), batch_id="past", now=NOW)
    mark(lake, CONFIG, now=NOW)
    before = {event for event, at in flagged_at(whole).items() if at <= moment}
    assert set(flagged_at(lake)) == before
    assert len(before) > 300


def test_only_days_that_could_change_are_judged_again(mall: Mall, new_lake: NewLake) -> None:
    lake = fill(new_lake(), mall)
    config = TrafficConfig(window_days=3)
    assert config.reach_days == 3
    first = mark(lake, config, now=NOW)
    assert len(first.judged) == first.days
    fingerprint = lake.fingerprint()
    assert mark(lake, config, now=NOW).judged == ()
    assert lake.fingerprint() == fingerprint
    more = Mall()
    more.add(EventType.VIEW, "somebody", START + timedelta(days=5, hours=3), item_id="i1")
    lake.append_events(table([row | {c.EVENT_ID: "new"} for row in more.rows]), batch_id="more", now=NOW)
    files = lake.flag_files()
    again = mark(lake, config, now=NOW)
    # Three days before and after; the forest of the week of those days is not fitted on the fifth.
    assert [(found.day - START.date()).days for found in again.judged] == [2, 3, 4, 5, 6, 7, 8]
    assert lake.flag_files() == files  # no mark changed, so no file did
    assert lake.fingerprint() != fingerprint


def test_another_configuration_judges_every_day_anew(mall: Mall, new_lake: NewLake) -> None:
    lake = fill(new_lake(), mall)
    days = len(mark(lake, TrafficConfig(), now=NOW).judged)
    assert "burst" in marked_by(lake)
    patient = TrafficConfig.model_validate({"burst": {"limits": {"click": 10_000}}})
    assert len(mark(lake, patient, now=NOW, since=(START + DAY * 5).date()).judged) == days - 5
    assert "burst" in marked_by(lake)
    assert len(mark(lake, patient, now=NOW).judged) == 5
    assert "burst" not in marked_by(lake)


def test_the_forest_needs_people_and_evidence(mall: Mall, whole: Lake, new_lake: NewLake) -> None:
    suspected = marked_by(whole)[NAME]
    assert len(suspected & mall.fake) / len(suspected) > 0.9
    lonely = fill(new_lake(), mall)
    mark(lonely, TrafficConfig(), now=NOW)
    assert NAME not in marked_by(lonely)
