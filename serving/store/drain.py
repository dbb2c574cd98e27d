"""From the store into the lake: resumable at any point, because the lake takes every batch and event once."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA
from features.contracts.progress import step
from features.identity.links import login_rows
from features.lake import Lake
from serving.store.protocol import OnlineStore, QueuedEvent

_BATCH = 10_000


@dataclass(frozen=True)
class Drained:
    """What one drain moved."""

    events: int  # new to the lake
    items: int  # rows that differ from what the lake knew
    users: int
    logins: int  # calls that said whose an anonymous id is


def drain(store: OnlineStore, lake: Lake, *, batch: int = _BATCH) -> Drained:
    """Append every queued event to ``lake``, oldest first, and lay changed items and users over its tables.

    Events are marked only after the lake holds them. A crash between the two appends them again next time, which
    changes nothing there; two drains at once do no harm for the same reason.
    """
    moved = 0
    with step("moving new events into the lake", total=store.queue_length(), unit="events") as task:
        while queued := store.queued(batch):
            moved += lake.append_events(event_table(queued), batch_id=_name(queued))
            store.mark_drained([event.position for event in queued])
            task.advance(len(queued))
    items = _laid_over(lake.read_items(), c.ITEM_ID, {change.id: change.fields for change in store.items_since(0)})
    users = _laid_over(lake.read_users(), c.USER_ID, _user_changes(store))
    if items.num_rows or users.num_rows:
        lake.upsert(items=items if items.num_rows else None, users=users if users.num_rows else None)
    return Drained(moved, items.num_rows, users.num_rows, _move_logins(store, lake, batch))


def _move_logins(store: OnlineStore, lake: Lake, batch: int) -> int:
    moved = 0
    while told := store.logins(batch):
        rows = [(t.anonymous_id, t.user_id, datetime.fromtimestamp(t.at, UTC)) for t in told]
        name = hashlib.sha256(repr(rows).encode()).hexdigest()
        newest = max(at for _, _, at in rows)
        if lake.identify(logins=login_rows(rows), batch_id=f"logins-{name}", now=newest):
            moved += len(rows)
        store.forget_logins(told[-1].position)
    return moved


def _name(queued: Sequence[QueuedEvent]) -> str:
    """The same events give the same name, in whichever run."""
    digest = hashlib.sha256()
    for event in queued:
        digest.update(f"{event.row[c.EVENT_ID]}\0".encode())
    return f"online-{digest.hexdigest()}"


def _user_changes(store: OnlineStore) -> dict[str, dict[str, Any]]:
    users = {change.id: dict(change.fields) for change in store.users_since(0)}
    for change in store.consents_since(0):
        allowed = {
            c.CONSENT_PERSONALIZATION: change.consent.personalization,
            c.CONSENT_MARKETING: change.consent.marketing,
        }
        users.setdefault(change.user_id, {}).update({name: v for name, v in allowed.items() if v is not None})
    return users


def _laid_over(table: pa.Table, key: str, changes: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """The rows that changed, whole: what the lake knows of each, with the changed fields in their place."""
    touched = table.filter(pc.is_in(table[key], pa.array(list(changes), pa.string())))
    known = {row[key]: row for row in touched.to_pylist()}
    whole = _table([{**known.get(i, {}), **fields, key: i} for i, fields in changes.items()], table.schema)
    return pa.Table.from_pylist([row for row in whole.to_pylist() if row != known.get(row[key])], schema=table.schema)


def event_table(queued: Sequence[QueuedEvent]) -> pa.Table:
    """Queued events in ``EVENT_SCHEMA``."""
    return _table([event.row for event in queued], EVENT_SCHEMA)


def _table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows of JSON values in ``schema``; absent columns are null, objects become JSON text."""
    columns = [pa.array([_value(row.get(f.name), f.type) for row in rows], type=f.type) for f in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _value(value: Any, kind: pa.DataType) -> Any:
    if isinstance(value, str) and pa.types.is_timestamp(kind):
        return datetime.fromisoformat(value)
    if isinstance(value, dict | list) and pa.types.is_string(kind):
        return orjson.dumps(value).decode()
    return value
