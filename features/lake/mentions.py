"""Events of others that name a person: an invitation says who came by it."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts import properties as p

_KEY: Final = f'"{p.INVITED}"'


def mentioned(events: pa.Table, named: Callable[[str], bool]) -> npt.NDArray[np.bool_]:
    """(n,) which events (with ``properties``) mention an id of which ``named`` is true."""
    found = np.zeros(len(events), dtype=np.bool_)
    for row, told in _invitations(events):
        found[row] = named(str(told[p.INVITED]))
    return found


def renamed(events: pa.Table, named: Callable[[str], bool], alias: str | None) -> pa.Table:
    """``events`` with ``alias`` in the place of mentioned ids of which ``named`` is true."""
    texts: dict[int, str] = {}
    for row, told in _invitations(events):
        if named(str(told[p.INVITED])):
            texts[row] = orjson.dumps({**told, p.INVITED: alias}).decode()
    if not texts:
        return events
    mask = np.zeros(len(events), dtype=np.bool_)
    mask[list(texts)] = True
    column = events[c.PROPERTIES].combine_chunks()
    column = pc.replace_with_mask(column, pa.array(mask), pa.array([texts[row] for row in sorted(texts)], column.type))
    return events.set_column(events.schema.get_field_index(c.PROPERTIES), events.field(c.PROPERTIES), column)


def _invitations(events: pa.Table) -> list[tuple[int, dict[str, Any]]]:
    """Row and properties of the events that say who came."""
    texts = events[c.PROPERTIES]
    if texts.null_count == len(texts):
        return []
    rows = np.flatnonzero(pc.fill_null(pc.match_substring(texts, _KEY), False).to_numpy())
    told = (
        (row, orjson.loads(text))
        for row, text in zip(rows.tolist(), texts.take(pa.array(rows)).to_pylist(), strict=True)
    )
    return [(row, properties) for row, properties in told if properties.get(p.INVITED) is not None]
