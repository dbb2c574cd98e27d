"""What a built column holds: how many users have it, and how it is spread."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from features.contracts import columns as c
from features.contracts.progress import step

_QUANTILES: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
#: Values that quantiles are taken of at most, drawn evenly: the share of users below one is off by .002 or so.
_SAMPLED: Final = 100_000
_TOP_WORDS: Final = 10
_THREADS: Final = 2


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
    """Numbers: 1, 5, 10, 25, 50, 75, 90, 95 and 99 %, keys like "p50"; of many users, those of a sample."""
    top: dict[str, float] = {}
    """Words: the ten most frequent ones with their share of all users."""
    words: int | None = None
    """Words: how many different ones."""


def summarise(path: Path) -> dict[str, TagSummary]:
    """The summary of every column of a tag table on disk but the user's; in memory are a few columns at a time."""
    # The footer of a wide table in many row groups takes longer to read than a column.
    footer = pq.read_metadata(path)
    names = [name for name in footer.schema.to_arrow_schema().names if name != c.USER_ID]
    with ThreadPoolExecutor(_THREADS) as pool, step("summing up tags", len(names), "tags") as task:
        found = {}
        summaries = pool.map(lambda name: summary_of(column(path, name, footer)), names)
        for name, summary in zip(names, summaries, strict=True):
            found[name] = summary
            task.advance()
    return found


def column(path: Path, name: str, footer: pq.FileMetaData | None = None) -> pa.ChunkedArray:
    """One column of a tag table on disk; ``footer`` is its metadata where it is known already."""
    with pq.ParquetFile(path, metadata=footer) as file:
        return file.read([name], use_threads=False)[name]


def summary_of(values: pa.ChunkedArray) -> TagSummary:
    """The summary of one column; its length is the number of users."""
    users = len(values)
    present = values.drop_null()
    if not len(present):
        return TagSummary(coverage=0.0)
    coverage = len(present) / users
    if pa.types.is_string(values.type):
        counted = pa.table(dict(zip(("word", "count"), present.value_counts().flatten(), strict=True)))
        top = counted.take(pc.select_k_unstable(counted, _TOP_WORDS, [("count", "descending"), ("word", "ascending")]))
        shares = {row["word"]: row["count"] / users for row in top.to_pylist()}
        return TagSummary(coverage=coverage, top=shares, words=counted.num_rows)
    numbers = present.cast(pa.float64())
    ends = pc.min_max(numbers)
    quantiles = pc.quantile(_sampled(numbers), q=list(_QUANTILES)).to_pylist()
    return TagSummary(
        coverage=coverage,
        nonzero=pc.sum(pc.not_equal(numbers, 0.0)).as_py() / users,
        minimum=ends["min"].as_py(),
        maximum=ends["max"].as_py(),
        mean=pc.mean(numbers).as_py(),
        quantiles={f"p{round(100 * q)}": value for q, value in zip(_QUANTILES, quantiles, strict=True)},
    )


def _sampled(numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    if len(numbers) <= _SAMPLED:
        return numbers
    # Numbered places in a fixed random order: equal tables have equal summaries.
    drawn = np.random.default_rng(len(numbers)).choice(len(numbers), _SAMPLED, replace=False, shuffle=False)
    return numbers.combine_chunks().take(pa.array(np.sort(drawn)))
