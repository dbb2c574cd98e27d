"""The Arrow schemas of items and users."""

from typing import Final

import pyarrow as pa

from features.contracts import columns as c
from features.contracts.events import TIMESTAMP

#: Separates the levels of a category path: ``GROCERY > FROZEN > PIZZA``.
CATEGORY_SEPARATOR: Final = " > "

#: ``status`` of an item that may be shown.
ON_SALE: Final = "on_sale"

ITEM_SCHEMA: Final = pa.schema(
    [
        pa.field(c.ITEM_ID, pa.string(), nullable=False),
        pa.field(c.TITLE, pa.string()),
        pa.field(c.CATEGORY, pa.string()),  # path, top level first, joined by CATEGORY_SEPARATOR
        pa.field(c.BRAND, pa.string()),
        pa.field(c.SHOP, pa.string()),
        pa.field(c.PRICE, pa.float64()),
        pa.field(c.STOCK, pa.int64()),  # null: not tracked
        pa.field(c.STATUS, pa.string()),  # null means on sale
        pa.field(c.PUBLISHED_AT, TIMESTAMP),
        pa.field(c.ATTRIBUTES, pa.string()),  # flat JSON text
    ]
)

USER_SCHEMA: Final = pa.schema(
    [
        pa.field(c.USER_ID, pa.string(), nullable=False),
        pa.field(c.IDENTITIES, pa.string()),  # JSON object: kind -> value
        pa.field(c.DEMOGRAPHICS, pa.string()),  # flat JSON object, all keys optional
        pa.field(c.REGISTERED_AT, TIMESTAMP),
        pa.field(c.SOURCE_CHANNEL, pa.string()),
        pa.field(c.MEMBER_LEVEL, pa.string()),
        pa.field(c.CONSENT_PERSONALIZATION, pa.bool_()),  # null means not asked: allowed
        pa.field(c.CONSENT_MARKETING, pa.bool_()),
        pa.field(c.ERASED_AT, TIMESTAMP),
    ]
)
