import json

import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA
from features.identity import IdentityKey
from features.quality.protection import Protection, mask_raw

KEY = IdentityKey(lambda: b"a key for tests only")
HASHED = KEY.hash("device_id", "phone-77")


def events(*properties: str | None) -> pa.Table:
    return pa.table(
        [
            pa.array(properties, f.type) if f.name == c.PROPERTIES else pa.nulls(len(properties), f.type)
            for f in EVENT_SCHEMA
        ],
        names=EVENT_SCHEMA.names,
    )


def kept(*properties: str | None, key: IdentityKey | None = KEY, times: int = 1) -> list[str | None]:
    table, _ = Protection(key).of_events(events(*(properties * times)))
    assert len(table) == len(properties) * times
    return table.column(c.PROPERTIES).to_pylist()[: len(properties)]


def test_only_texts_are_masked_and_the_rest_stays_to_the_letter() -> None:
    text = '{ "query":"找 13812345678",  "order_id": "13812345678", "price": 13812345678, "coupon_id":"13812345678" }'
    (safe,) = kept(text)
    assert safe == text.replace("找 13812345678", "找 138****5678")


def test_escapes_hide_nothing() -> None:
    hidden = json.dumps({"query": "打 １３８１２３４５６７８", "note": "zhang＠example.com"})
    assert hidden.isascii()
    (safe,) = kept(hidden, '{"\\u0071uery": "\\u00313812345678"}')[:1]
    assert json.loads(safe or "") == {"query": "打 138****5678", "note": "z***@example.com"}
    (other,) = kept('{"\\u0071uery": "\\u00313812345678"}')
    assert json.loads(other or "") == {"query": "138****5678"}


def test_a_number_is_masked_where_its_key_says_what_it_is() -> None:
    (safe,) = kept('{"mobile": 13812345678, "views": 13812345678}')
    assert json.loads(safe or "") == {"mobile": "138****5678", "views": 13812345678}


def test_what_was_found_is_counted_by_kind() -> None:
    _, found = Protection(KEY).of_events(events('{"q": "13812345678 a@b.cn"}', None, '{"q": "13900001111"}', "{}"))
    assert found == {"phone": 2, "email": 1}


@pytest.mark.parametrize("times", [1, 600])
def test_devices_are_hashed_alike_in_small_and_large_batches(times: int) -> None:
    rows = (
        '{"device_id": "phone-77", "n": 1}',
        '{"n":1,"device_id":"phone-77"}',
        '{"device_id": 77}',
        '{"device_id": null, "q": "phone-77"}',
        '{"device_id": "phone-77", "device_id": "phone-77"}',
        '{"device_id": "phone\\u002d77", "q": "13812345678"}',
        None,
        '{"q": "no device"}',
    )
    told = [None if text is None else json.loads(text) for text in kept(*rows, times=times)]
    assert told == [
        {"device_id": HASHED, "n": 1},
        {"device_id": HASHED, "n": 1},
        {"device_id": KEY.hash("device_id", "77")},
        {"device_id": None, "q": "phone-77"},
        {"device_id": HASHED},
        {"device_id": HASHED, "q": "138****5678"},
        None,
        {"q": "no device"},
    ]
    assert kept(*kept(*rows, times=times), times=times) == kept(*rows, times=times)  # hashed once, however often


def test_without_a_key_no_device_is_kept() -> None:
    assert [json.loads(t or "") for t in kept('{"device_id": "phone-77"}', key=None)] == [{"device_id": None}]


def test_rows_for_the_quarantine_hold_nothing_in_clear() -> None:
    line = '7,view,"{""device_id"": ""phone-77"", ""q"": ""13812345678""}",2024-01-01'
    (safe,) = mask_raw([line])
    assert "phone-77" not in safe
    assert "13812345678" not in safe
    assert safe.startswith("7,view,")
