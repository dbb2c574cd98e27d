"""Kept folds: only what is new or touched is folded, and a build on them equals a build on events in memory."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.contracts import columns as c
from features.contracts import knowledge as k
from features.contracts import properties as p
from features.contracts.events import EventType
from features.engine import EventTables, build_slices, build_tags, partials
from features.engine.log import LakeLog
from features.engine.partials import LakeFolds
from features.tags import catalogue
from tests.features import mall
from tests.features.engine.compare import assert_equal_tables
from tests.features.engine.lakes import Files

#: Every base of folded days is read by one of these, and a comparison of users.
NAMES = [
    "orders", "orders_30d", "spend", "sessions", "active_days", "days_since_active", "top_category", "max_order_value",
    "best_send_hour", "active_gap_mean", "shown_category_30d", "rfm_score", "invited_buyers", "age",
]  # fmt: skip
DAY = timedelta(days=1)
#: Two users who become one are invited by a third.
INVITED = [
    mall.event(
        EventType.INVITE,
        "u01",
        mall.START + 2 * DAY,
        **{c.EVENT_ID: f"invited-{who}", c.PROPERTIES: json.dumps({p.INVITED: who})},
    )
    for who in ("u02", "u04")
]
ROWS = mall.events(users=12, each=120) + INVITED


def days_of(rows: list[dict[str, Any]]) -> set[date]:
    return {row[c.OCCURRED_AT].date() for row in rows}


def folded(lake: Files, before: date = date.max) -> set[date]:
    """The days that the next build folds, by the segments that it adds."""
    folds = LakeFolds(lake, LakeLog(lake))
    known = {segment.name for segment in folds.folder.manifest().segments}
    after = folds.upto(before)
    return {day for segment in after.segments if segment.name not in known for day in segment.written}


def from_memory(rows: list[dict[str, Any]], as_of: datetime, aliases: pa.Table | None = None) -> pa.Table:
    return build_tags(
        EventTables.from_arrow(mall.table(rows), mall.items(), mall.users(), aliases=aliases), as_of, NAMES
    )


def from_lake(lake: Files, as_of: datetime) -> pa.Table:
    return build_tags(EventTables.from_lake(lake), as_of, NAMES)


@pytest.fixture
def lake(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_nightly_build_folds_the_new_day_and_equals_a_full_one(lake: Files):
    night = mall.START + 200 * DAY
    before = [row for row in ROWS if row[c.OCCURRED_AT] < night]
    new = [row for row in ROWS if night <= row[c.OCCURRED_AT] < night + DAY]
    lake.add(mall.table(before), "first")
    assert folded(lake) == days_of(before)
    lake.add(mall.table(new), "second")
    assert folded(lake) == days_of(new)
    assert folded(lake) == set()
    built = from_lake(lake, night + DAY)
    assert built.equals(from_memory(before + new, night + DAY)), "to the bit"


def test_every_tag_on_kept_folds_equals_the_tag_on_events_in_memory(lake: Files):
    """Found by discovery: what a nightly build makes of a day that came on top, and the running day."""
    night = mall.AS_OF
    lake.add(mall.table([row for row in ROWS if row[c.OCCURRED_AT] < night - DAY]), "first")
    folded(lake, night.date())
    lake.add(mall.table([row for row in ROWS if row[c.OCCURRED_AT] >= night - DAY]), "second")
    on_folds = build_tags(EventTables.from_lake(lake), mall.MIDDAY)
    in_memory = build_tags(EventTables.from_arrow(mall.table(ROWS), mall.items(), mall.users()), mall.MIDDAY)
    assert on_folds.column_names == ["user_id", *catalogue()]
    differing = [name for name in on_folds.column_names if not on_folds[name].equals(in_memory[name])]
    assert differing == []


def test_a_late_row_folds_its_day_anew_and_no_other(lake: Files):
    lake.add(mall.table(ROWS), "first")
    assert folded(lake)
    when = mall.START + 17 * DAY + timedelta(hours=3)
    late = mall.event(EventType.PURCHASE, "u03", when, **{c.AMOUNT: 77.0, c.RECEIVED_AT: when + 40 * DAY})
    lake.add(mall.table([late]), "late")
    assert folded(lake) == {when.date()}
    for as_of in (when + 30 * DAY, when + 41 * DAY, mall.AS_OF):
        assert from_lake(lake, as_of).equals(from_memory([*ROWS, late], as_of)), as_of


def test_a_day_that_is_gone_is_no_longer_told(lake: Files):
    lake.add(mall.table(ROWS), "first")
    folded(lake)
    gone = min(days_of(ROWS))
    for file in (lake.folder / "events" / f"date={gone}").iterdir():
        file.unlink()
    rest = [row for row in ROWS if row[c.OCCURRED_AT].date() != gone]
    assert from_lake(lake, mall.AS_OF).equals(from_memory(rest, mall.AS_OF))


def test_many_nights_are_merged_into_few_files(lake: Files, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(partials, "MOST_SEGMENTS", 3)
    start = mall.START + 100 * DAY
    rows = [row for row in ROWS if row[c.OCCURRED_AT] < start]
    lake.add(mall.table(rows), "first")
    folded(lake)
    for night in range(6):
        new = [mall.event(EventType.PURCHASE, "u01", start + night * DAY, **{c.AMOUNT: 10.0 + night})]
        lake.add(mall.table(new), f"night-{night}")
        folded(lake)
        rows += new
        assert len(LakeFolds(lake, LakeLog(lake)).folder.manifest().segments) <= 3
    as_of = start + 6 * DAY
    assert_equal_tables(from_lake(lake, as_of), from_memory(rows, as_of))


def test_the_running_day_is_not_folded(lake: Files):
    lake.add(mall.table(ROWS), "first")
    day = mall.MIDDAY.date()
    from_lake(lake, mall.MIDDAY)
    assert max(LakeFolds(lake, LakeLog(lake)).folder.manifest().days) < day


def test_what_a_crash_left_is_cleared_away(lake: Files):
    lake.add(mall.table(ROWS), "first")
    root = LakeFolds(lake, LakeLog(lake)).folder.root
    assert folded(lake)
    (root / ".half").mkdir()
    (root / "unnamed").mkdir()
    lake.add(mall.table([mall.event(EventType.VIEW, "u01", mall.START + 3 * DAY, **{c.EVENT_ID: "new"})]), "more")
    folded(lake)
    left = {folder.name for folder in root.iterdir() if folder.is_dir()}
    assert left.isdisjoint({".half", "unnamed"})


def flags(rows: list[dict[str, Any]]) -> pa.Table:
    marks = [
        {c.EVENT_ID: r[c.EVENT_ID], c.OCCURRED_AT: r[c.OCCURRED_AT], k.RULE: "burst", k.SCORE: 1.0}
        | {
            k.FLAGGED_AT: datetime.combine(r[c.OCCURRED_AT].date(), datetime.min.time(), tzinfo=mall.START.tzinfo)
            + 3 * DAY
        }
        for r in rows
    ]
    return pa.Table.from_pylist(marks, schema=k.FLAG_SCHEMA)


def test_a_fake_event_counts_until_it_is_flagged(lake: Files):
    fakes = [row for row in ROWS if row[c.USER_ID] and row[c.EVENT_TYPE] == "purchase"][::5]
    lake.add(mall.table(ROWS), "first")
    folded(lake)
    lake.flag(flags(fakes), "judged")
    assert folded(lake) == days_of(fakes)
    marked = {row[c.EVENT_ID] for row in fakes}
    honest = [row for row in ROWS if row[c.EVENT_ID] not in marked]
    assert from_lake(lake, mall.AS_OF).equals(from_memory(honest, mall.AS_OF))
    as_of = max(row[c.OCCURRED_AT] for row in fakes) + timedelta(hours=1)
    flagged = {
        row[c.EVENT_ID]
        for row, mark in zip(fakes, flags(fakes).to_pylist(), strict=True)
        if mark[k.FLAGGED_AT] <= as_of
    }
    assert marked != flagged, "the last one is not known to be fake yet"
    known = [row for row in ROWS if row[c.EVENT_ID] not in flagged]
    assert from_lake(lake, as_of).equals(from_memory(known, as_of))


def alias(kind: str, raw: str, user: str | None, since: datetime | None, until: datetime | None) -> dict[str, Any]:
    row = dict.fromkeys(k.ALIAS_SCHEMA.names)
    return row | {k.ID_KIND: kind, k.RAW_ID: raw, c.USER_ID: user, k.KNOWN_FROM: since, k.KNOWN_UNTIL: until}


def test_a_merge_moves_the_past_of_a_user_from_the_moment_it_is_known(lake: Files):
    lake.add(mall.table(ROWS), "first")
    folded(lake)
    merged = mall.START + 150 * DAY
    rows = [alias(k.USER, "u04", "u04", None, merged), alias(k.USER, "u04", "u02", merged, None)]
    lake.aliases = pa.Table.from_pylist(rows, schema=k.ALIAS_SCHEMA)
    assert folded(lake) == days_of([row for row in ROWS if row[c.USER_ID] == "u04"])
    before, after = merged - timedelta(hours=1), merged + timedelta(hours=1)
    assert from_lake(lake, before).equals(from_memory(ROWS, before))
    named = [row | {c.PROPERTIES: row[c.PROPERTIES] and row[c.PROPERTIES].replace('"u04"', '"u02"')} for row in ROWS]
    as_one = [row | {c.USER_ID: "u02"} if row[c.USER_ID] == "u04" else row for row in named]
    assert [row["invited_buyers"] for row in from_memory(as_one, after).to_pylist() if row[c.USER_ID] == "u01"] == [1]
    assert from_lake(lake, after).equals(from_memory(as_one, after))
    # Undone: the two are two again, from then on and for every build after it.
    parted = merged + 20 * DAY
    rows[1][k.KNOWN_UNTIL] = parted
    rows.append(alias(k.USER, "u04", "u04", parted, None))
    lake.aliases = pa.Table.from_pylist(rows, schema=k.ALIAS_SCHEMA)
    assert from_lake(lake, after).equals(from_memory(as_one, after))
    late = parted + timedelta(hours=1)
    assert from_lake(lake, late).equals(from_memory(ROWS, late))


def test_an_anonymous_past_joins_its_user_at_login(lake: Files):
    anonymous = [r | {c.USER_ID: None, c.ANONYMOUS_ID: "a1"} if r[c.USER_ID] == "u05" else r for r in ROWS]
    lake.add(mall.table(anonymous), "first")
    login = mall.START + 40 * DAY
    rows = [alias(k.ANONYMOUS, "a1", None, None, login), alias(k.ANONYMOUS, "a1", "u05", login, None)]
    lake.aliases = pa.Table.from_pylist(rows, schema=k.ALIAS_SCHEMA)
    assert "u05" not in from_lake(lake, login - timedelta(seconds=1))[c.USER_ID].to_pylist()
    assert from_lake(lake, login).equals(from_memory(ROWS, login))


def test_some_users_and_slices_of_users_are_those_of_the_whole(lake: Files):
    lake.add(mall.table(ROWS), "first")
    tables = EventTables.from_lake(lake)
    whole = build_tags(tables, mall.MIDDAY, NAMES)
    slices = list(build_slices(tables, mall.MIDDAY, NAMES, slice_users=4))
    assert len(slices) > 2
    assert pa.concat_tables(slices).equals(whole)
    some = whole[c.USER_ID].to_pylist()[1::4]
    expected = whole.filter(pc.is_in(whole[c.USER_ID], pa.array(some)))
    assert build_tags(tables, mall.MIDDAY, NAMES, some).equals(expected)


def test_a_few_users_are_compared_with_a_table_of_the_others(lake: Files):
    lake.add(mall.table(ROWS), "first")
    tables = EventTables.from_lake(lake)
    names = ["days_since_purchase", "orders_365d", "spend_365d", "rfm_score", "spend_rank", "invited_buyers"]
    whole = build_tags(tables, mall.MIDDAY, names)
    user = whole[c.USER_ID][2].as_py()
    expected = whole.filter(pc.equal(whole[c.USER_ID], user))
    assert build_tags(tables, mall.MIDDAY, names, [user], others=whole).equals(expected)


def test_a_few_users_need_no_folds_and_see_events_that_are_not_in_the_lake(lake: Files):
    """What near-real-time refreshes do: nothing is folded for them, and what just arrived counts."""
    cut = mall.MIDDAY - timedelta(hours=30)
    old, new = ([r for r in ROWS if (r[c.OCCURRED_AT] < cut) is early] for early in (True, False))
    lake.add(mall.table(old), "first")
    tables = EventTables.from_lake(lake)
    new = [*new, mall.event(EventType.PURCHASE, "u03", mall.MIDDAY - timedelta(minutes=1), **{c.AMOUNT: 9.5})]
    both = [*new, *old[-40:]]  # some are in the lake by now: they count once
    tables.add_recent(mall.table(both))
    users = ["u02", "u03", "u07"]
    names = [name for name in NAMES if name not in {"rfm_score", "invited_buyers"}]
    found = build_tags(tables, mall.MIDDAY, names, users)
    expected = build_tags(EventTables.from_arrow(mall.table(old + new), mall.items(), mall.users()), mall.MIDDAY, names)
    assert found.equals(expected.filter(pc.is_in(expected[c.USER_ID], pa.array(users))))
    assert LakeFolds(lake, LakeLog(lake)).folder.manifest().segments == ()
    build_tags(tables, cut, names)
    assert build_tags(tables, mall.MIDDAY, names, users).equals(found), "on folds, too"
