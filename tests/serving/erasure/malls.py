"""A mall of which every store holds something of ``u03``, who is also ``u03-before`` and uses the device ``u03-phone``.

``u04`` uses the tablet that he uses, too, and invited him.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.catalogue import USER_SCHEMA
from features.contracts.events import EVENT_SCHEMA, EventType
from features.contracts.home import Home
from features.contracts.knowledge import FLAG_SCHEMA
from features.engine import EventTables, TagStore, build_tags
from features.lake import Lake
from features.lake.flags import Judgement
from features.sources import SourceSpec, open_source
from features.tags import spec_hash
from serving.cli.commands.lists import rank_everybody
from serving.engine.asking import Recommendation, RecommendedItem
from serving.engine.served import ServedLog
from serving.rules import Text
from serving.store import Consent, KeptAnswer, OnlineStore, Profile, Visitor
from tests.serving import small_mall

USER, SECOND, PHONE, TABLET = "u03", "u03-before", "u03-phone", "tablet"
#: What must not be found anywhere; bytes that no other id contains.
NEEDLE = b"u03"
NOW = small_mall.MIDNIGHT + timedelta(hours=1)
TAGS = ("views_30d", "orders_30d", "days_since_active")

LOG = f"""user_id,anonymous_id,item_id,event_type,occurred_at
{USER},,i01,view,2025-01-01T10:00:00Z
{SECOND},,i02,view,2025-01-01T11:00:00Z
u04,,i01,view,2025-01-02T10:00:00Z
{USER},,i05,view,yesterday
u05,,i05,view,yesterday
"""


def fill(home: Home, store: OnlineStore) -> Lake:
    """Fill the lake, what is made of it, and ``store``."""
    lake = Lake(home)
    lake.upsert(items=small_mall.items(), users=_users(), now=NOW - timedelta(days=30))
    lake.append_events(small_mall.events(), batch_id="mall", now=NOW)
    lake.append_events(_table(_more()), batch_id="more", now=NOW)
    ingest(home, "old.csv", LOG)
    later = small_mall.MIDNIGHT + timedelta(minutes=3)
    marks = [("x1", small_mall.MIDNIGHT, "rule", 0.9, NOW), ("x4", later, "rule", 0.9, NOW)]
    flags = pa.table([pa.array(list(v), f.type) for v, f in zip(zip(*marks, strict=True), FLAG_SCHEMA, strict=True)],
                     schema=FLAG_SCHEMA)  # fmt: skip
    lake.commit_flags([Judgement(small_mall.MIDNIGHT.date(), flags, {})], now=NOW)
    for day in range(2):
        build(home, NOW + timedelta(days=day))
    fill_store(store)
    _serve(home)
    rank_everybody(home, home.root / "mails" / "lists.parquet", n=2, as_of=None, exclude_seen=False, processes=1)
    return lake


def ingest(home: Home, name: str, text: str) -> int:
    """Take a file in as ``mallard ingest`` does; how many of its events are new."""
    folder = home.root.parent / "logs"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    source = open_source(SourceSpec(path=name), folder)
    return Lake(home).ingest(source, now=NOW, allow_over_limit=True).added


def build(home: Home, as_of: datetime) -> None:
    """Build tags of everybody, by way of the kept folds."""
    table = build_tags(EventTables.from_lake(Lake(home)), as_of, TAGS)
    TagStore(home).write(table, as_of, spec_hash(list(TAGS)))


def fill_store(store: OnlineStore) -> None:
    """Something of his in every table, and of another."""
    rows = [
        row("n1", USER, None, item_id="i01", request_id="shown-last"),
        row("n2", None, PHONE, item_id="i02"),
        row("n3", "u04", TABLET, item_id="i03"),
        row("n4", SECOND, None, item_id="i04"),
    ]
    store.add_events(rows)
    store.merge(PHONE, USER)
    store.merge("laptop", "u04")
    store.put_users({USER: {c.SOURCE_CHANNEL: "web"}, "u04": {c.SOURCE_CHANNEL: "web"}})
    store.put_profiles([Profile(user, NOW, NOW, "s", 1, {"favourite": "x"}) for user in (USER, SECOND, "u04")])
    store.set_consent(USER, Consent(True, True))
    store.set_consent("u04", Consent(True, True))
    body = orjson.dumps({"user_id": USER})
    store.keep_answer("k", KeptAnswer("f", 200, body, 2**40), now=1)


def files_that_name_him(root: Path) -> dict[str, int]:
    """Every file below ``root``, read as what it is, and how many of its values hold :data:`NEEDLE`."""
    found = {}
    for file in sorted(root.rglob("*")):
        count = values_that_name_him(file) if file.is_file() else 0
        if count or NEEDLE.decode() in file.name:
            found[file.relative_to(root).as_posix()] = count
    return found


def values_that_name_him(file: Path) -> int:
    """How many values of one file hold the needle."""
    if file.suffix == ".parquet":
        table = pq.read_table(file)
        return sum(NEEDLE.decode() in str(value) for column in table.columns for value in column.to_pylist())
    return file.read_bytes().count(NEEDLE)


def visitor(user: str) -> Visitor:
    return Visitor(user_id=user)


def _users() -> pa.Table:
    rows: list[dict[str, Any]] = []
    for user in (USER, SECOND, "u04", "u05"):
        phone = '{"phone": "13800138000"}' if user in {USER, SECOND} else None
        rows.append({**dict.fromkeys(USER_SCHEMA.names), c.USER_ID: user, c.IDENTITIES: phone})
    return pa.Table.from_pylist(rows, schema=USER_SCHEMA)


def _more() -> list[dict[str, Any]]:
    """Events on devices, and one that mentions him."""
    invited = orjson.dumps({p.INVITED: USER}).decode()
    return [
        row("x1", USER, PHONE, item_id="i01", request_id="shown-1"),
        row("x2", None, PHONE, item_id="i02"),
        row("x3", SECOND, TABLET, at=1, item_id="i02"),
        row("x4", "u04", TABLET, at=3, item_id="i03", request_id="shown-2"),
        row("x5", None, TABLET, at=4, item_id="i03"),
        row("x6", "u04", None, kind=EventType.INVITE, properties=invited, at=-24 * 60),
    ]


def row(
    event_id: str, user: str | None, device: str | None, *, at: int = 0, kind: EventType = EventType.VIEW, **more: Any
) -> dict[str, Any]:
    moment = small_mall.MIDNIGHT + timedelta(minutes=at)
    row = dict.fromkeys(EVENT_SCHEMA.names)
    named = {c.EVENT_ID: event_id, c.USER_ID: user, c.ANONYMOUS_ID: device, c.EVENT_TYPE: kind.value}
    return {**row, **named, c.OCCURRED_AT: moment, c.RECEIVED_AT: moment, **more}


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)


def _serve(home: Home) -> None:
    log = ServedLog(home.online / "served", keep_days=3650)
    for request in ("shown-1", "shown-2", "shown-last"):
        item = RecommendedItem("i01", 1.0, "repeat", Text("a", "b"), propensity=0.5)
        answer = Recommendation(request, "r1", None, "home", known=True, personalized=True, degraded=(), items=(item,))
        log.write(answer, "click", int(datetime.now(UTC).timestamp()))
    log.close()
