"""Ids and words are short plain text."""

from collections.abc import Iterator

import pyarrow.compute as pc

from features.contracts import columns as c
from features.quality.check import Batch, Check, Finding

_WORDS = (
    c.EVENT_ID,
    c.USER_ID,
    c.ANONYMOUS_ID,
    c.ITEM_ID,
    c.SESSION_ID,
    c.CHANNEL,
    c.PLACEMENT,
    c.REQUEST_ID,
    c.ORDER_ID,
    c.CURRENCY,
)


class PlainIds(Check):
    """Ids are at most ``max_id_bytes`` long and hold no control characters (NUL ends a key in our arrays)."""

    name = "bad_id"
    meaning = "an id or word is too long, holds control characters, or is a list or object"
    meaning_zh = "标识或短文本过长、含控制字符，或是列表/对象"
    bad_rows = ({c.USER_ID: "u" * 200}, {c.ITEM_ID: "a\0b"}, {c.ORDER_ID: "a\nb"}, {c.ITEM_ID: ["a", "b"]})

    def find(self, batch: Batch) -> Iterator[Finding]:
        limit = batch.limits.max_id_bytes
        for column in _WORDS:
            words = batch.column(column)
            if words.null_count == len(words):
                continue
            yield Finding(column, pc.greater(pc.binary_length(words), limit), f"{column} is longer than {limit} bytes")
            yield Finding(
                column,
                pc.match_substring_regex(words, r"[\x00-\x1f\x7f]|^[\[{]"),
                f"{column} is {{value}}; it must be plain text or a number",
            )
