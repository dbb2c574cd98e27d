"""Personal data out of events before they are kept: masked in text, hashed where it is a device's id."""

import re
from collections import Counter
from typing import Final

import duckdb
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.events import EVENT_SCHEMA
from features.identity import IdentityKey, Kind
from features.quality.personal import mask_text

_DEVICE: Final = f'"{p.DEVICE}"'
_NUMBER: Final = r"-?[0-9][0-9.eE+-]*"
_TOLD_DEVICE: Final = rf'(?P<told>{_DEVICE}\s*:\s*(?:"[^"\\]*"|{_NUMBER}|null))'
_PAIR: Final = re.compile(
    rf'(?P<key>"(?P<name>(?:[^"\\]|\\.)*)"\s*:\s*)(?P<value>"(?:[^"\\]|\\.)*"|{_NUMBER}|true|false|null)'
)
#: Values of these keys are ids of the contract: never free text.
_IDS: Final = frozenset({p.COUPON_ID, p.MESSAGE_ID, p.CAMPAIGN, p.INVITED, *EVENT_SCHEMA.names} - {c.PROPERTIES})
#: A number under such a key is what the key says.
_TELLING: Final = re.compile(r"phone|mobile|tel|card|id_?no|identity|手机|电话|身份证|银行卡", re.IGNORECASE)

_BREAK: Final = r"(?:[ .\-\x{2013}\x{a0}]|\\u[0-9a-fA-F]{4})?"
#: A superset of what :func:`mask_text` finds, in the linear-time syntax of RE2, over JSON text as it stands; forms that
#: are rare (full-width digits, escapes of what needs none) are sent on as they are.
_CANDIDATE: Final = "|".join(
    [
        rf"(?:^|[^0-9A-Za-z])(?:(?:tel|phone|mobile|wechat|wx|vx|\+?86|0086)\)?{_BREAK})*"
        rf"1[3-9][0-9]{_BREAK}[0-9]{{4}}{_BREAK}[0-9]{{4}}(?:$|[^0-9A-Za-z])",
        rf"(?:^|[^0-9A-Za-z])[1-9][0-9]{{5}}{_BREAK}(?:18|19|20)[0-9]{{2}}[01][0-9][0-3][0-9]{_BREAK}[0-9]{{3}}[0-9Xx]",
        rf"(?:^|[^0-9A-Za-z])(?:62|81|60|68|95|4|5[1-5]|2[2-7]|35|3[47])(?:{_BREAK}[0-9]){{13,18}}(?:$|[^0-9A-Za-z])",
        r"[A-Za-z0-9._%+-]@[A-Za-z0-9-]+\.",
        r"[０-９]{3}|＠|\\u(?:00[2-7]|[fF][fF](?:1[0-9]|20))",
    ]
)
#: The same once more for text that is not JSON, where boundaries may be anything.
_RAW_DEVICE: Final = re.compile(rf'((?:\\*"+){p.DEVICE}(?:\\*"+)\s*:\s*\\*"*)[^"\\,}}\s]+')
_FEW_ROWS: Final = 1_000
#: Without this a value of a candidate row is not the one.
_WORTH_READING: Final = re.compile(r"\d[\d .\-–－\u00a0\u3000]{9}|[@＠]|\\u")
_REMEMBERED_DEVICES: Final = 200_000


