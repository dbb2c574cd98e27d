"""Columns of a file of ranked lists."""

from typing import Final

import pyarrow as pa

from features.contracts import columns as c
from features.contracts.events import TIMESTAMP

TEXT: Final = pa.dictionary(pa.int32(), pa.string())

LISTS_SCHEMA: Final = pa.schema(
    [
        pa.field(c.USER_ID, pa.string(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),  # from 1
        pa.field(c.ITEM_ID, TEXT, nullable=False),
        pa.field("score", pa.float32(), nullable=False),  # comparable within one user
        pa.field("source", TEXT, nullable=False),  # that ranked the item best
        pa.field("model_version", TEXT, nullable=False),
        pa.field("as_of", TIMESTAMP, nullable=False),
    ]
)
