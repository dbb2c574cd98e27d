"""A person out of the lake: whose rows go, what happens to those that mention him, and what others read meanwhile."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts import columns as c
from features.contracts.catalogue import USER_SCHEMA
from features.contracts.errors import InputError
from features.contracts.events import EVENT_SCHEMA
from features.contracts.home import Home
from features.contracts.knowledge import ANONYMOUS, FLAG_SCHEMA, USER
from features.engine.erasure import FoldErasure
from features.lake import Lake
from features.lake.erasure import LakeErasure
from features.lake.flags import Judgement
from features.lake.mentions import renamed
from features.lake.operators import known_user, merge_users, unmerge_users
from features.lake.person import Person, person_of
from features.lake.quarantine import values_of
from features.lake.rewriting import Naming, count, take_out
from tests.features.lake.conftest import Ingest, events_of
from tests.features.sources.rows import NOW

LOG = """user_id,anonymous_id,item_id,event_type,occurred_at
ann,,i1,view,2025-01-01T10:00:00Z
ann,phone,i2,purchase,2025-01-01T11:00:00Z
,phone,i4,view,2025-01-01T12:00:00Z
bob,pad,i1,view,2025-01-02T10:00:00Z
ann,pad,i1,view,2025-01-02T11:00:00Z
,pad,i3,view,2025-01-02T12:00:00Z
bob,pad,i1,view,2025-01-03T10:00:00Z
,pad,i5,view,2025-01-03T11:00:00Z
"""


def erase(home: Home, user: str) -> dict[str, int]:
    lake, erasure = Lake(home), LakeErasure(home)
    person = person_of(lake, user)
    lake.tombstones.add(USER, person.users, now=NOW)
    lake.tombstones.add(ANONYMOUS, person.visitors, now=NOW)
    traces = erasure.traces(person)
    found = erasure.count(person, traces)
    erasure.purge(person, traces, key="erase-1", now=NOW)
    erasure.purge(person, traces, key="erase-1", now=NOW)
    assert not any(erasure.count(person, traces).values())
    return found


def test_a_device_of_his_alone_is_his_and_a_shared_one_for_the_time_he_used_it(lake: Lake, ingest: Ingest) -> None:
    ingest("log.csv", LOG)
    person = person_of(lake, "ann")
    assert (person.users, person.visitors) == (("ann",), ("phone",))
    assert {stretch.anonymous_id for stretch in person.stretches} == {"pad"}
    his = person.owns(events_of(lake))
    assert [item for item, one in zip(events_of(lake)[c.ITEM_ID].to_pylist(), his, strict=True) if one] == [
        "i1", "i2", "i4", "i1", "i3",
    ]  # fmt: skip


def test_readers_that_stand_by_see_him_go(lake: Lake, ingest: Ingest, home: Home) -> None:
    ingest("log.csv", LOG)
    ingest("other.csv", LOG.replace("ann", "cid").replace("phone", "cids"))
    before, files = lake.fingerprint(), lake.event_files()
    assert "phone" in str(lake.read_aliases().to_pydict())
    version = lake.links_version()
    found = erase(home, "ann")
    assert found["lake/events"] == 4
    assert found["lake/logins"] >= 2
    assert lake.event_files() == files, "the same names, so that nobody who knows them is cut off"
    assert {"ann", "phone"}.isdisjoint(str(events_of(lake).to_pydict()).replace("'", " ").split())
    assert "phone" not in str(lake.read_aliases().to_pydict())
    assert lake.fingerprint() != before
    assert lake.links_version() > version
    assert sorted(set(events_of(lake)[c.USER_ID].drop_null().to_pylist())) == ["bob", "cid"]


def test_every_version_of_the_users_table_forgets_him(lake: Lake, home: Home) -> None:
    for level in ("V1", "V2"):
        told = {**dict.fromkeys(USER_SCHEMA.names), c.MEMBER_LEVEL: level, c.IDENTITIES: '{"phone": "13800138000"}'}
        rows = [{**told, c.USER_ID: user} for user in ("ann", "ann-2")]
        lake.upsert(users=pa.Table.from_pylist(rows, schema=USER_SCHEMA), now=NOW)
    rows = [{**dict.fromkeys(USER_SCHEMA.names), c.USER_ID: "bob"}]
    lake.upsert(users=pa.Table.from_pylist(rows, schema=USER_SCHEMA), now=NOW)
    found = erase(home, "ann-2")
    assert (found["lake/users"], found["lake/links"]) == (6, 2)
    assert Lake(home).read_users()[c.USER_ID].to_pylist() == ["bob"]
    assert len(Lake(home).read_links()) == 0


def test_what_an_operator_wrote_about_him_goes_from_the_links_of_others(lake: Lake, home: Home) -> None:
    merge_users(lake, "ann", "bob", reason="ann is bob, ticket 7", now=NOW)
    unmerge_users(lake, "ann", "bob", reason="a mistake: ann", now=NOW + timedelta(hours=1))
    merge_users(lake, "bob", "cid", reason="joanna said so", now=NOW)
    found = erase(home, "ann")
    assert found["lake/links"] == 4
    links = Lake(home).read_links().to_pylist()
    assert sorted((link[c.USER_ID], link["reason"]) for link in links if link["reason"]) == [
        ("bob", "joanna said so"), ("cid", "joanna said so"),
    ]  # fmt: skip
    assert known_user(Lake(home), "cid").user_id == "bob"


def quarantined(lake: Lake) -> list[str]:
    return sorted(json.loads(raw)["user_id"] for raw in lake.read_quarantine()["raw"].to_pylist())


def test_quarantined_rows_and_the_examples_that_quote_them_go(lake: Lake, ingest: Ingest, home: Home) -> None:
    bad = "user_id,anonymous_id,item_id,event_type,occurred_at\n"
    bad += "ann,,i1,view,never\nbob,,i1,view,never\nbob,phone-of-ann,i1,view,never\n"
    ingest("bad.csv", LOG + bad.partition("\n")[2], allow_over_limit=True)
    assert len(lake.read_quarantine()) == 3
    found = erase(home, "ann")
    assert found["lake/quarantine"] == 1
    assert quarantined(lake) == ["bob", "bob"]
    report = ingest("again.csv", LOG + bad.partition("\n")[2] + "eve,,i1,view,never\n", allow_over_limit=True)
    assert report.rejected == 3
    assert quarantined(lake) == ["bob", "bob", "bob", "bob", "eve"]


def test_an_example_that_quotes_his_id_is_forgotten_everywhere(lake: Lake, ingest: Ingest, home: Home) -> None:
    ingest("log.csv", LOG + "bob,,i1,ann,2025-01-01T10:00:00Z\n", allow_over_limit=True)
    assert "'ann'" in lake.last_report().examples[0].reason
    assert erase(home, "ann")["reports"] == 3  # the commit, the report and the newest report
    assert lake.last_report().examples == ()
    for file in [*home.reports.rglob("*.*"), *(home.lake / "commits").iterdir()]:
        assert b"'ann'" not in file.read_bytes(), file


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        ("ann,,i1,view", {"ann", "i1", "view"}),
        ('"ann" ;x\tb', {"ann", "x", "b"}),
        ('{"user": "ann", "n": 7, "more": ["x", null, {"y": "z z"}]}', {"ann", "7", "x", "z z"}),
        ('{"properties": "{\\"invited_user_id\\": \\"ann\\"}"}', {"ann"}),
        ("", set()),
    ],
)
def test_any_value_of_a_bad_row_may_be_an_id(raw: str, values: set[str]) -> None:
    assert values <= values_of(raw)
    assert "" not in values_of(raw)


def invite(number: int, properties: str | None) -> dict[str, object]:
    row = {**dict.fromkeys(EVENT_SCHEMA.names), c.EVENT_ID: f"e{number}", c.EVENT_TYPE: "invite", c.USER_ID: "bob"}
    return {**row, c.OCCURRED_AT: NOW, c.PROPERTIES: properties}


def test_the_one_who_invited_him_keeps_his_invitation(lake: Lake, home: Home) -> None:
    told = ['{"invited_user_id": "ann", "n": 1}', '{"invited_user_id": "eve"}', '{"x": "ann"}', None]
    events = pa.Table.from_pylist([invite(n, text) for n, text in enumerate(told)], schema=EVENT_SCHEMA)
    lake.append_events(events, batch_id="b", now=NOW)
    assert erase(home, "ann")["lake/events"] == 1
    kept = events_of(lake).sort_by(c.EVENT_ID)[c.PROPERTIES].to_pylist()
    assert kept[1:] == told[1:]
    assert kept[0].startswith('{"invited_user_id":"erased-')
    assert kept[0].endswith('"n":1}')
    # A later batch cannot bring the mention back.
    again = pa.Table.from_pylist([invite(9, told[0])], schema=EVENT_SCHEMA)
    assert lake.append_events(again, batch_id="c", now=NOW) == 1
    assert '{"invited_user_id":null,"n":1}' in events_of(lake)[c.PROPERTIES].to_pylist()


def test_renaming_leaves_other_rows_as_they_were_written() -> None:
    texts = ['{ "invited_user_id" : "a" }', '{ "invited_user_id" : "b" }', "{}", None]
    events = pa.table({c.PROPERTIES: texts})
    assert renamed(events, lambda one: one == "b", "z")[c.PROPERTIES].to_pylist() == [
        texts[0], '{"invited_user_id":"z"}', texts[2], None,
    ]  # fmt: skip
    assert renamed(events, lambda _: False, "z") is events


def test_an_erasure_while_days_are_judged_marks_nothing(lake: Lake, ingest: Ingest, home: Home) -> None:
    ingest("log.csv", LOG)

    def judging() -> Iterator[Judgement]:
        Lake(home).tombstones.add(USER, ["ann"], now=NOW)
        day = datetime(2025, 1, 1, tzinfo=UTC)
        mark = {c.EVENT_ID: "x", c.OCCURRED_AT: day, "rule": "r", "score": 1.0, "flagged_at": day}
        yield Judgement(day.date(), pa.Table.from_pylist([mark], schema=FLAG_SCHEMA), {})

    with pytest.raises(InputError, match="judge them again"):
        lake.commit_flags(judging(), now=NOW)
    assert lake.flag_files() == []


# --- rewriting ------------------------------------------------------------------------------------------------
def test_a_file_without_him_is_not_touched_and_one_with_him_is_replaced(tmp_path) -> None:
    file = tmp_path / "t.parquet"
    pq.write_table(pa.table({c.USER_ID: ["a", "b", None, "a"], "n": [1, 2, 3, 4]}), file)
    before = file.stat().st_ino
    assert take_out(file, Naming.by(c.USER_ID, ["z"])) == 0
    assert file.stat().st_ino == before
    with pq.ParquetFile(file) as opened:
        assert take_out(file, Naming.by(c.USER_ID, ["a"]), row_group=2) == 2
        assert opened.read()["n"].to_pylist() == [1, 2, 3, 4], "whoever has it open reads on in the old one"
    assert pq.read_table(file)["n"].to_pylist() == [2, 3]
    assert [one.name for one in tmp_path.iterdir()] == ["t.parquet"]


def test_schema_and_dictionaries_are_kept(tmp_path) -> None:
    file = tmp_path / "t.parquet"
    word = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([pa.field(c.USER_ID, pa.string(), nullable=False), pa.field("word", word)])
    words = pa.array(["x", "y"]).dictionary_encode()
    pq.write_table(pa.table({c.USER_ID: ["a", "b"], "word": words}, schema=schema), file)
    take_out(file, Naming.by(c.USER_ID, ["a"]))
    assert pq.read_schema(file).equals(schema)
    assert count(file, Naming.by(c.USER_ID, ["b"])) == 1


def test_folds_that_a_crash_cut_off_go(home: Home) -> None:
    left = home.lake / "partials" / "f" / ".0123456789ab"
    left.mkdir(parents=True)
    (left / "user_days.parquet").write_bytes(b"half of a file")
    person = Person(users=("ann",), visitors=(), stretches=(), alias="x")
    assert FoldErasure(home).count(person) == {"lake/partials": 0}
    assert not left.exists()


# --- the door -------------------------------------------------------------------------------------------------
def test_nobody_is_refused_inside_a_steady_block_and_all_are_after_it(home: Home, lake: Lake) -> None:
    added = threading.Event()

    def add() -> None:
        Lake(home).tombstones.add(USER, ["ann"], now=NOW)
        added.set()

    with lake.tombstones.steady(), Lake(home).tombstones.steady():
        thread = threading.Thread(target=add)
        thread.start()
        assert not added.wait(0.3)
        assert not lake.tombstones.has(USER, "ann")
    thread.join(10)
    assert added.is_set()
    assert lake.tombstones.has(USER, "ann")


def test_those_who_come_and_go_do_not_keep_an_erasure_out(home: Home) -> None:
    over = threading.Event()

    def come_and_go() -> None:
        tombstones = Lake(home).tombstones
        while not over.is_set():
            with tombstones.steady():
                over.wait(0.002)

    threads = [threading.Thread(target=come_and_go) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        for number in range(5):
            assert Lake(home).tombstones.add(USER, [f"u{number}"], now=NOW + timedelta(seconds=number)) == 1
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_among_tells_users_and_visitors_apart(lake: Lake) -> None:
    lake.tombstones.add(USER, ["ann"], now=NOW)
    lake.tombstones.add(ANONYMOUS, ["phone"], now=NOW)
    ids = pa.chunked_array([["ann", "phone", "bob", None]], pa.string())
    assert lake.tombstones.among(ids).tolist() == [True, False, False, False]
    assert np.array_equal(lake.tombstones.anybody_among(ids), [True, True, False, False])
