"""The events of one block and one day while they are collected, and their turn into rows of the contract."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA, EVENT_TYPES, TIMESTAMP, EventType
from features.simulator.people import CHANNELS
from features.simulator.world import World

#: Placements by stored code.
PLACEMENTS: Final = ("feed", "home_banner", "search")
FEED, BANNER, SEARCH = range(3)

#: Kinds of fraud by stored code.
FRAUD_KINDS: Final = ("brushing", "click_farm")
BRUSHING, CLICK_FARM = range(2)

#: Which ids an event names: the account, only the anonymous id, or both (the login).
ACCOUNT, ANONYMOUS, BOTH = range(3)

NOTHING: Final = -1
CURRENCY: Final = "CNY"
_SECONDS: Final = 86_400
_MICROSECONDS: Final = 1_000_000
_LATE_SHARE: Final = 0.03
_NUMBERS_PER_BLOCK: Final = 10_000_000_000  # events of a block never reach this

FRAUD_SCHEMA: Final = pa.schema(
    [
        pa.field(c.EVENT_ID, pa.string(), nullable=False),
        pa.field(c.OCCURRED_AT, TIMESTAMP, nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("ring", pa.string(), nullable=False),
    ]
)

Values = npt.NDArray[np.generic] | float


@dataclass
class Counters:
    """Numbers given out in a block so far."""

    events: int = 0
    sessions: int = 0
    requests: int = 0
    orders: int = 0

    def take(self, name: str, n: int) -> npt.NDArray[np.int64]:
        """The next ``n`` numbers of ``name``."""
        first = getattr(self, name)
        setattr(self, name, first + n)
        return np.arange(first, first + n, dtype=np.int64)


_FIELDS: Final[dict[str, tuple[type[np.generic], float]]] = {
    "kind": (np.int8, NOTHING),
    "account": (np.int32, NOTHING),
    "at": (np.float64, 0.0),  # seconds of the day
    "item": (np.int32, NOTHING),
    "session": (np.int64, NOTHING),
    "channel": (np.int8, NOTHING),
    "placement": (np.int8, NOTHING),
    "request": (np.int64, NOTHING),
    "order": (np.int64, NOTHING),
    "quantity": (np.float64, np.nan),
    "amount": (np.float64, np.nan),
    "who": (np.int8, ACCOUNT),
    "person": (np.int32, NOTHING),  # whose anonymous id
    "fraud": (np.int8, NOTHING),
    "ring": (np.int32, NOTHING),
}


def properties(**parts: pa.Array) -> pa.Array:
    """Flat JSON text of the given keys; a part is numbers, or text that needs no escaping."""
    pieces: list[pa.Array | str] = []
    before = "{"
    for key, values in parts.items():
        quote = '"' if pa.types.is_string(values.type) else ""
        pieces += [f'{before}"{key}": {quote}', values.cast(pa.string())]
        before = f"{quote}, "
    return pc.binary_join_element_wise(*pieces, before.removesuffix(", ") + "}", "")


def numbered(letter: str, numbers: npt.NDArray[np.integer], width: int = 0) -> pa.Array:
    """Ids: ``letter`` and a number, filled up with zeros to ``width``."""
    text = pa.array(numbers).cast(pa.string())
    return pc.binary_join_element_wise(letter, pc.utf8_lpad(text, width, "0") if width else text, "")


class DayLog:
    """Collects what happened on one day; :meth:`finish` gives it as rows, sorted by account and time."""

    def __init__(self) -> None:
        self._chunks: list[tuple[int, dict[str, npt.NDArray[np.generic]], pa.Array]] = []

    def add(self, kind: EventType, n: int, properties: pa.Array | None = None, **columns: Values) -> None:
        """``n`` events of ``kind``; ``columns`` are arrays (n,) or one value for all, by the names of ``_FIELDS``."""
        if not n:
            return
        filled = {name: np.full(n, kind.code, np.int8) if name == "kind" else _column(n, dtype, columns.get(name, rest))
                  for name, (dtype, rest) in _FIELDS.items()}  # fmt: skip
        self._chunks.append((n, filled, pa.nulls(n, pa.string()) if properties is None else properties))

    def finish(
        self, world: World, block: int, day: int, names: "Names", counters: Counters, random: np.random.Generator
    ) -> tuple[pa.Table, pa.Table]:
        """The rows in ``EVENT_SCHEMA`` and the marks of the fake ones in ``FRAUD_SCHEMA``."""
        if not self._chunks:
            return EVENT_SCHEMA.empty_table(), FRAUD_SCHEMA.empty_table()
        whole = {name: np.concatenate([chunk[name] for _, chunk, _ in self._chunks]) for name in _FIELDS}
        texts = pa.chunked_array([text for _, _, text in self._chunks], pa.string()).combine_chunks()
        at = np.clip(np.round(whole["at"].astype(np.float64) * 1000), 0, _SECONDS * 1000 - 1).astype(np.int64)
        order = np.lexsort((whole["kind"], at, whole["account"]))
        whole = {name: values[order] for name, values in whole.items()}
        n = len(order)
        midnight = int((world.midnight + timedelta(days=day)).timestamp()) * _MICROSECONDS
        occurred = midnight + at[order] * 1000
        account, who = whole["account"], whole["who"]
        numbers = block * _NUMBERS_PER_BLOCK + counters.take("events", n)
        nobody, known = who == ANONYMOUS, who == ACCOUNT
        columns = {
            c.EVENT_ID: numbered("e", numbers),
            c.EVENT_TYPE: _words(_TYPES, whole["kind"]),
            c.USER_ID: _words(names.users, np.where(nobody, NOTHING, account)),
            c.ANONYMOUS_ID: _words(names.visitors, np.where(known, NOTHING, whole["person"])),
            c.ITEM_ID: _words(names.items, whole["item"]),
            c.OCCURRED_AT: pa.array(occurred).cast(TIMESTAMP),
            c.RECEIVED_AT: pa.array(occurred + _delays(random, n)).cast(TIMESTAMP),
            c.SESSION_ID: _counted("s", block, whole["session"]),
            c.CHANNEL: _words(_CHANNELS, whole["channel"]),
            c.PLACEMENT: _words(_PLACEMENTS, whole["placement"]),
            c.REQUEST_ID: _counted("r", block, whole["request"]),
            c.ORDER_ID: _counted("o", block, whole["order"]),
            c.QUANTITY: pa.array(whole["quantity"], from_pandas=True),
            c.AMOUNT: pa.array(whole["amount"], from_pandas=True),
            c.CURRENCY: _words(pa.array([CURRENCY]), np.where(np.isnan(whole["amount"]), NOTHING, 0)),
            c.PROPERTIES: texts.take(pa.array(order)),
        }
        table = pa.table([columns[name] for name in EVENT_SCHEMA.names], schema=EVENT_SCHEMA)
        return table, _marks(table, whole["fraud"], whole["ring"], block)


@dataclass(frozen=True)
class Names:
    """External ids of a block, by local number."""

    users: pa.Array  # accounts: people, second accounts, fake accounts
    visitors: pa.Array  # anonymous ids of people and ghosts
    items: pa.Array


_TYPES: Final = pa.array([str(kind) for kind in EVENT_TYPES], pa.string())
_CHANNELS: Final = pa.array(CHANNELS, pa.string())
_PLACEMENTS: Final = pa.array(PLACEMENTS, pa.string())


def _column(n: int, dtype: type[np.generic], value: Values) -> npt.NDArray[np.generic]:
    if isinstance(value, np.ndarray) and value.ndim:
        assert len(value) == n
        return value.astype(dtype, copy=False)
    return np.full(n, value, dtype)


def _words(dictionary: pa.Array, codes: npt.NDArray[np.integer]) -> pa.Array:
    return dictionary.take(pa.array(codes, mask=codes < 0))


def _counted(letter: str, block: int, numbers: npt.NDArray[np.int64]) -> pa.Array:
    present = numbered(letter, block * _NUMBERS_PER_BLOCK + numbers)
    return pc.if_else(pa.array(numbers >= 0), present, pa.scalar(None, pa.string()))


def _delays(random: np.random.Generator, n: int) -> npt.NDArray[np.int64]:
    """Microseconds until an event is received: seconds mostly, hours or days for 3 %."""
    seconds = random.exponential(3.0, n)
    late = np.flatnonzero(random.random(n) < _LATE_SHARE)
    seconds[late] = np.minimum(random.lognormal(np.log(6 * 3600), 1.5, len(late)), 10 * _SECONDS)
    return (seconds * _MICROSECONDS).astype(np.int64)


def _marks(table: pa.Table, fraud: npt.NDArray[np.int8], ring: npt.NDArray[np.int32], block: int) -> pa.Table:
    rows = np.flatnonzero(fraud >= 0)
    marked = table.select([c.EVENT_ID, c.OCCURRED_AT]).take(pa.array(rows))
    kinds = pa.array(FRAUD_KINDS, pa.string()).take(pa.array(fraud[rows]))
    return pa.table([*marked.columns, kinds, numbered(f"g{block}-", ring[rows])], schema=FRAUD_SCHEMA)
