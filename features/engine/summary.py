"""What a built column holds: how many users have it, and how it is spread."""

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from features.contracts import columns as c

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_TOP_WORDS = 5


class TagSummary(BaseModel):
    """Coverage and distribution of one tag in one build."""

    model_config = ConfigDict(frozen=True)

    coverage: float
    """Share of users with a value."""
    nonzero: float | None = None
    """Numbers and flags: share of users with a value other than 0."""
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    quantiles: dict[str, float] = {}
    """Numbers: 5, 25, 50, 75 and 95 %, keys like "p50"."""
    top: dict[str, float] = {}
    """Words: the most frequent ones with their share of all users."""


def summarise(table: pa.Table) -> dict[str, TagSummary]:
    """The summary of every column of a tag table but the user's."""
    return {name: _summary(table[name]) for name in table.column_names if name != c.USER_ID}


def _summary(values: pa.ChunkedArray) -> TagSummary:
    users = len(values)
    present = values.drop_null()
    if not len(present):
        return TagSummary(coverage=0.0)
    coverage = len(present) / users
    if pa.types.is_string(values.type):
        counted = present.value_counts().to_pylist()
        counted.sort(key=lambda entry: (-entry["counts"], entry["values"]))
        return TagSummary(coverage=coverage, top={e["values"]: e["counts"] / users for e in counted[:_TOP_WORDS]})
    numbers = present.cast(pa.float64())
    ends = pc.min_max(numbers)
    quantiles = pc.quantile(numbers, q=list(_QUANTILES)).to_pylist()
    return TagSummary(
        coverage=coverage,
        nonzero=pc.sum(pc.not_equal(numbers, 0.0)).as_py() / users,
        minimum=ends["min"].as_py(),
        maximum=ends["max"].as_py(),
        mean=pc.mean(numbers).as_py(),
        quantiles={f"p{round(100 * q)}": value for q, value in zip(_QUANTILES, quantiles, strict=True)},
    )