class Protection:
    """Protects ``properties``. Holds a private in-memory DuckDB; one thread at a time."""

    def __init__(self, key: IdentityKey | None = None) -> None:
        """Without ``key`` device ids are left out: what cannot be hashed is not kept."""
        self._key = key
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._devices: dict[str, str] = {}

    def of_events(self, events: pa.Table) -> tuple[pa.Table, Counter[str]]:
        """``events`` (``EVENT_SCHEMA``, accepted) without personal data in clear, and how much of it there was."""
        texts = events.column(c.PROPERTIES)
        found: Counter[str] = Counter()
        if texts.null_count == len(texts):
            return events, found
        safe = texts.combine_chunks()
        odd = _has_personal(safe)
        if pc.any(pc.match_substring(safe, _DEVICE)).as_py():
            safe, left = self._without_devices(safe)
            odd = pc.or_(odd, left)
        rows = np.flatnonzero(odd.to_numpy(zero_copy_only=False))
        if len(rows):
            masked = [self._one(text, found) for text in safe.take(pa.array(rows)).to_pylist()]
            safe = pc.replace_with_mask(safe, odd, pa.array(masked, pa.string()))
        if safe is not texts:
            place = events.schema.get_field_index(c.PROPERTIES)
            events = events.set_column(place, EVENT_SCHEMA.field(c.PROPERTIES), safe)
        return events, found

    def _without_devices(self, texts: pa.Array) -> tuple[pa.Array, pa.BooleanArray]:
        """``texts`` with the plain device ids hashed, and which rows are left to :meth:`_one`."""
        named = pc.fill_null(pc.match_substring(texts, _DEVICE), False)
        if len(texts) < _FEW_ROWS:
            return texts, named
        told = pc.struct_field(pc.extract_regex(texts, _TOLD_DEVICE), 0)  # null without a match
        often = pc.fill_null(pc.greater(pc.count_substring(texts, _DEVICE), 1), False)
        coded = told.dictionary_encode()
        hashed = pa.array([self._device(text) for text in coded.dictionary.to_pylist()], pa.string())
        rows = pa.table({"text": texts, "told": told, "hashed": hashed.take(coded.indices)})
        if self._connection is None:
            self._connection = duckdb.connect()
        changed = self._connection.from_arrow(rows).project("coalesce(replace(text, told, hashed), text)")
        safe = changed.to_arrow_table().column(0).combine_chunks()
        return safe.cast(pa.string()), pc.or_(often, pc.and_(named, told.is_null()))

    def _device(self, told: str) -> str:
        """``"device_id": "x"`` with the value hashed; what the last batches held is remembered."""
        known = self._devices.get(told)
        if known is None:
            head, value = told.split(":", 1)
            if len(self._devices) >= _REMEMBERED_DEVICES:
                self._devices.clear()
            known = self._devices[told] = f"{head}: {self._hashed(value.strip())}"
        return known

    def _hashed(self, value: str) -> str:
        """A JSON value as the JSON value that is kept in its place."""
        device = orjson.loads(value)
        hashed = None if device is None or self._key is None else self._key.hash(Kind.DEVICE, str(device))
        return orjson.dumps(hashed).decode()

    def _one(self, text: str, found: Counter[str]) -> str:
        """One flat JSON object, each value for itself; what is harmless stays as it was written."""

        def safe(match: re.Match[str]) -> str:
            name = _decoded(f'"{match["name"]}"')
            value = match["value"]
            if name == p.DEVICE:
                return match["key"] + self._hashed(value)
            if name in _IDS or not (value[0] == '"' or (value[0].isdigit() and _TELLING.search(name))):
                return match[0]
            if not _WORTH_READING.search(value):
                return match[0]
            masked, kinds = mask_text(_decoded(value) if value[0] == '"' else value)
            found.update(kinds)
            return match["key"] + orjson.dumps(masked).decode() if kinds else match[0]

        return _PAIR.sub(safe, text)


def mask_raw(texts: list[str]) -> list[str]:
    """Rows as they came (lines, or JSON of a file's columns), for the quarantine."""
    if not texts:
        return texts
    rough = _has_personal(pa.array(texts, pa.string())).to_pylist()
    return [
        _RAW_DEVICE.sub(r"\1***", mask_text(text)[0] if odd else text) if p.DEVICE in text or odd else text
        for text, odd in zip(texts, rough, strict=True)
    ]


def _has_personal(texts: pa.Array) -> pa.BooleanArray:
    return pc.fill_null(pc.match_substring_regex(texts, _CANDIDATE), False)


def _decoded(text: str) -> str:
    """A JSON string; halves of surrogate pairs, which JSON can carry and text cannot, stay escaped."""
    try:
        return str(orjson.loads(text))
    except orjson.JSONDecodeError:
        return text[1:-1]
