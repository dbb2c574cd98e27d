"""Events as models of behaviour learn from them: merged users are one, fake events are gone, each from its moment."""

from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.contracts import columns as c
from features.contracts import knowledge as k
from features.contracts.events import EVENT_SCHEMA, EventType
from features.engine import history, known_events
from features.engine.duck import DuckRelations
from tests.features import mall
from tests.features.engine.lakes import Files

HOUR = timedelta(hours=1)
MERGED = mall.START + 10 * HOUR
FLAGGED = mall.START + 24 * HOUR


def lake(folder: Path) -> Files:
    """A view of ``u1``, one of ``u2`` who becomes ``u1``, and a fake one of ``u3``."""
    views = [mall.event(EventType.VIEW, f"u{n}", mall.START + n * HOUR, **{c.EVENT_ID: f"e{n}"}) for n in (1, 2, 3)]
    made = Files(folder)
    made.add(mall.table(views), "first")
    nothing = dict.fromkeys(k.ALIAS_SCHEMA.names)
    own = nothing | {k.ID_KIND: k.USER, k.RAW_ID: "u2"}
    rows = [own | {c.USER_ID: "u2", k.KNOWN_UNTIL: MERGED}, own | {c.USER_ID: "u1", k.KNOWN_FROM: MERGED}]
    made.aliases = pa.Table.from_pylist(rows, schema=k.ALIAS_SCHEMA)
    mark = {c.EVENT_ID: "e3", c.OCCURRED_AT: views[2][c.OCCURRED_AT], k.RULE: "burst", k.FLAGGED_AT: FLAGGED}
    made.flag(pa.Table.from_pylist([mark], schema=k.FLAG_SCHEMA), "judged")
    return made


def test_users_and_fakes_are_those_known_at_the_moment(tmp_path: Path):
    made = lake(tmp_path)

    def users(hours: int) -> list[str]:
        as_of = mall.START + hours * HOUR
        return known_events(made, [c.USER_ID], [EventType.VIEW], as_of)[c.USER_ID].to_pylist()

    assert users(2) == ["u1"]
    assert users(9) == ["u1", "u2", "u3"]
    assert users(11) == ["u1", "u1", "u3"]
    assert users(25) == ["u1", "u1"]


def test_the_past_of_a_split_is_what_was_known_there(tmp_path: Path):
    found = known_events(
        lake(tmp_path), [c.USER_ID], [EventType.VIEW], mall.START + 30 * HOUR, split=mall.START + timedelta(hours=2.5)
    )
    assert found[c.USER_ID].to_pylist() == ["u1", "u2"], "u2 was not merged yet; the fake of after the split is known"


def test_of_some_users_comes_what_counts_for_them(tmp_path: Path):
    as_of = mall.START + 11 * HOUR
    found = known_events(lake(tmp_path), [c.EVENT_ID], [EventType.VIEW], as_of, users=pa.array(["u1", "u2"]))
    assert found[c.EVENT_ID].to_pylist() == ["e1", "e2"], "what u2 did counts for u1 by now"


class Cramped(DuckRelations):
    """The engine with little memory, and no disk to put aside on."""

    def __init__(self) -> None:
        super().__init__()
        self._connection.execute("SET memory_limit = '100MB'; SET temp_directory = ''; SET threads = 1")


def test_events_of_a_few_users_are_picked_while_the_log_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made, number = lake(tmp_path), np.arange(1_000_000)
    text = pa.array(number).cast(pa.string())
    long = pc.binary_join_element_wise(pc.binary_repeat("event ", 8), text, "")
    user = pc.binary_join_element_wise("user ", pa.array(number % 1_000).cast(pa.string()), "")
    given = {
        c.EVENT_ID: long,
        c.USER_ID: user,
        c.EVENT_TYPE: pa.repeat(EventType.VIEW.value, len(number)),
        c.OCCURRED_AT: pa.repeat(pa.scalar(mall.START, EVENT_SCHEMA.field(c.OCCURRED_AT).type), len(number)),
    }
    log = {field.name: given.get(field.name, pa.nulls(len(number), field.type)) for field in EVENT_SCHEMA}
    made.add(pa.table(log), "many")
    monkeypatch.setattr(history, "DuckRelations", Cramped)
    as_of, columns = mall.START + 30 * HOUR, [c.USER_ID, c.EVENT_ID]
    few = known_events(made, columns, [EventType.VIEW], as_of, users=pa.array(["user 7", "user 8", "u1"]))
    assert few.num_rows == 2 * 1_000 + 2
    with pytest.raises(duckdb.OutOfMemoryException):
        known_events(made, columns, [EventType.VIEW], as_of)
