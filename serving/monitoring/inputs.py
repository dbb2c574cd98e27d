"""What the model reads, of the users that a snapshot scored: from a kept tag table, else built anew."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import ceil

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.home import Home
from features.engine import EventTables, TagBuild, TagStore, build_slices
from features.lake import Lake
from features.tags import catalogue, spec_hash
from training.models.churn import ChurnModel
from training.models.churn_features import tag_values

Float64 = npt.NDArray[np.float64]

#: Users whose tags are built at a time.
_SLICE = 125_000


def tags_of_population(home: Home, model: ChurnModel, as_of: datetime, *, users: int, most: int) -> pa.Table:
    """The required tags at ``as_of`` of the users that ``model`` is asked about, at most about ``most`` of ``users``.

    Every k-th user by id is taken: histograms of a hundred thousand say what those of a million do.
    """
    step = max(ceil(users / most), 1)
    parts = []
    for table in _tables(home, model.required_tags, as_of):
        asked = table.filter(pa.array(model.asked(table)))
        parts.append(asked.take(pa.array(np.arange(0, asked.num_rows, step))))
    return pa.concat_tables(parts)


def values_by_tag(model: ChurnModel, tags: pa.Table) -> Mapping[str, Float64]:
    """(m,) values of each tag that the trees read, null as NaN."""
    values = tag_values(tags, model.tags)
    return {name: values[:, place] for place, name in enumerate(model.tags)}


def _tables(home: Home, names: tuple[str, ...], as_of: datetime) -> Iterable[pa.Table]:
    for build in reversed(TagStore(home).builds()):
        if build.as_of == as_of and _stands(build, names):
            return [pq.read_table(build.path, columns=[c.USER_ID, *names])]
    return build_slices(EventTables.from_lake(Lake(home)), as_of, names, slice_users=_SLICE)


def _stands(build: TagBuild, names: tuple[str, ...]) -> bool:
    """Whether a kept table has these tags, and all of its tags still mean what they meant."""
    tags = build.tags.keys()
    return set(names) <= tags <= catalogue().keys() and build.spec_hash == spec_hash(tags)
