"""Properties are one flat JSON object."""

from collections.abc import Iterator
from typing import Final

import pyarrow.compute as pc

from features.contracts import columns as c
from features.quality.check import Batch, Check, Finding

_STRING: Final = r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
_NUMBER: Final = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_PAIR: Final = rf"\s*{_STRING}\s*:\s*(?:{_STRING}|{_NUMBER}|true|false|null)\s*"
_FLAT_OBJECT: Final = rf"^\s*\{{(?:\s*|{_PAIR}(?:,{_PAIR})*)\}}\s*$"


class FlatProperties(Check):
    """``properties`` is a JSON object whose values are text, numbers, true, false or null (RFC 8259 grammar)."""

    name = "bad_properties"
    meaning = "properties are not a flat JSON object, or too long"
    meaning_zh = "扩展属性不是扁平的 JSON 对象，或过长"
    bad_rows = (
        {c.PROPERTIES: "color=red"},
        {c.PROPERTIES: '{"a": '},
        {c.PROPERTIES: {"a": {"b": 1}}},
        {c.PROPERTIES: [1, 2]},
        {c.PROPERTIES: {"a": "x" * 20_000}},
    )

    def find(self, batch: Batch) -> Iterator[Finding]:
        texts = batch.column(c.PROPERTIES)
        if texts.null_count == len(texts):
            return
        limit = batch.limits.max_properties_bytes
        yield Finding(
            c.PROPERTIES, pc.greater(pc.binary_length(texts), limit), f"{c.PROPERTIES} are longer than {limit} bytes"
        )
        flat = pc.match_substring_regex(texts, _FLAT_OBJECT)
        yield Finding(c.PROPERTIES, pc.invert(flat), f"{c.PROPERTIES} are not a flat JSON object")
